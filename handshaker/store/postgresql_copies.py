"""Copies of a database on a PostgreSQL server, made and put back by the server's own programs."""

from __future__ import annotations

import re
import shutil
import subprocess
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import sqlalchemy as sa

from handshaker.errors import StoreUnavailable
from handshaker.postgresql import engine_options, with_driver
from handshaker.settings import Settings
from handshaker.store.copies import Moment
from handshaker.store.database import mapped

_USUAL_PLACES = "/usr/lib/postgresql"
"""Where Debian and its kin put each version's programs, in ``VERSION/bin``."""
_FUNCTION = "refuse_change"
"""What the triggers of the tables that only grow call."""


class ToolMissing(StoreUnavailable):
    """A program of PostgreSQL is not there, or older than the server. Data: ``tool``, ``version``, ``found``."""

    code = "tool-missing"
    mend = (
        "Install PostgreSQL's client programs of the server's version or a newer one, or name their folder with "
        "HANDSHAKER_POSTGRESQL_TOOLS."
    )


class ToolFailed(StoreUnavailable):
    """A program of PostgreSQL said no. Data: ``tool``, ``problem``."""

    code = "tool-failed"
    mend = "Set HANDSHAKER_STORE_OWNER_URL to the role that owns the tables, and look at what the server says."


class RoleTooWeak(StoreUnavailable):
    """The role of a database may not exchange its tables. Data: ``role``, ``database``."""

    code = "role-too-weak"
    mend = (
        "Set HANDSHAKER_STORE_OWNER_URL to the role that owns the tables, and let it create schemas in the database; "
        "nothing was changed."
    )


