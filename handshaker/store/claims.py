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


class Claim:
    """A name that this process wants to itself; not to be shared between threads."""

    def __init__(self, database: Database, name: str) -> None:
        self._database = database
        digest = hashlib.sha256(f"worker/{name}".encode()).digest()
        self._key = int.from_bytes(digest[:8], "big", signed=True)
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
