"""Drafts: records that were refused for a reason that can pass, kept sealed until they are signed again."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from handshaker.clinical.reading import Result
from handshaker.intake import Intake, Submission
from handshaker.messages import Json
from handshaker.ports import Clock, Vault
from handshaker.reasons import Reason
from handshaker.records.gateway import Gateway
from handshaker.records.requests import ConsentRequest, ConsentRequests
from handshaker.store.sql_store import SqlStore
from handshaker.template_manager import TemplateManager
from handshaker.tokens import Credential


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
        intake: Intake,
        gateway: Gateway,
        requests: ConsentRequests,
        clock: Clock,
    ) -> None:
        self._store = store
        self._vault = vault
        self._templates = templates
        self._intake = intake
        self._gateway = gateway
        self._requests = requests
        self._clock = clock

    def of(self, credential: Credential) -> list[Draft]:
        """Return the author's open drafts, newest first, at most 100."""
        raise NotImplementedError

    def get(self, credential: Credential, ti_id: str) -> Draft:
        """Return one of them; raises ``NotFound``, also for somebody else's."""
        raise NotImplementedError

    def send(self, credential: Credential, ti_id: str) -> Submission:
        """Sign and submit the same payload again and close the draft; twice is once.

        Raises ``NotFound``, and what intake raises.
        """
        raise NotImplementedError

    def discard(self, credential: Credential, ti_id: str) -> None:
        """Give up a refused record of one's own; safe to repeat. Raises ``NotFound``."""
        raise NotImplementedError
