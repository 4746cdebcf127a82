"""The audit database, read with nothing of ours in between."""

from __future__ import annotations

import sqlite3
from typing import Any

import sqlalchemy as sa

from tests.campaign.hospital import Hospital


class Database:
    """Asks in SQL; each question on a connection of its own, which sees one moment."""

    def __init__(self, hospital: Hospital) -> None:
        environment = hospital.environment
        url = environment.get("HANDSHAKER_STORE_OWNER_URL")
        path = f"{environment['HANDSHAKER_INSTANCE']}/handshaker.db"
        self._engine = (
            sa.create_engine(url, poolclass=sa.NullPool)
            if url
            else sa.create_engine("sqlite://", creator=lambda: _opened(path), poolclass=sa.NullPool)
        )

    def rows(self, query: str) -> list[tuple[Any, ...]]:
        with self._engine.connect() as connection:
            return [tuple(row) for row in connection.exec_driver_sql(query)]

    def count(self, query: str) -> int:
        return int(self.rows(query)[0][0])


def _opened(path: str) -> sqlite3.Connection:
    return sqlite3.connect(f"file:{path}?mode=ro", uri=True, timeout=30)


def unfinished(database: Database) -> int:
    return database.count("SELECT count(*) FROM queue") + database.count(
        "SELECT count(*) FROM network_transactions WHERE settled_at IS NULL"
    )


_OPEN = """
    SELECT t.template, q.state, q.refusal, q.checks, q.sent, q.available_at
    FROM queue q JOIN transactions t ON t.ti_id = q.ti_id
"""


def moving(database: Database) -> list[str]:
    """Describe what goes on by itself: rows that no refusal holds up, and nonces without an outcome."""
    rows = [str(row) for row in database.rows(_OPEN) if row[1] != "waiting" or row[2] in (None, "null")]
    query = "SELECT relayer, nonce FROM network_transactions WHERE settled_at IS NULL"
    return rows + [f"nonce {nonce} of {relayer}" for relayer, nonce in database.rows(query)]
