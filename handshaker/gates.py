"""The gates of intake that ask who it is and whether they signed: identity and role, then signature.

The envelope is read in ``envelope``, schema and plausibility are held in ``clinical.gates``.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import replace

from handshaker.envelope import Envelope
from handshaker.errors import (
    ActorInactive,
    DeadlinePassed,
    EnvelopeInvalid,
    KeyLocked,
    KeyUnknown,
    MappingFailed,
    PatientUnknown,
    RoleNotAllowed,
    SchemaViolated,
    SignatureRefused,
)
from handshaker.ethereum.signatures import recover
from handshaker.generator import TransactionGenerator
from handshaker.messages import (
    Context,
    ContractCall,
    InitialTransaction,
    Patient,
    Preparation,
    Registration,
    Template,
)
from handshaker.ports import Chain, Clock, Vault
from handshaker.preparer import Preparer
from handshaker.store.intake import Signed
from handshaker.store.sql_store import SqlStore
from handshaker.tokens import Credential
from handshaker.vocabulary import ActorKind, organisation_grantee, practitioner_grantee

SLACK = 900
"""Seconds by which clocks may differ, and below which no fork that anybody accepts goes back."""
LONGEST_JUMP = 999
"""Versions that a statement may leave out, as the contracts allow."""

_NAMES = re.compile(r"\bnamed|\bnames\b")
"""How a sentence or a mapping speaks of grantees' names: the filters ``named…`` and ``context.names``."""
_URGENT = {"revoke", "revokeAll", "endDelegation", "openEmergency", "setEmergencyPreference", "vetoRecovery"}


