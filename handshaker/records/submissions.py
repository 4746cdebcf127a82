"""What somebody sent: the content of their own transactions, opened for nobody else."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from handshaker.clinical.reading import Content, read
from handshaker.errors import NotFound
from handshaker.messages import InitialTransaction, Json
from handshaker.ports import Vault
from handshaker.records.access_log import AccessLog, Look
from handshaker.records.bodies import open_body
from handshaker.store.sql_store import SqlStore
from handshaker.template_manager import TemplateManager
from handshaker.tokens import Credential


@dataclass(frozen=True, slots=True)
class SentRecord:
    """One transaction of its author's, with what was entered."""

    ti_id: str
    template: str
    """``name@version``."""
    template_title: str
    patient_id: str | None
    category: str
    """Code of the category, or empty."""
    received_at: datetime
    supersedes: str | None
    """The record that it amends."""
    payload: Mapping[str, Json]
    """As it was entered; empty where there is a ``problem``."""
    content: Content
    problem: str
    """Why nothing is shown of it: ``absent``, ``erased``, ``altered`` or ``unreadable``; else empty."""


class Submissions:
    """The transactions of each author; nobody sees those of somebody else."""

    def __init__(self, store: SqlStore, vault: Vault, templates: TemplateManager, accesses: AccessLog) -> None:
        self._store = store
        self._vault = vault
        self._templates = templates
        self._accesses = accesses

    def get(self, credential: Credential, ti_id: str, within: Look | None = None) -> SentRecord:
        """Return one of them; raises ``NotFound``, also for somebody else's."""
        ti = self._own(credential, ti_id)
        template = self._templates.get(ti.template, ti.template_version)
        with self._accesses.looking(credential, "submission", within) as look:
            body = open_body(self._vault, ti_id, self._store.intake.payload(ti_id))
            look.own(ti.patient_id, template.category or "")
        return SentRecord(
            ti_id=ti_id,
            template=template.reference,
            template_title=template.title,
            patient_id=ti.patient_id,
            category=template.category or "",
            received_at=ti.received_at,
            supersedes=body.supersedes,
            payload=body.payload,
            content=read(body.payload),
            problem=body.problem,
        )

    def _own(self, credential: Credential, ti_id: str) -> InitialTransaction:
        ti = self._store.intake.transaction(ti_id)
        if ti is None or ti.actor_id != credential.actor.actor_id:
            raise NotFound("You sent no transaction with that id.", what="transaction", id=ti_id[:60])
        return ti
