"""Reading every TI with what became of it, newest first, and all that is known of one. Never a payload."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

import sqlalchemy as sa

from handshaker.messages import Block, Effect, EventKind, Json, Origin, Refusal
from handshaker.store import schema as s
from handshaker.store.database import Database
from handshaker.store.found import Carrier, Criteria, Leaf, Progress, Row, SentAttempt, StatementRow
from handshaker.store.rows import effect_of

Place = tuple[datetime, str]
"""Where a TI stands in the order of arrival: when it was received, and its id."""

_HOUR = 3600
_COMMON = "effect"
"""The code of nearly every ACK: the others are few enough to be looked up first."""

_CARRIER = [
    s.network_transactions.c[name]
    for name in ("network_id", "relayer", "nonce", "gas", "created_at", "settled_at", "outcome")
]


class ExplorerStore:
    """Questions about TIs, whoever they belong to."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def search(self, criteria: Criteria, before: Place | None, limit: int) -> list[Row]:
        """Return the newest ``limit`` TIs that fit and were received before a place, newest first."""
        query = _rows().order_by(s.transactions.c.received_at.desc(), s.transactions.c.ti_id.desc()).limit(limit)
        for condition in _conditions(criteria):
            query = query.where(condition)
        if before is not None:
            place = sa.tuple_(s.transactions.c.received_at, s.transactions.c.ti_id)
            query = query.where(place < sa.tuple_(*_place(before)))
        with self._database.read() as connection:
            return [_row(row) for row in connection.execute(query).mappings()]

    def row(self, beginning: str) -> Row | None:
        """Return the TI with that id, or the only one that begins so."""
        # Hex digits and hyphens all sort below g.
        own = s.transactions.c.ti_id
        query = _rows().where(own >= beginning, own < beginning + "g").limit(2)
        with self._database.read() as connection:
            found = connection.execute(query).mappings().all()
        return _row(found[0]) if len(found) == 1 else None

    def progress(self, ti_id: str) -> Progress | None:
        """Return how far a TI is."""
        query = (
            sa.select(
                *(s.events.c.kind, s.events.c.at, s.events.c.data),
                *(s.acknowledgements.c.verdict, s.acknowledgements.c.code, s.acknowledgements.c.arguments),
                *(s.acknowledgements.c.block_number, s.acknowledgements.c.block_hash),
                *(s.acknowledgements.c.transaction_hash, s.audit_positions.c.position),
                *(s.queue.c.refusal, s.statements.c.statement_hash),
            )
            .outerjoin(s.acknowledgements, s.acknowledgements.c.ti_id == s.events.c.ti_id)
            .outerjoin(s.audit_positions, s.audit_positions.c.entry_id == s.acknowledgements.c.entry_id)
            .outerjoin(s.queue, s.queue.c.ti_id == s.events.c.ti_id)
            .outerjoin(s.statements, s.statements.c.ti_id == s.events.c.ti_id)
            .where(s.events.c.ti_id == ti_id)
            .order_by(s.events.c.event_id.desc())
            .limit(1)
        )
        with self._database.read() as connection:
            row = connection.execute(query).mappings().first()
        if row is None:
            return None
        told = {name: row[name] for name in ("verdict", "code", "arguments", "statement_hash", "block_number")}
        places = {name: row[name] for name in ("block_hash", "transaction_hash", "position", "at", "data")}
        return Progress(ti_id, EventKind(row["kind"]), refusal=_refusal(row["refusal"]), **told, **places)

    def statement(self, ti_id: str) -> StatementRow | None:
        """Return the statement of a TI, if it came so far."""
        query = (
            sa.select(s.statements, s.signatures.c.statement_hash.is_not(None).label("has_signature"))
            .outerjoin(s.signatures, s.signatures.c.statement_hash == s.statements.c.statement_hash)
            .where(s.statements.c.ti_id == ti_id)
        )
        with self._database.read() as connection:
            row = connection.execute(query).mappings().first()
        if row is None:
            return None
        return StatementRow(**{name: row[name] for name in StatementRow.__slots__})

    def carriers(self, statement_hash: bytes) -> list[Carrier]:
        """Return the network transactions that carried a statement, oldest first."""
        size = (
            sa.select(sa.func.count())
            .where(s.network_items.c.network_id == s.network_transactions.c.network_id)
            .scalar_subquery()
        )
        mine = s.network_items.alias("mine")
        query = (
            sa.select(*_CARRIER, mine.c.position, size.label("batch_size"))
            .join(mine, mine.c.network_id == s.network_transactions.c.network_id)
            .where(mine.c.statement_hash == statement_hash)
            .order_by(s.network_transactions.c.network_id)
        )
        with self._database.read() as connection:
            rows = connection.execute(query).mappings().all()
            tried = sa.select(s.attempts).where(s.attempts.c.network_id.in_([row["network_id"] for row in rows]))
            attempts = connection.execute(tried.order_by(s.attempts.c.created_at, s.attempts.c.max_fee)).mappings()
            by_network: dict[int, list[SentAttempt]] = {}
            for found in attempts:
                sent = SentAttempt(found["hash"], found["max_fee"], found["priority_fee"], found["created_at"])
                by_network.setdefault(found["network_id"], []).append(sent)
        return [Carrier(**row, attempts=tuple(by_network.get(row["network_id"], ()))) for row in rows]

    def effects(self, statement_hash: bytes) -> list[tuple[Effect, Block | None]]:
        """Return what a statement did on the chain as it was walked, each with its block, in order."""
        query = (
            sa.select(s.effects, s.blocks.c.number, s.blocks.c.parent, s.blocks.c.timestamp)
            .outerjoin(
                s.blocks,
                sa.and_(s.blocks.c.number == s.effects.c.block_number, s.blocks.c.hash == s.effects.c.block_hash),
            )
            .where(s.effects.c.statement_hash == statement_hash)
            .order_by(s.effects.c.block_number, s.effects.c.log_index)
        )
        with self._database.read() as connection:
            return [(effect_of(row), _block(row)) for row in connection.execute(query).mappings()]

    def leaves(self, ti_id: str) -> list[Leaf]:
        """Return the entries of the audit log about a TI, in order."""
        told = (
            sa.select(s.outbox.c.position)
            .where(s.outbox.c.topic == "contradiction", s.outbox.c.ti_id == ti_id)
            .union_all(
                sa.select(s.audit_positions.c.position)
                .join(s.acknowledgements, s.acknowledgements.c.entry_id == s.audit_positions.c.entry_id)
                .where(s.acknowledgements.c.ti_id == ti_id)
            )
        )
        query = (
            sa.select(s.audit_positions.c.position, s.audit_entries)
            .join(s.audit_entries, s.audit_entries.c.entry_id == s.audit_positions.c.entry_id)
            .where(s.audit_positions.c.position.in_(told))
            .order_by(s.audit_positions.c.position)
        )
        with self._database.read() as connection:
            rows = connection.execute(query).mappings()
            return [Leaf(row["position"], row["kind"], row["leaf_hash"], row["leaf"]) for row in rows]

    def activity(self, since: datetime) -> dict[tuple[int, str], int]:
        """Return how many ACKs were written since a moment by ``(hour, verdict)``; hours since the epoch."""
        seconds = sa.extract("epoch", s.acknowledgements.c.acknowledged_at)
        # SQLite has whole seconds here, and perhaps no floor; elsewhere a cast would round up.
        whole = seconds if self._database.is_sqlite else sa.func.floor(seconds)
        hour, verdict = sa.cast(whole, sa.BigInteger) // _HOUR, s.acknowledgements.c.verdict
        query = sa.select(hour, verdict, sa.func.count()).where(s.acknowledgements.c.acknowledged_at >= since)
        with self._database.read() as connection:
            found = connection.execute(query.group_by(hour, verdict))
            return {(int(row[0]), row[1]): row[2] for row in found}

    def oldest_open(self) -> datetime | None:
        """Return when the oldest TI without an ACK was received, of those in the queue."""
        query = sa.select(sa.func.min(s.transactions.c.received_at)).join(
            s.queue, s.queue.c.ti_id == s.transactions.c.ti_id
        )
        with self._database.read() as connection:
            return connection.execute(query).scalar()


