from __future__ import annotations

import os
import stat

import pytest

from handshaker.errors import RootKeyUnusable
from handshaker.vault import SqlVault
from tests.handshaker.vault.place import VaultPlace


def refused(place: VaultPlace) -> RootKeyUnusable:
    with pytest.raises(RootKeyUnusable) as raised:
        place.open()
    assert raised.value.data == {"path": str(place.root_key)}
    assert "0600" in raised.value.mend
    return raised.value


def open_without_a_mask(place: VaultPlace) -> None:
    before = os.umask(0)
    try:
        place.open().close()
    finally:
        os.umask(before)


def test_the_first_start_makes_a_key_of_32_bytes_that_only_its_owner_reads(place: VaultPlace) -> None:
    open_without_a_mask(place)

    assert stat.S_IMODE(place.root_key.stat().st_mode) == 0o600
    assert len(place.root_key.read_bytes()) == 32
    assert place.files() == ["root.key"], "nothing else is left"


@pytest.mark.sqlite
def test_the_first_start_makes_a_database_that_only_its_owner_reads(place: VaultPlace) -> None:
    open_without_a_mask(place)

    assert stat.S_IMODE(place.database.stat().st_mode) == 0o600


def test_the_next_start_keeps_the_key(place: VaultPlace) -> None:
    place.open().close()
    key = place.root_key.read_bytes()

    place.open().close()

    assert place.root_key.read_bytes() == key


def test_a_key_that_was_laid_there_before_the_first_start_is_used(place: VaultPlace) -> None:
    place.root_key.write_bytes(b"k" * 32)
    place.root_key.chmod(0o600)

    place.open().close()

    assert place.root_key.read_bytes() == b"k" * 32


def test_a_link_to_the_key_is_followed(place: VaultPlace) -> None:
    target = place.folder / "mounted.key"
    target.write_bytes(b"k" * 32)
    target.chmod(0o600)
    place.root_key.symlink_to(target)

    vault = place.open()
    vault.rotate_root()
    vault.close()

    assert place.root_key.is_symlink()
    assert target.read_bytes() != b"k" * 32
    place.open().close()


@pytest.mark.parametrize("mode", [0o640, 0o604, 0o620, 0o602, 0o644, 0o660, 0o666, 0o610, 0o601])
def test_a_key_that_others_may_open_is_refused(place: VaultPlace, mode: int) -> None:
    place.open().close()
    place.root_key.chmod(mode)

    assert "chmod 600" in refused(place).message

    place.root_key.chmod(0o600)
    place.open().close()


@pytest.mark.parametrize("size", [0, 1, 31, 33, 64])
def test_a_key_of_a_wrong_size_is_refused(place: VaultPlace, size: int) -> None:
    place.open().close()
    place.root_key.write_bytes(bytes(size))

    assert "32 bytes" in refused(place).message


def test_a_key_of_a_wrong_size_is_refused_on_the_first_start_too(place: VaultPlace) -> None:
    place.root_key.write_bytes(b"")
    place.root_key.chmod(0o600)

    refused(place)

    assert place.root_key.read_bytes() == b"", "and not replaced"


def test_another_vaults_key_is_refused(place: VaultPlace) -> None:
    place.open().close()
    place.root_key.write_bytes(b"k" * 32)

    assert "not the one of this vault" in refused(place).message


def test_a_lost_key_is_reported_and_never_silently_replaced(place: VaultPlace) -> None:
    place.open().close()
    place.root_key.unlink()

    assert "missing" in refused(place).message

    assert not place.root_key.exists()


def test_a_folder_in_the_keys_place_is_refused(place: VaultPlace) -> None:
    place.root_key.mkdir()

    refused(place)


def test_the_key_is_in_no_database_file(place: VaultPlace, vault: SqlVault) -> None:
    vault.create_owner("one")
    vault.create_relayer("first")

    assert place.root_key.read_bytes() not in place.stored()
