"""One database: engine, migrations, and transactions whose failures are ours to name."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import sqlalchemy as sa
from alembic import command
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from alembic.util.exc import CommandError
from sqlalchemy.exc import ArgumentError, DatabaseError, DBAPIError, OperationalError, ProgrammingError
from sqlalchemy.exc import TimeoutError as PoolExhausted
from tenacity import retry, retry_if_exception, stop_after_delay, wait_random

from handshaker.errors import SettingsInvalid, StoreUnavailable
from handshaker.postgresql import engine_options, forget_values, to_json, with_driver, without_nul
from handshaker.store.privileges import grant

_BUSY_SECONDS = 30.0
_MIGRATION_LOCK = 7349001
_INSUFFICIENT_PRIVILEGE = "42501"
_READ_ONLY = "25006"
"""A server that only follows another one refuses to write."""


class SchemaOutdated(StoreUnavailable):
    """The tables are not those of this program, and the role of the audit database may not change them."""

    code = "schema-outdated"
    mend = "Run `handshaker init` once with HANDSHAKER_STORE_OWNER_URL set to the URL of the role that owns the tables."


class Database:
    """An engine on ``url``; SQLite in WAL mode with ``synchronous=FULL``, so a commit survives a power cut."""

    def __init__(self, url: str, migrations: Path) -> None:
        self._migrations = migrations
        try:
            # A failed statement must not carry its parameters into a log.
            self.engine = sa.create_engine(
                with_driver(url), hide_parameters=True, json_serializer=to_json, **_options(with_driver(url))
            )
        except (ArgumentError, ImportError) as error:
            # Never the URL itself: it may hold a password.
            raise SettingsInvalid(
                "The URL of the audit database is not one of SQLAlchemy's, or its driver is not installed.",
                setting="HANDSHAKER_STORE_URL",
            ) from error
        self.observe: Callable[[str, float], None] = _nobody
        """Is told of every transaction: ``read`` or ``write``, and the seconds it took."""
        make_private(url)
        self.is_sqlite = self.engine.dialect.name == "sqlite"
        sa.event.listen(self.engine, "handle_error", forget_values)
        if not self.is_sqlite:
            sa.event.listen(self.engine, "before_cursor_execute", _without_nul, retval=True)
        if self.is_sqlite:
            sa.event.listen(self.engine, "connect", _configure_sqlite)
            sa.event.listen(self.engine, "begin", _begin_sqlite)

    def migrate(self, owner_url: str = "") -> None:
        """Bring the schema to the newest revision; safe to run twice and by two processes at once.

        With ``owner_url`` (PostgreSQL) by that role, and in the same SQL transaction this database's own role is given
        what it needs and no more. Without, nothing is written where the schema is the newest already. Raises
        ``StoreUnavailable``, also for a revision that this program does not know, and ``SchemaOutdated``.
        """
        if owner_url and not self.is_sqlite:
            with self.read() as connection:
                role = connection.execute(sa.text("SELECT current_user")).scalar_one()
            owner = Database(owner_url, self._migrations)
            try:
                owner._upgrade(role)
            finally:
                owner.close()
        elif not self._is_current():
            self._upgrade()

    def _is_current(self) -> bool:
        with self.read() as connection:
            found = MigrationContext.configure(connection).get_current_heads()
        return set(found) == set(ScriptDirectory.from_config(self._config()).get_heads())

    def _upgrade(self, role: str | None = None) -> None:
        """Run the migrations; ``role`` is given its privileges."""
        config = self._config()
        with self.write() as connection:
            lock(connection, _MIGRATION_LOCK)
            config.attributes["connection"] = connection
            try:
                command.upgrade(config, "head")
                if role is not None:
                    grant(connection, role)
            except CommandError as error:
                raise StoreUnavailable("The database was made by another version of this program.") from error
            except ProgrammingError as error:
                if sqlstate(error) == _INSUFFICIENT_PRIVILEGE:
                    raise SchemaOutdated("The audit database has not the tables of this program.") from error
                raise

    def _config(self) -> Config:
        config = Config()
        config.set_main_option("script_location", str(self._migrations))
        return config

    @contextmanager
    def write(self) -> Iterator[sa.Connection]:
        """One SQL transaction that writes; raises ``StoreUnavailable`` when the database cannot."""
        with mapped(), self._timed("write"), self.engine.begin() as connection:
            yield connection

    @contextmanager
    def read(self) -> Iterator[sa.Connection]:
        """One SQL transaction that only reads, sees one moment, and waits for no writer."""
        options: dict[str, Any] = {"handshaker_read_only": True}
        if not self.is_sqlite:
            options |= {"isolation_level": "REPEATABLE READ", "postgresql_readonly": True}
        with mapped(), self._timed("read"), self.engine.connect() as connection:
            reader = connection.execution_options(**options)
            with reader.begin():
                yield reader

    @contextmanager
    def _timed(self, kind: str) -> Iterator[None]:
        """Tell how long a transaction took, with what it waited for."""
        started = time.perf_counter()
        try:
            yield
        finally:
            self.observe(kind, time.perf_counter() - started)

    def forget_log(self) -> None:
        """Take deleted bytes out of SQLite's write-ahead log too, unless a reader stands in the way.

        PostgreSQL keeps them until its own log is recycled; see the threat model.
        """
        if self.is_sqlite:
            with mapped(), self.engine.connect() as connection:
                connection.connection.cursor().execute("PRAGMA wal_checkpoint(TRUNCATE)").close()

    def close(self) -> None:
        """Close every connection."""
        self.engine.dispose()


def _nobody(kind: str, seconds: float) -> None:
    """Hear nothing."""


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


def lock_hash(connection: sa.Connection, digest: bytes) -> None:
    """Hold the lock of what has that hash until the transaction ends: two that ask whether it is here come in turn."""
    lock(connection, int.from_bytes(digest[:8], "big", signed=True))


@contextmanager
def mapped() -> Iterator[None]:
    """Turn what the driver says when a database does not work into ``StoreUnavailable``."""
    try:
        yield
    except PoolExhausted as error:
        raise StoreUnavailable("No connection to the database has come free.") from error
    except OperationalError as error:
        # On PostgreSQL also a deadlock, a lock that did not come free, and a server that goes down.
        raise StoreUnavailable(f"The database does not work: {_first_line(error)}.") from error
    except DBAPIError as error:
        if error.connection_invalidated or sqlstate(error) == _READ_ONLY:
            raise StoreUnavailable("The connection to the database was lost.") from error
        if type(error) is DatabaseError:
            # What the driver has no better word for: the file is broken, or no database.
            raise StoreUnavailable(f"The database does not work: {_first_line(error)}.") from error
        raise


def sqlstate(error: DBAPIError) -> str | None:
    """Return PostgreSQL's five letters for what went wrong."""
    return getattr(error.orig, "sqlstate", None)


def _without_nul(*event: Any) -> tuple[str, Any]:
    _, _, statement, parameters, _, _ = event
    return statement, without_nul(parameters)


def _first_line(error: DBAPIError) -> str:
    return (str(error.orig).splitlines() or [""])[0].rstrip(".")


def _options(url: str) -> dict[str, Any]:
    if url.startswith("sqlite"):
        return {"connect_args": {"timeout": _BUSY_SECONDS}}
    query = sa.make_url(url).query
    return engine_options(str(query.get("options", "")))


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
