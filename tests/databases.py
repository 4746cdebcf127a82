"""Where the instances of tests keep their two databases: SQLite in their folders, or PostgreSQL (``--database``).

A test that has an instance, a store or a vault asks for the fixture ``databases``, mostly through another fixture.
Those are the ones that run again on PostgreSQL; whoever has a database without having asked is told so at once.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import sqlalchemy as sa

from handshaker.store.schema import metadata
from handshaker.store.sql_store import SqlStore
from tests.postgres import OWNER, Server, server


@dataclass
class Databases:
    """What a process of tests has of databases."""

    server: Server | None = None
    """Absent on SQLite."""
    is_asked_for: bool = False
    """Whether the test that runs may have one."""
    _stores: dict[Path, dict[str, str]] = field(default_factory=dict)
    _vaults: dict[Path, dict[str, str]] = field(default_factory=dict)

    def of(self, instance: Path, pattern: Path | None = None) -> dict[str, str]:
        """Return the settings that name the databases of an instance, made when they are asked for the first time.

        None on SQLite, whose files lie in ``instance``. They begin empty, or as those of ``pattern`` are.
        """
        return self._store(instance, pattern) | self._vault(instance, pattern)

    def store_url(self, folder: Path) -> str:
        """Return the URL of a store alone, whose role owns its tables."""
        return self._store(folder).get("store_owner_url") or f"sqlite:///{folder / 'store.db'}"

    def vault_url(self, folder: Path) -> str:
        """Return the URL of a vault alone."""
        return self._vault(folder).get("vault_url") or f"sqlite:///{folder / 'database' / 'vault.sqlite'}"

    def drop(self, instance: Path) -> None:
        """Remove the databases of an instance that is over."""
        for made in (self._stores, self._vaults):
            settings = made.pop(instance, {})
            if self.server is not None and settings:
                self.server.drop(next(iter(settings.values())))

    def _store(self, place: Path, pattern: Path | None = None) -> dict[str, str]:
        self._require()
        if self.server is not None and place not in self._stores:
            known = self._stores[pattern]["store_url"] if pattern else "template0"
            owner, worker = self.server.database(known)
            self._stores[place] = {"store_url": worker, "store_owner_url": owner}
        return dict(self._stores.get(place, {}))

    def _vault(self, place: Path, pattern: Path | None = None) -> dict[str, str]:
        self._require()
        if self.server is not None and place not in self._vaults:
            known = self._vaults[pattern]["vault_url"] if pattern else "template0"
            self._vaults[place] = {"vault_url": self.server.database(known)[0]}
        return dict(self._vaults.get(place, {}))

    def _require(self) -> None:
        assert self.is_asked_for, "A test that has a database asks for the fixture `databases`."


def owner_of(store: SqlStore) -> sa.Engine:
    """Return what the owner of a store's tables asks with: on SQLite that is everybody."""
    engine = store._database.engine
    if engine.dialect.name == "sqlite":
        return engine
    return sa.create_engine(engine.url.set(username=OWNER), poolclass=sa.NullPool)


@contextmanager
def unguarded(store: SqlStore, *tables: str) -> Iterator[sa.Connection]:
    """A transaction of the tables' owner, who first took the triggers off ``tables``, or off all; they stay off."""
    engine = owner_of(store)
    if engine.dialect.name == "postgresql":
        guards = [f"ALTER TABLE {table} DISABLE TRIGGER USER" for table in tables or metadata.tables]
    else:
        found = sa.text("SELECT name, tbl_name FROM sqlite_master WHERE type = 'trigger'")
        with engine.connect() as connection:
            triggers = connection.execute(found).all()
        guards = [f'DROP TRIGGER "{name}"' for name, table in triggers if not tables or table in tables]
    with engine.begin() as connection:
        for guard in guards:
            connection.execute(sa.text(guard))
        yield connection


HERE = Databases()
"""Those of this process."""


@contextmanager
def serving(kind: str) -> Iterator[Databases]:
    """Have databases of a kind, ``sqlite`` or ``postgresql``, in this process."""
    if kind == "sqlite":
        yield HERE
        return
    with server(fast=True) as found:
        HERE.server = found
        try:
            yield HERE
        finally:
            HERE.server = None
