"""What a verification reads: the tables at one moment, as they are, and never with a pen in hand.

SQLite is opened read-only, and every row comes as the driver gives it: whoever tampers with a file of SQLite can put a
text where bytes belong, and nothing here may stumble over that.
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from importlib.resources import as_file, files
from pathlib import Path
from typing import Any
from urllib.parse import quote

import sqlalchemy as sa
from alembic.script import ScriptDirectory
from sqlalchemy.exc import OperationalError

from handshaker.audit.errors import NotText
from handshaker.audit.verification.sources import ENTRY_COLUMNS, Answered, Counts, Evidence, HeadRow, Placement, Trace
from handshaker.messages import Anchor, Block, ChainIdentity, Deployment, Head
from handshaker.postgresql import engine_options, with_driver
from handshaker.store.database import SchemaOutdated, mapped
from handshaker.store.schema import APPEND_ONLY, metadata

PAGE = 2_000
"""Rows that are fetched at once."""
_TRACES = 1_000
_MOST = 2**62
"""What any number of ours is below; to SQLite every text is beyond it."""

_ACKNOWLEDGEMENT = ENTRY_COLUMNS[10:24]
_ENTRIES = f"""
    SELECT p.position, p.entry_id AS place, p.seal, e.entry_id, e.kind, e.leaf, e.leaf_hash, e.written_at,
      o.topic, o.ti_id AS told_ti, {", ".join(f"a.{name}" for name in _ACKNOWLEDGEMENT)},
      t.template, t.template_version, t.actor_id, t.patient_id, t.origin, s.statement_hash AS signed_statement
    FROM audit_positions p
      LEFT JOIN audit_entries e ON e.entry_id = p.entry_id
      LEFT JOIN outbox o ON o.position = p.position
      LEFT JOIN acknowledgements a ON a.entry_id = p.entry_id
      LEFT JOIN transactions t ON t.ti_id = a.ti_id
      LEFT JOIN statements s ON s.ti_id = a.ti_id
    ORDER BY p.position"""  # noqa: S608 names of columns


def _trace(columns: str, ti: str, rows: str) -> str:
    """Return the query for rows that tell of an entry that is not there."""
    return f"""
        SELECT {columns},
          EXISTS (SELECT 1 FROM events h WHERE h.ti_id = {ti} AND h.kind IN ('valid', 'invalid')) AS told,
          EXISTS (SELECT 1 FROM events h WHERE h.ti_id = {ti}) AS has_history,
          EXISTS (SELECT 1 FROM queue q WHERE q.ti_id = {ti}) AS waiting
        FROM {rows} LIMIT {_TRACES}"""  # noqa: S608 all parts are below


_UNLISTED_ENTRIES = _trace(
    "a.ti_id, e.entry_id, NULL AS position",
    "a.ti_id",
    """audit_entries e LEFT JOIN acknowledgements a ON a.entry_id = e.entry_id
    WHERE NOT EXISTS (SELECT 1 FROM audit_positions p WHERE p.entry_id = e.entry_id) ORDER BY e.written_at""",
)
_UNLISTED_ACKNOWLEDGEMENTS = _trace(
    "a.ti_id, a.entry_id, NULL AS position",
    "a.ti_id",
    """acknowledgements a
    WHERE NOT EXISTS (SELECT 1 FROM audit_positions p WHERE p.entry_id = a.entry_id) ORDER BY a.acknowledged_at""",
)
_UNLISTED_MESSAGES = _trace(
    "o.ti_id, NULL AS entry_id, o.position",
    "o.ti_id",
    """outbox o
    WHERE NOT EXISTS (SELECT 1 FROM audit_positions p WHERE p.position = o.position) ORDER BY o.position""",
)
_TOLD_OF = _trace(
    "v.ti_id, NULL AS entry_id, NULL AS position",
    "v.ti_id",
    """events v
    WHERE v.kind IN ('valid', 'invalid') AND NOT EXISTS (SELECT 1 FROM acknowledgements a WHERE a.ti_id = v.ti_id)
    ORDER BY v.event_id""",
)
_FORGOTTEN = _trace(
    "t.ti_id, NULL AS entry_id, NULL AS position",
    "t.ti_id",
    """transactions t
    WHERE t.origin <> 'chain' AND NOT EXISTS (SELECT 1 FROM acknowledgements a WHERE a.ti_id = t.ti_id)
      AND NOT EXISTS (SELECT 1 FROM queue q WHERE q.ti_id = t.ti_id)
    ORDER BY t.received_at""",
)
_EVIDENCE = """
    SELECT block_number, block_hash, log_index, statement_hash, transaction_hash, ti_id, entry_id
    FROM acknowledgements WHERE verdict = 'valid' ORDER BY block_number"""
_ANSWERS = """
    SELECT verdict, entry_id, ti_id FROM acknowledgements
    WHERE ti_id IN (SELECT ti_id FROM statements WHERE statement_hash = :statement)"""


class AuditReader:
    """The audit database, opened to be read only. Methods raise ``StoreUnavailable``."""

    def __init__(self, url: str, *, lenient: bool = False) -> None:
        """Take the database at ``url``; it has to be there, and nothing is migrated."""
        self._url = url
        parsed = sa.make_url(with_driver(url))
        options: dict[str, Any] = {"poolclass": sa.NullPool, "hide_parameters": True}
        if parsed.get_backend_name() == "sqlite":
            path = parsed.database or ""
            self._engine = sa.create_engine("sqlite://", creator=lambda: _connect(path, lenient=lenient), **options)
            sa.event.listen(self._engine, "begin", lambda connection: connection.exec_driver_sql("BEGIN"))
        else:
            options["connect_args"] = engine_options(str(parsed.query.get("options", "")))["connect_args"]
            self._engine = sa.create_engine(parsed, **options)

    def lenient(self) -> AuditReader:
        """Return a slower one that reads texts that are none, too."""
        return AuditReader(self._url, lenient=True)

    @contextmanager
    def snapshot(self) -> Iterator[AuditSnapshot]:
        """Give the tables at one moment, for as long as it takes; other processes go on writing meanwhile."""
        options: dict[str, Any] = {}
        if self._engine.dialect.name != "sqlite":
            options = {"isolation_level": "REPEATABLE READ", "postgresql_readonly": True}
        with mapped(), _texts(), self._engine.connect() as connection:
            reader = connection.execution_options(**options)
            with reader.begin():
                if options:
                    # The chain is asked in between, and may take its time.
                    reader.execute(sa.text("SET LOCAL idle_in_transaction_session_timeout = 0"))
                found = AuditSnapshot(reader)
                found.require_schema()
                yield found

    def state(self) -> tuple[Any, ...]:
        """Return something that differs whenever a worker has written in between."""
        query = (
            "SELECT (SELECT max(position) FROM audit_positions), (SELECT max(number) FROM blocks), "
            "(SELECT max(event_id) FROM events), (SELECT count(*) FROM acknowledgements)"
        )
        with mapped(), self._engine.connect() as connection:
            return tuple(connection.execute(sa.text(query)).one())

    def is_answered(self, statement_hash: bytes) -> bool:
        """Whether a statement has an acknowledgement by now."""
        with mapped(), self._engine.connect() as connection:
            return connection.execute(sa.text(_ANSWERS), {"statement": statement_hash}).first() is not None

    def close(self) -> None:
        """Close every connection."""
        self._engine.dispose()


class AuditSnapshot:
    """See ``audit.verification.sources.Snapshot``."""

    def __init__(self, connection: sa.Connection) -> None:
        self._connection = connection

    def require_schema(self) -> None:
        """Raise ``SchemaOutdated`` unless the schema is the one of this program."""
        names = sa.inspect(self._connection).get_table_names()
        found = self._all("SELECT version_num FROM alembic_version") if "alembic_version" in names else []
        with as_file(files("handshaker.store").joinpath("migrations")) as migrations:
            newest = ScriptDirectory(str(migrations)).get_heads()
        if [row[0] for row in found] != newest:
            raise SchemaOutdated("The audit database has not the tables of this program.")

    def missing_tables(self) -> list[str]:
        """Return the tables that somebody has taken out."""
        return sorted(set(metadata.tables) - set(sa.inspect(self._connection).get_table_names()))

    def counts(self) -> Counts:
        """Return how many rows there are."""
        tables = ("audit_positions", "audit_entries", "acknowledgements", "outbox")
        return Counts(*(self._all(f"SELECT count(*) FROM {table}")[0][0] for table in tables))  # noqa: S608

    def entries(self) -> Iterator[Sequence[Sequence[Any]]]:
        """Yield pages of rows of ``ENTRY_COLUMNS`` in the order of their positions."""
        return self._pages(_ENTRIES)

    def placements(self) -> Iterator[Placement]:
        """Yield every place in order, then the entries that no place points to."""
        columns = "e.entry_id, e.leaf, e.leaf_hash"
        placed = """SELECT p.position, p.entry_id, e.leaf, e.leaf_hash, p.seal FROM audit_positions p
            LEFT JOIN audit_entries e ON e.entry_id = p.entry_id ORDER BY p.position"""
        loose = f"""SELECT NULL, {columns}, NULL FROM audit_entries e
            WHERE NOT EXISTS (SELECT 1 FROM audit_positions p WHERE p.entry_id = e.entry_id)"""  # noqa: S608
        for query in (placed, loose):
            for page in self._pages(query):
                yield from (Placement(*row) for row in page)

    def unlisted_entries(self) -> list[Trace]:
        """Return entries that no position points to."""
        return self._traces(_UNLISTED_ENTRIES)

    def unlisted_acknowledgements(self) -> list[Trace]:
        """Return acknowledgements whose entry is not in the log."""
        return self._traces(_UNLISTED_ACKNOWLEDGEMENTS)

    def unlisted_messages(self) -> list[Trace]:
        """Return rows of the outbox whose position is not in the log."""
        return self._traces(_UNLISTED_MESSAGES)

    def told_of(self) -> list[Trace]:
        """Return TIs whose history tells of an acknowledgement that is not there."""
        return self._traces(_TOLD_OF)

    def forgotten(self) -> list[Trace]:
        """Return TIs that neither are acknowledged nor wait."""
        return self._traces(_FORGOTTEN)

    def entry_of(self, ti_id: str) -> tuple[str | None, int | None]:
        """Return the entry of a TI's acknowledgement and its position."""
        query = """SELECT a.entry_id, p.position FROM acknowledgements a
            LEFT JOIN audit_positions p ON p.entry_id = a.entry_id WHERE a.ti_id = :ti"""
        found = self._all(query, ti=ti_id)
        return (found[0][0], found[0][1]) if found else (None, None)

    def heads(self) -> list[HeadRow]:
        """Return the signed heads by size."""
        found = self._all("SELECT size, root, made_at, signer, signature FROM audit_heads ORDER BY size")
        return [HeadRow(*row) for row in found]

    def tiles(self) -> Iterator[tuple[Any, Any, Any]]:
        """Yield ``(level, number, hash)``."""
        for page in self._pages("SELECT level, number, hash FROM audit_tiles ORDER BY level, number"):
            yield from (tuple(row) for row in page)

    def anchors(self) -> list[Anchor]:
        """Return the database's copy of the chain's anchors."""
        query = """SELECT size, root, operator, block_number, block_hash, transaction_hash, log_index
            FROM anchors ORDER BY block_number, log_index"""
        return [
            Anchor(Head(_number(size), root), operator, _number(block), *rest)
            for size, root, operator, block, *rest in self._all(query)
        ]

    def largest_sent_head(self) -> int:
        """Return the size of the largest head that was to be anchored."""
        return (
            self._all("SELECT max(head_size) FROM network_transactions WHERE head_size < :most", most=_MOST)[0][0] or 0
        )

    def held_sizes(self) -> set[int]:
        """Return the sizes that the log had when it was held because the chain had anchored more."""
        return {row[0] for row in self._all("SELECT size FROM log_holds WHERE reason = 'behind'")}

    def tip(self) -> Block | None:
        """Return the highest block that was walked."""
        found = self._all("SELECT number, hash, parent, timestamp FROM blocks ORDER BY number DESC LIMIT 1")
        return Block(*found[0]) if found else None

    def block(self, number: int) -> Block | None:
        """Return a block that was walked."""
        found = self._all("SELECT number, hash, parent, timestamp FROM blocks WHERE number = :number", number=number)
        return Block(*found[0]) if found else None

    def evidence(self) -> Iterator[Evidence]:
        """Yield what valid acknowledgements say of the chain, by block number."""
        for page in self._pages(_EVIDENCE):
            yield from (Evidence(*row) for row in page)

    def answers(self, statement_hash: bytes) -> list[Answered]:
        """Return the acknowledgements of a statement."""
        found = self._all(_ANSWERS, statement=statement_hash)
        if not found:
            # The slow way, for where the row in statements is gone too.
            query = "SELECT verdict, entry_id, ti_id FROM acknowledgements WHERE statement_hash = :statement"
            found = self._all(query, statement=statement_hash)
        return [Answered(*row) for row in found]

    def ti_of(self, statement_hash: bytes) -> str | None:
        """Return the TI of a statement."""
        found = self._all("SELECT ti_id FROM statements WHERE statement_hash = :statement", statement=statement_hash)
        return str(found[0][0]) if found else None

    def last_answered_block(self) -> int:
        """Return the highest block that is an acknowledgement's evidence."""
        query = "SELECT max(block_number) FROM acknowledgements WHERE block_number < :most"
        found: int | None = self._all(query, most=_MOST)[0][0]
        return -1 if found is None else found

    def position_after(self, block_number: int) -> int | None:
        """Return the first position of an acknowledgement with evidence in a later block."""
        query = """SELECT min(p.position) FROM acknowledgements a JOIN audit_positions p ON p.entry_id = a.entry_id
            WHERE a.block_number > :block"""
        found: int | None = self._all(query, block=block_number)[0][0]
        return found

    def deployments(self) -> list[Deployment]:
        """Return where the contracts are said to be, oldest first."""
        query = "SELECT chain_id, genesis, addresses, block_number FROM deployments ORDER BY deployment_id"
        return [
            Deployment(
                ChainIdentity(row[0], row[1]), row[2] if isinstance(row[2], dict) else json.loads(row[2]), row[3]
            )
            for row in self._all(query)
        ]

    def unguarded(self) -> list[str]:
        """Return the tables that only grow whose triggers are gone."""
        if self._connection.dialect.name == "sqlite":
            query = "SELECT tbl_name, count(*) FROM sqlite_master WHERE type = 'trigger' GROUP BY tbl_name"
        else:
            query = """SELECT c.relname, count(*) FROM pg_trigger t JOIN pg_class c ON c.oid = t.tgrelid
                WHERE NOT t.tgisinternal AND t.tgenabled IN ('O', 'A') GROUP BY c.relname"""
        guards = {row[0]: row[1] for row in self._all(query)}
        return sorted(table for table in APPEND_ONLY if guards.get(table, 0) < 3)

    # ---- asking ------------------------------------------------------------------------------------------------------

    def _traces(self, query: str) -> list[Trace]:
        return [Trace(*row[:3], *map(bool, row[3:])) for row in self._all(query)]

    def _all(self, query: str, **values: Any) -> Sequence[Sequence[Any]]:
        return self._connection.execute(sa.text(query), values).all()

    def _pages(self, query: str) -> Iterator[Sequence[Sequence[Any]]]:
        """Yield the rows of a query, ``PAGE`` at a time; on PostgreSQL through a cursor that stays on the server."""
        result = self._connection.execution_options(yield_per=PAGE).execute(sa.text(query))
        yield from result.partitions(PAGE)


def _number(value: Any) -> int:
    """Return what should be a number; -1 where somebody has put something else."""
    return value if isinstance(value, int) else -1


@contextmanager
def _texts() -> Iterator[None]:
    try:
        yield
    except OperationalError as error:
        if "decode to UTF-8" in str(error.orig or error):
            raise NotText("There is a text in the database that is no UTF-8.") from error
        raise


def _connect(path: str, *, lenient: bool) -> sqlite3.Connection:
    connection = sqlite3.connect(f"file:{quote(str(Path(path).absolute()))}?mode=ro", uri=True, timeout=30)
    connection.isolation_level = None
    if lenient:
        connection.text_factory = lambda text: text.decode("utf-8", "backslashreplace")
    # Rows are looked up by random ids: 64 MiB hold the inner pages of the indexes of some million entries.
    for pragma in ("query_only = ON", "cache_size = -65536", "temp_store = MEMORY"):
        connection.execute(f"PRAGMA {pragma}").close()
    return connection
