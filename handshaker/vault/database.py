"""The vault's database: one engine, short transactions, and errors in the Handshaker's words."""

from __future__ import annotations

import fcntl
import os
import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Final

from alembic import command
from alembic.config import Config
from alembic.util.exc import CommandError
from sqlalchemy import Connection, Engine, create_engine, event, make_url, text
from sqlalchemy.exc import (
    ArgumentError,
    DataError,
    DBAPIError,
    IntegrityError,
    NotSupportedError,
    ProgrammingError,
)
from sqlalchemy.exc import TimeoutError as PoolExhausted
from tenacity import Retrying, retry_if_result, stop_after_delay, wait_random

from handshaker.errors import SettingsInvalid, StoreUnavailable, VaultError
from handshaker.postgresql import engine_options, forget_values, with_driver

BUSY_SECONDS: Final = 30
MIGRATIONS: Final = Path(__file__).parent / "migrations"
_POSTGRESQL_LOCK: Final = 0x48535641554C54  # the advisory lock of the vault's migrations, any fixed number
_OUR_OWN_FAULTS: Final = (IntegrityError, DataError, ProgrammingError, NotSupportedError)

_SQLITE_PRAGMAS: Final = (
    "PRAGMA journal_mode = WAL",
    "PRAGMA synchronous = FULL",
    "PRAGMA foreign_keys = ON",
    "PRAGMA secure_delete = ON",  # a deleted salt is overwritten with zeros, not only unlinked
    "PRAGMA temp_store = MEMORY",  # and leaves no copy in a temporary file
)


class VaultDatabase:
    """Transactions on the vault's database. Raises ``StoreUnavailable`` when it does not answer or cannot write."""

    def __init__(self, url: str) -> None:
        try:
            parsed = make_url(with_driver(url))
        except ArgumentError as error:
            raise _unusable() from error
        self._sqlite_file = None
        if parsed.get_backend_name() == "sqlite":
            if parsed.database in (None, "", ":memory:"):
                raise ValueError("The vault needs a database that lasts: a file or a server.")
            self._sqlite_file = Path(parsed.database).absolute()
        options = engine_options(str(parsed.query.get("options", "")))
        if self._sqlite_file:
            options = {"connect_args": {"timeout": BUSY_SECONDS}}
        # hide_parameters: not even ciphertext belongs in a log.
        try:
            self._engine: Engine = create_engine(parsed, hide_parameters=True, **options)
        except (ArgumentError, ImportError) as error:
            raise _unusable() from error
        event.listen(self._engine, "handle_error", forget_values)
        if self._sqlite_file:
            event.listen(self._engine, "connect", _prepare_sqlite)
            event.listen(self._engine, "begin", _begin_sqlite)
        self._writer = self._engine.execution_options(immediate=True)

    @contextmanager
    def reading(self) -> Iterator[Connection]:
        """Give a connection for reads that see one moment."""
        with _database_errors(), self._engine.begin() as connection:
            yield connection

    @contextmanager
    def writing(self) -> Iterator[Connection]:
        """Give a connection whose writes all happen or none; on SQLite no one else writes meanwhile."""
        with _database_errors(), self._writer.begin() as connection:
            yield connection

    @contextmanager
    def migrating(self) -> Iterator[Connection]:
        """Bring the tables up to date and give the connection on; other processes that open the vault wait."""
        with _database_errors(), self._alone(), self._writer.begin() as connection:
            if connection.dialect.name == "postgresql":
                connection.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": _POSTGRESQL_LOCK})
            _migrate(connection)
            yield connection

    def clean(self) -> None:
        """Leave no page of what was deleted: on SQLite move the write-ahead log into the file and cut it to zero.

        On PostgreSQL old row versions and log segments go when the server cleans up; there the rotation of the root key
        is what makes them worthless.
        """
        # SQLite waits for readers by itself, but not for another process that is moving the log at this moment.
        attempts = Retrying(
            retry=retry_if_result(lambda done: not done),
            wait=wait_random(0.001, 0.02),
            stop=stop_after_delay(BUSY_SECONDS),
            retry_error_callback=lambda _: False,
        )
        if not attempts(self._cut_log):
            raise StoreUnavailable("The key is deleted, but the vault's log could not be cleaned of it: it is in use.")

    def clean_if_idle(self) -> None:
        """Do as `clean` if no one is in the way; otherwise the log is cleaned in its own time."""
        self._cut_log(wait_seconds=0)

    def _cut_log(self, wait_seconds: float | None = None) -> bool:
        if self._sqlite_file is None:
            return True
        # Straight to the driver: the log cannot be cut inside a transaction, and SQLAlchemy would begin one.
        with (
            _database_errors(),
            self._engine.connect() as connection,
            closing(connection.connection.cursor()) as cursor,
        ):
            cursor.execute(f"PRAGMA busy_timeout = {_milliseconds(wait_seconds)}")
            try:
                cursor.execute("PRAGMA wal_checkpoint(TRUNCATE)")
                outcome = cursor.fetchone()
            finally:
                cursor.execute(f"PRAGMA busy_timeout = {_milliseconds(None)}")
        return outcome is not None and outcome[0] == 0  # the first column says whether someone was in the way

    def close(self) -> None:
        """Return all connections."""
        self._engine.dispose()

    @contextmanager
    def _alone(self) -> Iterator[None]:
        """Create the SQLite file for its owner only, and let one process at a time turn it to WAL.

        SQLite does not wait for that switch, so the folder is locked meanwhile: a lock on the database file itself
        would be lost, and lose SQLite's own, whenever any handle on it is closed.
        """
        if self._sqlite_file is None:
            yield
            return
        self._sqlite_file.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        folder = os.open(self._sqlite_file.parent, os.O_RDONLY)
        try:
            fcntl.flock(folder, fcntl.LOCK_EX)
            if not self._sqlite_file.exists():
                os.close(os.open(self._sqlite_file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600))
            yield
        finally:
            os.close(folder)


