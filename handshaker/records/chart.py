"""The chart: what one person may see of one patient."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime

from handshaker.clinical.reading import Result
from handshaker.ports import Vault
from handshaker.reasons import Reason
from handshaker.records.finder import Identity, PatientFinder
from handshaker.records.gateway import Gateway, Permission
from handshaker.store.sql_store import SqlStore
from handshaker.template_manager import TemplateManager
from handshaker.tokens import Credential


@dataclass(frozen=True, slots=True)
class Entry:
    """One valid record."""

    ti_id: str
    record_id: str
    """``0x`` hex of the statement's hash, for amending."""
    category: str
    title: str
    """What was measured, the kind of note, the name of the panel."""
    at: datetime
    """When it was measured or written, by what the record says; else when it was handed in."""
    author: str
    """A name."""
    author_id: str
    text: str
    """A note's text, a report's conclusion; else empty."""
    results: tuple[Result, ...]
    block_number: int | None
    transaction_hash: str | None
    superseded_by: str | None
    """The record that took its place, if one did."""
    problem: str = ""
    """Why nothing is shown of it: ``erased``, ``altered`` or ``unreadable``; else empty."""


@dataclass(frozen=True, slots=True)
class Pending:
    """A record of the reader's own that is on its way or was refused."""

    ti_id: str
    category: str
    title: str
    at: datetime
    status: str
    """The last event: ``received``, ``sent``, … ``invalid``."""
    reason: Reason | None
    """Why it was refused, if it was."""
    is_draft: bool
    """Whether it can be signed again (`Drafts`)."""
    text: str
    results: tuple[Result, ...]


@dataclass(frozen=True, slots=True)
class Line:
    """One line of a trend, with the range that is usual in resting adults."""

    code: str
    name: str
    low: float | None
    high: float | None


@dataclass(frozen=True, slots=True)
class Point:
    """One reading in a trend."""

    at: datetime
    values: tuple[float, ...]
    """One for each line, in the unit of the series."""
    ti_id: str
    author: str

    @property
    def text(self) -> str:
        """The values as clinicians write them: ``128/82``."""
        return "/".join(f"{value:g}" for value in self.values)


@dataclass(frozen=True, slots=True)
class Series:
    """A trend of one vital sign in one unit, oldest point first. Blood pressure is one with two lines."""

    code: str
    display: str
    unit: str
    lines: tuple[Line, ...]
    points: tuple[Point, ...]

    @property
    def latest(self) -> Point:
        """The newest reading; a series has at least one."""
        return self.points[-1]


@dataclass(frozen=True, slots=True)
class Chart:
    """What a page shows of a patient; lists newest first."""

    identity: Identity
    permission: Permission
    """What may be read, of ``vital-signs``, ``notes`` and ``laboratory``."""
    vital_signs: tuple[Series, ...] = ()
    measurements: tuple[Entry, ...] = ()
    """The vital signs one by one, what was superseded included."""
    notes: tuple[Entry, ...] = ()
    reports: tuple[Entry, ...] = ()
    pending: tuple[Pending, ...] = ()
    older: Mapping[str, str] = field(default_factory=dict)
    """Category → cursor for `Charts.older`, where there is more."""


class Charts:
    """Opens charts."""

    def __init__(
        self, store: SqlStore, vault: Vault, templates: TemplateManager, finder: PatientFinder, gateway: Gateway
    ) -> None:
        self._store = store
        self._vault = vault
        self._templates = templates
        self._finder = finder
        self._gateway = gateway

    def open(self, patient_id: str, credential: Credential) -> Chart:
        """Return what the reader may see now; raises ``NotFound`` for an unknown or erased patient.

        Without permission, or when the chain does not answer, the chart is there and empty (see its permission).
        """
        raise NotImplementedError

    def older(self, patient_id: str, credential: Credential, category: str, cursor: str) -> tuple[list[Entry], str]:
        """Return the next older entries of a category, and the cursor after them or ``""``.

        Raises ``NotFound``, also for a cursor that is none; nothing is returned without permission.
        """
        raise NotImplementedError
