"""What is only counted: questions of health and metrics, and nothing that anything is decided by."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime

import sqlalchemy as sa

from handshaker.messages import EventKind
from handshaker.store import schema as s
from handshaker.store.database import Database

_KINDS = sa.case(
    (s.network_transactions.c.head_size.is_not(None), "anchor"),
    (
        sa.exists().where(s.network_items.c.network_id == s.network_transactions.c.network_id),
        "statements",
    ),
    else_="no-op",
)
_MOMENTS = tuple(str(kind) for kind in (EventKind.RECEIVED, EventKind.SENT, EventKind.MINED))


class FigureStore:
    """Sums, ages and moments."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def oldest_due(self, now: datetime) -> datetime | None:
        """Return since when the row waits that waits longest, of those that a worker could take at ``now``."""
        free = sa.or_(s.queue.c.lease_owner.is_(None), s.queue.c.lease_until <= now)
        query = sa.select(sa.func.min(s.queue.c.available_at)).where(
            s.queue.c.state == "waiting", s.queue.c.available_at <= now, free
        )
        with self._database.read() as connection:
            return connection.execute(query).scalar()

    def leased(self, now: datetime) -> int:
        """Return how many rows are in some worker's hands."""
        query = sa.select(sa.func.count()).select_from(s.queue).where(s.queue.c.lease_until > now)
        with self._database.read() as connection:
            return int(connection.execute(query).scalar_one())

    def oldest_unsettled(self) -> datetime | None:
        """Return when the oldest network transaction without an outcome was made."""
        query = sa.select(sa.func.min(s.network_transactions.c.created_at)).where(
            s.network_transactions.c.settled_at.is_(None)
        )
        with self._database.read() as connection:
            return connection.execute(query).scalar()

    def anchored_size(self, final_number: int) -> int:
        """Return how many entries of the audit log an anchor in a final block covers."""
        query = sa.select(sa.func.max(s.anchors.c.size)).where(s.anchors.c.block_number <= final_number)
        with self._database.read() as connection:
            return connection.execute(query).scalar() or 0

    def network_transactions(self) -> dict[tuple[str, str], int]:
        """Return how many network transactions there are by ``(kind, outcome)``.

        Kinds are ``statements``, ``anchor`` and ``no-op``; the outcome of those on the wire is ``open``.
        """
        outcome = sa.func.coalesce(s.network_transactions.c.outcome, "open")
        query = sa.select(_KINDS.label("kind"), outcome.label("outcome"), sa.func.count()).group_by("kind", "outcome")
        with self._database.read() as connection:
            return {(row[0], row[1]): row[2] for row in connection.execute(query)}

    def gas_used(self) -> dict[str, int]:
        """Return the gas that final blocks say was used, by kind."""
        query = sa.select(_KINDS.label("kind"), sa.func.sum(s.network_transactions.c.gas_used)).group_by("kind")
        with self._database.read() as connection:
            return {row[0]: int(row[1] or 0) for row in connection.execute(query)}

    def retries(self) -> int:
        """Return how many attempts there were beyond the first of their network transaction."""
        query = sa.select(sa.func.count(), sa.func.count(s.attempts.c.network_id.distinct())).select_from(s.attempts)
        with self._database.read() as connection:
            attempts, transactions = connection.execute(query).one()
        return int(attempts - transactions)

    def moments(self, ti_ids: Sequence[str]) -> Mapping[str, Mapping[str, datetime]]:
        """Return when each TI was first ``received``, ``sent`` and seen ``mined``, as far as it was."""
        query = (
            sa.select(s.events.c.ti_id, s.events.c.kind, sa.func.min(s.events.c.at))
            .where(s.events.c.ti_id.in_(ti_ids), s.events.c.kind.in_(_MOMENTS))
            .group_by(s.events.c.ti_id, s.events.c.kind)
        )
        found: dict[str, dict[str, datetime]] = {}
        with self._database.read() as connection:
            for ti_id, kind, at in connection.execute(query):
                found.setdefault(ti_id, {})[kind] = at
        return found

    def of_statements(self, statement_hashes: Sequence[bytes]) -> dict[bytes, str]:
        """Return the TI of each statement that has one."""
        if not statement_hashes:
            return {}
        query = sa.select(s.statements.c.statement_hash, s.statements.c.ti_id).where(
            s.statements.c.statement_hash.in_(statement_hashes)
        )
        with self._database.read() as connection:
            return {row[0]: row[1] for row in connection.execute(query)}
