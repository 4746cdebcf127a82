"""The registrar: administrators' acts that make organisations, practitioners and patients known.

Each act is a TI like any other, signed by the administrator. Names go to the store (staff) or into ciphertext
(patients); the chain gets numbers, keys and pseudonyms.
"""

from __future__ import annotations

import secrets
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime

from handshaker.commitments import canonical
from handshaker.intake import Intake, Submission
from handshaker.messages import Actor, Json, Organisation, Registration, VerdictKind
from handshaker.ports import Clock, Vault
from handshaker.store.sql_store import SqlStore
from handshaker.tokens import Credential, Tokens
from handshaker.vocabulary import ActorKind

KeepToken = Callable[[str, str], None]
"""Gets actor id and first token, before anything is submitted: nobody else has it, and it cannot be told again."""


def _keep_nothing(actor_id: str, token: str) -> None:
    """Leave the token to the caller alone."""


@dataclass(frozen=True, slots=True)
class Registered:
    """Somebody who was registered; valid once the TI of ``submission`` is."""

    actor_id: str
    submission: Submission
    token: str | None = field(repr=False)
    """Their first bearer token, told once; ``None`` when they were here before."""


class Registrar:
    """Registers, through intake."""

    def __init__(self, store: SqlStore, vault: Vault, intake: Intake, tokens: Tokens, clock: Clock) -> None:
        self._store = store
        self._vault = vault
        self._intake = intake
        self._tokens = tokens
        self._clock = clock

    def enroll_administrator(self, name: str, keep: KeepToken = _keep_nothing) -> tuple[Actor, str]:
        """Make an administrator with a vault-kept key; the deployment appoints them on the chain."""
        actor_id = "0x" + secrets.token_hex(16)
        address, token = self._tokens.enroll(actor_id, ("submit", "read", "administer"))
        keep(actor_id, token)
        actor = Actor(actor_id, ActorKind.ADMINISTRATOR, "administrator", address, name, None, None, True, True)
        self._store.people.put_actor(actor)
        return actor, token

    def register_organisation(self, administrator: Credential, number: int, name: str) -> Submission:
        """Register organisation ``number``; safe to repeat."""
        if all(known.organisation_id != number for known in self._store.people.organisations()):
            self._store.people.put_organisation(Organisation(number, name, False), 0)
        payload = {"organisation": number, "name": name, "active": True}
        key = self._unused_key(administrator, f"register/organisation/{number}/{name}")
        return self._submit(administrator, "register-organisation", payload, key)

    def register_practitioner(
        self,
        administrator: Credential,
        name: str,
        role: str,
        organisation: int,
        licence_until: datetime,
        keep: KeepToken = _keep_nothing,
    ) -> Registered:
        """Register a practitioner with a fresh id and a vault-kept key."""
        actor_id = "0x" + secrets.token_hex(16)
        address, token = self._tokens.enroll(actor_id)
        keep(actor_id, token)
        self._store.people.put_actor(
            Actor(
                actor_id=actor_id,
                kind=ActorKind.PRACTITIONER,
                role=role,
                address=address,
                name=name,
                organisation_id=organisation,
                licence_until=licence_until,
                active=False,
                custodial=True,
                version=0,
            )
        )
        payload = {
            "name": name,
            "organisation": organisation,
            "role": role,
            "licenceUntil": licence_until.isoformat(timespec="seconds").replace("+00:00", "Z"),
            "active": True,
        }
        submission = self._submit(
            administrator,
            "register-practitioner",
            payload,
            f"register/{actor_id}",
            registration=Registration(actor_id, address, custodial=True),
        )
        return Registered(actor_id, submission, token)

    def register_patient(
        self,
        administrator: Credential,
        demographics: Mapping[str, Json],
        identifier: str | None = None,
        keep: KeepToken = _keep_nothing,
    ) -> Registered:
        """Register a patient under a fresh pseudonym with a vault-kept key, or find the one with ``identifier``.

        ``demographics`` is a FHIR R4 Patient. ``identifier`` is what the patient came with (``system|value``): the
        store keeps only a keyed hash of it.
        """
        index = self._vault.blind_index("patient", identifier) if identifier else None
        known = self._store.people.patient_by_identifier(index) if index else None
        patient_id = known.patient_id if known else "0x" + secrets.token_hex(32)
        if known is None:
            self._vault.create_owner(patient_id)
            sealed = self._vault.seal(patient_id, canonical(demographics), b"demographics")
            if not self._store.people.put_patient(patient_id, index, sealed, self._clock.now()):
                # Somebody else registers the same identifier at this moment: theirs counts.
                return self.register_patient(administrator, demographics, identifier, keep)
        earlier = self._store.intake.registrations(patient_id)
        for ti_id, verdict in earlier:
            if verdict != str(VerdictKind.INVALID):
                return Registered(patient_id, Submission(ti_id, None, None, known=True), None)
        # Nothing that names a key of this patient can take effect any more, so the key can be a new one.
        self._vault.destroy_signing_key(patient_id)
        address, token = self._tokens.enroll(patient_id)
        keep(patient_id, token)
        self._store.people.put_actor(
            Actor(patient_id, ActorKind.PATIENT, "patient", address, "", None, None, False, True, version=0)
        )
        key = f"register/{patient_id}/{len(earlier) + 1}"
        submission = self._submit(administrator, "register-patient", demographics, key, patient=patient_id)
        return Registered(patient_id, submission, token)

    def _unused_key(self, administrator: Credential, base: str) -> str:
        """Return an idempotency key that repeats an act which is open or valid, and tries again one that is not."""
        number = 1
        while True:
            key = f"{base}/{number}"
            ti_id = self._intake.known(administrator.actor.actor_id, key)
            acknowledgement = self._store.audit.acknowledgement(ti_id) if ti_id else None
            if acknowledgement is None or acknowledgement.kind is VerdictKind.VALID:
                return key
            number += 1

    def _submit(
        self,
        administrator: Credential,
        template: str,
        payload: Mapping[str, Json],
        key: str,
        *,
        patient: str | None = None,
        registration: Registration | None = None,
    ) -> Submission:
        request = {"template": template, "payload": payload, "idempotencyKey": key, "patient": patient}
        return self._intake.submit(request, administrator, registration=registration)
