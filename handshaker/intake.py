"""Intake: the half of the pipeline that works in the request.

Gates in order, each with a machine code and a plain sentence: envelope → identity and role → schema → plausibility →
signature. Then one SQL transaction writes the TI, its sealed payload, the statement and its signature. What fails a
gate after authentication is written too, with its invalid ACK.
"""

from __future__ import annotations

import hashlib
import json
import secrets
import uuid
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Any

from handshaker.clinical.gates import plausibility_gate, schema_gate
from handshaker.commitments import canonical, commitment, detail_context, quarantine_of
from handshaker.crash_points import crash_point
from handshaker.envelope import Envelope, read_envelope
from handshaker.errors import (
    EnvelopeInvalid,
    IdempotencyConflict,
    IntakeRefused,
    KeyUnknown,
    NotDeployed,
    refusal_kinds,
)
from handshaker.ethereum.statements import statement_type
from handshaker.gates import Gates
from handshaker.generator import TransactionGenerator
from handshaker.journal import Journal
from handshaker.messages import (
    Acknowledgement,
    Conclusion,
    ContractCall,
    InitialTransaction,
    Json,
    Origin,
    Registration,
    Template,
    Verdict,
    VerdictKind,
)
from handshaker.ports import Chain, Clock, Vault
from handshaker.store.sql_store import SqlStore
from handshaker.template_manager import TemplateManager
from handshaker.tokens import Credential
from handshaker.vocabulary import ActorKind

QUARANTINE = timedelta(days=90)
"""How long the body of a request is kept for which no patient is known."""


