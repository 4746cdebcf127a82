"""What a restore reads and writes: which work the backup did not know, and an open end of what it cannot know."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import sqlalchemy as sa

from handshaker.audit.leaf import lost_leaf, restore_leaf
from handshaker.messages import Act, Head
from handshaker.store import schema as s
from handshaker.store.database import Database
from handshaker.store.queue import WITHHELD
from handshaker.store.sequencer import Sequencer, entry, new_entry_id

LOST = "lost"
"""Outcome of a nonce that was used after the backup, for nobody knows what."""


@dataclass(frozen=True, slots=True)
class Unknown:
    """What took effect on the chain and has no ACK in the store."""

    known: Mapping[str, int]
    """Statements that the store holds, by template."""
    unknown: Mapping[str, int]
    """Statements that nobody here has seen, by ``Contract.Event``."""


@dataclass(frozen=True, slots=True)
class OpenWork:
    """The queue, by what a restore does with it."""

    withheld: int
    """TIs with a deadline."""
    until: datetime | None
    """The last of those deadlines."""
    going_on: int
    """TIs without one: revocations and denials."""


class RestoringStore:
    """The tables as a restore sees them."""

    def __init__(self, database: Database, sequencer: Sequencer) -> None:
        self._database = database
        self._sequencer = sequencer

    # ---- reading -----------------------------------------------------------------------------------------------------

    def highest_nonces(self) -> dict[str, int]:
        """Return the highest nonce of each relayer's address that has any."""
        columns = s.network_transactions.c
        query = sa.select(columns.relayer, sa.func.max(columns.nonce)).group_by(columns.relayer)
        with self._database.read() as connection:
            return {row[0]: row[1] for row in connection.execute(query)}

    def unacknowledged_effects(self) -> Unknown:
        """Count the statements that took effect in walked blocks and have no ACK."""
        effects, statements = s.effects, s.statements
        name = s.transactions.c.template
        known = (
            sa.select(name, sa.func.count(sa.distinct(effects.c.statement_hash)))
            .select_from(effects)
            .join(statements, statements.c.statement_hash == effects.c.statement_hash)
            .join(s.transactions, s.transactions.c.ti_id == statements.c.ti_id)
            .outerjoin(s.acknowledgements, s.acknowledgements.c.ti_id == statements.c.ti_id)
            .where(s.acknowledgements.c.ti_id.is_(None))
            .group_by(name)
        )
        unknown = (
            sa.select(effects.c.contract, effects.c.event, sa.func.count(sa.distinct(effects.c.statement_hash)))
            .outerjoin(statements, statements.c.statement_hash == effects.c.statement_hash)
            .where(statements.c.statement_hash.is_(None))
            .group_by(effects.c.contract, effects.c.event)
        )
        with self._database.read() as connection:
            return Unknown(
                {row[0]: row[1] for row in connection.execute(known)},
                {f"{row[0]}.{row[1]}": row[2] for row in connection.execute(unknown)},
            )

    def is_older_than(self, number: int) -> bool:
        """Tell whether walked blocks above ``number`` hold an effect or an anchor."""
        with self._database.read() as connection:
            return any(
                connection.execute(sa.select(t.c.block_number).where(t.c.block_number > number).limit(1)).first()
                for t in (s.effects, s.anchors)
            )

    def open_work(self) -> OpenWork:
        """Count what is in the queue and has not taken effect, by whether it has a deadline."""
        query = (
            sa.select(sa.func.count(s.statements.c.deadline), sa.func.max(s.statements.c.deadline), sa.func.count())
            .select_from(s.queue)
            .join(s.statements, s.statements.c.ti_id == s.queue.c.ti_id)
            .where(s.statements.c.statement_hash.not_in(sa.select(s.effects.c.statement_hash)))
        )
        with self._database.read() as connection:
            dated, until, all_ = connection.execute(query).one()
        return OpenWork(dated, None if until is None else datetime.fromtimestamp(until, UTC), all_ - dated)

    def live_tokens(self, at: datetime) -> list[tuple[str, str]]:
        """Return ``(actor_id, token_id)`` of every token that is neither revoked nor expired."""
        query = sa.select(s.tokens.c.actor_id, s.tokens.c.token_id).where(
            s.tokens.c.revoked_at.is_(None), s.tokens.c.expires_at > at
        )
        with self._database.read() as connection:
            return [(row[0], row[1]) for row in connection.execute(query)]

    # ---- writing -----------------------------------------------------------------------------------------------------

    def end_sessions(self, at: datetime) -> int:
        """End every session; return how many went on."""
        ending = sa.update(s.sessions).where(s.sessions.c.ended_at.is_(None), s.sessions.c.expires_at > at)
        with self._database.write() as connection:
            return int(connection.execute(ending.values(ended_at=at)).rowcount)

    def append_lost(self, lost: Head, up_to: int, at: datetime, most: int) -> int:
        """Append a ``lost`` leaf for up to ``most`` positions below ``up_to``; return the log's size then.

        Only while the log is held, which nobody else can append to. Safe to repeat until the size is ``up_to``.
        """
        with self._database.write() as connection:
            self._sequencer.take_turn(connection)
            last = connection.execute(sa.select(sa.func.max(s.audit_positions.c.position))).scalar()
            size = 0 if last is None else int(last) + 1
            count = min(most, up_to - size)
            if count > 0:
                ids = [new_entry_id() for _ in range(count)]
                rows = [entry(each, "lost", lost_leaf(each, lost, at), at) for each in ids]
                self._sequencer.append(connection, rows, held=True)
            return size + max(count, 0)

    def declare_lost(
        self, actor_id: str, common: int, kept: int, lost: Head, used: Mapping[str, int], at: datetime
    ) -> int | None:
        """Say in the log that it goes on from an older state, and let everybody append again; return the position.

        In the same SQL transaction nonces that the chain has counted (``used``: relayer's address → how many) and that
        nobody here knows are written as lost, and open TIs are withheld. ``None``, and nothing written, where the log
        is not held, or is held for another head than ``lost``.
        """
        of_this = sa.and_(
            s.log_holds.c.lifted_at.is_(None),
            s.log_holds.c.anchored_size == lost.size,
            s.log_holds.c.anchored_root == lost.root,
        )
        with self._database.write() as connection:
            self._sequencer.take_turn(connection)
            if connection.execute(sa.select(s.log_holds.c.hold_id).where(of_this)).first() is None:
                return None
            entry_id = new_entry_id()
            leaf = restore_leaf(entry_id, actor_id, common, kept, lost, at)
            position = self._sequencer.append(connection, [entry(entry_id, "restore", leaf, at)], held=True)
            connection.execute(sa.update(s.log_holds).where(s.log_holds.c.lifted_at.is_(None)).values(lifted_at=at))
            _write_lost_nonces(connection, used, at)
            _withhold(connection)
            return position

    def go_on(self, act: Act, used: Mapping[str, int], at: datetime, *, withholding: bool) -> None:
        """Say in the log that a backup was restored by which nothing anchored is lost, and settle what is unknown."""
        with self._database.write() as connection:
            self._sequencer.append_act(connection, act, at)
            _write_lost_nonces(connection, used, at)
            if withholding:
                _withhold(connection)

    def hold_anew(self, anchored: Head, at: datetime) -> None:
        """Let a hold be about the head that the chain has by now; its size stays, for that is what was kept."""
        with self._database.write() as connection:
            self._sequencer.take_turn(connection)
            connection.execute(
                sa.update(s.log_holds)
                .where(s.log_holds.c.lifted_at.is_(None))
                .values(anchored_size=anchored.size, anchored_root=anchored.root, held_at=at)
            )