class PostgresCopies:
    """Copies of the tables of one database: only those of ``only``, where it is given, and never those of ``but``.

    ``url`` is of the role that owns them.
    """

    kind, suffix = "postgresql", ".dump"

    def __init__(self, url: str, tools: Path | None, *, only: Sequence[str] = (), but: Sequence[str] = ()) -> None:
        self._url = sa.make_url(with_driver(url))
        self._tools = tools
        self._only = tuple(only)
        self._but = tuple(but)

    @contextmanager
    def moment(self) -> Iterator[Moment]:
        """Hold one read transaction and share what it sees with ``pg_dump``."""
        with self._engine("REPEATABLE READ") as engine, mapped(), engine.connect() as connection:
            # No timeout of ours may end it while the copy is made.
            connection.execute(sa.text("SET idle_in_transaction_session_timeout = 0"))
            snapshot = connection.execute(sa.text("SELECT pg_export_snapshot()")).scalar_one()
            yield _PostgresMoment(self, connection, snapshot)

    def exists(self) -> bool:
        """Whether any table is there."""
        with self._engine() as engine, mapped(), engine.connect() as connection:
            return bool(self._tables(connection))

    def others(self) -> int:
        """Return how many other connections the database has."""
        query = (
            "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() "
            "AND pid <> pg_backend_pid() AND backend_type = 'client backend'"
        )
        with self._engine() as engine, mapped(), engine.connect() as connection:
            return int(connection.execute(sa.text(query)).scalar_one())

    def require_rights(self) -> None:
        """Raise ``RoleTooWeak`` unless the role owns the tables and may make a schema to move them into."""
        may = sa.text(
            "SELECT has_database_privilege(current_database(), 'CREATE') "
            "AND has_schema_privilege(current_schema(), 'CREATE')"
        )
        owned = sa.text(
            "SELECT tablename FROM pg_tables WHERE schemaname = current_schema() AND pg_has_role(tableowner, 'USAGE')"
        )
        with self._engine() as engine, mapped(), engine.connect() as connection:
            is_owner = set(self._tables(connection)) <= set(connection.execute(owned).scalars())
            if not is_owner or not connection.execute(may).scalar_one():
                raise RoleTooWeak(
                    f"The role {self._url.username} may not exchange the tables of {self._url.database}.",
                    role=self._url.username,
                    database=self._url.database,
                )

    def stage(self, copy: Path) -> None:
        """Nothing is staged: ``pg_restore`` writes all or nothing."""

    def unstage(self) -> None:
        """Nothing was staged."""

    def move_aside(self, name: str) -> str:
        """Move the tables into a schema of that name, in one SQL transaction."""
        with self._engine() as engine, mapped(), engine.begin() as connection:
            quote = connection.dialect.identifier_preparer.quote
            tables = self._tables(connection)
            if not tables:
                return ""
            schema, number = _identifier(name), 1
            known = sa.text("SELECT count(*) FROM pg_namespace WHERE nspname = :name")
            while connection.execute(known, {"name": schema}).scalar_one():
                number += 1
                schema = f"{_identifier(name)}_{number}"
            connection.execute(sa.text(f"CREATE SCHEMA {quote(schema)}"))
            for table in tables:
                connection.execute(sa.text(f"ALTER TABLE {quote(table)} SET SCHEMA {quote(schema)}"))
            here = sa.text(
                "SELECT count(*) FROM pg_proc WHERE proname = :name AND pronamespace = current_schema()::regnamespace"
            )
            if not self._only and connection.execute(here, {"name": _FUNCTION}).scalar_one():
                connection.execute(sa.text(f"ALTER FUNCTION {_FUNCTION}() SET SCHEMA {quote(schema)}"))
            return f"schema {schema} of the database {self._url.database}"

    def put(self, copy: Path) -> None:
        """Have ``pg_restore`` put the copy back in one SQL transaction."""
        options = ["--single-transaction", "--exit-on-error", "--no-owner", "--no-privileges"]
        self._run("pg_restore", [*options, f"--dbname={self._address()}", str(copy)])

    def dump(self, to: Path, snapshot: str) -> None:
        """Have ``pg_dump`` write what a snapshot sees."""
        chosen = [f"--table={name}" for name in self._only] + [f"--exclude-table={name}" for name in self._but]
        # What an earlier restore moved aside is no part of the instance.
        chosen += [f'--exclude-schema="{name}"' for name in self._other_schemas()]
        options = ["--format=custom", "--no-owner", "--no-privileges", f"--snapshot={snapshot}", *chosen]
        to.touch(mode=0o600, exist_ok=False)
        self._run("pg_dump", [*options, f"--file={to}", f"--dbname={self._address()}"])

    def _tables(self, connection: sa.Connection) -> list[str]:
        names = sa.inspect(connection).get_table_names()
        return [name for name in names if (not self._only or name in self._only) and name not in self._but]

    def _other_schemas(self) -> list[str]:
        query = sa.text("SELECT nspname FROM pg_namespace WHERE nspname <> current_schema() AND nspname !~ '^pg_'")
        with self._engine() as engine, mapped(), engine.connect() as connection:
            return [name for name in connection.execute(query).scalars() if name != "information_schema"]

    def _run(self, tool: str, arguments: list[str]) -> None:
        # The password goes by the environment, which only this user can read, never by the list of processes.
        password = {"PGPASSWORD": str(self._url.password)} if self._url.password else {}
        answer = subprocess.run(
            [str(self._tool(tool)), "--no-password", *arguments],
            env=Settings.environment(LC_ALL="C", **password),
            capture_output=True,
            text=True,
            check=False,
        )
        if answer.returncode:
            problem = next((line for line in answer.stderr.splitlines() if "error" in line), answer.stderr[:200])
            raise ToolFailed(f"{tool} failed: {problem}.", tool=tool, problem=problem)

    def _address(self) -> str:
        return self._url.set(drivername="postgresql", password=None).render_as_string(hide_password=False)

    def _tool(self, name: str) -> Path:
        """Return the program, of the server's version at least."""
        with self._engine() as engine, mapped(), engine.connect() as connection:
            needed = int(connection.execute(sa.text("SHOW server_version_num")).scalar_one()) // 10_000
        found: list[int] = []
        for path in self._candidates(name):
            answer = subprocess.run([str(path), "--version"], capture_output=True, text=True, check=False)
            version = re.search(r"\) (\d+)", answer.stdout)
            found.append(int(version[1]) if version else 0)
            if found[-1] >= needed:
                return path
        newest = f"the newest is {max(found)}" if found else "there is none"
        raise ToolMissing(
            f"The server is PostgreSQL {needed}, and no {name} of that version is here: {newest}.",
            tool=name,
            version=needed,
            found=found,
        )

    def _candidates(self, name: str) -> Iterator[Path]:
        if self._tools is not None:
            yield from (path for path in (self._tools / name,) if path.is_file())
            return
        on_path = shutil.which(name)
        if on_path:
            yield Path(on_path)
        yield from sorted(Path(_USUAL_PLACES).glob(f"*/bin/{name}"), reverse=True)

    @contextmanager
    def _engine(self, isolation: str = "READ COMMITTED") -> Iterator[sa.Engine]:
        options = engine_options(str(self._url.query.get("options", "")))
        engine = sa.create_engine(
            self._url,
            hide_parameters=True,
            isolation_level=isolation,
            poolclass=sa.NullPool,
            connect_args=options["connect_args"],
        )
        try:
            yield engine
        finally:
            engine.dispose()


class _PostgresMoment:
    def __init__(self, copies: PostgresCopies, connection: sa.Connection, snapshot: str) -> None:
        self.connection = connection
        self._copies = copies
        self._snapshot = snapshot

    def copy(self, to: Path, hear: Callable[[int, int], None]) -> None:
        hear(0, 1)
        self._copies.dump(to, self._snapshot)
        hear(1, 1)


def _identifier(name: str) -> str:
    return re.sub(r"[^a-z0-9]+", "_", name.lower())
