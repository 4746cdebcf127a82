"""The explorer: every TI, searched newest first, and the whole file of one, from form to block.

Shows hashes, codes, pseudonyms and names of staff. Never a payload, nor a patient's name.
"""

from __future__ import annotations

import base64
import json
import re
from dataclasses import dataclass, replace
from datetime import UTC, datetime

from handshaker.codes import code_of, error_of
from handshaker.errors import CursorInvalid, NotFound
from handshaker.ethereum.statements import FieldValue, statement_type
from handshaker.messages import (
    Acknowledgement,
    Block,
    Effect,
    Event,
    EventKind,
    InitialTransaction,
    Json,
    Origin,
    VerdictKind,
)
from handshaker.ports import Clock
from handshaker.reasons import Reason, reason
from handshaker.store.explorer import Place
from handshaker.store.found import Carrier, Criteria, Leaf, Progress, Row, SentAttempt, StatementRow
from handshaker.store.sql_store import SqlStore

__all__ = [
    "Activity",
    "Carrier",
    "Explorer",
    "GateResult",
    "Leaf",
    "Page",
    "Row",
    "SentAttempt",
    "StatementField",
    "StatementFile",
    "Status",
    "TransactionFile",
]

GATES = ("envelope", "identity", "schema", "plausibility", "signature")
SHORTEST = 8
"""Characters of a TI's id that are enough to name it, where no other begins so."""
LARGEST_PAGE = 500
_ID = re.compile(r"[0-9A-Za-z-]{1,60}", re.ASCII)


@dataclass(frozen=True, slots=True)
class Page:
    """A part of the answer to a search."""

    rows: tuple[Row, ...]
    next_cursor: str | None
    """Hand it back as ``before`` for the older ones; ``None`` at the end."""


@dataclass(frozen=True, slots=True)
class Status:
    """How far a TI is, and with which evidence; cheap to ask for."""

    ti_id: str
    status: EventKind
    at: datetime
    """When that happened."""
    is_settled: bool
    """Whether its ACK is written: nothing will change but for a contradiction."""
    code: str
    """Of its ACK, or of the refusal that it waits after; else empty."""
    reason: Reason | None
    statement_hash: bytes | None
    block_number: int | None
    block_hash: bytes | None
    transaction_hash: bytes | None
    """Of the block and the transaction that hold the effect, or in which it was last seen."""
    position: int | None
    """Index of its leaf in the audit log."""


@dataclass(frozen=True, slots=True)
class GateResult:
    """A gate of intake; ``has_passed`` is ``None`` for one that was not reached."""

    name: str
    has_passed: bool | None


@dataclass(frozen=True, slots=True)
class StatementField:
    """A field of a statement as it was signed."""

    name: str
    type: str
    """EIP-712 type."""
    value: FieldValue
    """``terms`` as the hash of the sentence."""


@dataclass(frozen=True, slots=True)
class StatementFile:
    """What was signed."""

    statement_hash: bytes
    contract: str
    function: str
    fields: tuple[StatementField, ...]
    """Empty for a statement that was first seen on the chain: look at the effect's arguments."""
    signer: str
    deadline: datetime | None
    custodial: bool
    """Whether the vault signed it."""
    signature: str
    """``kept``, ``destroyed`` (it was never sent, and never can be now), or ``elsewhere`` (came from the chain)."""


@dataclass(frozen=True, slots=True)
class TransactionFile:
    """All that is known of a TI."""

    ti: InitialTransaction
    """Without its payload and its idempotency key."""
    actor_name: str
    status: Status
    gates: tuple[GateResult, ...]
    """None for a TI that came straight from the chain."""
    statement: StatementFile | None
    acknowledgement: Acknowledgement | None
    events: tuple[Event, ...]
    network: tuple[Carrier, ...]
    effects: tuple[tuple[Effect, Block | None], ...]
    """What it did on the chain as far as that was walked, with the block."""
    leaves: tuple[Leaf, ...]
    """Its entries in the audit log: the ACK, and the contradiction of it where a fork took its evidence away."""

    @property
    def reason(self) -> Reason | None:
        """Why it is as it is, where there is something to say."""
        return self.status.reason


