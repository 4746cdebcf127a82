"""Somebody who has the audit database, knows SQL and has taken its guards off."""

from __future__ import annotations

import hashlib
import json
import uuid
from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Any

import rfc8785
import sqlalchemy as sa

from handshaker.settings import Settings
from tests.databases import HERE

Seal = Callable[[int, bytes], bytes]


def leaf_hash(leaf: bytes) -> bytes:
    return hashlib.sha256(b"\x00" + leaf).digest()


class Forger:
    """Writes straight into the tables. With ``seal`` he has the vault too."""

    def __init__(self, settings: Settings, seal: Seal | None = None) -> None:
        self.seal = seal
        self._prepare: tuple[str, ...] = ()
        if settings.store.startswith("sqlite"):
            self.engine = sa.create_engine(settings.store)
            with self.engine.begin() as connection:
                triggers = sa.text("SELECT name FROM sqlite_master WHERE type = 'trigger'")
                for name in connection.execute(triggers).scalars().all():
                    connection.execute(sa.text(f"DROP TRIGGER {name}"))
        else:
            assert HERE.server is not None
            self.engine = sa.create_engine(HERE.server.url(sa.make_url(settings.store).database or ""))
            # No triggers and no foreign keys, as only the one who may do everything can say.
            self._prepare = ("SET session_replication_role = replica",)

    def run(self, *statements: str, **values: Any) -> None:
        with self.engine.begin() as connection:
            for statement in (*self._prepare, *statements):
                connection.execute(sa.text(statement), values if ":" in statement else {})

    def ask(self, query: str, **values: Any) -> list[Any]:
        with self.engine.connect() as connection:
            return [dict(row) for row in connection.execute(sa.text(query), values).mappings()]

    def close(self) -> None:
        self.engine.dispose()

    def moment(self, at: datetime) -> Any:
        """A time as the tables have it."""
        return at.strftime("%Y-%m-%d %H:%M:%S.%f") if self.engine.dialect.name == "sqlite" else at

    # ---- looking -----------------------------------------------------------------------------------------------------

    @property
    def size(self) -> int:
        return int(self.ask("SELECT max(position) + 1 AS size FROM audit_positions")[0]["size"])

    def entry(self, position: int) -> dict[str, Any]:
        (found,) = self.ask(
            "SELECT e.*, p.seal FROM audit_positions p JOIN audit_entries e ON e.entry_id = p.entry_id "
            "WHERE p.position = :position",
            position=position,
        )
        return dict(found)

    def said(self, position: int) -> dict[str, Any]:
        return dict(json.loads(self.entry(position)["leaf"]))

    def positions(self, kind: str, **said: Any) -> list[int]:
        """The positions of entries of a kind that say so."""
        rows = self.ask(
            "SELECT p.position, e.leaf FROM audit_positions p JOIN audit_entries e ON e.entry_id = p.entry_id "
            "WHERE e.kind = :kind ORDER BY p.position",
            kind=kind,
        )
        return [row["position"] for row in rows if said.items() <= json.loads(row["leaf"]).items()]

    # ---- leaves ------------------------------------------------------------------------------------------------------

    def rewrite(self, position: int, *, rehash: bool = False, reseal: bool = False, **changes: Any) -> None:
        """Change what a leaf says; with ``rehash`` its stored hash too, with ``reseal`` also its seal."""
        leaf = rfc8785.dumps(self.said(position) | changes)
        entry_id = self.entry(position)["entry_id"]
        self.run("UPDATE audit_entries SET leaf = :leaf WHERE entry_id = :entry", leaf=leaf, entry=entry_id)
        if rehash or reseal:
            self.run(
                "UPDATE audit_entries SET leaf_hash = :hash WHERE entry_id = :entry",
                hash=leaf_hash(leaf),
                entry=entry_id,
            )
        if reseal:
            self.reseal(position)

    def rewrite_row(self, position: int, **columns: Any) -> None:
        """Change the acknowledgement's row of an entry."""
        sets = ", ".join(f"{name} = :{name}" for name in columns)
        entry_id = self.entry(position)["entry_id"]
        self.run(f"UPDATE acknowledgements SET {sets} WHERE entry_id = :entry", entry=entry_id, **columns)

    def reseal(self, *positions: int) -> None:
        assert self.seal is not None
        for position in positions or range(self.size):
            self.set_seal(position, self.seal(position, self.entry(position)["leaf_hash"]))

    def set_seal(self, position: int, seal: bytes | None) -> None:
        self.run("UPDATE audit_positions SET seal = :seal WHERE position = :position", seal=seal, position=position)

    # ---- places ------------------------------------------------------------------------------------------------------

    def shift(self, first: int, by: int) -> None:
        """Renumber the positions from ``first`` on."""
        self.run(
            f"UPDATE audit_positions SET position = -position - 1000000 WHERE position >= {first}",
            f"UPDATE audit_positions SET position = -position - 1000000 + {by} WHERE position < 0",
        )

    def remove(self, position: int, *, traces: bool = True, renumber: bool = False, seals_stay: bool = False) -> None:
        """Take an entry out, with the rows that rest on it unless ``traces`` are left."""
        entry_id = self.entry(position)["entry_id"]
        seals = self._seals()
        ti_id = self.said(position).get("ti")
        self.run(
            "DELETE FROM audit_positions WHERE entry_id = :entry",
            "DELETE FROM audit_entries WHERE entry_id = :entry",
            entry=entry_id,
        )
        if not traces:
            self.run("DELETE FROM acknowledgements WHERE entry_id = :entry", entry=entry_id)
            self.run("DELETE FROM outbox WHERE position = :position", position=position)
            self.run("DELETE FROM events WHERE ti_id = :ti", ti=ti_id)
        if renumber:
            self.shift(position + 1, -1)
            if not traces:
                self.run(
                    f"UPDATE outbox SET position = -position WHERE position > {position}",
                    "UPDATE outbox SET position = -position - 1 WHERE position < 0",
                )
        if seals_stay:
            self._put_seals(seals)

    def insert(
        self, position: int, leaf: dict[str, Any], *, seal: bytes | None = None, seals_stay: bool = False
    ) -> str:
        """Put an entry in; the ones from ``position`` on move up by one."""
        entry_id = str(uuid.uuid4())
        canonical = rfc8785.dumps({**leaf, "entry": entry_id})
        seals = self._seals()
        if position < self.size:
            self.shift(position, 1)
            self.run(
                f"UPDATE outbox SET position = -position - 1 WHERE position >= {position}",
                "UPDATE outbox SET position = -position WHERE position < 0",
            )
        at = self.ask("SELECT max(written_at) AS at FROM audit_entries")[0]["at"]
        self.run(
            "INSERT INTO audit_entries (entry_id, kind, leaf, leaf_hash, written_at) "
            "VALUES (:entry, :kind, :leaf, :hash, :at)",
            entry=entry_id,
            kind=leaf["kind"],
            leaf=canonical,
            hash=leaf_hash(canonical),
            at=at,
        )
        self.run(
            "INSERT INTO audit_positions (position, entry_id, seal) VALUES (:position, :entry, :seal)",
            position=position,
            entry=entry_id,
            seal=seal,
        )
        if seals_stay:
            self._put_seals([*seals, seal])
        return entry_id

    def swap(self, one: int, other: int, *, seals: bool) -> None:
        """Exchange two entries, with their seals or without."""
        first, second = self.entry(one), self.entry(other)
        place = "UPDATE audit_positions SET entry_id = :entry WHERE position = :position"
        self.run(place, entry=str(uuid.uuid4()), position=one)
        self.run(place, entry=first["entry_id"], position=other)
        self.run(place, entry=second["entry_id"], position=one)
        if seals:
            self.set_seal(one, second["seal"])
            self.set_seal(other, first["seal"])

    def cut(self, size: int, *tables: str) -> None:
        """Cut the log off, and what other tables know of the end: ``acknowledgements``, ``outbox``, ``events``, …"""
        gone = self.ask(
            "SELECT p.entry_id, a.ti_id FROM audit_positions p LEFT JOIN acknowledgements a ON a.entry_id = p.entry_id "
            "WHERE p.position >= :size",
            size=size,
        )
        self.run(f"DELETE FROM audit_positions WHERE position >= {size}")
        for row in gone:
            self.run("DELETE FROM audit_entries WHERE entry_id = :entry", entry=row["entry_id"])
            for table in ("acknowledgements", "events", "statements", "transactions"):
                if table in tables:
                    self.run(f"DELETE FROM {table} WHERE ti_id = :ti", ti=row["ti_id"])
        if "outbox" in tables:
            self.run(f"DELETE FROM outbox WHERE position >= {size}")

    def _seals(self) -> list[bytes | None]:
        return [row["seal"] for row in self.ask("SELECT seal FROM audit_positions ORDER BY position")]

    def _put_seals(self, seals: Sequence[bytes | None]) -> None:
        for position in range(min(self.size, len(seals))):
            self.set_seal(position, seals[position])
