"""Acknowledgements and the audit log: written once, in one SQL transaction with all that follows from them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any

import sqlalchemy as sa

from handshaker.audit.leaf import acknowledgement_leaf, contradiction_leaf
from handshaker.crash_points import crash_point
from handshaker.messages import Acknowledgement, Block, Conclusion, Event, EventKind, Origin, Sealed, VerdictKind
from handshaker.store import schema as s
from handshaker.store.database import Database
from handshaker.store.rows import sealed_columns, sealed_of
from handshaker.store.sequencer import Sequencer, entry, new_entry_id


class AuditStore:
    """The audit tables."""

    def __init__(self, database: Database, sequencer: Sequencer) -> None:
        self._database = database
        self._sequencer = sequencer

    def conclude(
        self, conclusions: Sequence[Conclusion], at: datetime, *, owner: str | None = None
    ) -> list[Acknowledgement]:
        """Write the ACKs of ``conclusions``; a TI that has one already keeps it and is left out of the answer.

        So are those that a worker drew because a signature never left, once the lease of ``owner`` is another's.
        """
        if not conclusions:
            return []
        with self._database.write() as connection:
            written = write_acknowledgements(connection, self._sequencer, conclusions, at, owner)
        crash_point("audit.concluded")
        if any(conclusion.destroy_signature for conclusion in conclusions):
            self._database.forget_log()
        return written

    def acknowledgement(self, ti_id: str) -> Acknowledgement | None:
        """Return the ACK of a TI, if it has one."""
        with self._database.read() as connection:
            row = connection.execute(_select().where(s.acknowledgements.c.ti_id == ti_id)).mappings().first()
        return _acknowledgement(row) if row else None

    def acknowledgement_like(self, beginning: str) -> Acknowledgement | None:
        """Return the ACK of the only TI that begins so (8 characters at least), if there is exactly one."""
        if len(beginning) < 8:
            return None
        likeness = s.acknowledgements.c.ti_id.startswith(beginning.lower(), autoescape=True)
        query = _select().where(likeness).limit(2)
        with self._database.read() as connection:
            rows = connection.execute(query).mappings().all()
        return _acknowledgement(rows[0]) if len(rows) == 1 else None

    def detail(self, ti_id: str) -> Sealed | None:
        """Return the sealed detail of an ACK."""
        with self._database.read() as connection:
            query = sa.select(s.acknowledgements).where(s.acknowledgements.c.ti_id == ti_id)
            row = connection.execute(query).mappings().first()
        return sealed_of(row, "detail") if row else None

    def acknowledgements(self, after: int = -1, limit: int = 100, **wanted: str | None) -> list[Acknowledgement]:
        """Return ACKs in the order of the log, from the first one after position ``after``.

        ``wanted`` narrows them: ``verdict``, ``code``, ``actor_id``, ``patient_id``, ``template``.
        """
        query = _filtered(_select(), wanted).where(s.audit_positions.c.position > after)
        query = query.order_by(s.audit_positions.c.position).limit(limit)
        with self._database.read() as connection:
            return [_acknowledgement(row) for row in connection.execute(query).mappings()]

    def latest(self, limit: int, **wanted: str | None) -> list[Acknowledgement]:
        """Return the last ``limit`` ACKs in the order of the log."""
        query = _filtered(_select(), wanted).order_by(s.audit_positions.c.position.desc()).limit(limit)
        with self._database.read() as connection:
            return [_acknowledgement(row) for row in connection.execute(query).mappings()][::-1]

    def counts(self) -> dict[tuple[str, str], int]:
        """Return how many ACKs there are by ``(verdict, code)``."""
        columns = (s.acknowledgements.c.verdict, s.acknowledgements.c.code)
        query = sa.select(*columns, sa.func.count()).group_by(*columns)
        with self._database.read() as connection:
            return {(row[0], row[1]): row[2] for row in connection.execute(query)}

    def events(self, ti_id: str) -> list[Event]:
        """Return the history of a TI, oldest first."""
        query = sa.select(s.events).where(s.events.c.ti_id == ti_id).order_by(s.events.c.event_id)
        with self._database.read() as connection:
            return [
                Event(row["ti_id"], EventKind(row["kind"]), row["at"], row["data"])
                for row in connection.execute(query).mappings()
            ]


def write_acknowledgements(
    connection: sa.Connection,
    sequencer: Sequencer,
    conclusions: Sequence[Conclusion],
    at: datetime,
    owner: str | None = None,
) -> list[Acknowledgement]:
    """Write ACK, leaf, position, outbox row and event, and close the queue row, for each conclusion.

    Left out are those that have an ACK, and those that rest on a signature that never left when it did meanwhile, or
    when its row is no longer leased to ``owner``, the worker that judged it.
    """
    sequencer.take_turn(connection)
    ids = [conclusion.ti_id for conclusion in conclusions]
    settled = set(
        connection.execute(sa.select(s.acknowledgements.c.ti_id).where(s.acknowledgements.c.ti_id.in_(ids))).scalars()
    )
    # Held until the commit, or another worker could send meanwhile what is being destroyed here.
    has_left = sa.or_(s.queue.c.sent, s.queue.c.state != "waiting")
    if owner is not None:
        has_left = sa.or_(has_left, s.queue.c.lease_owner.is_distinct_from(owner))
    held = connection.execute(
        sa.select(s.queue.c.ti_id, has_left).where(s.queue.c.ti_id.in_(ids)).order_by(s.queue.c.seq).with_for_update()
    ).all()
    left = {ti_id for ti_id, has_left in held if has_left}
    settled |= {conclusion.ti_id for conclusion in conclusions if conclusion.destroy_signature} & left
    query = (
        sa.select(s.transactions, s.statements.c.statement_hash)
        .outerjoin(s.statements, s.statements.c.ti_id == s.transactions.c.ti_id)
        .where(s.transactions.c.ti_id.in_(ids))
    )
    known = {row["ti_id"]: row for row in connection.execute(query).mappings()}
    written: list[Acknowledgement] = []
    rows, entries, events, destroyed = [], [], [], []
    for conclusion in conclusions:
        if conclusion.ti_id in settled:
            continue
        settled.add(conclusion.ti_id)
        ti = known[conclusion.ti_id]
        effect = conclusion.verdict.effect
        acknowledgement = Acknowledgement(
            ti_id=conclusion.ti_id,
            position=None,
            kind=conclusion.verdict.kind,
            code=conclusion.verdict.code,
            arguments=dict(conclusion.verdict.arguments),
            template=f"{ti['template']}@{ti['template_version']}",
            actor_id=ti["actor_id"],
            patient_id=ti["patient_id"],
            origin=Origin(ti["origin"]),
            statement_hash=ti["statement_hash"],
            block_number=effect.block_number if effect else None,
            block_hash=effect.block_hash if effect else None,
            transaction_hash=effect.transaction_hash if effect else None,
            log_index=effect.log_index if effect else None,
            acknowledged_at=at,
        )
        entry_id = new_entry_id()
        leaf = acknowledgement_leaf(entry_id, acknowledgement, conclusion.detail_commitment)
        entries.append(entry(entry_id, "acknowledgement", leaf, at))
        rows.append(
            {
                "ti_id": acknowledgement.ti_id,
                "entry_id": entry_id,
                "verdict": str(acknowledgement.kind),
                "code": acknowledgement.code,
                "arguments": acknowledgement.arguments,
                "statement_hash": acknowledgement.statement_hash,
                "block_number": acknowledgement.block_number,
                "block_hash": acknowledgement.block_hash,
                "transaction_hash": acknowledgement.transaction_hash,
                "log_index": acknowledgement.log_index,
                "acknowledged_at": at,
                **sealed_columns("detail", conclusion.detail),
            }
        )
        data = {"block": acknowledgement.block_number} if effect else {"code": acknowledgement.code}
        events.append(Event(conclusion.ti_id, EventKind(str(acknowledgement.kind)), at, data))
        if conclusion.destroy_signature and acknowledgement.statement_hash is not None:
            destroyed.append(acknowledgement.statement_hash)
        written.append(acknowledgement)
    if not written:
        return []
    first = sequencer.append(connection, entries)
    connection.execute(sa.insert(s.acknowledgements), rows)
    crash_point("audit.acknowledged")
    connection.execute(
        sa.insert(s.outbox),
        [{"position": first + i, "topic": "acknowledgement", "ti_id": ack.ti_id} for i, ack in enumerate(written)],
    )
    crash_point("audit.outbox-written")
    add_events(connection, events)
    connection.execute(sa.delete(s.queue).where(s.queue.c.ti_id.in_([ack.ti_id for ack in written])))
    crash_point("audit.queue-closed")
    _look_again(connection, written, conclusions, at)
    if destroyed:
        connection.execute(sa.delete(s.signatures).where(s.signatures.c.statement_hash.in_(destroyed)))
        crash_point("audit.signatures-destroyed")
    return [replace(ack, position=first + i) for i, ack in enumerate(written)]


def write_contradictions(connection: sa.Connection, sequencer: Sequencer, block: Block, at: datetime) -> list[str]:
    """Append a contradiction for every ACK whose evidence is in ``block``, which vanished; return their TIs."""
    query = sa.select(s.acknowledgements.c.ti_id, s.acknowledgements.c.entry_id).where(
        s.acknowledgements.c.block_hash == block.hash
    )
    found = connection.execute(query).all()
    entries = []
    for ti_id, acknowledged_entry in found:
        entry_id = new_entry_id()
        leaf = contradiction_leaf(entry_id, ti_id, acknowledged_entry, block.number, at)
        entries.append(entry(entry_id, "contradiction", leaf, at))
    if found:
        first = sequencer.append(connection, entries)
        # Whoever was told of the ACK is told of this too.
        connection.execute(
            sa.insert(s.outbox),
            [{"position": first + i, "topic": "contradiction", "ti_id": ti} for i, (ti, _) in enumerate(found)],
        )
        add_events(connection, [Event(ti, EventKind.CONTRADICTED, at, {"block": block.number}) for ti, _ in found])
    return [ti_id for ti_id, _ in found]


def _look_again(
    connection: sa.Connection, written: Sequence[Acknowledgement], conclusions: Sequence[Conclusion], at: datetime
) -> None:
    """Let what was refused for want of consent be asked about at once when the patient has spoken."""
    spoke = {c.ti_id for c in conclusions if c.verdict.effect and c.verdict.effect.contract == "ConsentRegistry"}
    patients = {ack.patient_id for ack in written if ack.ti_id in spoke and ack.patient_id}
    if patients:
        # What somebody else changes at this moment is left to them: to wait for it here could be to wait for ever.
        rows = (
            sa.select(s.queue.c.seq)
            .where(s.queue.c.patient_id.in_(patients), s.queue.c.state == "waiting", s.queue.c.available_at > at)
            .with_for_update(skip_locked=True)
        )
        found = connection.execute(rows).scalars().all()
        connection.execute(sa.update(s.queue).where(s.queue.c.seq.in_(found)).values(available_at=at))


def add_events(connection: sa.Connection, events: Iterable[Event]) -> None:
    """Append to the histories of TIs."""
    rows = [{"ti_id": e.ti_id, "kind": str(e.kind), "at": e.at, "data": dict(e.data)} for e in events]
    if rows:
        connection.execute(sa.insert(s.events), rows)


def _select() -> sa.Select[Any]:
    return (
        sa.select(
            s.acknowledgements,
            s.transactions.c.template,
            s.transactions.c.template_version,
            s.transactions.c.actor_id,
            s.transactions.c.patient_id,
            s.transactions.c.origin,
            s.audit_positions.c.position,
        )
        .join(s.transactions, s.transactions.c.ti_id == s.acknowledgements.c.ti_id)
        .join(s.audit_positions, s.audit_positions.c.entry_id == s.acknowledgements.c.entry_id)
    )


def _filtered(query: sa.Select[Any], wanted: Mapping[str, str | None]) -> sa.Select[Any]:
    columns = {
        "verdict": s.acknowledgements.c.verdict,
        "code": s.acknowledgements.c.code,
        "actor_id": s.transactions.c.actor_id,
        "patient_id": s.transactions.c.patient_id,
        "template": s.transactions.c.template,
    }
    for name, value in wanted.items():
        if value is not None:
            query = query.where(columns[name] == value)
    return query


def _acknowledgement(row: sa.RowMapping) -> Acknowledgement:
    return Acknowledgement(
        ti_id=row["ti_id"],
        position=row["position"],
        kind=VerdictKind(row["verdict"]),
        code=row["code"],
        arguments=row["arguments"],
        template=f"{row['template']}@{row['template_version']}",
        actor_id=row["actor_id"],
        patient_id=row["patient_id"],
        origin=Origin(row["origin"]),
        statement_hash=row["statement_hash"],
        block_number=row["block_number"],
        block_hash=row["block_hash"],
        transaction_hash=row["transaction_hash"],
        log_index=row["log_index"],
        acknowledged_at=row["acknowledged_at"],
    )
