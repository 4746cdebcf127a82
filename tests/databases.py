"""Where the instances of tests keep their two databases: SQLite in their folders, or PostgreSQL (``--database``).

A test that has an instance, a store or a vault asks for the fixture ``databases``, mostly through another fixture.
Those are the ones that run again on PostgreSQL; whoever has a database without having asked is told so at once.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from tests.postgres import Server, server


@dataclass
class Databases:
    """What a process of tests has of databases."""

    server: Server | None = None
    """Absent on SQLite."""
    is_asked_for: bool = False
    """Whether the test that runs may have one."""
    _made: dict[Path, dict[str, str]] = field(default_factory=dict)

    def of(self, instance: Path, pattern: Path | None = None) -> dict[str, str]:
        """Return the settings that name the databases of an instance, made when they are asked for the first time.

        None on SQLite, whose files lie in ``instance``. They begin empty, or as those of ``pattern`` are.
        """
        assert self.is_asked_for, "A test that has a database asks for the fixture `databases`."
        if self.server is None:
            return {}
        if instance not in self._made:
            known = {} if pattern is None else self._made[pattern]
            store_owner, store = self.server.database(known.get("store_url", "template0"))
            vault_owner, _ = self.server.database(known.get("vault_url", "template0"))
            self._made[instance] = {"store_url": store, "store_owner_url": store_owner, "vault_url": vault_owner}
        return dict(self._made[instance])

    def store_url(self, folder: Path) -> str:
        """Return the URL of a store alone, which its own role migrates."""
        return self.of(folder).get("store_owner_url") or f"sqlite:///{folder / 'store.db'}"

    def vault_url(self, folder: Path) -> str:
        """Return the URL of a vault alone."""
        return self.of(folder).get("vault_url") or f"sqlite:///{folder / 'vault.db'}"

    def drop(self, instance: Path) -> None:
        """Remove the databases of an instance that is over."""
        settings = self._made.pop(instance, None)
        if self.server is not None and settings is not None:
            for name in ("store_url", "vault_url"):
                self.server.drop(settings[name])


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
