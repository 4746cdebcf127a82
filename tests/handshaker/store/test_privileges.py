"""On PostgreSQL one role owns the tables, and another one works in them: what that one cannot do, whoever it serves."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from importlib.resources import files
from pathlib import Path

import pytest
import sqlalchemy as sa
from alembic import command

from handshaker.errors import SettingsInvalid, StoreUnavailable
from handshaker.store.database import Database, SchemaOutdated
from handshaker.store.schema import APPEND_ONLY, metadata
from handshaker.store.sql_store import SqlStore
from tests.databases import Databases, owner_of
from tests.instances import Instance
from tests.postgres import APPLICATION, OWNER

pytestmark = pytest.mark.postgresql

MIGRATIONS = Path(str(files("handshaker.store").joinpath("migrations")))
NEWEST_BUT_ONE = "0002"


@pytest.fixture
def urls(databases: Databases, tmp_path: Path) -> Iterator[tuple[str, str]]:
    """A new database: the URLs of its owner and of the role that works in it."""
    settings = databases.of(tmp_path)
    yield settings["store_owner_url"], settings["store_url"]
    databases.drop(tmp_path)


def refused(engine: sa.Engine, attack: str) -> str:
    """What PostgreSQL says to ``attack``, and that it has the code of a missing privilege."""
    with pytest.raises(sa.exc.ProgrammingError) as caught, engine.begin() as connection:
        connection.execute(sa.text(attack))
    assert getattr(caught.value.orig, "sqlstate", None) == "42501"
    return str(caught.value)


@pytest.mark.parametrize("table", APPEND_ONLY)
def test_the_working_role_changes_nothing_that_only_grows_and_loosens_no_guard(hospital: Instance, table: str) -> None:
    engine = hospital.handshaker.store._database.engine
    column = next(iter(metadata.tables[table].columns)).name
    for act in (f"UPDATE {table} SET {column} = {column}", f"DELETE FROM {table}", f"TRUNCATE {table} CASCADE"):
        assert "permission denied" in refused(engine, act)
    for act in (
        f"ALTER TABLE {table} DISABLE TRIGGER ALL",
        f"DROP TRIGGER {table}_refuses_update ON {table}",
        f"ALTER TABLE {table} ADD COLUMN more text",
        f"ALTER TABLE {table} OWNER TO {APPLICATION}",
        f"DROP TABLE {table}",
        f"CREATE RULE quietly AS ON INSERT TO {table} DO INSTEAD NOTHING",
    ):
        assert "must be owner" in refused(engine, act)
    refused(engine, "CREATE TABLE public.shadow (x int)")
    refused(engine, "CREATE OR REPLACE FUNCTION refuse_change() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN END'")
    refused(engine, "SET session_replication_role = replica")
    refused(engine, f"SET ROLE {OWNER}")


def test_every_append_only_table_has_its_guards(hospital: Instance) -> None:
    query = "SELECT tgname FROM pg_trigger WHERE NOT tgisinternal AND tgenabled = 'O'"
    with hospital.handshaker.store._database.read() as connection:
        found = set(connection.execute(sa.text(query)).scalars())
    assert found == {f"{table}_refuses_{act}" for table in APPEND_ONLY for act in ("update", "delete", "truncate")}


def test_the_working_role_has_exactly_what_it_needs(urls: tuple[str, str]) -> None:
    owner_url, url = urls
    store = SqlStore.open(url, owner_url=owner_url)
    with store._database.read() as connection:
        granted = connection.execute(
            sa.text("SELECT table_name, privilege_type FROM information_schema.table_privileges WHERE grantee = :role"),
            {"role": APPLICATION},
        ).all()
        owned = connection.execute(
            sa.text("SELECT count(*) FROM pg_class WHERE pg_get_userbyid(relowner) = :role"), {"role": APPLICATION}
        ).scalar()
        counters = connection.execute(
            sa.text(
                "SELECT has_sequence_privilege(oid, 'USAGE'), has_sequence_privilege(oid, 'UPDATE') FROM pg_class"
                " WHERE relkind = 'S'"
            )
        ).all()
    expected = {("alembic_version", "SELECT")}
    for table in metadata.tables:
        acts = ("SELECT", "INSERT") if table in APPEND_ONLY else ("SELECT", "INSERT", "UPDATE", "DELETE")
        expected |= {(table, act) for act in acts}
    assert {(row[0], row[1]) for row in granted} == expected
    assert owned == 0
    assert set(counters) == {(True, False)}
    store.close()


def test_what_was_given_by_mistake_is_taken_back(urls: tuple[str, str]) -> None:
    owner_url, url = urls
    store = SqlStore.open(url, owner_url=owner_url)
    with owner_of(store).begin() as connection:
        connection.execute(sa.text(f"GRANT ALL ON events TO {APPLICATION}"))
    SqlStore.open(url, owner_url=owner_url).close()
    assert "permission denied" in refused(store._database.engine, "DELETE FROM events")
    store.close()


@pytest.mark.parametrize(
    "pretend",
    [
        lambda owner, worker: (owner, owner),
        lambda owner, worker: (owner, worker.replace(APPLICATION, "postgres")),
    ],
    ids=["the same role", "a superuser"],
)
def test_a_role_that_may_do_more_is_refused(
    urls: tuple[str, str], pretend: Callable[[str, str], tuple[str, str]]
) -> None:
    owner_url, url = pretend(*urls)
    with pytest.raises(SettingsInvalid, match="HANDSHAKER_STORE_URL"):
        SqlStore.open(url, owner_url=owner_url)
    with sa.create_engine(owner_url).connect() as connection:
        assert sa.inspect(connection).get_table_names() == [], "the migration went with it"


def test_what_everybody_was_given_is_no_way_round(urls: tuple[str, str]) -> None:
    owner_url, url = urls
    SqlStore.open(url, owner_url=owner_url).close()
    with sa.create_engine(owner_url).begin() as connection:
        connection.execute(sa.text("GRANT DELETE ON events TO PUBLIC"))
    with pytest.raises(SettingsInvalid, match="given more"):
        SqlStore.open(url, owner_url=owner_url)


def test_without_the_owner_an_empty_database_is_not_filled_and_the_setting_is_named(urls: tuple[str, str]) -> None:
    with pytest.raises(SchemaOutdated) as caught:
        SqlStore.open(urls[1])
    assert "HANDSHAKER_STORE_OWNER_URL" in str(caught.value)
    assert "handshaker init" in caught.value.mend


def test_without_the_owner_an_older_schema_stays_as_it_is(urls: tuple[str, str]) -> None:
    owner_url, url = urls
    owner = Database(owner_url, MIGRATIONS)
    config = owner._config()
    with owner.write() as connection:
        config.attributes["connection"] = connection
        command.upgrade(config, NEWEST_BUT_ONE)
        for table in ("alembic_version", *sa.inspect(connection).get_table_names()):
            connection.execute(sa.text(f"GRANT SELECT, INSERT ON {table} TO {APPLICATION}"))
    with pytest.raises(SchemaOutdated):
        SqlStore.open(url)
    with owner.read() as connection:
        assert connection.execute(sa.text("SELECT version_num FROM alembic_version")).scalars().all() == ["0002"]
    SqlStore.open(url, owner_url=owner_url).close()
    SqlStore.open(url).close()
    owner.close()


def test_where_the_schema_is_the_newest_nothing_is_written(urls: tuple[str, str]) -> None:
    owner_url, url = urls
    SqlStore.open(url, owner_url=owner_url).close()
    with sa.create_engine(owner_url).begin() as connection:
        # The lock that every migration takes: whoever only looks does not wait for it.
        connection.execute(sa.text("SELECT pg_advisory_xact_lock(7349001)"))
        SqlStore.open(url).close()


def test_an_owner_s_url_that_is_not_the_owner_s_is_refused(urls: tuple[str, str]) -> None:
    owner_url, url = urls
    with pytest.raises(SchemaOutdated):
        SqlStore.open(url, owner_url=owner_url.replace(OWNER, APPLICATION))


def test_a_server_that_is_not_there_is_unavailable_and_tells_no_password(databases: Databases, tmp_path: Path) -> None:
    url = f"postgresql://{APPLICATION}:hunter2-secret@127.0.0.1:1/nowhere"
    with pytest.raises(StoreUnavailable) as caught:
        SqlStore.open(url)
    assert "hunter2" not in str(caught.value)
    assert "\n" not in caught.value.message
