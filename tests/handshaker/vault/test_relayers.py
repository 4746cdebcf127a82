from __future__ import annotations

import pytest
from eth_account import Account
from eth_keys.datatypes import Signature
from hypothesis import given, settings
from hypothesis import strategies as st

from handshaker.errors import CiphertextInvalid, KeyAlreadyExists, KeyUnknown
from handshaker.vault import SqlVault
from tests.handshaker.vault.place import VaultPlace, flipped
from tests.handshaker.vault.test_signing_keys import HALF_ORDER

PRIVATE_KEY = bytes(range(1, 33))
ORDER = 2 * HALF_ORDER + 1


@given(digest=st.binary(min_size=32, max_size=32))
@settings(max_examples=50, deadline=None)
def test_a_relayers_signature_recovers_to_its_address_with_a_recovery_id_of_0_or_1(
    shared_vault: SqlVault, digest: bytes
) -> None:
    address = shared_vault.create_relayer("first")

    signature = shared_vault.sign_as_relayer(address, digest)

    assert len(signature) == 65
    assert signature[64] in (0, 1)
    assert int.from_bytes(signature[32:64], "big") <= HALF_ORDER
    assert Signature(signature).recover_public_key_from_msg_hash(digest).to_checksum_address() == address


def test_a_relayer_is_made_once_for_a_name(vault: SqlVault) -> None:
    assert vault.relayer_address("first") is None

    address = vault.create_relayer("first")

    assert vault.create_relayer("first") == address
    assert vault.relayer_address("first") == address
    assert vault.create_relayer("second") != address


def test_a_restarted_worker_signs_without_a_person(place: VaultPlace) -> None:
    first = place.open()
    address = first.create_relayer("first")
    signature = first.sign_as_relayer(address, bytes(32))
    first.close()

    second = place.open()

    assert second.sign_as_relayer(address, bytes(32)) == signature
    second.close()


def test_an_imported_key_signs_as_its_own_address(vault: SqlVault) -> None:
    expected = Account.from_key(PRIVATE_KEY)

    address = vault.import_relayer("funded", PRIVATE_KEY)

    assert address == expected.address == vault.relayer_address("funded") == vault.create_relayer("funded")
    theirs = expected.unsafe_sign_hash(bytes(32)).signature
    assert vault.sign_as_relayer(address.lower(), bytes(32)) == theirs[:64] + bytes([theirs[64] - 27])


def test_importing_the_same_key_again_changes_nothing_and_another_key_is_refused(vault: SqlVault) -> None:
    address = vault.import_relayer("funded", PRIVATE_KEY)

    assert vault.import_relayer("funded", PRIVATE_KEY) == address
    with pytest.raises(KeyAlreadyExists):
        vault.import_relayer("funded", PRIVATE_KEY[::-1])
    with pytest.raises(KeyAlreadyExists):
        vault.import_relayer("other name", PRIVATE_KEY)
    assert vault.relayer_address("funded") == address


@pytest.mark.parametrize("key", [b"", bytes(32), bytes(31), PRIVATE_KEY + b"\0", ORDER.to_bytes(32, "big")])
def test_what_is_no_private_key_is_refused_without_being_repeated(vault: SqlVault, key: bytes) -> None:
    with pytest.raises(ValueError, match="A private key has 32 bytes") as raised:
        vault.import_relayer("funded", key)
    assert raised.value.__context__ is None
    assert vault.relayer_address("funded") is None


def test_an_address_that_is_no_relayer_signs_nothing(vault: SqlVault) -> None:
    with pytest.raises(KeyUnknown):
        vault.sign_as_relayer("0x" + "11" * 20, bytes(32))


def test_a_persons_key_is_no_relayer(vault: SqlVault) -> None:
    address = vault.create_signing_key("nurse", b"s" * 32)

    with pytest.raises(KeyUnknown):
        vault.sign_as_relayer(address, bytes(32))


@pytest.mark.parametrize("bit", range(0, 480, 37))
def test_a_flipped_bit_of_a_relayers_row_is_noticed(place: VaultPlace, vault: SqlVault, bit: int) -> None:
    address = vault.create_relayer("first")
    [(wrapped,)] = place.query("SELECT wrapped FROM relayers")
    place.query("UPDATE relayers SET wrapped = :flipped", flipped=flipped(wrapped, bit))

    with pytest.raises(CiphertextInvalid):
        vault.sign_as_relayer(address, bytes(32))
