"""Copies of a database as it is at one moment, while everybody goes on writing; and copies put in a database's place.

SQLite copies itself through its online backup, in one read transaction that waits for no writer and that none waits
for. PostgreSQL does so with ``pg_dump`` and ``pg_restore``, its own programs, in the snapshot of such a transaction.
"""

from __future__ import annotations

import os
import shutil
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager, suppress
from pathlib import Path
from typing import Any, Protocol

import sqlalchemy as sa
from sqlalchemy.exc import ArgumentError

from handshaker.errors import SettingsInvalid, StoreUnavailable
from handshaker.postgresql import with_driver
from handshaker.store.database import mapped

Hear = Callable[[str, int, int], None]
"""Hears what is being done, and how much of how much is done; in pages, rows or bytes."""
_PAGES = 2_000
"""Pages of SQLite that are copied between two words about it: eight megabytes."""


class Moment(Protocol):
    """A database as it is at one moment."""

    @property
    def connection(self) -> sa.Connection:
        """To read what is in it."""
        ...

    def copy(self, to: Path, hear: Callable[[int, int], None]) -> None:
        """Write a copy to a file that is not there yet; raises ``StoreUnavailable``."""
        ...


class Copies(Protocol):
    """Copies of one database, and its place. All raise ``StoreUnavailable`` and its kinds."""

    kind: str
    suffix: str

    def moment(self) -> Any:
        """Return a context manager that gives a `Moment`."""
        ...

    def exists(self) -> bool:
        """Tell whether any of its tables is there."""
        ...

    def others(self) -> int:
        """Return how many others are connected, as far as the database knows."""
        ...

    def require_rights(self) -> None:
        """Raise ``StoreUnavailable`` or a kind of it unless the database may be exchanged by who we are."""
        ...

    def stage(self, copy: Path) -> Path | None:
        """Bring a copy close to the place, in nobody's way, and return where; ``None`` where that cannot be."""
        ...

    def unstage(self) -> None:
        """Take away what was staged. Safe to repeat."""
        ...

    def move_aside(self, name: str) -> str:
        """Put what is in the place under a dated name; return where. Nothing is deleted. Safe to repeat."""
        ...

    def put(self, copy: Path) -> None:
        """Put the copy, staged before where it can be, in the empty place, as a whole or not at all."""
        ...


class SqliteCopies:
    """Copies of a database that is a file."""

    kind, suffix = "sqlite", ".db"

    def __init__(self, path: Path) -> None:
        self._path = path
        self._staged = path.with_name(path.name + ".restoring")

    @contextmanager
    def moment(self) -> Iterator[Moment]:
        """Hold one read transaction; raises ``StoreUnavailable`` where there is no database."""
        if not self._path.is_file():
            raise StoreUnavailable(f"There is no database {self._path}.")
        engine = sa.create_engine(f"sqlite:///{self._path}", poolclass=sa.NullPool, hide_parameters=True)
        sa.event.listen(engine, "connect", _leave_transactions_to_us)
        try:
            with mapped(), engine.connect() as connection:
                connection.exec_driver_sql("BEGIN")
                # The moment is the one of the first read.
                connection.exec_driver_sql("SELECT count(*) FROM sqlite_master").scalar_one()
                yield _SqliteMoment(connection)
        finally:
            engine.dispose()

    def exists(self) -> bool:
        """Whether the file is there and holds anything: one that is damaged counts."""
        return self._path.exists() and self._path.stat().st_size > 0

    def others(self) -> int:
        """Nobody asks SQLite; the lock of the instance tells."""
        return 0

    def require_rights(self) -> None:
        """Whether files may be renamed shows when they are."""

    def stage(self, copy: Path) -> Path:
        """Copy the copy beside the place."""
        self._path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        _delete(self._staged)
        with _os_errors(), copy.open("rb") as source, _new_file(self._staged) as target:
            shutil.copyfileobj(source, target, 1 << 20)
            target.flush()
            os.fsync(target.fileno())
        return self._staged

    def unstage(self) -> None:
        """Delete the copy beside the place."""
        _delete(self._staged)

    def move_aside(self, name: str) -> str:
        """Move the file into a folder of that name beside it, with what SQLite keeps of it in other files."""
        files = [self._path, *_companions(self._path)]
        if not any(file.exists() for file in files):
            return ""
        _gather(self._path)
        folder = self._path.parent / name
        number = 1
        while any((folder / file.name).exists() for file in files):
            number += 1
            folder = self._path.parent / f"{name}-{number}"
        with _os_errors():
            folder.mkdir(mode=0o700, exist_ok=True)
            for file in files:
                if file.exists():
                    file.rename(folder / file.name)
            _sync(folder)
            _sync(self._path.parent)
        return str(folder / self._path.name)

    def put(self, copy: Path) -> None:
        """Rename what was staged."""
        with _os_errors():
            self._staged.rename(self._path)
            _sync(self._path.parent)


class _SqliteMoment:
    def __init__(self, connection: sa.Connection) -> None:
        self.connection = connection

    def copy(self, to: Path, hear: Callable[[int, int], None]) -> None:
        source = self.connection.connection.driver_connection
        assert isinstance(source, sqlite3.Connection)
        _new_file(to).close()
        try:
            with closing(sqlite3.connect(to)) as target:
                source.backup(target, pages=_PAGES, progress=lambda _, left, all_: hear(all_ - left, all_))
                # One file, not three; whoever opens it as a database of ours turns that back.
                target.execute("PRAGMA journal_mode = DELETE")
                (verdict,) = target.execute("PRAGMA quick_check(1)").fetchone()
        except sqlite3.Error as error:
            raise StoreUnavailable(f"The database cannot be copied: {error}.") from error
        if verdict != "ok":
            raise StoreUnavailable(f"The database is damaged: {verdict}.")
        with _os_errors(), to.open("rb") as file:
            os.fsync(file.fileno())


def sqlite_path(url: str) -> Path | None:
    """Return the file of a URL that names SQLite; ``None`` for a server's. Raises ``SettingsInvalid``."""
    try:
        parsed = sa.make_url(with_driver(url))
    except ArgumentError as error:
        # Never the URL itself: it may hold a password.
        raise SettingsInvalid("A database's URL is not one of SQLAlchemy's.", setting="HANDSHAKER_STORE_URL") from error
    return Path(parsed.database or "").absolute() if parsed.get_backend_name() == "sqlite" else None


def _leave_transactions_to_us(connection: sqlite3.Connection, _record: object) -> None:
    connection.isolation_level = None


def _gather(path: Path) -> None:
    """Take what was committed out of the write-ahead log into the file; a damaged one stays as it is."""
    with suppress(sqlite3.Error):
        if path.exists():
            with closing(sqlite3.connect(path)) as connection:
                connection.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()


def _companions(path: Path) -> list[Path]:
    return [path.with_name(path.name + ending) for ending in ("-wal", "-shm", "-journal")]


def _delete(path: Path) -> None:
    for file in (path, *_companions(path)):
        file.unlink(missing_ok=True)


def _new_file(path: Path) -> Any:
    """Open a file that was not there, for its owner only."""
    with _os_errors():
        return os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb")


def _sync(folder: Path) -> None:
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


@contextmanager
def _os_errors() -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise StoreUnavailable(f"The file {error.filename} cannot be written: {error.strerror}.") from error
