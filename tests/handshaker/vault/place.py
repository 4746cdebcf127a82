"""Where a test's vault lies: its folder, its files, and a clock that stands still."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from handshaker.vault import SqlVault


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

    @property
    def database(self) -> Path:
        return self.folder / "database" / "vault.sqlite"

    @property
    def url(self) -> str:
        return f"sqlite:///{self.database}"

    @property
    def root_key(self) -> Path:
        return self.folder / "root.key"

    def open(self) -> SqlVault:
        return SqlVault.open(self.url, self.root_key, clock=self.clock)

    def query(self, sql: str, *values: Any) -> list[tuple[Any, ...]]:
        with closing(sqlite3.connect(self.database, timeout=30)) as connection, connection:
            return connection.execute(sql, values).fetchall()

    def on_disk(self) -> bytes:
        """All bytes of the database, its write-ahead log and whatever else lies beside them."""
        return b"".join(file.read_bytes() for file in sorted(self.database.parent.iterdir()))


def flipped(value: bytes, bit: int) -> bytes:
    """``value`` with one bit turned, counted from the left and round again."""
    changed = bytearray(value)
    changed[bit // 8 % len(value)] ^= 0x80 >> bit % 8
    return bytes(changed)
