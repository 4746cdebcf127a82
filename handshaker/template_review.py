"""Templates that one administrator proposes and a second one approves: check, difference, dry run, decision."""

from __future__ import annotations

import json
import uuid
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime

from handshaker.clinical.gates import check_payload
from handshaker.commitments import canonical
from handshaker.differences import DiffLine, difference
from handshaker.errors import (
    NotFound,
    NotYourProposal,
    ProposalDecided,
    ProposalExists,
    RoleNotAllowed,
    SecondAdministratorNeeded,
    TemplateInvalid,
)
from handshaker.ethereum.statements import FieldValue, statement_type
from handshaker.expressions import ExpressionInvalid, grantee
from handshaker.generator import TransactionGenerator
from handshaker.messages import Context, InitialTransaction, Json, Template
from handshaker.ports import Clock
from handshaker.store.proposals import ProposalRow
from handshaker.store.sql_store import SqlStore
from handshaker.template_context import kind_of_role, sample_context
from handshaker.template_files import as_yaml
from handshaker.template_manager import Document, TemplateManager
from handshaker.tokens import Credential

__all__ = ["DiffLine", "DryRun", "DryRunField", "Proposal", "TemplateReviews"]

_SIGNATURE = bytes(65)
"""Stands in a dry run where a real call carries the signature."""


@dataclass(frozen=True, slots=True)
class Proposal:
    """A template that waits for a second administrator, or waited."""

    proposal_id: str
    name: str
    version: int
    digest: str
    """SHA-256 of the canonical document, 64 hex digits."""
    document: Mapping[str, Json]
    proposed_by: str
    proposer_name: str
    proposed_at: datetime
    decision: str | None
    """``approved``, ``rejected`` or ``withdrawn``; ``None`` while it is open."""
    decided_by: str | None
    decider_name: str
    decided_at: datetime | None

    @property
    def reference(self) -> str:
        """``name@version``."""
        return f"{self.name}@{self.version}"


@dataclass(frozen=True, slots=True)
class DryRunField:
    """A field of the statement that would be signed."""

    name: str
    type: str
    """EIP-712 type."""
    value: FieldValue


@dataclass(frozen=True, slots=True)
class DryRun:
    """The contract call (TC) that a template makes of a payload, with made-up people."""

    role: str
    """Of the made-up person who asks."""
    sentence: str
    contract: str
    function: str
    fields: tuple[DryRunField, ...]
    statement_hash: bytes
    calldata: bytes
    """The function's call, with 65 zero bytes where the signature goes."""