@dataclass(frozen=True, slots=True)
class Submission:
    """What intake says to a request."""

    ti_id: str
    refusal: IntakeRefused | None
    """Why it was refused at a gate; ``None`` when it is on its way."""
    statement_hash: bytes | None
    known: bool = False
    """Whether this request was here before: nothing was written."""
    acknowledgement: Acknowledgement | None = None
    """For a request that was here before: its ACK, if it has one."""


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
        journal: Journal,
    ) -> None:
        self._store = store
        self._vault = vault
        self._gates = Gates(store, vault, chain, generator, clock)
        self._templates = templates
        self._clock = clock
        self._payload_limit = payload_limit
        self._journal = journal

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
        crash_point("intake.key-looked-up")
        ti = self._transaction(envelope, template, credential, origin)
        identified = False
        try:
            patient = self._gates.pass_identity(ti, template, credential)
            identified = True
            crash_point("intake.identified")
            schema_gate(ti.payload, template)
            plausibility_gate(ti.payload, template)
            crash_point("intake.checked")
            call, preparation, signed = self._gates.pass_signature(
                ti, template, patient, credential, envelope, registration
            )
        except EnvelopeInvalid:
            raise
        except IntakeRefused as refusal:
            return self._refuse(ti, envelope, refusal, identified=identified)
        crash_point("intake.signed")
        body = self._body(ti, envelope, {"salt": preparation.salt.hex(), "sentence": call.sentence})
        owner = ti.patient_id or self._directory()
        sealed = self._vault.seal(owner, body, ti.ti_id.encode())
        crash_point("intake.sealed")
        if self._store.intake.accept(ti, sealed, signed):
            crash_point("intake.accepted")
            self._journal.accepted(ti)
            return Submission(ti.ti_id, None, call.statement_hash)
        return self._known(envelope, credential) or self._carried(call, owner, body)

    def known(self, actor_id: str, idempotency_key: str) -> str | None:
        """Return the TI for which ``actor_id`` used a key, if there is one."""
        return self._store.intake.known(actor_id, self._key(actor_id, idempotency_key))

    def prepare(
        self, request: bytes | Mapping[str, Json], credential: Credential, *, registration: Registration | None = None
    ) -> dict[str, Any]:
        """Return what somebody who holds their own key signs: EIP-712 typed data, and the freedoms to send back.

        Passes every gate before the signature and raises what they raise; writes nothing.
        """
        envelope = read_envelope(request, self._payload_limit)
        template = self._templates.get(envelope.template, envelope.version)
        ti = self._transaction(envelope, template, credential, Origin.API)
        patient = self._gates.pass_identity(ti, template, credential)
        schema_gate(ti.payload, template)
        plausibility_gate(ti.payload, template)
        context = self._gates.context(template, credential, patient, registration)
        preparation, call = self._gates.generate(ti, template, context, None)
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

    # ---- what is written --------------------------------------------------------------------------------------------

    def _known(self, envelope: Envelope, credential: Credential) -> Submission | None:
        ti_id = self.known(credential.actor.actor_id, envelope.idempotency_key)
        if ti_id is None:
            return None
        if not self._is_same(ti_id, envelope):
            raise IdempotencyConflict("This idempotency key was used with another body.", ti_id=ti_id)
        acknowledgement = self._store.audit.acknowledgement(ti_id)
        refusal = self._past_refusal(ti_id, acknowledgement) if acknowledgement else None
        return Submission(ti_id, refusal, self._store.intake.statement_hash(ti_id), True, acknowledgement)

    def _is_same(self, ti_id: str, envelope: Envelope) -> bool:
        """Whether a TI was asked for with the same words. Erased ones cannot be compared any more, and are not."""
        sealed = self._store.intake.payload(ti_id)
        if sealed is None:
            return False
        try:
            body = json.loads(self._vault.unseal(sealed, ti_id.encode()))
        except KeyUnknown:
            return False
        return canonical(body["request"]) == canonical(envelope.request)

    def _past_refusal(self, ti_id: str, acknowledgement: Acknowledgement) -> IntakeRefused | None:
        """Return the refusal at a gate that an ACK stands for, as it was said then."""
        sealed, kind = self._store.audit.detail(ti_id), refusal_kinds().get(acknowledgement.code)
        if sealed is None or kind is None:
            return None
        detail = json.loads(self._vault.unseal(sealed, detail_context(ti_id)))["detail"]
        return kind(detail["message"], **detail["data"])

    def _carried(self, call: ContractCall, owner: str, body: bytes) -> Submission:
        """Answer for a statement that came another way; if that was straight from the chain, keep its payload."""
        ti_id = self._store.intake.carried(call.statement_hash)
        sealed = self._vault.seal(owner, body, ti_id.encode())
        crash_point("intake.late-payload-sealed")
        self._store.intake.add_late_payload(call.statement_hash, sealed, self._clock.now())
        crash_point("intake.late-payload-kept")
        return Submission(ti_id, None, call.statement_hash, True, self._store.audit.acknowledgement(ti_id))

    def _refuse(
        self, ti: InitialTransaction, envelope: Envelope, refusal: IntakeRefused, *, identified: bool
    ) -> Submission:
        if not identified:
            # Whoever was not let in to a patient leaves nothing in that patient's log or under that patient's key.
            ti = replace(ti, patient_id=None)
        owner = ti.patient_id or self._quarantine(ti)
        crash_point("intake.quarantined")
        salt = secrets.token_bytes(32)
        detail: dict[str, Json] = {"gate": refusal.gate, "message": refusal.message, "data": refusal.data}
        conclusion = Conclusion(
            ti.ti_id,
            Verdict(VerdictKind.INVALID, refusal.code, {"gate": refusal.gate}),
            detail=self._vault.seal(owner, canonical({"detail": detail, "salt": salt.hex()}), detail_context(ti.ti_id)),
            detail_commitment=commitment(detail, salt),
        )
        sealed = self._vault.seal(owner, self._body(ti, envelope, {}), ti.ti_id.encode())
        if not self._store.intake.refuse(ti, sealed, conclusion):
            return Submission(self._store.intake.known(ti.actor_id, ti.idempotency_key) or "", refusal, None, True)
        crash_point("intake.refused")
        self._journal.refused(ti, refusal)
        return Submission(ti.ti_id, refusal, None)

    def _body(self, ti: InitialTransaction, envelope: Envelope, more: Mapping[str, Json]) -> bytes:
        """Return what is sealed of a TI: payload, the request for comparison, the salt and the sentence."""
        return canonical({"payload": ti.payload, "supersedes": ti.supersedes, "request": envelope.request, **more})

    def _directory(self) -> str:
        """Return the owner of what administrators say of organisations and staff, which concerns no patient."""
        self._vault.create_owner("directory")
        return "directory"

    def _quarantine(self, ti: InitialTransaction) -> str:
        """Return the owner of bodies for which no patient is known; it expires."""
        owner = quarantine_of(ti.received_at)
        self._vault.create_owner(owner, ti.received_at + QUARANTINE)
        return owner

    def _key(self, actor_id: str, idempotency_key: str) -> str:
        """Return the keyed hash under which an idempotency key is kept."""
        spelled = hashlib.sha256(f"{actor_id}/{idempotency_key}".encode()).hexdigest()
        return self._vault.blind_index("idempotency key", spelled)

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
            idempotency_key=self._key(credential.actor.actor_id, envelope.idempotency_key),
            received_at=self._clock.now(),
            origin=origin,
            supersedes=envelope.supersedes,
        )
