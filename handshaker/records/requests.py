"""Asking patients for consent, in the name of the asker's organisation."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from uuid import uuid4

from handshaker.errors import ActorInactive, NotFound, RoleNotAllowed, SchemaViolated
from handshaker.messages import Actor
from handshaker.ports import Clock
from handshaker.records.gateway import Gateway, Inquiry
from handshaker.store.records import RequestRow
from handshaker.store.sql_store import SqlStore
from handshaker.tokens import Credential
from handshaker.vocabulary import Action, ActorKind, Purpose, categories_of, mask_of

WAITING = "waiting"
GRANTED = "granted"
_MOST = 100
"""Requests that one look returns; older ones are found through their patient."""


@dataclass(frozen=True, slots=True)
class ConsentRequest:
    """What an organisation would like a patient to allow."""

    request_id: str
    patient_id: str
    grantee: str
    """``organisation/<number>``, or ``practitioner/<id>`` for somebody without one."""
    grantee_name: str
    purpose: Purpose
    read: tuple[str, ...]
    """Codes of categories."""
    write: tuple[str, ...]
    requested_by: str
    requester_name: str
    requested_at: datetime
    state: str
    """``waiting``, or ``granted`` when the chain now permits the one who looks all that was asked for."""

    def covers(self, patient_id: str, action: Action, category: str, purpose: Purpose) -> bool:
        """Tell whether it asks for this too."""
        asked = self.write if action is Action.WRITE else self.read
        return self.patient_id == patient_id and self.purpose is purpose and category in asked


class ConsentRequests:
    """The requests of staff, and what became of them."""

    def __init__(self, store: SqlStore, gateway: Gateway, clock: Clock) -> None:
        self._store = store
        self._gateway = gateway
        self._clock = clock

    def ask(
        self,
        credential: Credential,
        patient_id: str,
        read: Iterable[str],
        write: Iterable[str],
        purpose: Purpose = Purpose.TREAT,
    ) -> ConsentRequest:
        """Ask a patient, in the name of the asker's organisation; the same wish is kept once, with its last time.

        ``read`` and ``write`` are codes of categories, at least one in all. Raises ``ActorInactive``,
        ``RoleNotAllowed``, ``NotFound`` and ``SchemaViolated``.
        """
        actor = credential.actor
        self._require_good_standing(credential)
        masks = _mask("read", read), _mask("write", write)
        if not any(masks):
            raise _nothing_asked()
        if self._store.people.patient(patient_id) is None:
            raise NotFound("No patient has that pseudonym here.", what="patient", id=patient_id)
        row = self._store.records.put_request(
            RequestRow(
                request_id=str(uuid4()),
                patient_id=patient_id,
                grantee=grantee_of(actor),
                purpose=int(purpose),
                read_mask=masks[0],
                write_mask=masks[1],
                requested_by=actor.actor_id,
                requested_at=self._clock.now(),
            )
        )
        return self._request(row, actor, self._gateway.inquiry())

    def of(self, credential: Credential, limit: int = _MOST) -> list[ConsentRequest]:
        """Return the requests of somebody and of their organisation, newest first."""
        actor, inquiry = credential.actor, self._gateway.inquiry()
        rows = self._store.records.requests_by(actor.actor_id, grantee_of(actor), limit)
        return [self._request(row, actor, inquiry) for row in rows]

    def about(self, credential: Credential, patient_id: str) -> list[ConsentRequest]:
        """Return those of them that go to one patient, newest first."""
        actor, inquiry = credential.actor, self._gateway.inquiry()
        rows = self._store.records.requests_to(patient_id, _MOST)
        own = [row for row in rows if row.requested_by == actor.actor_id or row.grantee == grantee_of(actor)]
        return [self._request(row, actor, inquiry) for row in own]

    def waiting_for(self, patient_id: str) -> list[ConsentRequest]:
        """Return what a patient was asked for and has not granted, newest first."""
        inquiry, found = self._gateway.inquiry(), []
        for row in self._store.records.requests_to(patient_id, _MOST):
            asker = self._store.people.actor(row.requested_by)
            if asker is not None:
                found.append(self._request(row, asker, inquiry))
        return [request for request in found if request.state == WAITING]

    def _require_good_standing(self, credential: Credential) -> None:
        """Refuse who may not ask: the same people whom intake would not let write."""
        actor = credential.actor
        if actor.kind is not ActorKind.PRACTITIONER or "submit" not in credential.scopes:
            raise RoleNotAllowed("Only a practitioner asks patients for consent.", role=actor.role, allowed=[])
        until = actor.licence_until
        if not actor.active or (until is not None and until < self._clock.now()):
            raise ActorInactive(
                "The actor may not act: ended, not registered yet, or the licence has run out.",
                actor_id=actor.actor_id,
                licence_until=until.isoformat() if until else None,
            )

    def _request(self, row: RequestRow, looking: Actor, inquiry: Inquiry) -> ConsentRequest:
        asker = self._store.people.actor(row.requested_by)
        return ConsentRequest(
            request_id=row.request_id,
            patient_id=row.patient_id,
            grantee=row.grantee,
            grantee_name=self._grantee_name(row.grantee),
            purpose=Purpose(row.purpose),
            read=tuple(category.code for category in categories_of(row.read_mask)),
            write=tuple(category.code for category in categories_of(row.write_mask)),
            requested_by=row.requested_by,
            requester_name=asker.name if asker else "",
            requested_at=row.requested_at,
            state=GRANTED if _is_granted(row, looking, inquiry) else WAITING,
        )

    def _grantee_name(self, grantee: str) -> str:
        kind, _, number = grantee.partition("/")
        if kind == "organisation":
            known = {str(each.organisation_id): each.name for each in self._store.people.organisations()}
            return known.get(number, grantee)
        person = self._store.people.actor(number)
        return person.name if person else grantee


def _is_granted(row: RequestRow, looking: Actor, inquiry: Inquiry) -> bool:
    return all(
        inquiry.permits_all(row.patient_id, looking, action, categories_of(mask), Purpose(row.purpose))
        for action, mask in ((Action.READ, row.read_mask), (Action.WRITE, row.write_mask))
    )


def grantee_of(actor: Actor) -> str:
    """Return whom a patient would name: the organisation, or the practitioner who has none."""
    if actor.organisation_id is None:
        return f"practitioner/{actor.actor_id}"
    return f"organisation/{actor.organisation_id}"


def _mask(field: str, codes: Iterable[str]) -> int:
    try:
        return mask_of(codes)
    except KeyError as error:
        problem = {"path": field, "problem": "is no category that can be shared"}
        raise SchemaViolated(f"{field} names a category that does not exist.", problems=[problem]) from error


def _nothing_asked() -> SchemaViolated:
    problem = {"path": "read", "problem": "or write must name a category"}
    return SchemaViolated("A request for consent asks for at least one category.", problems=[problem])
