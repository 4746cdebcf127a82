"""The queue: what a worker takes, gives back, and lays aside."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

import sqlalchemy as sa

from handshaker.messages import Event, EventKind, Refusal, Waiting
from handshaker.store import schema as s
from handshaker.store.audit import add_events
from handshaker.store.database import Database, lock
from handshaker.store.rows import signed_call

LEASE = timedelta(seconds=60)
_TAKE_LOCK = 7349006
WITHHELD = "withheld"
"""The state of rows that were open in a backup and may have been acknowledged as invalid since."""


class QueueStore:
    """Open work."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def take(self, owner: str, now: datetime, limit: int) -> list[Waiting]:
        """Lease up to ``limit`` waiting rows to ``owner``, urgent ones first, then in order of arrival."""
        free = sa.or_(s.queue.c.lease_until.is_(None), s.queue.c.lease_until <= now)
        pick = (
            sa.select(s.queue.c.seq)
            .where(s.queue.c.state == "waiting", s.queue.c.available_at <= now, free)
            # What was refused before must not keep what is new from being looked at.
            .order_by(sa.case((s.queue.c.checks == 0, 0), else_=1), s.queue.c.urgency, s.queue.c.seq)
            .limit(limit)
        )
        with self._database.read() as connection:
            # An idle worker must not take the write lock a hundred times a second.
            if connection.execute(pick.limit(1)).first() is None:
                return []
        if not self._database.is_sqlite:
            pick = pick.with_for_update(skip_locked=True)
        with self._database.write() as connection:
            # One after the other: who takes a reading must see that another worker holds the consent before it.
            lock(connection, _TAKE_LOCK)
            taken = list(connection.execute(pick).scalars())
            if not taken:
                return []
            connection.execute(
                sa.update(s.queue).where(s.queue.c.seq.in_(taken)).values(lease_owner=owner, lease_until=now + LEASE)
            )
            query = (
                sa.select(s.queue, s.statements, s.signatures.c.signature)
                .join(s.statements, s.statements.c.ti_id == s.queue.c.ti_id)
                .join(s.signatures, s.signatures.c.statement_hash == s.queue.c.statement_hash)
                .where(s.queue.c.seq.in_(taken))
                .order_by(s.queue.c.urgency, s.queue.c.seq)
            )
            return [_waiting(row) for row in connection.execute(query).mappings()]

    def release_withheld(self, final: int, now: datetime) -> None:
        """Give back what a restore withheld and what can only have expired by now.

        Its deadline is before the time of the last ``final`` block, in seconds; or before ``now``, where the vault
        signed it and it never left. See decision 020.
        """
        withheld = s.queue.c.state == WITHHELD
        unsent = sa.and_(s.statements.c.custodial, s.queue.c.sent.is_(False))
        over = sa.or_(
            s.statements.c.deadline < final,
            sa.and_(unsent, s.statements.c.deadline < int(now.timestamp())),
        )
        query = sa.select(s.queue.c.ti_id).join(s.statements, s.statements.c.ti_id == s.queue.c.ti_id)
        with self._database.read() as connection:
            expired = list(connection.execute(query.where(withheld, over)).scalars())
        if expired:
            with self._database.write() as connection:
                held = _held(connection, withheld, s.queue.c.ti_id.in_(expired))
                connection.execute(sa.update(s.queue).where(s.queue.c.ti_id.in_(held)).values(state="waiting"))

    def release_all(self, owner: str) -> None:
        """Give back what ``owner`` has taken, or each life of it: those go by its name, a slash and more."""
        # Not LIKE, which takes capitals for small letters on SQLite.
        lives = sa.func.substr(s.queue.c.lease_owner, 1, len(owner) + 1) == f"{owner}/"
        with self._database.write() as connection:
            held = _held(connection, sa.or_(s.queue.c.lease_owner == owner, lives))
            connection.execute(
                sa.update(s.queue).where(s.queue.c.ti_id.in_(held)).values(lease_owner=None, lease_until=None)
            )

    def set_aside(
        self,
        owner: str,
        ti_ids: Sequence[str],
        until: datetime,
        event: Event | None = None,
        refusal: Refusal | None = None,
        *,
        alone: bool = False,
    ) -> None:
        """Let rows wait until ``until``; say why with ``event`` and ``refusal``.

        Rows whose lease ``owner`` has lost meanwhile are left to their new owner.
        """
        values: dict[str, Any] = {"lease_owner": None, "lease_until": None, "available_at": until}
        if refusal is not None:
            values["refusal"] = {"error": refusal.error, "arguments": dict(refusal.arguments)}
            values["checks"] = s.queue.c.checks + 1
        if alone:
            values["alone"] = True
        with self._database.write() as connection:
            held = _held(connection, s.queue.c.ti_id.in_(ti_ids), _is_leased_to(owner))
            connection.execute(sa.update(s.queue).where(s.queue.c.ti_id.in_(held)).values(**values))
            if event is not None and event.ti_id in held:
                add_events(connection, [event])

    def disclose(self, owner: str, ti_ids: Sequence[str]) -> set[str]:
        """Note that signatures are about to leave the house: from here on destroying them proves nothing.

        Returns the TIs that ``owner`` still has a lease of: the others must not be shown to anybody.
        """
        with self._database.write() as connection:
            held = _held(connection, s.queue.c.ti_id.in_(ti_ids), _is_leased_to(owner))
            connection.execute(sa.update(s.queue).where(s.queue.c.ti_id.in_(held)).values(sent=True))
        return held

    def busy_patients(self, owner: str, now: datetime, patient_ids: Sequence[str]) -> set[str | None]:
        """Return those of ``patient_ids`` that have a statement on the wire or in another worker's hands.

        ``None`` is among them if a statement without a patient is.
        """
        elsewhere = sa.and_(s.queue.c.lease_owner != owner, s.queue.c.lease_until > now)
        query = sa.select(s.queue.c.patient_id).where(
            sa.or_(s.queue.c.state == "in-flight", elsewhere),
            sa.or_(s.queue.c.patient_id.in_(patient_ids), s.queue.c.patient_id.is_(None)),
        )
        with self._database.read() as connection:
            return set(connection.execute(query).scalars())

    def counts(self) -> dict[str, int]:
        """Return how many rows there are by state."""
        query = sa.select(s.queue.c.state, sa.func.count()).group_by(s.queue.c.state)
        with self._database.read() as connection:
            return {row[0]: row[1] for row in connection.execute(query)}

    def earliest_deadline(self) -> int | None:
        """Return the earliest deadline, in seconds, among the rows that wait after a refusal."""
        query = (
            sa.select(sa.func.min(s.statements.c.deadline))
            .join(s.queue, s.queue.c.ti_id == s.statements.c.ti_id)
            .where(s.queue.c.state.in_(("waiting", WITHHELD)))
        )
        with self._database.read() as connection:
            return connection.execute(query).scalar()


