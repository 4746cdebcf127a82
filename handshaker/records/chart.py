"""The chart: what one person may see of one patient.

Shown is what the chain knows and the reader may read at this moment, unsealed and held against its commitment. Beside
it stand the reader's own records that are on their way or were refused, which nobody else sees.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

from handshaker.clinical.reading import Content, Result, read
from handshaker.errors import NotFound, RoleNotAllowed
from handshaker.messages import EventKind
from handshaker.ports import Vault
from handshaker.reasons import Reason, can_pass, reason
from handshaker.records.access_log import AccessLog
from handshaker.records.bodies import open_body
from handshaker.records.gateway import Gateway, Permission
from handshaker.records.identities import Identities, Identity
from handshaker.records.trends import Reading, Series, trends
from handshaker.store.records import OwnRow, RecordRow
from handshaker.store.sql_store import SqlStore
from handshaker.template_manager import TemplateManager
from handshaker.tokens import Credential
from handshaker.vocabulary import CATEGORY_BY_CODE, Action

CHART_CATEGORIES = ("vital-signs", "notes", "laboratory")
_NEWEST: Mapping[str, int] = {"vital-signs": 200, "notes": 30, "laboratory": 30}
"""Entries of a category that one look returns: each is unsealed, and few people read further back."""
_PENDING = 50
_ADULT = 18
_CURSOR = re.compile(r"(\d{1,17})-([0-9a-f-]{36})", re.ASCII)
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


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
    """Why nothing is shown of it: ``erased``, ``altered``, ``absent`` or ``unreadable``; else empty."""


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


@dataclass(frozen=True, slots=True)
class OlderEntries:
    """A further page of one category."""

    identity: Identity
    permission: Permission
    entries: tuple[Entry, ...]
    """Newest first; none without permission."""
    cursor: str
    """Where the next page begins, or empty."""


class Charts:
    """Opens charts. Each look is an entry of the audit log before anything is opened."""

    def __init__(
        self,
        store: SqlStore,
        vault: Vault,
        templates: TemplateManager,
        identities: Identities,
        gateway: Gateway,
        accesses: AccessLog,
    ) -> None:
        self._store = store
        self._vault = vault
        self._templates = templates
        self._identities = identities
        self._gateway = gateway
        self._accesses = accesses

    def open(
        self,
        patient_id: str,
        credential: Credential,
        categories: Sequence[str] = CHART_CATEGORIES,
        view: str = "chart",
    ) -> Chart:
        """Return what the reader may see now; raises ``NotFound`` for an unknown or erased patient.

        ``categories`` are those of `CHART_CATEGORIES` that are wanted, ``view`` is what the audit log calls the look.
        Without permission, or when the chain does not answer, the chart is there and empty (see its permission).
        Raises ``RoleNotAllowed`` for a token that may not read, and ``StoreUnavailable`` and ``LogHeld`` where the look
        cannot be logged.
        """
        _require_reading(credential)
        identity = self._identities.identity(patient_id)
        permission = self._permission(patient_id, credential, categories, view)
        found: dict[str, tuple[Entry, ...]] = {}
        older: dict[str, str] = {}
        for category in categories:
            if permission.allows(category):
                entries, cursor = self._entries(identity, category, None)
                found[category] = tuple(entries)
                older |= {category: cursor} if cursor else {}
        measurements = found.get("vital-signs", ())
        return Chart(
            identity=identity,
            permission=permission,
            vital_signs=trends([_reading(entry) for entry in measurements if not entry.superseded_by]),
            measurements=measurements,
            notes=found.get("notes", ()),
            reports=found.get("laboratory", ()),
            pending=tuple(self._pending(identity, credential)),
            older=older,
        )

    def older(self, patient_id: str, credential: Credential, category: str, cursor: str) -> OlderEntries:
        """Return the next older entries of a category. Raises as `open`, and ``NotFound`` for a cursor that is none."""
        _require_reading(credential)
        if category not in CHART_CATEGORIES:
            raise NotFound("A chart has no such part.", what="category", id=category)
        identity, before = self._identities.identity(patient_id), _place(cursor)
        permission = self._permission(patient_id, credential, (category,), "older")
        entries: list[Entry] = []
        following = ""
        if permission.allows(category):
            entries, following = self._entries(identity, category, before)
        return OlderEntries(identity, permission, tuple(entries), following)

    def _permission(self, patient_id: str, credential: Credential, codes: Sequence[str], view: str) -> Permission:
        """Return what may be read now, once that is written into the access log."""
        categories = [CATEGORY_BY_CODE[code] for code in codes]
        return self._accesses.consented(
            credential,
            patient_id,
            view,
            categories,
            lambda: self._gateway.permitted(patient_id, credential.actor, Action.READ, categories),
        )

    # ---- what is on the chain ----------------------------------------------------------------------------------------

    def _entries(
        self, identity: Identity, category: str, before: tuple[datetime, str] | None
    ) -> tuple[list[Entry], str]:
        limit, patient_id = _NEWEST[category], identity.patient_id
        rows = self._store.records.records(patient_id, CATEGORY_BY_CODE[category].bit, limit + 1, before)
        superseded = self._store.records.superseded(patient_id) if rows else {}
        names = self._names({row.actor_id for row in rows})
        entries = [
            self._entry(row, category, identity, names[row.actor_id], superseded.get(row.record_id))
            for row in rows[:limit]
        ]
        cursor = _cursor(rows[limit - 1]) if len(rows) > limit else ""
        # Of one minute, what was handed in last stays first, as the rows do: an amended note before the old one.
        return sorted(entries, key=lambda entry: entry.at, reverse=True), cursor

    def _entry(
        self, row: RecordRow, category: str, identity: Identity, author: str, superseded_by: str | None
    ) -> Entry:
        body = open_body(self._vault, row.ti_id, row.payload, row.commitment)
        content = _content(body.payload, identity, row.received_at) if not body.problem else None
        return Entry(
            ti_id=row.ti_id,
            record_id=row.record_id,
            category=category,
            title=content.title if content else CATEGORY_BY_CODE[category].display.capitalize(),
            at=(content.at if content else None) or row.received_at,
            author=author,
            author_id=row.actor_id,
            text=content.text if content else "",
            results=content.results if content else (),
            block_number=row.block_number,
            transaction_hash="0x" + row.transaction_hash.hex(),
            superseded_by=superseded_by,
            problem=body.problem,
        )

    def _names(self, actor_ids: set[str]) -> dict[str, str]:
        actors = {actor_id: self._store.people.actor(actor_id) for actor_id in actor_ids}
        return {actor_id: actor.name if actor else actor_id[:10] for actor_id, actor in actors.items()}

    # ---- what is not -------------------------------------------------------------------------------------------------

    def _pending(self, identity: Identity, credential: Credential) -> list[Pending]:
        names = {template.name for template in self._templates.list() if template.action == "write"}
        rows = self._store.records.unfinished(
            credential.actor.actor_id, names, _PENDING, patient_id=identity.patient_id
        )
        return [self._pending_one(row, identity) for row in rows]

    def _pending_one(self, row: OwnRow, identity: Identity) -> Pending:
        template = self._templates.get(row.template, row.template_version)
        body = open_body(self._vault, row.ti_id, row.payload)
        content = _content(body.payload, identity, row.received_at)
        return Pending(
            ti_id=row.ti_id,
            category=template.category or "",
            title=template.title if body.problem else content.title,
            at=content.at or row.received_at,
            status=str(row.status if row.code is None else EventKind.INVALID),
            reason=None if row.code is None else reason(row.code, row.arguments),
            is_draft=row.code is not None and can_pass(row.code),
            text=content.text,
            results=content.results,
        )


def _require_reading(credential: Credential) -> None:
    if "read" not in credential.scopes:
        raise RoleNotAllowed("This token may not read.", role=credential.actor.role, allowed=[])


def _content(payload: Mapping[str, object], identity: Identity, at: datetime) -> Content:
    age = identity.age(at.date())
    return read(payload, is_adult=age is None or age >= _ADULT)


def _reading(entry: Entry) -> Reading:
    return Reading(entry.at, entry.ti_id, entry.author, entry.results)


def _cursor(row: RecordRow) -> str:
    return f"{(row.received_at - _EPOCH) // timedelta(microseconds=1)}-{row.ti_id}"


def _place(cursor: str) -> tuple[datetime, str]:
    """Return the place that a cursor means; raises ``NotFound`` for what is none."""
    match = _CURSOR.fullmatch(cursor)
    if match is None:
        raise NotFound("There is no such page.", what="cursor", id=cursor[:60])
    return _EPOCH + timedelta(microseconds=int(match[1])), match[2]
