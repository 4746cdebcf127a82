from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import Engine, create_engine, event

from handshaker.errors import StoreUnavailable, VaultError
from handshaker.ports import Vault
from handshaker.vault import SqlVault
from handshaker.vault.schema import metadata
from tests.handshaker.vault.place import StillClock, VaultPlace


def test_the_migrations_make_exactly_the_tables_of_the_schema(place: VaultPlace, vault: SqlVault) -> None:
    engine = create_engine(place.url)
    with engine.connect() as connection:
        context = MigrationContext.configure(connection, opts={"version_table": "vault_version"})

        assert compare_metadata(context, metadata) == []
    engine.dispose()


def test_opening_again_changes_nothing(place: VaultPlace) -> None:
    place.open().close()
    before = place.query("SELECT * FROM vault"), place.tables()

    place.open().close()

    assert (place.query("SELECT * FROM vault"), place.tables()) == before


def test_tables_of_a_later_version_are_left_alone(place: VaultPlace) -> None:
    place.open().close()
    place.query("UPDATE vault_version SET version_num = '9999'")

    with pytest.raises(VaultError, match="newer"):
        place.open()


def test_a_first_start_that_fails_leaves_nothing_half_made(place: VaultPlace) -> None:
    place.root_key.write_bytes(b"too short")
    place.root_key.chmod(0o600)
    with pytest.raises(VaultError):
        place.open()
    assert place.tables() == []

    place.root_key.unlink()
    place.open().close()


@pytest.mark.sqlite
def test_the_write_ahead_log_is_durable_and_deleted_rows_are_overwritten(vault: SqlVault) -> None:
    with vault._rooted.database.reading() as connection:
        found = {
            name: connection.exec_driver_sql(f"PRAGMA {name}").scalar_one()
            for name in ("journal_mode", "synchronous", "secure_delete", "foreign_keys")
        }

    assert found == {"journal_mode": "wal", "synchronous": 2, "secure_delete": 1, "foreign_keys": 1}


@pytest.mark.sqlite
def test_a_database_that_cannot_be_opened_is_unavailable(place: VaultPlace) -> None:
    place.database.mkdir(parents=True)

    with pytest.raises(StoreUnavailable):
        place.open()


@pytest.mark.sqlite
def test_a_folder_that_is_a_file_is_unavailable(place: VaultPlace) -> None:
    place.database.parent.write_bytes(b"")

    with pytest.raises(StoreUnavailable):
        place.open()


@pytest.mark.sqlite
def test_a_file_that_is_no_database_is_unavailable_and_untouched(place: VaultPlace) -> None:
    place.database.parent.mkdir()
    place.database.write_bytes(b"not a database" * 100)

    with pytest.raises(StoreUnavailable):
        place.open()

    assert place.database.read_bytes() == b"not a database" * 100


@pytest.mark.sqlite
def test_a_locked_database_is_unavailable_for_writing_and_readable(
    place: VaultPlace, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("handshaker.vault.database.BUSY_SECONDS", 0.05)
    vault = place.open()
    vault.create_owner("one")
    with closing(sqlite3.connect(place.database, isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        with pytest.raises(StoreUnavailable):
            vault.create_owner("two")
        sealed = vault.seal("one", b"reading", b"ti")

    vault.create_owner("two")
    assert vault.unseal(sealed, b"ti") == b"reading"
    vault.close()


@contextmanager
def small_disk() -> Iterator[None]:
    """Let SQLite databases that are opened meanwhile grow to 40 pages and no further."""

    def limit(connection: Any, _record: object) -> None:
        connection.execute("PRAGMA max_page_count = 40")

    event.listen(Engine, "connect", limit)
    try:
        yield
    finally:
        event.remove(Engine, "connect", limit)


@pytest.mark.sqlite
def test_a_full_disk_is_said_plainly_and_what_was_written_stays_readable(place: VaultPlace) -> None:
    with small_disk():
        vault = place.open()
        vault.create_owner("one")
        sealed = vault.seal("one", b"reading", b"ti")

        def fill() -> None:
            for number in range(2_000):
                vault.create_owner(f"filler {number}")

        with pytest.raises(StoreUnavailable, match="cannot write"):
            fill()
        assert vault.unseal(sealed, b"ti") == b"reading"
        vault.destroy_owner("one")
    vault.close()


@pytest.mark.parametrize("url", ["sqlite://", "sqlite:///:memory:"])
def test_a_vault_that_would_not_last_is_refused(url: str, tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="lasts"):
        SqlVault.open(url, tmp_path / "root.key", clock=StillClock())


def test_it_is_the_vault_that_the_ports_ask_for(vault: SqlVault) -> None:
    port: Vault = vault  # the type checker compares the signatures

    assert not [name for name in vars(Vault) if not name.startswith("_") and not callable(getattr(port, name))]