@dataclass(frozen=True, slots=True)
class Activity:
    """ACKs of one hour."""

    hour: datetime
    valid: int
    invalid: int


class Explorer:
    """Searches and opens; changes nothing."""

    def __init__(self, store: SqlStore, clock: Clock) -> None:
        self._store = store
        self._clock = clock

    def search(
        self,
        *,
        status: EventKind | str | None = None,
        reason: str | None = None,
        actor_id: str | None = None,
        patient_id: str | None = None,
        template: str | None = None,
        since: datetime | None = None,
        until: datetime | None = None,
        before: str | None = None,
        limit: int = 50,
    ) -> Page:
        """Return the newest TIs that fit all that is given; empty text does not narrow.

        ``reason`` is a code, ``actor_id`` and ``patient_id`` may be beginnings (``0x`` and hex digits), ``template`` a
        name or ``name@version``. ``since`` ≤ received < ``until``. ``before`` is a cursor of an earlier page, ``limit``
        1 to 500. Raises ``CursorInvalid``, and ``ValueError`` for a status that does not exist.
        """
        name, _, version = (template or "").partition("@")
        criteria = Criteria(
            status=EventKind(status) if status else None,
            code=reason or None,
            error=error_of(reason) if reason else None,
            actor_id=_beginning(actor_id),
            patient_id=_beginning(patient_id),
            template=name or None,
            version=_version(version),
            since=since,
            until=until,
        )
        limit = max(1, min(limit, LARGEST_PAGE))
        rows = self._store.explorer.search(criteria, _place_of(before) if before else None, limit + 1)
        cursor = _cursor(rows[limit - 1]) if len(rows) > limit else None
        return Page(tuple(replace(row, code=code_of(row.code)) for row in rows[:limit]), cursor)

    def status(self, ti_id: str) -> Status:
        """Return how far a TI is; raises ``NotFound``."""
        progress = self._store.explorer.progress(ti_id)
        if progress is None:
            raise _unknown(ti_id)
        return _status(progress)

    def file(self, ti_id: str) -> TransactionFile:
        """Return all that is known of a TI: its id, or 8 characters or more with which it alone begins.

        Raises ``NotFound``.
        """
        row = self._store.explorer.row(ti_id) if len(ti_id) >= SHORTEST else None
        ti = self._store.intake.transaction(row.ti_id) if row else None
        if row is None or ti is None:
            raise _unknown(ti_id)
        explorer, audit = self._store.explorer, self._store.audit
        statement, acknowledgement = explorer.statement(ti.ti_id), audit.acknowledgement(ti.ti_id)
        known = statement.statement_hash if statement else b""
        return TransactionFile(
            ti=_bare(ti),
            actor_name=row.actor_name,
            status=self.status(ti.ti_id),
            gates=_gates(ti, acknowledgement),
            statement=_statement(statement, ti) if statement else None,
            acknowledgement=acknowledgement,
            events=tuple(audit.events(ti.ti_id)),
            network=tuple(explorer.carriers(known)),
            effects=tuple(explorer.effects(known)),
            leaves=tuple(explorer.leaves(ti.ti_id)),
        )

    def codes(self) -> list[str]:
        """Return the codes of all ACKs, in order."""
        return sorted({code for _, code in self._store.audit.counts()})

    def oldest_open(self) -> datetime | None:
        """Return when the oldest TI was received that has no ACK yet."""
        return self._store.explorer.oldest_open()

    def activity(self, hours: int = 24) -> list[Activity]:
        """Return the ACKs of each of the last ``hours`` hours, the present one included, oldest first."""
        last = int(self._clock.now().timestamp()) // 3600
        first = last - max(1, hours) + 1
        counts = self._store.explorer.activity(_moment(first))
        return [
            Activity(_moment(hour), *(counts.get((hour, str(kind)), 0) for kind in VerdictKind))
            for hour in range(first, last + 1)
        ]


