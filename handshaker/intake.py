"""Intake: the half of the pipeline that works in the request.

Gates in order, each with a machine code and a plain sentence: envelope → identity and role → schema → plausibility →
signature. Then one SQL transaction writes the TI, its sealed payload, the statement and its signature. What fails a
gate after authentication is written too, with its invalid ACK.
"""

from __future__ import annotations

import re
import secrets
import uuid
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Any

from handshaker.clinical.gates import plausibility_gate, schema_gate
from handshaker.codes import EXPIRED
from handshaker.commitments import canonical, commitment
from handshaker.envelope import Envelope, read_envelope
from handshaker.errors import (
    ActorInactive,
    DeadlinePassed,
    IdempotencyConflict,
    IntakeRefused,
    KeyLocked,
    KeyUnknown,
    MappingFailed,
    NotDeployed,
    PatientUnknown,
    RoleNotAllowed,
    SchemaViolated,
    SignatureRefused,
)
from handshaker.ethereum.signatures import recover
from handshaker.ethereum.statements import statement_type
from handshaker.generator import TransactionGenerator
from handshaker.messages import (
    Conclusion,
    Context,
    ContractCall,
    InitialTransaction,
    Json,
    Origin,
    Patient,
    Preparation,
    Registration,
    Sealed,
    Template,
    Verdict,
    VerdictKind,
)
from handshaker.ports import Chain, Clock, Vault
from handshaker.preparer import Preparer
from handshaker.store.intake import Signed
from handshaker.store.sql_store import SqlStore
from handshaker.template_manager import TemplateManager
from handshaker.tokens import Credential
from handshaker.vocabulary import ActorKind, organisation_grantee, practitioner_grantee

QUARANTINE = timedelta(days=90)
"""How long the body of a request is kept for which no patient is known."""

_NAMES = re.compile(r"\bnamed|\bnames\b")
"""How a sentence or a mapping speaks of grantees' names: the filters ``named…`` and ``context.names``."""
_URGENT = {"revoke", "revokeAll", "endDelegation", "openEmergency", "setEmergencyPreference", "vetoRecovery"}


@dataclass(frozen=True, slots=True)
class Submission:
    """What intake says to a request."""

    ti_id: str
    refusal: IntakeRefused | None
    """Why it was refused at a gate; ``None`` when it is on its way."""
    statement_hash: bytes | None
    known: bool = False
    """Whether this request was here before: nothing was written."""