def _last_kind() -> sa.ScalarSelect[Any]:
    return (
        sa.select(s.events.c.kind)
        .where(s.events.c.ti_id == s.transactions.c.ti_id)
        .order_by(s.events.c.event_id.desc())
        .limit(1)
        .correlate(s.transactions)
        .scalar_subquery()
    )


def _rows() -> sa.Select[Any]:
    ti, ack = s.transactions.c, s.acknowledgements.c
    return (
        sa.select(
            *(ti.ti_id, ti.template, ti.template_version, ti.actor_id, ti.patient_id, ti.received_at, ti.origin),
            *(ack.code, ack.acknowledged_at, s.audit_positions.c.position, s.queue.c.refusal, s.actors.c.name),
            _last_kind().label("status"),
        )
        .outerjoin(s.acknowledgements, ack.ti_id == ti.ti_id)
        .outerjoin(s.audit_positions, s.audit_positions.c.entry_id == ack.entry_id)
        .outerjoin(s.queue, s.queue.c.ti_id == ti.ti_id)
        .outerjoin(s.actors, s.actors.c.actor_id == ti.actor_id)
    )


def _conditions(criteria: Criteria) -> list[sa.ColumnElement[bool]]:
    ti = s.transactions.c
    found = [*_status(criteria.status), *_code(criteria.code, criteria.error)]
    for column, beginning in ((ti.actor_id, criteria.actor_id), (ti.patient_id, criteria.patient_id)):
        if beginning is not None:
            # Hex digits all sort below g, in every collation; LIKE would not use the index.
            found += [column >= beginning, column < beginning + "g"]
    if criteria.template is not None:
        found.append(ti.template == criteria.template)
    if criteria.version is not None:
        found.append(ti.template_version == criteria.version)
    if criteria.since is not None:
        found.append(ti.received_at >= criteria.since)
    if criteria.until is not None:
        found.append(ti.received_at < criteria.until)
    return found


