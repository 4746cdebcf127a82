"""Where a test's vault lies: its folder, its database, and a clock that stands still."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import sqlalchemy as sa

from handshaker.vault import SqlVault
from tests.databases import HERE


@dataclass
class StillClock:
    moment: datetime = datetime(2026, 11, 21, 12, 0, tzinfo=UTC)

    def now(self) -> datetime:
        return self.moment

    def advance(self, **by: float) -> None:
        self.moment += timedelta(**by)


@dataclass
class VaultPlace:
    folder: Path
    clock: StillClock = field(default_factory=StillClock)
    url: str = ""

    def __post_init__(self) -> None:
        self.url = self.url or HERE.vault_url(self.folder)

    @property
    def database(self) -> Path:
        """The file, on SQLite."""
        return self.folder / "database" / "vault.sqlite"

    @property
    def root_key(self) -> Path:
        return self.folder / "root.key"

    def open(self) -> SqlVault:
        return SqlVault.open(self.url, self.root_key, clock=self.clock)

    def query(self, sql: str, **values: Any) -> list[tuple[Any, ...]]:
        engine = sa.create_engine(self.url, poolclass=sa.NullPool)
        with engine.begin() as connection:
            found = connection.execute(sa.text(sql), values)
            return [tuple(row) for row in found] if found.returns_rows else []

    def files(self) -> list[str]:
        """The names of what lies beside the database, in order."""
        return sorted(file.name for file in self.folder.iterdir() if file != self.database.parent)

    def tables(self) -> list[str]:
        """The names of all tables, in order."""
        engine = sa.create_engine(self.url, poolclass=sa.NullPool)
        with engine.connect() as connection:
            return sorted(sa.inspect(connection).get_table_names())

    def stored(self) -> bytes:
        """All that lies in the database: on SQLite each byte of its files, the write-ahead log included; else each row.

        What a PostgreSQL keeps of deleted rows is the business of its server: see the threat model.
        """
        if self.url.startswith("sqlite"):
            return b"".join(file.read_bytes() for file in sorted(self.database.parent.iterdir()))
        rows = [row for table in self.tables() for row in self.query(f'SELECT * FROM "{table}"')]
        return b"\n".join(value if isinstance(value, bytes) else str(value).encode() for row in rows for value in row)


def flipped(value: bytes, bit: int) -> bytes:
    """``value`` with one bit turned, counted from the left and round again."""
    changed = bytearray(value)
    changed[bit // 8 % len(value)] ^= 0x80 >> bit % 8
    return bytes(changed)