class Intake:
    """The gates, and the one write behind them."""

    def __init__(
        self,
        store: SqlStore,
        vault: Vault,
        chain: Callable[[], Chain],
        templates: TemplateManager,
        generator: TransactionGenerator,
        clock: Clock,
        payload_limit: int,
    ) -> None:
        self._store = store
        self._vault = vault
        self._chain = chain
        self._templates = templates
        self._generator = generator
        self._preparer = Preparer(chain, store.intake, generator, clock)
        self._clock = clock
        self._payload_limit = payload_limit

    def submit(
        self,
        request: bytes | Mapping[str, Json],
        credential: Credential,
        *,
        origin: Origin = Origin.API,
        registration: Registration | None = None,
    ) -> Submission:
        """Take a request in; return its TI, accepted or refused.

        Raises what keeps it from being written at all: ``EnvelopeInvalid`` and its kind, ``IdempotencyConflict``,
        ``StoreUnavailable``, and ``ChainUnreachable`` for statements whose version only the chain knows.
        """
        envelope = read_envelope(request, self._payload_limit)
        template = self._templates.get(envelope.template, envelope.version)
        known = self._known(envelope, credential)
        if known is not None:
            return known
        ti = self._transaction(envelope, template, credential, origin)
        try:
            patient = self._pass_identity(ti, template, credential)
            schema_gate(ti.payload, template)
            plausibility_gate(ti.payload, template)
            call, preparation, signed = self._pass_signature(ti, template, patient, credential, envelope, registration)
        except IntakeRefused as refusal:
            return self._refuse(ti, envelope, refusal)
        sealed = self._seal(ti, {"salt": preparation.salt.hex(), "sentence": call.sentence})
        if not self._store.intake.accept(ti, envelope.request_hash, sealed, signed):
            known = self._known(envelope, credential)
            return known or Submission(self._store.intake.carried(call.statement_hash), None, call.statement_hash, True)
        return Submission(ti.ti_id, None, call.statement_hash)

    def prepare(
        self, request: bytes | Mapping[str, Json], credential: Credential, *, registration: Registration | None = None
    ) -> dict[str, Any]:
        """Return what somebody who holds their own key signs: EIP-712 typed data, and the freedoms to send back.

        Passes every gate before the signature and raises what they raise; writes nothing.
        """
        envelope = read_envelope(request, self._payload_limit)
        template = self._templates.get(envelope.template, envelope.version)
        ti = self._transaction(envelope, template, credential, Origin.API)
        patient = self._pass_identity(ti, template, credential)
        schema_gate(ti.payload, template)
        plausibility_gate(ti.payload, template)
        context = self._context(template, credential, patient, registration)
        preparation, call = self._generate(ti, template, context, None)
        kind = statement_type(call.contract, call.function)
        deployment = self._store.catalogue.deployment()
        if deployment is None:
            raise NotDeployed("The contracts are not on a chain yet.")
        return {
            "template": template.reference,
            "statement": "0x" + call.statement_hash.hex(),
            "signer": call.signer,
            "sentence": call.sentence,
            "preparation": preparation.to_json(),
            "typedData": kind.typed_data(
                kind.values(call.words, call.terms),
                deployment.identity.chain_id,
                deployment.addresses[call.contract],
            ),
        }

    # ---- the gates ------------------------------------------------------------------------------------------------

    def _pass_identity(self, ti: InitialTransaction, template: Template, credential: Credential) -> Patient | None:
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
        if ti.patient_id is None:
            return None
        patient = self._store.people.patient(ti.patient_id)
        if patient is None or (actor.kind is ActorKind.PATIENT and actor.actor_id != ti.patient_id):
            raise PatientUnknown("No patient has that pseudonym here.", patient_id=ti.patient_id)
        return patient

    def _pass_signature(
        self,
        ti: InitialTransaction,
        template: Template,
        patient: Patient | None,
        credential: Credential,
        envelope: Envelope,
        registration: Registration | None,
    ) -> tuple[ContractCall, Preparation, Signed]:
        context = self._context(template, credential, patient, registration)
        preparation, call = self._generate(ti, template, context, envelope.preparation)
        now = int(self._clock.now().timestamp())
        if call.deadline is not None and call.deadline <= now:
            raise DeadlinePassed("The statement's deadline has passed.", deadline=call.deadline, now=now)
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

    def _generate(
        self, ti: InitialTransaction, template: Template, context: Context, preparation: Preparation | None
    ) -> tuple[Preparation, ContractCall]:
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

    # ---- what is written --------------------------------------------------------------------------------------------

    def _known(self, envelope: Envelope, credential: Credential) -> Submission | None:
        found = self._store.intake.known(credential.actor.actor_id, envelope.idempotency_key)
        if found is None:
            return None
        ti_id, request_hash = found
        if request_hash != envelope.request_hash:
            raise IdempotencyConflict("This idempotency key was used with another body.", ti_id=ti_id)
        return Submission(ti_id, None, self._store.intake.statement_hash(ti_id), known=True)

    def _refuse(self, ti: InitialTransaction, envelope: Envelope, refusal: IntakeRefused) -> Submission:
        salt = secrets.token_bytes(32)
        detail: dict[str, Json] = {"gate": refusal.gate, "message": refusal.message, "data": refusal.data}
        owner = self._owner(ti)
        sealed_detail = self._vault.seal(
            owner, canonical({"detail": detail, "salt": salt.hex()}), f"{ti.ti_id}/detail".encode()
        )
        code = EXPIRED if isinstance(refusal, DeadlinePassed) else refusal.code
        conclusion = Conclusion(
            ti.ti_id,
            Verdict(VerdictKind.INVALID, code, {"gate": refusal.gate}),
            detail=sealed_detail,
            detail_commitment=commitment(detail, salt),
        )
        if not self._store.intake.refuse(ti, envelope.request_hash, self._seal(ti, {}), conclusion):
            found = self._store.intake.known(ti.actor_id, ti.idempotency_key)
            return Submission(found[0] if found else ti.ti_id, refusal, None, known=True)
        return Submission(ti.ti_id, refusal, None)

    def _seal(self, ti: InitialTransaction, more: Mapping[str, Json]) -> Sealed:
        body = {"payload": ti.payload, "supersedes": ti.supersedes, **more}
        return self._vault.seal(self._owner(ti), canonical(body), ti.ti_id.encode())

    def _owner(self, ti: InitialTransaction) -> str:
        """Return under whose key the body is sealed: the patient's, or a quarantine that expires."""
        if ti.patient_id is not None and self._store.people.patient(ti.patient_id) is not None:
            return ti.patient_id
        if ti.patient_id is None and ti.template.startswith("register-"):
            # What administrators say of organisations and staff concerns no patient and is kept with the deployment.
            self._vault.create_owner("directory")
            return "directory"
        year, week, _ = ti.received_at.isocalendar()
        owner = f"quarantine/{year}-W{week:02d}"
        self._vault.create_owner(owner, ti.received_at + QUARANTINE)
        return owner

    def _transaction(
        self, envelope: Envelope, template: Template, credential: Credential, origin: Origin
    ) -> InitialTransaction:
        patient_id = envelope.patient
        if patient_id is None and credential.actor.kind is ActorKind.PATIENT:
            patient_id = credential.actor.actor_id
        return InitialTransaction(
            ti_id=str(uuid.uuid4()),
            template=template.name,
            template_version=template.version,
            actor_id=credential.actor.actor_id,
            patient_id=patient_id,
            payload=envelope.payload,
            idempotency_key=envelope.idempotency_key,
            received_at=self._clock.now(),
            origin=origin,
            supersedes=envelope.supersedes,
        )

    def _context(
        self, template: Template, credential: Credential, patient: Patient | None, registration: Registration | None
    ) -> Context:
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