def _is_leased_to(owner: str) -> sa.ColumnElement[bool]:
    return sa.and_(s.queue.c.state == "waiting", s.queue.c.lease_owner == owner)


def _held(connection: sa.Connection, *conditions: sa.ColumnElement[bool]) -> set[str]:
    """Lock the rows that fit, everybody in the same order, and return their TIs."""
    rows = sa.select(s.queue.c.ti_id).where(*conditions).order_by(s.queue.c.seq).with_for_update()
    return set(connection.execute(rows).scalars())


def requeue(
    connection: sa.Connection, ti_id: str, refusal: Refusal | None, at: datetime, until: datetime, *, alone: bool
) -> None:
    """Put a row back to waiting after its network transaction is settled; nobody takes it before ``until``.

    One that went in flight before a backup, and is to wait for longer than that since, is withheld.
    """
    values: dict[str, Any] = {
        "state": sa.case((s.queue.c.available_at > until, WITHHELD), else_="waiting"),
        "network_id": None,
        "lease_owner": None,
        "lease_until": None,
        "available_at": until,
    }
    if alone:
        values["alone"] = True
    if refusal is not None:
        values["refusal"] = {"error": refusal.error, "arguments": dict(refusal.arguments)}
    connection.execute(sa.update(s.queue).where(s.queue.c.ti_id == ti_id).values(**values))
    kind = EventKind.REJECTED if refusal is not None else EventKind.REQUEUED
    add_events(connection, [Event(ti_id, kind, at, {"code": refusal.error} if refusal is not None else {})])


def _waiting(row: sa.RowMapping) -> Waiting:
    refusal = Refusal(row["refusal"]["error"], row["refusal"]["arguments"]) if row["refusal"] else None
    return Waiting(signed_call(row), refusal, row["checks"])
