"""The registrar: administrators' acts that make organisations, practitioners and patients known.

Each act is a TI like any other, signed by the administrator. Names go to the store (staff) or into ciphertext
(patients); the chain gets numbers, keys and pseudonyms.
"""

from __future__ import annotations

import hashlib
import itertools
import secrets
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime

from handshaker.commitments import canonical
from handshaker.errors import ActorInactive, NotFound, RoleNotAllowed
from handshaker.intake import Intake, Submission
from handshaker.messages import Act, Actor, Json, Organisation, Registration, VerdictKind
from handshaker.ports import Clock, Vault
from handshaker.store.sql_store import SqlStore
from handshaker.tokens import INVITATION, Credential, Tokens
from handshaker.vocabulary import ActCode, ActorKind

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
    """Their first bearer token, or their invitation, told once; ``None`` when they were here before."""


@dataclass(frozen=True, slots=True)
class Invitation:
    """An invitation that waits."""

    actor: Actor
    issued_at: datetime
    expires_at: datetime


class Registrar:
    """Registers, through intake."""

    def __init__(self, store: SqlStore, vault: Vault, intake: Intake, tokens: Tokens, clock: Clock) -> None:
        self._store = store
        self._vault = vault
        self._intake = intake
        self._tokens = tokens
        self._clock = clock
        self._turns = [threading.Lock() for _ in range(256)]
        """Who registers a patient holds the lock that the last byte of the pseudonym names."""

    def enroll_administrator(self, name: str, keep: KeepToken = _keep_nothing) -> tuple[Actor, str]:
        """Make an administrator with a vault-kept key; the deployment appoints them on the chain."""
        actor_id = "0x" + secrets.token_hex(16)
        address, token = self._tokens.enroll(actor_id, ("submit", "read", "administer"))
        keep(actor_id, token)
        actor = Actor(actor_id, ActorKind.ADMINISTRATOR, "administrator", address, name, None, None, True, True)
        act = Act(ActCode.ADMINISTRATOR_ENROLLED, "system", actor_id)
        self._store.people.put_actor(actor, act=act, at=self._clock.now())
        return actor, token

    def register_organisation(
        self, administrator: Credential, number: int, name: str, active: bool = True
    ) -> Submission:
        """Register organisation ``number``, rename it, end it or bring it back; safe to repeat."""
        wanted = Organisation(number, name, active)
        known = {each.organisation_id: each for each in self._store.people.organisations()}.get(number)
        by, subject = administrator.actor.actor_id, f"organisation/{number}"
        if known is None:
            act = Act(ActCode.ORGANISATION_ADDED, by, subject)
            self._store.people.put_organisation(replace(wanted, active=False), 0, act=act, at=self._clock.now())
        base = f"register/organisation/{number}/{name}" + ("" if active else "/ended")
        key = self._unused_key(administrator, base, known == wanted)
        payload = {"organisation": number, "name": name, "active": active}
        submission = self._submit(administrator, "register-organisation", payload, key)
        if known not in (None, wanted) and submission.refusal is None:
            act = Act(ActCode.ORGANISATION_CHANGED, by, subject, {"ti": submission.ti_id})
            self._store.people.rename_organisation(number, name, act, self._clock.now())
        return submission

    # ---- practitioners ----------------------------------------------------------------------------------------------

    def register_practitioner(
        self,
        administrator: Credential,
        name: str,
        role: str,
        organisation: int,
        licence_until: datetime,
        keep: KeepToken = _keep_nothing,
        *,
        invite: bool = False,
    ) -> Registered:
        """Register a practitioner with a fresh id and a vault-kept key.

        What they get is a bearer token or, with ``invite``, an invitation to choose a username and a password.
        """
        actor_id = "0x" + secrets.token_hex(16)
        by = administrator.actor.actor_id
        address, token = self._tokens.enroll(actor_id, INVITATION if invite else ("submit", "read"), by=by)
        keep(actor_id, token)
        actor = Actor(
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
        act = Act(ActCode.PRACTITIONER_ADDED, by, actor_id, {"role": role, "organisation": organisation})
        self._store.people.put_actor(actor, act=act, at=self._clock.now())
        return Registered(actor_id, self._register(administrator, actor, f"register/{actor_id}"), token)

    def change_practitioner(
        self,
        administrator: Credential,
        actor_id: str,
        *,
        name: str | None = None,
        role: str | None = None,
        organisation: int | None = None,
        licence_until: datetime | None = None,
    ) -> Submission:
        """Change what is given of a practitioner; the rest stays. Counts from when the TI is valid, the name at once.

        Raises ``NotFound``, and ``ActorInactive`` for somebody who was ended: they are invited again.
        """
        actor = self._practitioner(actor_id)
        if not actor.active:
            raise ActorInactive("This person was ended: invite them again.", actor_id=actor_id, licence_until=None)
        changed = replace(
            actor,
            name=name or actor.name,
            role=role or actor.role,
            organisation_id=organisation or actor.organisation_id,
            licence_until=licence_until or actor.licence_until,
        )
        by = administrator.actor.actor_id
        digest = hashlib.sha256(canonical(_payload(changed))).hexdigest()[:16]
        key = self._unused_key(administrator, f"change/{actor_id}/{actor.version}/{digest}")
        submission = self._register(administrator, changed, key)
        if submission.refusal is None and not (submission.known and changed.name == actor.name):
            act = Act(ActCode.PRACTITIONER_CHANGED, by, actor_id, {"ti": submission.ti_id})
            self._store.people.rename_actor(actor_id, changed.name, act, self._clock.now())
        return submission

    def end_practitioner(self, administrator: Credential, actor_id: str) -> Submission:
        """End a practitioner: here at once, then on the chain.

        One SQL transaction makes them inactive and ends their sessions, tokens, invitations and login; then their key
        is destroyed; then the act on the chain is submitted. Whatever fails after the first step, nothing of theirs
        opens any more, and the call can be repeated until the act is on its way (``ChainUnreachable`` means: repeat).

        What they had signed while they might, and what still waits in the queue, is not taken back: it was theirs to
        say. It goes on in its turn, and the contract refuses what comes after the act that ends them: its TI becomes
        invalid. What was refused rests as a draft that nobody can sign.

        Raises ``NotFound`` for whoever is no practitioner, ``ActorInactive`` and ``RoleNotAllowed`` for an
        administrator who may not do this, before anything is done.
        """
        actor = self._practitioner(actor_id)
        _require_administrator(administrator)
        self._close_off(administrator, actor_id, ActCode.PRACTITIONER_ENDED)
        done = self._valid(administrator, f"end/{actor_id}/{actor.version - 1}")
        if not actor.active and done is not None:
            return done
        key = self._unused_key(administrator, f"end/{actor_id}/{actor.version}")
        return self._register(administrator, actor, key, active=False)

    def invite_again(self, administrator: Credential, actor_id: str, keep: KeepToken = _keep_nothing) -> Registered:
        """Let a practitioner begin anew who lost the password or the second factor, or who comes back.

        All that they had before ends at once as in ``end_practitioner``; they get a new key, which counts from when
        the TI is valid, and an invitation. Raises as ``end_practitioner`` does.
        """
        actor = self._practitioner(actor_id)
        _require_administrator(administrator)
        self._close_off(administrator, actor_id, ActCode.PRACTITIONER_RESET)
        address, token = self._tokens.enroll(actor_id, INVITATION, by=administrator.actor.actor_id)
        keep(actor_id, token)
        renewed = replace(actor, address=address, active=False, custodial=True)
        self._store.people.put_actor(renewed)
        return Registered(actor_id, self._register(administrator, renewed, f"register/{actor_id}/{address}"), token)

    def invitations(self) -> list[Invitation]:
        """Return who was invited and has not chosen a password yet, newest first."""
        found = []
        for token in self._store.people.invitations(self._clock.now()):
            actor = self._store.people.actor(token.actor_id)
            if actor is not None:
                found.append(Invitation(actor, token.issued_at, token.expires_at))
        return found

    def _practitioner(self, actor_id: str) -> Actor:
        actor = self._store.people.actor(actor_id)
        if actor is None or actor.kind is not ActorKind.PRACTITIONER:
            raise NotFound("No practitioner has that id.", what="practitioner", id=actor_id)
        return actor

    def _close_off(self, administrator: Credential, actor_id: str, code: ActCode) -> None:
        act = Act(code, administrator.actor.actor_id, actor_id)
        self._store.logins.close_off(actor_id, self._clock.now(), act)
        self._vault.destroy_signing_key(actor_id)

    def _register(self, administrator: Credential, actor: Actor, key: str, *, active: bool = True) -> Submission:
        registration = Registration(actor.actor_id, actor.address, actor.custodial)
        payload = {**_payload(actor), "active": active}
        return self._submit(administrator, "register-practitioner", payload, key, registration=registration)

    def _valid(self, administrator: Credential, base: str) -> Submission | None:
        """Return the act that was done under a key of ``base`` and is valid, if there is one."""
        key = self._unused_key(administrator, base)
        ti_id = self._intake.known(administrator.actor.actor_id, key)
        acknowledgement = self._store.audit.acknowledgement(ti_id) if ti_id else None
        if ti_id is None or acknowledgement is None:
            return None
        return Submission(ti_id, None, acknowledgement.statement_hash, True, acknowledgement)

    # ---- patients ---------------------------------------------------------------------------------------------------

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
            act = Act(ActCode.PATIENT_ADDED, administrator.actor.actor_id, patient_id)
            if not self._store.people.put_patient(patient_id, index, sealed, self._clock.now(), act):
                # Somebody else registers the same identifier at this moment: theirs counts.
                return self.register_patient(administrator, demographics, identifier, keep)
        with self._turns[int(patient_id[-2:], 16)]:
            return self._register_once(administrator, patient_id, demographics, keep)

    def _register_once(
        self, administrator: Credential, patient_id: str, demographics: Mapping[str, Json], keep: KeepToken
    ) -> Registered:
        """Register a patient unless that is done or under way; the caller sees to it that it is one at a time.

        Two at once would each put a key in the place of the other's, and the chain could keep the one that is gone.
        """
        earlier = self._store.intake.registrations(patient_id)
        for ti_id, verdict in earlier:
            if verdict != str(VerdictKind.INVALID):
                return Registered(patient_id, Submission(ti_id, None, None, known=True), None)
        # Nothing that names a key of this patient can take effect any more, so the key can be a new one.
        self._vault.destroy_signing_key(patient_id)
        address, token = self._tokens.enroll(patient_id, by=administrator.actor.actor_id)
        keep(patient_id, token)
        self._store.people.put_actor(
            Actor(patient_id, ActorKind.PATIENT, "patient", address, "", None, None, False, True, version=0)
        )
        key = f"register/{patient_id}/{len(earlier) + 1}"
        submission = self._submit(administrator, "register-patient", demographics, key, patient=patient_id)
        return Registered(patient_id, submission, token)

    def _unused_key(self, administrator: Credential, base: str, is_so: bool = True) -> str:
        """Return an idempotency key that repeats an act which is open or valid, and tries again one that is not.

        Unless it ``is_so`` any more what the valid ones said: then it has to be said anew.
        """
        valid = None
        for number in itertools.count(1):
            key = f"{base}/{number}"
            ti_id = self._intake.known(administrator.actor.actor_id, key)
            acknowledgement = self._store.audit.acknowledgement(ti_id) if ti_id else None
            if ti_id is None:
                return valid if valid and is_so else key
            if acknowledgement is None:
                return key
            if acknowledgement.kind is VerdictKind.VALID:
                valid = key
        raise AssertionError("unreachable")

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


def _payload(actor: Actor) -> dict[str, Json]:
    """Return what a registration says of a practitioner."""
    until = actor.licence_until
    return {
        "name": actor.name,
        "organisation": actor.organisation_id,
        "role": actor.role,
        "licenceUntil": until.isoformat(timespec="seconds").replace("+00:00", "Z") if until else None,
        "active": True,
    }


def _require_administrator(credential: Credential) -> None:
    """Refuse whoever intake would refuse; for acts that do something before they are submitted."""
    actor = credential.actor
    if not actor.active:
        raise ActorInactive("The actor may not act: ended.", actor_id=actor.actor_id, licence_until=None)
    if actor.kind is not ActorKind.ADMINISTRATOR or not {"submit", "administer"} <= set(credential.scopes):
        raise RoleNotAllowed("Only an administrator may do that.", role=actor.role, allowed=["administrator"])