class Gates:
    """Each gate lets pass or raises an ``IntakeRefused`` that says which gate it was."""

    def __init__(
        self,
        store: SqlStore,
        vault: Vault,
        chain: Callable[[], Chain],
        generator: TransactionGenerator,
        clock: Clock,
    ) -> None:
        self._store = store
        self._vault = vault
        self._chain = chain
        self._generator = generator
        self._preparer = Preparer(chain, store.intake, generator, clock)
        self._clock = clock

    def pass_identity(self, ti: InitialTransaction, template: Template, credential: Credential) -> Patient | None:
        """Let pass whoever may ask for this, about that patient; return the patient, if it is about one.

        Raises ``ActorInactive``, ``RoleNotAllowed`` and ``PatientUnknown``.
        """
        actor = credential.actor
        now = self._clock.now()
        if not actor.active or (actor.licence_until is not None and actor.licence_until < now):
            raise ActorInactive(
                "The actor may not act: ended, not registered yet, or the licence has run out.",
                actor_id=actor.actor_id,
                licence_until=actor.licence_until.isoformat() if actor.licence_until else None,
            )
        if actor.role not in template.roles or "submit" not in credential.scopes:
            raise RoleNotAllowed(
                f"{template.title} is not for the role {actor.role}; it is for {', '.join(template.roles)}.",
                role=actor.role,
                allowed=list(template.roles),
            )
        if template.action == "administer" and "administer" not in credential.scopes:
            raise RoleNotAllowed("This token may not administer.", role=actor.role, allowed=list(template.roles))
        if ti.patient_id is None:
            if template.action == "write":
                raise PatientUnknown(f"{template.title} is about a patient, and none is named.", patient_id=None)
            return None
        patient = self._store.people.patient(ti.patient_id)
        if patient is None or (actor.kind is ActorKind.PATIENT and actor.actor_id != ti.patient_id):
            raise PatientUnknown("No patient has that pseudonym here.", patient_id=ti.patient_id)
        return patient

    def pass_signature(
        self,
        ti: InitialTransaction,
        template: Template,
        patient: Patient | None,
        credential: Credential,
        envelope: Envelope,
        registration: Registration | None,
    ) -> tuple[ContractCall, Preparation, Signed]:
        """Return the TC with its signature, which came with the request or is the vault's.

        Raises ``SchemaViolated``, ``SignatureRefused``, ``DeadlinePassed``, and ``EnvelopeInvalid`` for freedoms that
        nobody may take.
        """
        context = self.context(template, credential, patient, registration)
        preparation, call = self.generate(ti, template, context, envelope.preparation)
        if envelope.preparation is not None:
            self._check_freedoms(ti, template, context, preparation, call)
        digest = self._chain().digest(call.contract, call.statement_hash)
        signature, alone = envelope.signature, False
        if signature is None:
            signature = self._sign(credential, call, digest)
        elif recover(digest, signature) != call.signer:
            alone = self._chain().has_code(call.signer) and self._chain().accepts_signature(
                call.signer, digest, signature
            )
            if not alone:
                raise SignatureRefused("The signature is not the signer's for this statement.", signer=call.signer)
        urgency = 0 if call.function in _URGENT else 1
        return call, preparation, Signed(call, signature, envelope.signature is None, alone, urgency)

    def _check_freedoms(
        self, ti: InitialTransaction, template: Template, context: Context, chosen: Preparation, call: ContractCall
    ) -> None:
        """Refuse what somebody who signs elsewhere may not choose: it would wait for years, or for ever.

        Raises ``EnvelopeInvalid``, which writes no verdict: the signature could still be carried past us. Only a
        deadline that the chain itself has passed long ago is a verdict, ``DeadlinePassed``.
        """
        now = int(self._clock.now().timestamp())
        if call.deadline is not None and call.deadline > now + template.lifetime + SLACK:
            raise EnvelopeInvalid(
                f"The deadline is too far: {template.lifetime} seconds from now are allowed.", deadline=call.deadline
            )
        tip = self._store.chain_view.tip()
        if call.deadline is not None and tip is not None and tip.timestamp > call.deadline + SLACK:
            raise DeadlinePassed("The statement's deadline has passed.", deadline=call.deadline, now=now)
        fresh = self._preparer.prepare(ti, template, context)
        if chosen.version > fresh.version + LONGEST_JUMP or chosen.epoch > fresh.epoch:
            raise EnvelopeInvalid(
                "The version or the epoch is not the next one: prepare the statement again.",
                version=chosen.version,
                epoch=chosen.epoch,
            )

    def generate(
        self, ti: InitialTransaction, template: Template, context: Context, preparation: Preparation | None
    ) -> tuple[Preparation, ContractCall]:
        """Return the TC of a TI with the freedoms that were chosen, or fresh ones; raises ``SchemaViolated``."""
        try:
            preparation = preparation or self._preparer.prepare(ti, template, context)
            return preparation, self._generator.generate(ti, template, replace(context, preparation=preparation))
        except MappingFailed as error:
            raise SchemaViolated(error.message, problems=[{"path": "", "problem": error.message}]) from error

    def _sign(self, credential: Credential, call: ContractCall, digest: bytes) -> bytes:
        actor = credential.actor
        if not actor.custodial or actor.address != call.signer:
            raise SignatureRefused(
                "The vault does not keep the signer's key: the statement must come with a signature.",
                signer=call.signer,
            )
        try:
            return self._vault.sign(actor.actor_id, credential.secret, digest)
        except (KeyLocked, KeyUnknown) as error:
            raise SignatureRefused("The token does not open the signer's key.", signer=call.signer) from error

    def context(
        self, template: Template, credential: Credential, patient: Patient | None, registration: Registration | None
    ) -> Context:
        """Return what the Generator may know besides, with the freedoms still open."""
        return Context(
            actor=credential.actor,
            patient=patient,
            preparation=Preparation(bytes(32), "", 0, 1, 0),
            names=self._names() if _asks_for_names(template) else {},
            registration=registration,
        )

    def _names(self) -> dict[str, str]:
        """Return the name of every grantee."""
        people = self._store.people
        names = {"0x" + organisation_grantee(o.organisation_id).hex(): o.name for o in people.organisations()}
        for actor in people.actors(ActorKind.PRACTITIONER):
            names["0x" + practitioner_grantee(bytes.fromhex(actor.actor_id[2:])).hex()] = actor.name
        return names


def _asks_for_names(template: Template) -> bool:
    """Whether a template names grantees, as consents do; to read all staff for every record would double its cost."""
    return any(_NAMES.search(text) for text in (template.sentence, *template.statement.values()))
