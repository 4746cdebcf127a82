"""A store that reads one moment of a database, whatever is written meanwhile; and which schema that moment has."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from importlib.resources import as_file, files
from typing import NoReturn

import sqlalchemy as sa
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory

from handshaker.errors import StoreUnavailable
from handshaker.store.database import Database
from handshaker.store.sql_store import SqlStore


class _FrozenDatabase(Database):
    """One connection in one read transaction, which whoever opened it closes."""

    def __init__(self, connection: sa.Connection) -> None:
        self._connection = connection
        self.engine = connection.engine
        self.is_sqlite = connection.dialect.name == "sqlite"

    @contextmanager
    def read(self) -> Iterator[sa.Connection]:
        yield self._connection

    def write(self) -> NoReturn:
        raise StoreUnavailable("What is being copied is only read.")


def frozen(connection: sa.Connection) -> SqlStore:
    """Return a store that sees what the transaction of ``connection`` sees, and writes nothing."""
    return SqlStore(_FrozenDatabase(connection))


def revision_of(connection: sa.Connection) -> str:
    """Return the revision of the audit database's schema; empty where it has none."""
    return ",".join(MigrationContext.configure(connection).get_current_heads())


def knows_revision(revision: str) -> bool:
    """Tell whether this program can bring an audit database of that revision up to date."""
    config = Config()
    with as_file(files("handshaker.store").joinpath("migrations")) as migrations:
        config.set_main_option("script_location", str(migrations))
        return revision in {script.revision for script in ScriptDirectory.from_config(config).walk_revisions()}
