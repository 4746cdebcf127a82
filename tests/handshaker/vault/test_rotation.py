from __future__ import annotations

import sqlite3
from contextlib import closing

import pytest

from handshaker.errors import CiphertextInvalid, RootKeyUnusable
from handshaker.vault import SqlVault
from handshaker.vault.root import RootFile, RootKey
from tests.handshaker.vault.place import VaultPlace, flipped

SESSION = b"s" * 32
CONTEXT = b"ti"
WRAPPED = "SELECT wrapped_master FROM vault UNION SELECT wrapped_salt FROM owners UNION SELECT wrapped FROM relayers"


class Filled:
    """A vault with one of everything, and a check that all of it still opens."""

    def __init__(self, vault: SqlVault) -> None:
        vault.create_owner("patient")
        self.sealed = vault.seal("patient", b"reading", CONTEXT)
        vault.create_signing_key("nurse", SESSION)
        vault.add_secret("nurse", SESSION, b"t" * 32, "token")
        self.relayer = vault.create_relayer("first")
        self.signature = vault.sign("nurse", SESSION, bytes(32))

    def opens_in(self, vault: SqlVault) -> None:
        assert vault.unseal(self.sealed, CONTEXT) == b"reading"
        assert vault.sign("nurse", SESSION, bytes(32)) == vault.sign("nurse", b"t" * 32, bytes(32)) == self.signature
        assert vault.sign_as_relayer(self.relayer, bytes(32))


class PowerCut(Exception):
    """The machine stops here."""


def power_cut(*_: object) -> None:
    raise PowerCut


def test_rotation_changes_the_root_key_and_every_wrapped_row_and_nothing_that_they_hold(
    place: VaultPlace, vault: SqlVault
) -> None:
    filled = Filled(vault)
    key, rows = place.root_key.read_bytes(), {row[0] for row in place.query(WRAPPED)}

    vault.rotate_root()

    assert place.root_key.read_bytes() != key
    assert not rows & {row[0] for row in place.query(WRAPPED)}
    filled.opens_in(vault)
    vault.close()
    again = place.open()
    filled.opens_in(again)
    again.close()


@pytest.mark.sqlite
def test_the_old_root_key_and_the_old_rows_are_in_no_file_any_more(place: VaultPlace, vault: SqlVault) -> None:
    Filled(vault)
    key, rows = place.root_key.read_bytes(), [row[0] for row in place.query(WRAPPED)]
    old_file = place.root_key.open("rb")

    vault.rotate_root()

    assert old_file.read() == bytes(32), "the old file was overwritten, not only unlinked"
    old_file.close()
    files = [file for file in place.folder.rglob("*") if file.is_file()]
    assert {file.parent.name for file in files if file != place.root_key} == {"database"}
    left = b"".join(file.read_bytes() for file in files)
    assert not [value for value in (key, *rows) if value in left]


@pytest.mark.sqlite
def test_a_backup_from_before_an_erasure_does_not_open_with_the_new_root_key(
    place: VaultPlace, vault: SqlVault, tmp_path_factory: pytest.TempPathFactory
) -> None:
    Filled(vault)
    backup = VaultPlace(tmp_path_factory.mktemp("backup"))
    backup.database.parent.mkdir()
    with closing(sqlite3.connect(place.database)) as database:
        database.execute("VACUUM INTO ?", [str(backup.database)])

    vault.destroy_owner("patient")
    vault.rotate_root()

    backup.root_key.write_bytes(place.root_key.read_bytes())
    backup.root_key.chmod(0o600)
    with pytest.raises(RootKeyUnusable):
        backup.open()


def test_a_vault_that_is_open_elsewhere_follows_the_rotation_in_reading_and_writing(
    place: VaultPlace, vault: SqlVault
) -> None:
    filled = Filled(vault)
    other = place.open()
    filled.opens_in(other)

    vault.rotate_root()
    other.create_owner("second patient")
    sealed = other.seal("second patient", b"new", CONTEXT)
    filled.opens_in(other)
    other.rotate_root()
    vault.add_secret("nurse", SESSION, b"u" * 32, "third")

    filled.opens_in(vault)
    assert vault.unseal(sealed, CONTEXT) == b"new"
    assert other.sign("nurse", b"u" * 32, bytes(32)) == filled.signature
    other.close()


@pytest.mark.parametrize("step", ["stage", "promote"])
def test_a_power_cut_during_rotation_loses_nothing(
    place: VaultPlace, vault: SqlVault, monkeypatch: pytest.MonkeyPatch, step: str
) -> None:
    filled = Filled(vault)
    with monkeypatch.context() as patched:
        patched.setattr(RootFile, step, power_cut)
        with pytest.raises(PowerCut):
            vault.rotate_root()
    vault.close()

    again = place.open()

    filled.opens_in(again)
    again.rotate_root()
    filled.opens_in(again)
    again.close()


def test_a_power_cut_after_the_new_key_lies_ready_keeps_the_old_one_and_tidies_up(
    place: VaultPlace, vault: SqlVault, monkeypatch: pytest.MonkeyPatch
) -> None:
    filled = Filled(vault)
    key = place.root_key.read_bytes()
    (place.folder / ".root.key.backup").write_bytes(b"laid here by a person")
    with monkeypatch.context() as patched:
        patched.setattr("handshaker.vault.rooted._rewrap", power_cut)
        with pytest.raises(PowerCut):
            vault.rotate_root()
    vault.close()

    again = place.open()

    filled.opens_in(again)
    assert place.root_key.read_bytes() == key
    assert place.files() == [".root.key.backup", "root.key"]
    again.close()


def test_a_power_cut_after_the_commit_is_finished_by_the_next_start(
    place: VaultPlace, vault: SqlVault, monkeypatch: pytest.MonkeyPatch
) -> None:
    filled = Filled(vault)
    key = place.root_key.read_bytes()
    promote = RootFile.promote

    def cut_at_the_new_key(self: RootFile, root_id: str) -> None:
        if RootKey(key).root_id != root_id:
            raise PowerCut
        promote(self, root_id)

    with monkeypatch.context() as patched:
        patched.setattr(RootFile, "promote", cut_at_the_new_key)
        with pytest.raises(PowerCut):
            vault.rotate_root()
    filled.opens_in(vault)
    vault.close()

    again = place.open()

    filled.opens_in(again)
    assert place.root_key.read_bytes() != key
    assert place.files() == ["root.key"]
    again.close()


def test_a_rotation_that_meets_an_altered_row_changes_nothing(place: VaultPlace, vault: SqlVault) -> None:
    filled = Filled(vault)
    vault.create_owner("altered")
    [(salt,)] = place.query("SELECT wrapped_salt FROM owners WHERE owner = 'altered'")
    place.query("UPDATE owners SET wrapped_salt = :flipped WHERE owner = 'altered'", flipped=flipped(salt, 100))
    key = place.root_key.read_bytes()

    with pytest.raises(CiphertextInvalid) as raised:
        vault.rotate_root()

    assert raised.value.data == {"owner": "altered"}
    assert place.root_key.read_bytes() == key
    filled.opens_in(vault)
    vault.destroy_owner("altered")
    vault.rotate_root()
    filled.opens_in(vault)


def test_a_late_promotion_never_harms_a_newer_key(place: VaultPlace, vault: SqlVault) -> None:
    filled = Filled(vault)
    roots = RootFile(place.root_key)
    vault.rotate_root()
    earlier = RootFile(place.root_key).read().root_id
    vault.rotate_root()
    key = place.root_key.read_bytes()

    roots.promote(earlier)

    assert place.root_key.read_bytes() == key
    filled.opens_in(vault)
