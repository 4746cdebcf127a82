"""Drafts: records that were refused for a reason that can pass, kept sealed until they are signed again.

Nothing is stored for a draft: it is a refused TI of its author whose reason can pass and that nobody has closed. Sent
again it is a new TI with a new signature, and the old one keeps its ACK.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from handshaker.clinical.reading import Result, read
from handshaker.errors import NotFound
from handshaker.intake import Intake, Submission
from handshaker.messages import Json, Template, VerdictKind
from handshaker.ports import Clock, Vault
from handshaker.reasons import Reason, can_pass, passing_codes, reason
from handshaker.records.access_log import AccessLog, Look
from handshaker.records.bodies import Body, open_body
from handshaker.records.gateway import Gateway, Inquiry
from handshaker.records.identities import Identities
from handshaker.records.requests import ConsentRequest, ConsentRequests
from handshaker.store.records import OwnRow
from handshaker.store.sql_store import SqlStore
from handshaker.template_manager import TemplateManager
from handshaker.tokens import Credential
from handshaker.vocabulary import CATEGORY_BY_CODE, Action, Purpose

_MOST = 100


@dataclass(frozen=True, slots=True)
class Draft:
    """A refused record of the reader's own."""

    ti_id: str
    template: str
    """``name@version``."""
    patient_id: str
    category: str
    title: str
    payload: Mapping[str, Json]
    """FHIR R4, as it was entered."""
    text: str
    results: tuple[Result, ...]
    reason: Reason
    code: str
    """Machine code of the refusal, such as ``not-permitted``."""
    refused_at: datetime
    requested: ConsentRequest | None
    """The open request for consent that covers it, if there is one."""
    is_ready: bool
    """Whether it would be accepted now, by what the chain says."""