def _write_lost_nonces(connection: sa.Connection, used: Mapping[str, int], at: datetime) -> None:
    columns = s.network_transactions.c
    highest = sa.select(sa.func.max(columns.nonce))
    rows = []
    for relayer, count in used.items():
        last = connection.execute(highest.where(columns.relayer == relayer)).scalar()
        rows += [
            {"relayer": relayer, "nonce": n, "gas": 0, "created_at": at, "settled_at": at, "outcome": LOST}
            for n in range(0 if last is None else last + 1, count)
        ]
    if rows:
        connection.execute(sa.insert(s.network_transactions), rows)


def _withhold(connection: sa.Connection) -> None:
    """Let no open TI be carried before its deadline has passed: it may have been acknowledged as invalid since.

    The ones in flight are withheld when they come back, see ``queue.requeue``. What took effect meanwhile gets its ACK
    from the indexer however it waits; what has no deadline only takes something away, and goes on.
    """
    query = (
        sa.select(s.queue.c.ti_id, s.queue.c.state, s.statements.c.deadline)
        .join(s.statements, s.statements.c.ti_id == s.queue.c.ti_id)
        .where(s.statements.c.deadline.is_not(None))
    )
    rows = connection.execute(query).all()
    if not rows:
        return
    connection.execute(
        sa.update(s.queue)
        .where(s.queue.c.ti_id == sa.bindparam("ti"))
        .values(state=sa.bindparam("to"), available_at=sa.bindparam("then"), lease_owner=None, lease_until=None),
        [
            {
                "ti": row.ti_id,
                "to": row.state if row.state == "in-flight" else WITHHELD,
                "then": datetime.fromtimestamp(row.deadline, UTC) + timedelta(seconds=1),
            }
            for row in rows
        ],
    )
