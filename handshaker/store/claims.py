"""The name of a worker, held by one process at a time wherever it runs: PostgreSQL's locks of a session.

The lock lives as long as the connection that took it, so it ends with its process however that dies. On SQLite there is
one machine, and a file's lock does the same (``handshaker.worker_lock``).
"""

from __future__ import annotations

import hashlib
from contextlib import suppress

import sqlalchemy as sa

from handshaker.errors import StoreUnavailable
from handshaker.store.database import Database, mapped

_HELD = sa.text(
    "SELECT (classid::bigint << 32) | objid::bigint FROM pg_locks WHERE locktype = 'advisory' AND objsubid = 1"
    " AND granted AND database = (SELECT oid FROM pg_database WHERE datname = current_database())"
)


def key_of(name: str) -> int:
    """Return the number under which a name is locked."""
    return int.from_bytes(hashlib.sha256(f"worker/{name}".encode()).digest()[:8], "big", signed=True)


def held(database: Database) -> frozenset[int]:
    """Return what is locked at this moment; nothing on SQLite, where a file says so."""
    if database.is_sqlite:
        return frozenset()
    with database.read() as connection:
        return frozenset(connection.execute(_HELD).scalars())


class Claim:
    """A name that this process wants to itself; not to be shared between threads."""

    def __init__(self, database: Database, name: str) -> None:
        self._database = database
        self._key = key_of(name)
        self._connection: sa.Connection | None = None

    def is_ours(self) -> bool:
        """Whether the name is held; takes it where it is free, also after the connection was lost.

        Raises ``StoreUnavailable``.
        """
        if self._database.is_sqlite:
            return True
        if self._connection is not None:
            try:
                self._ask(self._connection, "SELECT 1")
            except StoreUnavailable:
                self.release()
        if self._connection is None:
            self._connection = self._take()
        return self._connection is not None

    def release(self) -> None:
        """Let the name go; nothing to do if it is not held."""
        if self._connection is not None:
            # Closed for good: back in the pool, its session would go on holding the lock.
            with suppress(sa.exc.SQLAlchemyError):
                self._connection.invalidate()
                self._connection.close()
            self._connection = None

    def _take(self) -> sa.Connection | None:
        with mapped():
            connection = self._database.engine.connect().execution_options(isolation_level="AUTOCOMMIT")
        try:
            if self._ask(connection, "SELECT pg_try_advisory_lock(:key)", key=self._key):
                return connection
        except BaseException:
            connection.invalidate()
            raise
        connection.close()
        return None

    @staticmethod
    def _ask(connection: sa.Connection, question: str, **values: int) -> object:
        with mapped():
            return connection.execute(sa.text(question), values).scalar_one()