def _status(status: EventKind | None) -> list[sa.ColumnElement[bool]]:
    """Return the condition, and one beside it that spares the database to ask for every TI's last event."""
    if status is None:
        return []
    exact = _last_kind() == str(status)
    if status is EventKind.VALID:
        return [s.acknowledgements.c.verdict == str(status), exact]
    few = {
        EventKind.INVALID: sa.select(s.acknowledgements.c.ti_id).where(s.acknowledgements.c.verdict == str(status)),
        EventKind.CONTRADICTED: sa.select(s.outbox.c.ti_id).where(s.outbox.c.topic == "contradiction"),
    }
    return [s.transactions.c.ti_id.in_(few.get(status, _open())), exact]


def _open() -> sa.CompoundSelect[Any]:
    """Select the TIs without an ACK: those in the queue, and those from the chain that are acknowledged next."""
    concluded = s.acknowledgements.alias("concluded")
    adopted = (
        sa.select(s.statements.c.ti_id)
        .outerjoin(concluded, concluded.c.ti_id == s.statements.c.ti_id)
        .where(s.statements.c.words.is_(None), concluded.c.ti_id.is_(None))
    )
    return sa.select(s.queue.c.ti_id).union_all(adopted)


def _code(code: str | None, error: str | None) -> list[sa.ColumnElement[bool]]:
    if code is None:
        return []
    if code == _COMMON:
        return [s.acknowledgements.c.code == code]
    concluded, waits = s.acknowledgements.alias("concluded"), s.queue.alias("waits")
    few = (
        sa.select(concluded.c.ti_id)
        .where(concluded.c.code == code)
        .union_all(sa.select(waits.c.ti_id).where(waits.c.refusal["error"].as_string() == error))
    )
    return [s.transactions.c.ti_id.in_(few)]


def _place(place: Place) -> tuple[sa.ColumnElement[Any], sa.ColumnElement[Any]]:
    return sa.literal(place[0], s.UtcDateTime()), sa.literal(place[1], sa.String())


def _row(row: sa.RowMapping) -> Row:
    refusal = _refusal(row["refusal"])
    return Row(
        ti_id=row["ti_id"],
        status=EventKind(row["status"]),
        code=row["code"] or (refusal.error if refusal else ""),
        template=f"{row['template']}@{row['template_version']}",
        actor_id=row["actor_id"],
        actor_name=row["name"] or "",
        patient_id=row["patient_id"],
        received_at=row["received_at"],
        acknowledged_at=row["acknowledged_at"],
        position=row["position"],
        origin=Origin(row["origin"]),
    )


def _refusal(kept: Mapping[str, Json] | None) -> Refusal | None:
    return Refusal(kept["error"], kept["arguments"]) if kept else None


def _block(row: sa.RowMapping) -> Block | None:
    if row["number"] is None:
        return None
    return Block(row["number"], row["block_hash"], row["parent"], row["timestamp"])
