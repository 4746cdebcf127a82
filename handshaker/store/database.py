"""One database: engine, migrations, and transactions whose failures are ours to name."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import sqlalchemy as sa
from alembic import command
from alembic.config import Config
from alembic.util.exc import CommandError
from sqlalchemy.exc import ArgumentError, DatabaseError, DBAPIError, OperationalError
from tenacity import retry, retry_if_exception, stop_after_delay, wait_random

from handshaker.errors import SettingsInvalid, StoreUnavailable

_BUSY_SECONDS = 30.0
_MIGRATION_LOCK = 7349001


class Database:
    """An engine on ``url``; SQLite in WAL mode with ``synchronous=FULL``, so a commit survives a power cut."""

    def __init__(self, url: str, migrations: Path) -> None:
        self._migrations = migrations
        # A failed statement must not carry its parameters into a log.
        options: dict[str, Any] = {"hide_parameters": True}
        if url.startswith("sqlite"):
            options["connect_args"] = {"timeout": _BUSY_SECONDS}
        try:
            self.engine = sa.create_engine(url, **options)
        except (ArgumentError, ImportError) as error:
            # Never the URL itself: it may hold a password.
            raise SettingsInvalid(
                "The URL of the audit database is not one of SQLAlchemy's, or its driver is not installed.",
                setting="HANDSHAKER_STORE_URL",
            ) from error
        make_private(url)
        self.is_sqlite = self.engine.dialect.name == "sqlite"
        if self.is_sqlite:
            sa.event.listen(self.engine, "connect", _configure_sqlite)
            sa.event.listen(self.engine, "begin", _begin_sqlite)

    def migrate(self) -> None:
        """Bring the schema to the newest revision; safe to run twice and by two processes at once.

        Raises ``StoreUnavailable``, also for a revision that this program does not know.
        """
        config = Config()
        config.set_main_option("script_location", str(self._migrations))
        with self.write() as connection:
            lock(connection, _MIGRATION_LOCK)
            config.attributes["connection"] = connection
            try:
                command.upgrade(config, "head")
            except CommandError as error:
                raise StoreUnavailable("The database was made by another version of this program.") from error

    @contextmanager
    def write(self) -> Iterator[sa.Connection]:
        """One SQL transaction that writes; raises ``StoreUnavailable`` when the database cannot."""
        with _mapped(), self.engine.begin() as connection:
            yield connection

    @contextmanager
    def read(self) -> Iterator[sa.Connection]:
        """One SQL transaction that only reads, and on SQLite waits for no writer."""
        with _mapped(), self.engine.connect() as connection:
            reader = connection.execution_options(handshaker_read_only=True)
            with reader.begin():
                yield reader

    def forget_log(self) -> None:
        """Take deleted bytes out of SQLite's write-ahead log too, unless a reader stands in the way.

        PostgreSQL keeps them until its own log is recycled; see the threat model.
        """
        if self.is_sqlite:
            with _mapped(), self.engine.connect() as connection:
                connection.connection.cursor().execute("PRAGMA wal_checkpoint(TRUNCATE)").close()

    def close(self) -> None:
        """Close every connection."""
        self.engine.dispose()


def make_private(url: str) -> None:
    """Make a new SQLite file readable by its owner only; what SQLite puts beside it gets the same mode."""
    path = sa.make_url(url).database
    if url.startswith("sqlite") and path and path != ":memory:":
        try:
            os.close(os.open(path, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600))
        except FileExistsError:
            return
        except OSError as error:
            raise StoreUnavailable(f"The database {path} cannot be made: {error.strerror}.") from error


def lock(connection: sa.Connection, key: int) -> None:
    """Hold the lock ``key`` until the transaction ends; on SQLite every writer waits for every other anyway."""
    if connection.dialect.name == "postgresql":
        connection.execute(sa.text("SELECT pg_advisory_xact_lock(:key)"), {"key": key})


@contextmanager
def _mapped() -> Iterator[None]:
    try:
        yield
    except OperationalError as error:
        raise StoreUnavailable(f"The database does not work: {error.orig}.") from error
    except DBAPIError as error:
        if error.connection_invalidated:
            raise StoreUnavailable("The connection to the database was lost.") from error
        if type(error) is DatabaseError:
            # What the driver has no better word for: the file is broken, or no database.
            raise StoreUnavailable(f"The database does not work: {error.orig}.") from error
        raise


def _configure_sqlite(connection: Any, _record: Any) -> None:
    # The driver must not begin transactions by itself: `_begin_sqlite` says which kind.
    connection.isolation_level = None
    cursor = connection.cursor()
    _use_wal(cursor)
    # Without recursive triggers REPLACE would delete rows behind the back of the triggers that forbid it.
    for pragma in ("synchronous=FULL", "foreign_keys=ON", "secure_delete=ON", "recursive_triggers=ON"):
        cursor.execute(f"PRAGMA {pragma}")
    cursor.close()


@retry(
    retry=retry_if_exception(lambda error: "locked" in str(error)),
    wait=wait_random(0.005, 0.05),
    stop=stop_after_delay(_BUSY_SECONDS),
    reraise=True,
)
def _use_wal(cursor: Any) -> None:
    # Where two processes open a new file at once, SQLite does not wait by itself for this one change.
    cursor.execute("PRAGMA journal_mode=WAL")


def _begin_sqlite(connection: sa.Connection) -> None:
    # A deferred transaction that reads first and writes later can fail with "locked" however long it waits.
    read_only = connection.get_execution_options().get("handshaker_read_only", False)
    connection.exec_driver_sql("BEGIN" if read_only else "BEGIN IMMEDIATE")
