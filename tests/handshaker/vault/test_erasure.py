from __future__ import annotations

import sqlite3
from contextlib import closing
from datetime import datetime, timedelta

import pytest

from handshaker.errors import CiphertextInvalid, KeyUnknown, StoreUnavailable
from handshaker.vault import SqlVault
from tests.handshaker.vault.place import VaultPlace

CONTEXT = b"ti-0001"


def salt_stored(place: VaultPlace, owner: str) -> bytes:
    [(wrapped,)] = place.query("SELECT wrapped_salt FROM owners WHERE owner = :owner", owner=owner)
    assert wrapped in place.stored(), "the scan would prove nothing"
    return bytes(wrapped)


def test_a_destroyed_owner_is_unreadable(vault: SqlVault) -> None:
    vault.create_owner("gone")
    vault.create_owner("stays")
    erased, kept = (vault.seal(owner, b"reading", CONTEXT) for owner in ("gone", "stays"))

    vault.destroy_owner("gone")

    with pytest.raises(KeyUnknown):
        vault.unseal(erased, CONTEXT)
    with pytest.raises(KeyUnknown):
        vault.seal("gone", b"reading", CONTEXT)
    assert vault.unseal(kept, CONTEXT) == b"reading"


@pytest.mark.sqlite
def test_the_salt_of_a_destroyed_owner_is_in_no_file_any_more(place: VaultPlace, vault: SqlVault) -> None:
    for number in range(200):
        vault.create_owner(f"p{number}")
    salts = {number: salt_stored(place, f"p{number}") for number in (0, 77, 199)}

    for number in salts:
        vault.destroy_owner(f"p{number}")

    left = place.stored()
    assert not [number for number, salt in salts.items() if salt in left]


@pytest.mark.sqlite
def test_the_salt_is_gone_while_another_vault_holds_the_same_files_open(place: VaultPlace, vault: SqlVault) -> None:
    other = place.open()
    other.create_owner("gone")
    vault.seal("gone", b"reading", CONTEXT)
    salt = salt_stored(place, "gone")

    vault.destroy_owner("gone")

    assert salt not in place.stored()
    other.close()


@pytest.mark.sqlite
def test_an_erasure_that_a_long_reader_holds_up_says_so_and_is_safe_to_repeat(
    place: VaultPlace, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("handshaker.vault.database.BUSY_SECONDS", 0.05)
    vault = place.open()
    vault.create_owner("gone")
    sealed = vault.seal("gone", b"reading", CONTEXT)
    salt = salt_stored(place, "gone")
    with closing(sqlite3.connect(place.database, isolation_level=None)) as reader:
        reader.execute("BEGIN")
        reader.execute("SELECT * FROM owners").fetchall()
        with pytest.raises(StoreUnavailable):
            vault.destroy_owner("gone")
        with pytest.raises(KeyUnknown):
            vault.unseal(sealed, CONTEXT)

    vault.destroy_owner("gone")

    assert salt not in place.stored()
    vault.close()


def test_destroying_twice_or_what_was_never_there_is_no_error(vault: SqlVault) -> None:
    vault.create_owner("gone")
    vault.destroy_owner("gone")
    vault.destroy_owner("gone")
    vault.destroy_owner("never")


def test_an_owner_made_anew_after_erasure_does_not_open_the_old_payloads(vault: SqlVault) -> None:
    vault.create_owner("gone")
    erased = vault.seal("gone", b"reading", CONTEXT)
    vault.destroy_owner("gone")

    vault.create_owner("gone")

    with pytest.raises(CiphertextInvalid):
        vault.unseal(erased, CONTEXT)
    assert vault.unseal(vault.seal("gone", b"new", CONTEXT), CONTEXT) == b"new"


def test_an_erasure_elsewhere_is_obeyed_although_the_key_is_cached_here(place: VaultPlace, vault: SqlVault) -> None:
    vault.create_owner("gone")
    sealed = vault.seal("gone", b"reading", CONTEXT)
    other = place.open()

    other.destroy_owner("gone")
    with pytest.raises(KeyUnknown):
        vault.unseal(sealed, CONTEXT)

    other.create_owner("gone")
    assert other.unseal(vault.seal("gone", b"new", CONTEXT), CONTEXT) == b"new"
    other.close()


def test_a_key_that_was_replaced_elsewhere_is_not_taken_from_the_cache(place: VaultPlace, vault: SqlVault) -> None:
    vault.create_owner("gone")
    vault.seal("gone", b"reading", CONTEXT)
    other = place.open()

    other.destroy_owner("gone")
    other.create_owner("gone")

    assert other.unseal(vault.seal("gone", b"new", CONTEXT), CONTEXT) == b"new"
    other.close()


def test_a_quarantine_key_opens_nothing_from_the_moment_it_expires(place: VaultPlace, vault: SqlVault) -> None:
    vault.create_owner("quarantine/2026-W47", expires_at=place.clock.now() + timedelta(days=30))
    sealed = vault.seal("quarantine/2026-W47", b"refused", CONTEXT)

    place.clock.advance(days=29, hours=23)
    assert vault.unseal(sealed, CONTEXT) == b"refused"

    place.clock.advance(hours=1)
    with pytest.raises(KeyUnknown):
        vault.unseal(sealed, CONTEXT)


def test_the_sweep_destroys_what_expired_and_nothing_else(place: VaultPlace, vault: SqlVault) -> None:
    now = place.clock.now()
    vault.create_owner("quarantine/2026-W48", expires_at=now + timedelta(days=7))
    vault.create_owner("quarantine/2026-W46", expires_at=now + timedelta(days=1))
    vault.create_owner("quarantine/2026-W45", expires_at=now)
    vault.create_owner("patient")
    salt = salt_stored(place, "quarantine/2026-W46")
    place.clock.advance(days=1)

    assert vault.destroy_expired_owners() == ["quarantine/2026-W45", "quarantine/2026-W46"]

    assert salt not in place.stored()
    assert place.query("SELECT owner FROM owners ORDER BY owner") == [("patient",), ("quarantine/2026-W48",)]
    assert vault.destroy_expired_owners() == []


def test_an_expired_bucket_that_is_wanted_again_gets_a_new_key(place: VaultPlace, vault: SqlVault) -> None:
    vault.create_owner("quarantine/2026-W45", expires_at=place.clock.now())

    vault.create_owner("quarantine/2026-W45", expires_at=place.clock.now() + timedelta(days=1))

    assert vault.seal("quarantine/2026-W45", b"refused", CONTEXT).owner == "quarantine/2026-W45"


def test_an_expiry_without_a_time_zone_is_refused(vault: SqlVault) -> None:
    with pytest.raises(ValueError, match="time zone"):
        vault.create_owner("quarantine/2026-W45", expires_at=datetime(2026, 12, 1))  # noqa: DTZ001