class TemplateReviews:
    """Four eyes for templates. Those that come with the Handshaker are installed without them."""

    def __init__(
        self, store: SqlStore, templates: TemplateManager, generator: TransactionGenerator, clock: Clock
    ) -> None:
        self._store = store
        self._templates = templates
        self._generator = generator
        self._clock = clock

    def check(self, text: str) -> tuple[Document, Template]:
        """Read YAML or JSON text and check it as `propose` does, without proposing.

        Raises ``InputInvalid``, ``TemplateImmutable``, and ``TemplateInvalid`` whose problems tell their ``line``.
        """
        return self._templates.check_text(text)

    def propose(self, administrator: Credential, document: Document) -> Proposal:
        """Check a template fully and lay it before a second administrator.

        Raises ``RoleNotAllowed``, ``TemplateInvalid`` (also for a version that is not the next one),
        ``TemplateImmutable`` where the version exists, and ``ProposalExists`` where it is proposed already.
        """
        check_administrator(administrator)
        template = self._templates.check_next(document)
        row = ProposalRow(
            proposal_id=str(uuid.uuid4()),
            name=template.name,
            version=template.version,
            digest=template.digest,
            document=canonical(document).decode(),
            proposed_by=administrator.actor.actor_id,
            proposed_at=self._clock.now(),
        )
        waiting = self._store.proposals.add(row)
        if waiting is not None:
            raise ProposalExists(
                f"{template.reference} is proposed already.",
                proposal_id=waiting,
                name=template.name,
                version=template.version,
            )
        return self._proposal(row)

    def approve(self, administrator: Credential, proposal_id: str) -> Template:
        """Add the template of a proposal; raises what `reject` raises, and what `propose` raises of a document."""
        row = self._decidable(administrator, proposal_id)
        by, at = administrator.actor.actor_id, self._clock.now()
        try:
            self._templates.check_next(json.loads(row.document))
            written = self._store.proposals.approve(row, by, at)
        except KeyError:
            # Another version came between the check and the writing: the check now says so.
            self._templates.check_next(json.loads(row.document))
            raise
        if not written:
            raise self._decided(proposal_id)
        return self._templates.get(row.name, row.version)

    def reject(self, administrator: Credential, proposal_id: str) -> Proposal:
        """Turn a proposal down.

        Raises ``RoleNotAllowed``, ``NotFound``, ``ProposalDecided`` and, for one's own, ``SecondAdministratorNeeded``.
        """
        row = self._decidable(administrator, proposal_id)
        return self._close(administrator, row, "rejected")

    def withdraw(self, administrator: Credential, proposal_id: str) -> Proposal:
        """Take one's own proposal back; raises ``NotYourProposal`` for another's, else as `reject`."""
        check_administrator(administrator)
        row = self._row(proposal_id)
        if row.proposed_by != administrator.actor.actor_id:
            raise NotYourProposal("Somebody else made this proposal.", proposal_id=proposal_id)
        return self._close(administrator, row, "withdrawn")

    def open(self) -> list[Proposal]:
        """Return the proposals that wait, oldest first."""
        return [self._proposal(row) for row in self._store.proposals.waiting()]

    def decided(self, limit: int = 50) -> list[Proposal]:
        """Return the proposals that were decided, the latest decision first."""
        return [self._proposal(row) for row in self._store.proposals.decided(limit)]

    def get(self, proposal_id: str) -> Proposal:
        """Return a proposal; raises ``NotFound``."""
        return self._proposal(self._row(proposal_id))

    def find(self, reference: str) -> Proposal:
        """Return the open proposal of ``name@version``; raises ``NotFound``."""
        for proposal in self.open():
            if proposal.reference == reference:
                return proposal
        raise NotFound(f"No proposal of {reference[:90]} waits.", what="proposal", id=reference[:90])

    def text(self, document: Document) -> str:
        """Return a template as YAML, in the order in which people write one."""
        return as_yaml(document)

    def difference(self, document: Document, previous: Document | None) -> list[DiffLine]:
        """Return how a template's text differs from an earlier one's (from nothing, where there is none)."""
        before = as_yaml(previous).splitlines() if previous is not None else []
        return list(difference(before, as_yaml(document).splitlines()))

    def dry_run(self, document: Document, payload: Mapping[str, Json] | None = None, role: str | None = None) -> DryRun:
        """Let the Generator make the contract call of a payload (the template's example), with made-up people.

        ``role`` is one of the template's (its first). Raises ``TemplateInvalid`` (also where there is neither payload
        nor example), ``SchemaViolated``, ``Implausible``, ``EnvelopeInvalid`` and ``MappingFailed``.
        """
        template = self._templates.parse(document)
        role = role if role in template.roles else template.roles[0]
        tried = payload if payload is not None else template.example
        if tried is None:
            problem = {"path": "example", "problem": "is missing: a dry run needs a payload"}
            raise TemplateInvalid(f"The template does not hold: {problem['problem']}.", problems=[problem])
        canonical(tried)
        check_payload(tried, template)
        context = replace(sample_context(kind_of_role(role), role), names=_made_up_names(tried))
        ti = _sample_transaction(template, tried, context, self._clock.now())
        call = self._generator.generate(ti, template, context)
        kind = statement_type(call.contract, call.function)
        values = kind.values(call.words, call.terms)
        return DryRun(
            role=role,
            sentence=call.sentence,
            contract=call.contract,
            function=call.function,
            fields=tuple(DryRunField(name, abi_type, values[name]) for name, abi_type in kind.fields),
            statement_hash=call.statement_hash,
            calldata=kind.calldata(call.words, _SIGNATURE),
        )

    # ---- the rest ----------------------------------------------------------------------------------------------------

    def _row(self, proposal_id: str) -> ProposalRow:
        row = self._store.proposals.proposal(proposal_id)
        if row is None:
            raise NotFound("That proposal is not here.", what="proposal", id=proposal_id[:60])
        return row

    def _decidable(self, administrator: Credential, proposal_id: str) -> ProposalRow:
        """Return a proposal on which this administrator may decide."""
        check_administrator(administrator)
        row = self._row(proposal_id)
        if row.decision is not None:
            raise self._decided(proposal_id)
        if row.proposed_by == administrator.actor.actor_id:
            raise SecondAdministratorNeeded("This is your own proposal.", proposal_id=proposal_id)
        return row

    def _close(self, administrator: Credential, row: ProposalRow, decision: str) -> Proposal:
        by, at = administrator.actor.actor_id, self._clock.now()
        if not self._store.proposals.decide(row, decision, by, at):
            raise self._decided(row.proposal_id)
        return self.get(row.proposal_id)

    def _decided(self, proposal_id: str) -> ProposalDecided:
        decision = self._row(proposal_id).decision
        return ProposalDecided(f"The proposal was {decision} before.", proposal_id=proposal_id, decision=decision)

    def _proposal(self, row: ProposalRow) -> Proposal:
        return Proposal(
            proposal_id=row.proposal_id,
            name=row.name,
            version=row.version,
            digest=row.digest,
            document=json.loads(row.document),
            proposed_by=row.proposed_by,
            proposer_name=self._name(row.proposed_by),
            proposed_at=row.proposed_at,
            decision=row.decision,
            decided_by=row.decided_by,
            decider_name=self._name(row.decided_by),
            decided_at=row.decided_at,
        )

    def _name(self, actor_id: str | None) -> str:
        actor = self._store.people.actor(actor_id) if actor_id else None
        return actor.name if actor else ""


def check_administrator(credential: Credential) -> None:
    """Let pass whoever may decide on templates; raises ``RoleNotAllowed``."""
    actor = credential.actor
    if "administer" not in credential.scopes or actor.role != "administrator" or not actor.active:
        raise RoleNotAllowed(
            "Only administrators propose and approve templates.", role=actor.role, allowed=["administrator"]
        )


def _sample_transaction(
    template: Template, payload: Mapping[str, Json], context: Context, at: datetime
) -> InitialTransaction:
    return InitialTransaction(
        ti_id=str(uuid.UUID(int=0)),
        template=template.name,
        template_version=template.version,
        actor_id=context.actor.actor_id,
        patient_id=context.patient.patient_id if context.patient else None,
        payload=payload,
        idempotency_key="",
        received_at=at,
    )


def _made_up_names(part: Json) -> dict[str, str]:
    """Return a name for every grantee that a payload speaks of, so that a sentence can name it."""
    if isinstance(part, Mapping):
        return _made_up_names(list(part.values()))
    if isinstance(part, list):
        return {key: name for each in part for key, name in _made_up_names(each).items()}
    try:
        return {grantee(part): "Lakeside Hospital"} if isinstance(part, str) else {}
    except ExpressionInvalid:
        return {}
