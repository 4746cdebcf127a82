"""The roster: patients who let somebody, by name or by organisation, read or write a kind of record now."""

from __future__ import annotations

from dataclasses import dataclass

from handshaker.records.access_log import AccessLog, Look
from handshaker.records.finder import PatientFinder
from handshaker.records.gateway import Gateway
from handshaker.records.identities import Identity
from handshaker.store.sql_store import SqlStore
from handshaker.tokens import Credential
from handshaker.vocabulary import Action, Category, organisation_grantee, practitioner_grantee

_MOST = 60
"""Patients asked about in one look, who granted last first: each is a question to the chain."""


@dataclass(frozen=True, slots=True)
class Allowing:
    """Who allows it, newest grant first."""

    patients: tuple[Identity, ...]
    is_complete: bool
    """Whether everybody who ever granted was asked about."""
    reachable: bool
    """Whether the chain could be asked; if not, nobody is there."""


class Roster:
    """Finds who allows something, from the grants on the chain and the gateway's word on each."""

    def __init__(self, store: SqlStore, finder: PatientFinder, gateway: Gateway, accesses: AccessLog) -> None:
        self._store = store
        self._finder = finder
        self._gateway = gateway
        self._accesses = accesses

    def allowing(
        self,
        credential: Credential,
        action: Action,
        category: Category,
        limit: int = _MOST,
        within: Look | None = None,
    ) -> Allowing:
        """Return the patients who let the reader do this now, for treatment."""
        actor = credential.actor
        grantees = ["0x" + practitioner_grantee(bytes.fromhex(actor.actor_id[2:])).hex()]
        if actor.organisation_id is not None:
            grantees.append("0x" + organisation_grantee(actor.organisation_id).hex())
        candidates = self._store.records.granted_to(grantees, limit + 1)
        inquiry = self._gateway.inquiry()
        found = [
            patient_id
            for patient_id in candidates[:limit]
            if inquiry.permitted(patient_id, actor, action, [category]).allows(category.code)
        ]
        if not inquiry.reachable:
            found = []
        with self._accesses.looking(credential, "roster", within) as look:
            known = self._finder.identities(credential, found, look)
        patients = tuple(known[patient_id] for patient_id in found if patient_id in known)
        return Allowing(patients, len(candidates) <= limit, inquiry.reachable)
