"""The tables are what the migrations make, and the ones that only grow cannot be made to shrink."""

from __future__ import annotations

import sqlite3
import threading
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta, timezone
from importlib.resources import files
from pathlib import Path

import pytest
import sqlalchemy as sa
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from hypothesis import given
from hypothesis import strategies as st

from handshaker.errors import StoreUnavailable
from handshaker.store.database import Database
from handshaker.store.schema import APPEND_ONLY, UtcDateTime, metadata
from handshaker.store.sql_store import SqlStore
from tests.databases import Databases, owner_of
from tests.instances import Instance

MIGRATIONS = Path(str(files("handshaker.store").joinpath("migrations")))


@pytest.fixture
def url(databases: Databases, tmp_path: Path) -> Iterator[str]:
    """Where a store may lie; its role owns what is there."""
    yield databases.store_url(tmp_path)
    databases.drop(tmp_path)


def test_the_migrations_make_exactly_the_tables_of_the_schema(url: str) -> None:
    store = SqlStore.open(url)
    with store._database.read() as connection:
        assert compare_metadata(MigrationContext.configure(connection), metadata) == []
    store.close()


def fill(hospital: Instance) -> None:
    """Put a row into the tables that the hospital of these tests has no use for."""
    late, statements, at = metadata.tables["late_payloads"], metadata.tables["statements"], datetime.now(UTC)
    heads, tiles = metadata.tables["audit_heads"], metadata.tables["audit_tiles"]
    with hospital.handshaker.store._database.engine.begin() as connection:
        if connection.execute(sa.select(late)).first() is None:
            known = connection.execute(sa.select(statements.c.statement_hash)).scalars().first()
            sealed = {"payload_owner": "x", "payload_nonce": b"", "payload_ciphertext": b"", "payload_wrapped_key": b""}
            connection.execute(sa.insert(late).values(statement_hash=known, received_at=at, **sealed))
        if connection.execute(sa.select(heads)).first() is None:
            connection.execute(sa.insert(heads).values(size=1, root=b"", made_at=at, signer="0x", signature=b""))
            connection.execute(sa.insert(tiles).values(level=8, number=0, hash=b""))


def contents(hospital: Instance, table: str) -> list[sa.Row]:
    with hospital.handshaker.store._database.read() as connection:
        return list(connection.execute(sa.text(f"SELECT * FROM {table}")).all())


@pytest.mark.parametrize("table", APPEND_ONLY)
def test_not_even_the_owner_changes_or_deletes_a_row_of_an_append_only_table(hospital: Instance, table: str) -> None:
    engine = owner_of(hospital.handshaker.store)
    column = next(iter(metadata.tables[table].columns)).name
    fill(hospital)
    before = contents(hospital, table)
    assert before, f"nothing in {table}"
    truncate = [f"TRUNCATE {table} CASCADE"] if engine.dialect.name == "postgresql" else []
    for attack in (
        f"UPDATE {table} SET {column} = {column}",
        f"DELETE FROM {table}",
        f"DELETE FROM {table} WHERE {column} = (SELECT min({column}) FROM {table})",
        *truncate,
    ):
        with pytest.raises(sa.exc.IntegrityError, match=r"append-only: \w"), engine.begin() as connection:
            connection.execute(sa.text(attack))
    assert contents(hospital, table) == before


@pytest.mark.sqlite
@pytest.mark.parametrize("table", APPEND_ONLY)
def test_a_row_of_an_append_only_table_cannot_be_replaced_either(hospital: Instance, table: str) -> None:
    engine = hospital.handshaker.store._database.engine
    fill(hospital)
    with pytest.raises(sa.exc.IntegrityError, match=f"append-only: {table}"), engine.begin() as connection:
        connection.execute(sa.text(f"INSERT OR REPLACE INTO {table} SELECT * FROM {table} LIMIT 1"))


def test_two_processes_may_bring_a_fresh_database_up_at_once(url: str) -> None:
    failures: list[BaseException] = []

    def open_one() -> None:
        try:
            SqlStore.open(url).close()
        except BaseException as error:
            failures.append(error)

    threads = [threading.Thread(target=open_one) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failures == []
    store = SqlStore.open(url)
    assert store.audit.counts() == {}
    store.close()


@pytest.mark.sqlite
def test_a_commit_survives_a_power_cut_and_deleted_text_does_not_linger(url: str) -> None:
    store = SqlStore.open(url)
    with store._database.read() as connection:
        pragmas = {
            name: connection.exec_driver_sql(f"PRAGMA {name}").scalar()
            for name in ("journal_mode", "synchronous", "foreign_keys", "secure_delete")
        }
    assert pragmas == {"journal_mode": "wal", "synchronous": 2, "foreign_keys": 1, "secure_delete": 1}
    store.close()


def test_a_reader_waits_for_no_writer(url: str) -> None:
    store = SqlStore.open(url)
    with store._database.write(), store._database.read() as reader:
        assert reader.execute(sa.text("SELECT count(*) FROM queue")).scalar() == 0
    store.close()


@pytest.mark.sqlite
def test_a_database_that_cannot_be_opened_says_so_without_a_trace_of_its_content(url: str, tmp_path: Path) -> None:
    (tmp_path / "store.db").write_bytes(b"this is no database at all" * 100)
    with pytest.raises(StoreUnavailable):
        SqlStore.open(url)
    with pytest.raises(StoreUnavailable):
        SqlStore.open(f"sqlite:///{tmp_path}/no/such/folder/store.db")


@pytest.mark.sqlite
def test_a_locked_database_is_unavailable_and_not_a_crash(
    url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("handshaker.store.database._BUSY_SECONDS", 0.05)
    store = SqlStore.open(url)
    other = sqlite3.connect(tmp_path / "store.db")
    other.execute("BEGIN IMMEDIATE")
    with pytest.raises(StoreUnavailable), store._database.write():
        pass
    other.close()
    store.close()


def test_a_database_of_a_newer_version_is_not_touched(url: str) -> None:
    SqlStore.open(url).close()
    with sa.create_engine(url).begin() as other:
        other.execute(sa.text("UPDATE alembic_version SET version_num = '9999'"))
    with pytest.raises(StoreUnavailable):
        SqlStore.open(url)


@given(st.datetimes(datetime(1971, 1, 1), datetime(9999, 1, 1)), st.integers(-720, 720))  # noqa: DTZ001
def test_a_moment_comes_back_as_the_same_moment_in_utc(naive: datetime, minutes: int) -> None:
    moment = naive.replace(tzinfo=timezone(timedelta(minutes=minutes)))
    engine = sa.create_engine("sqlite://")
    kind = UtcDateTime()
    stored = kind.process_bind_param(moment, engine.dialect)
    loaded = kind.process_result_value(stored, engine.dialect)
    assert loaded == moment
    assert loaded is not None
    assert loaded.tzinfo is UTC


def test_a_moment_without_a_zone_is_refused() -> None:
    with pytest.raises(ValueError, match="time zone"):
        UtcDateTime().process_bind_param(datetime(2026, 1, 1), sa.create_engine("sqlite://").dialect)  # noqa: DTZ001


def test_a_failed_statement_carries_no_parameters_into_its_message(url: str) -> None:
    database = Database(url, MIGRATIONS)
    database.migrate()
    statement = sa.insert(metadata.tables["actors"]).values(name="Xylander-Quux", actor_id="a")
    with pytest.raises(sa.exc.IntegrityError) as caught, database.write() as connection:
        connection.execute(statement)
    assert "Xylander" not in str(caught.value)
    database.close()