class Drafts:
    """The drafts of each author; nobody sees those of somebody else."""

    def __init__(
        self,
        store: SqlStore,
        vault: Vault,
        templates: TemplateManager,
        identities: Identities,
        intake: Intake,
        gateway: Gateway,
        requests: ConsentRequests,
        accesses: AccessLog,
        clock: Clock,
    ) -> None:
        self._store = store
        self._vault = vault
        self._templates = templates
        self._identities = identities
        self._intake = intake
        self._gateway = gateway
        self._requests = requests
        self._accesses = accesses
        self._clock = clock

    def of(self, credential: Credential, within: Look | None = None) -> list[Draft]:
        """Return the author's open drafts, newest first, at most 100."""
        names = {template.name for template in self._templates.list() if template.action == "write"}
        rows = self._store.records.refused(credential.actor.actor_id, names, passing_codes(), _MOST)
        inquiry, asked = self._gateway.inquiry(), dict[str, list[ConsentRequest]]()
        with self._accesses.looking(credential, "drafts", within) as look:
            drafts = [(row, self._draft(row, credential, inquiry, asked)) for row in rows]
            for row, draft in drafts:
                if draft is not None:
                    look.own(row.patient_id, draft.category)
        return [draft for _, draft in drafts if draft is not None]

    def get(self, credential: Credential, ti_id: str, within: Look | None = None) -> Draft:
        """Return one of them; raises ``NotFound``, also for somebody else's and for one that is closed."""
        row, _, is_closed = self._refused(credential, ti_id)
        with self._accesses.looking(credential, "draft", within) as look:
            draft = None if is_closed else self._draft(row, credential, self._gateway.inquiry(), {})
            if draft is None:
                raise _no_draft(ti_id)
            look.own(row.patient_id, draft.category)
        return draft

    def send(self, credential: Credential, ti_id: str) -> Submission:
        """Sign and submit the same payload again and close the draft; twice is once.

        Raises ``NotFound``, and what intake raises. Where a gate refuses it for a reason that will not pass, the draft
        stays open.
        """
        row, successor, is_closed = self._refused(credential, ti_id)
        if successor is not None:
            return self._sent(successor)
        body = self._open(row)
        if is_closed or body.problem or not can_pass(row.code or ""):
            raise _no_draft(ti_id)
        request = {
            "template": f"{row.template}@{row.template_version}",
            "patient": row.patient_id or body.patient_id,
            "payload": body.payload,
            "supersedes": body.supersedes,
            "idempotencyKey": self._unused_key(credential, ti_id),
        }
        submission = self._intake.submit(request, credential)
        if submission.refusal is None or can_pass(submission.refusal.code):
            self._store.records.close_draft(ti_id, submission.ti_id, self._clock.now())
        return submission

    def discard(self, credential: Credential, ti_id: str) -> None:
        """Give up a refused record of one's own; safe to repeat. Raises ``NotFound``."""
        self._refused(credential, ti_id)
        self._store.records.close_draft(ti_id, None, self._clock.now())

    def _refused(self, credential: Credential, ti_id: str) -> tuple[OwnRow, str | None, bool]:
        found = self._store.records.refused_one(credential.actor.actor_id, ti_id)
        if found is None or self._template(found[0]).action != "write":
            raise _no_draft(ti_id)
        return found

    def _sent(self, ti_id: str) -> Submission:
        """Return what was submitted in a draft's place before."""
        return Submission(
            ti_id, None, self._store.intake.statement_hash(ti_id), True, self._store.audit.acknowledgement(ti_id)
        )

    def _unused_key(self, credential: Credential, ti_id: str) -> str:
        """Return the key of the attempt that is under way, or of the next one if the last came to nothing."""
        attempt = 1
        while True:
            key = f"draft/{ti_id}/{attempt}"
            tried = self._intake.known(credential.actor.actor_id, key)
            acknowledgement = self._store.audit.acknowledgement(tried) if tried else None
            if acknowledgement is None or acknowledgement.kind is VerdictKind.VALID or can_pass(acknowledgement.code):
                return key
            attempt += 1

    def _draft(
        self, row: OwnRow, credential: Credential, inquiry: Inquiry, asked: dict[str, list[ConsentRequest]]
    ) -> Draft | None:
        """Return the draft of a row; ``None`` where its payload cannot be read any more or was no record."""
        template, body = self._template(row), self._open(row)
        patient_id = row.patient_id or body.patient_id
        if body.problem or not can_pass(row.code or "") or patient_id is None or template.category is None:
            return None
        content = read(body.payload)
        return Draft(
            ti_id=row.ti_id,
            template=template.reference,
            patient_id=patient_id,
            category=template.category,
            title=content.title,
            payload=body.payload,
            text=content.text,
            results=content.results,
            reason=reason(row.code or "", row.arguments),
            code=row.code or "",
            refused_at=row.acknowledged_at or row.received_at,
            requested=self._requested(credential, patient_id, template, asked),
            is_ready=_is_ready(credential, patient_id, template, inquiry),
        )

    def _requested(
        self, credential: Credential, patient_id: str, template: Template, asked: dict[str, list[ConsentRequest]]
    ) -> ConsentRequest | None:
        """Return the newest request that covers what a template writes."""
        if patient_id not in asked:
            asked[patient_id] = self._requests.about(credential, patient_id)
        purpose, category = template.purpose or Purpose.TREAT, template.category or ""
        return next(
            (each for each in asked[patient_id] if each.covers(patient_id, Action.WRITE, category, purpose)), None
        )

    def _open(self, row: OwnRow) -> Body:
        """Open what was sealed; what rests in quarantine is no more readable than its patient is there."""
        body = open_body(self._vault, row.ti_id, row.payload)
        if row.patient_id is None and body.patient_id is not None:
            try:
                self._identities.identity(body.patient_id)
            except NotFound:
                return Body({}, problem="erased")
        return body

    def _template(self, row: OwnRow) -> Template:
        return self._templates.get(row.template, row.template_version)


def _is_ready(credential: Credential, patient_id: str, template: Template, inquiry: Inquiry) -> bool:
    category = CATEGORY_BY_CODE.get(template.category or "")
    if category is None or credential.actor.role not in template.roles:
        return False
    purpose = template.purpose or Purpose.TREAT
    return inquiry.permits_all(patient_id, credential.actor, Action.WRITE, [category], purpose) and inquiry.reachable


def _no_draft(ti_id: str) -> NotFound:
    return NotFound("You have no such draft.", what="draft", id=ti_id)