def _status(progress: Progress) -> Status:
    code, arguments = progress.code or "", progress.arguments or {}
    if progress.verdict is None and progress.refusal is not None:
        code, arguments = code_of(progress.refusal.error), progress.refusal.arguments
    return Status(
        ti_id=progress.ti_id,
        status=progress.status,
        at=progress.at,
        is_settled=progress.verdict is not None,
        code=code,
        reason=reason(code, arguments) if code else None,
        statement_hash=progress.statement_hash,
        block_number=progress.block_number if progress.verdict else progress.data.get("block"),
        block_hash=progress.block_hash,
        transaction_hash=progress.transaction_hash if progress.verdict else _bytes(progress.data.get("transaction")),
        position=progress.position,
    )


def _statement(row: StatementRow, ti: InitialTransaction) -> StatementFile:
    signature = "kept" if row.has_signature else "elsewhere" if ti.origin is Origin.CHAIN else "destroyed"
    return StatementFile(
        statement_hash=row.statement_hash,
        contract=row.contract,
        function=row.function,
        fields=_fields(row),
        signer=row.signer,
        deadline=None if row.deadline is None else datetime.fromtimestamp(row.deadline, UTC),
        custodial=row.custodial,
        signature=signature,
    )


def _fields(row: StatementRow) -> tuple[StatementField, ...]:
    if row.words is None:
        return ()
    kind = statement_type(row.contract, row.function)
    values = kind.values(row.words)
    return tuple(StatementField(name, abi_type, values[name]) for name, abi_type in kind.fields)


def _gates(ti: InitialTransaction, acknowledgement: Acknowledgement | None) -> tuple[GateResult, ...]:
    if ti.origin is Origin.CHAIN:
        return ()
    refused = acknowledgement.arguments.get("gate") if acknowledgement else None
    if refused not in GATES:
        return tuple(GateResult(name, True) for name in GATES)
    at = GATES.index(refused)
    return tuple(GateResult(name, None if i > at else i < at) for i, name in enumerate(GATES))


def _bare(ti: InitialTransaction) -> InitialTransaction:
    return replace(ti, idempotency_key="")


def _beginning(text: str | None) -> str | None:
    """Return the beginning of an id as the store compares it; what is none fits nothing."""
    if not text:
        return None
    text = text.strip().lower()
    return text if re.fullmatch(r"0x[0-9a-f]*", text) else "-"


def _version(text: str) -> int | None:
    if not text:
        return None
    return int(text) if re.fullmatch(r"\d{1,9}", text, re.ASCII) else -1


def _cursor(row: Row) -> str:
    place = json.dumps([row.received_at.isoformat(), row.ti_id], separators=(",", ":"))
    return base64.urlsafe_b64encode(place.encode()).decode().rstrip("=")


def _place_of(cursor: str) -> Place:
    try:
        moment, ti_id = json.loads(base64.b64decode(cursor + "=" * (-len(cursor) % 4), b"-_", validate=True))
        received_at = datetime.fromisoformat(moment)
        if received_at.tzinfo is None or not _ID.fullmatch(ti_id):
            raise ValueError(cursor)
        return received_at.astimezone(UTC), ti_id
    except (ValueError, TypeError, OverflowError, RecursionError):
        raise CursorInvalid("That is no cursor of this list.") from None


def _moment(hour: int) -> datetime:
    return datetime.fromtimestamp(hour * 3600, UTC)


def _bytes(text: Json) -> bytes | None:
    return bytes.fromhex(text.removeprefix("0x")) if isinstance(text, str) else None


def _unknown(ti_id: str) -> NotFound:
    return NotFound("No transaction has that id, or several begin so.", what="transaction", id=ti_id[:60])