def alembic_config(connection: Connection) -> Config:
    """Return Alembic's settings for the vault's own migrations on ``connection``; no ini file is needed."""
    config = Config(attributes={"connection": connection})
    config.set_main_option("script_location", str(MIGRATIONS).replace("%", "%%"))
    config.set_main_option("path_separator", "os")
    return config


def _migrate(connection: Connection) -> None:
    try:
        command.upgrade(alembic_config(connection), "head")
    except CommandError as error:
        problem = "The vault's tables are newer than this program: install the version that wrote them, or a later one."
        raise VaultError(problem) from error


def _prepare_sqlite(connection: sqlite3.Connection, _record: object) -> None:
    connection.isolation_level = None  # the driver's own BEGIN would come too late, and deferred
    with closing(connection.cursor()) as cursor:
        for pragma in _SQLITE_PRAGMAS:
            cursor.execute(pragma)


def _milliseconds(wait_seconds: float | None) -> int:
    return int(1000 * (BUSY_SECONDS if wait_seconds is None else wait_seconds))


def _begin_sqlite(connection: Connection) -> None:
    immediate = connection.get_execution_options().get("immediate", False)
    connection.exec_driver_sql("BEGIN IMMEDIATE" if immediate else "BEGIN")


@contextmanager
def _database_errors() -> Iterator[None]:
    try:
        yield
    except _OUR_OWN_FAULTS:
        raise
    except (DBAPIError, PoolExhausted, sqlite3.OperationalError, OSError) as error:
        raise StoreUnavailable("The vault's database does not answer or cannot write.") from error


def _unusable() -> SettingsInvalid:
    # Never the URL itself: it may hold a password.
    return SettingsInvalid(
        "The URL of the vault's database is not one of SQLAlchemy's, or its driver is not installed.",
        setting="HANDSHAKER_VAULT_URL",
    )
