from __future__ import annotations

import secrets
import sqlite3
from contextlib import closing

import pytest
from eth_keys.datatypes import Signature
from eth_utils.address import is_checksum_address
from hypothesis import given, settings
from hypothesis import strategies as st

from handshaker.errors import CiphertextInvalid, KeyAlreadyExists, KeyLocked, KeyUnknown
from handshaker.vault import SqlVault
from tests.databases import Databases
from tests.handshaker.vault.place import VaultPlace, flipped

HALF_ORDER = 0xFFFFFFFF_FFFFFFFF_FFFFFFFF_FFFFFFFE_BAAEDCE6_AF48A03B_BFD25E8C_D0364141 // 2
DIGEST = bytes(range(32))
SESSION = b"s" * 32
TOKEN = b"t" * 32


@given(digest=st.binary(min_size=32, max_size=32))
@settings(max_examples=50, deadline=None)
def test_a_signature_recovers_to_the_address_with_v_of_27_or_28_and_a_low_s(
    shared_vault: SqlVault, digest: bytes
) -> None:
    address = shared_vault.signing_address("nurse") or shared_vault.create_signing_key("nurse", SESSION)

    signature = shared_vault.sign("nurse", SESSION, digest)

    assert len(signature) == 65
    assert signature[64] in (27, 28)
    assert int.from_bytes(signature[32:64], "big") <= HALF_ORDER
    recovered = Signature(signature[:64] + bytes([signature[64] - 27])).recover_public_key_from_msg_hash(digest)
    assert recovered.to_checksum_address() == address


def test_a_key_is_known_by_its_checksummed_address(vault: SqlVault) -> None:
    assert vault.signing_address("nurse") is None

    address = vault.create_signing_key("nurse", SESSION)

    assert is_checksum_address(address)
    assert vault.signing_address("nurse") == address


def test_every_owner_gets_another_key(vault: SqlVault) -> None:
    assert len({vault.create_signing_key(f"nurse {n}", SESSION) for n in range(10)}) == 10


def test_a_second_key_for_an_owner_is_refused_and_the_first_stays(vault: SqlVault) -> None:
    address = vault.create_signing_key("nurse", SESSION)

    with pytest.raises(KeyAlreadyExists):
        vault.create_signing_key("nurse", TOKEN)

    assert vault.signing_address("nurse") == address
    assert vault.sign("nurse", SESSION, DIGEST)
    with pytest.raises(KeyLocked):
        vault.sign("nurse", TOKEN, DIGEST)


@given(secret=st.binary(max_size=64).filter(lambda secret: secret != SESSION))
@settings(max_examples=50, deadline=None)
def test_no_other_secret_opens_the_key(shared_vault: SqlVault, secret: bytes) -> None:
    if shared_vault.signing_address("nurse") is None:
        shared_vault.create_signing_key("nurse", SESSION)

    with pytest.raises(KeyLocked) as raised:
        shared_vault.sign("nurse", secret, DIGEST)

    assert raised.value.data == {"owner": "nurse"}


def test_the_secret_of_one_owner_does_not_open_the_key_of_another(vault: SqlVault) -> None:
    vault.create_signing_key("nurse", SESSION)
    vault.create_signing_key("doctor", TOKEN)

    with pytest.raises(KeyLocked):
        vault.sign("doctor", SESSION, DIGEST)


def test_an_owner_without_a_key_signs_nothing(vault: SqlVault) -> None:
    with pytest.raises(KeyUnknown):
        vault.sign("nobody", SESSION, DIGEST)
    with pytest.raises(KeyUnknown):
        vault.add_secret("nobody", SESSION, TOKEN, "token")


def test_a_holder_of_one_secret_can_add_another_and_both_open_the_key(vault: SqlVault) -> None:
    vault.create_signing_key("nurse", SESSION)

    vault.add_secret("nurse", SESSION, TOKEN, "token 1")

    assert vault.sign("nurse", SESSION, DIGEST) == vault.sign("nurse", TOKEN, DIGEST)


def test_adding_a_secret_needs_one_that_opens(vault: SqlVault) -> None:
    vault.create_signing_key("nurse", SESSION)

    with pytest.raises(KeyLocked):
        vault.add_secret("nurse", b"x" * 32, TOKEN, "token 1")
    with pytest.raises(KeyLocked):
        vault.sign("nurse", TOKEN, DIGEST)


def test_adding_the_same_secret_under_the_same_name_again_changes_nothing(vault: SqlVault) -> None:
    vault.create_signing_key("nurse", SESSION, secret_id="session")
    vault.add_secret("nurse", SESSION, TOKEN, "token")

    vault.add_secret("nurse", SESSION, TOKEN, "token")

    assert vault.sign("nurse", TOKEN, DIGEST)


def test_a_name_or_a_secret_in_use_is_not_taken_over(vault: SqlVault) -> None:
    vault.create_signing_key("nurse", SESSION, secret_id="session")

    with pytest.raises(KeyAlreadyExists):
        vault.add_secret("nurse", SESSION, TOKEN, "session")
    with pytest.raises(KeyAlreadyExists):
        vault.add_secret("nurse", SESSION, SESSION, "other")

    with pytest.raises(KeyLocked):
        vault.sign("nurse", TOKEN, DIGEST)
    assert vault.sign("nurse", SESSION, DIGEST)


def test_a_removed_secret_opens_nothing_and_the_others_still_do(place: VaultPlace, vault: SqlVault) -> None:
    vault.create_signing_key("nurse", SESSION, secret_id="session")
    vault.add_secret("nurse", SESSION, TOKEN, "token")
    [(wrapped,)] = place.query("SELECT wrapped FROM signing_key_secrets WHERE secret_id = 'session'")
    assert wrapped in place.stored()

    vault.remove_secret("nurse", "session")
    vault.remove_secret("nurse", "session")

    with pytest.raises(KeyLocked):
        vault.sign("nurse", SESSION, DIGEST)
    assert vault.sign("nurse", TOKEN, DIGEST)
    assert wrapped not in place.stored()


@pytest.mark.sqlite
def test_a_logout_does_not_wait_for_a_long_reader(place: VaultPlace, vault: SqlVault) -> None:
    vault.create_signing_key("nurse", SESSION, secret_id="session")
    with closing(sqlite3.connect(place.database, isolation_level=None)) as reader:
        reader.execute("BEGIN")
        reader.execute("SELECT * FROM owners").fetchall()

        vault.remove_secret("nurse", "session")

        with pytest.raises(KeyLocked):
            vault.sign("nurse", SESSION, DIGEST)


def test_without_its_last_secret_a_key_signs_never_again_but_its_address_is_known(vault: SqlVault) -> None:
    address = vault.create_signing_key("nurse", SESSION, secret_id="session")

    vault.remove_secret("nurse", "session")

    with pytest.raises(KeyLocked):
        vault.sign("nurse", SESSION, DIGEST)
    assert vault.signing_address("nurse") == address


def test_offboarding_destroys_the_key_with_all_its_secrets(place: VaultPlace, vault: SqlVault) -> None:
    vault.create_signing_key("nurse", SESSION)
    vault.add_secret("nurse", SESSION, TOKEN, "token")
    wrapped = [row[0] for row in place.query("SELECT wrapped FROM signing_key_secrets")]

    vault.destroy_signing_key("nurse")
    vault.destroy_signing_key("nurse")

    assert vault.signing_address("nurse") is None
    for secret in (SESSION, TOKEN):
        with pytest.raises(KeyUnknown):
            vault.sign("nurse", secret, DIGEST)
    left = place.stored()
    assert len(wrapped) == 2
    assert not [value for value in wrapped if value in left]


def test_a_key_made_after_offboarding_is_another_one(vault: SqlVault) -> None:
    first = vault.create_signing_key("nurse", SESSION)
    vault.destroy_signing_key("nurse")

    assert vault.create_signing_key("nurse", SESSION) != first


@given(column=st.sampled_from(["wrapped", "salt"]), bit=st.integers(0, 2_000))
@settings(max_examples=60, deadline=None)
def test_any_flipped_bit_of_a_stored_key_is_noticed(
    databases: Databases, tmp_path_factory: pytest.TempPathFactory, column: str, bit: int
) -> None:
    place = VaultPlace(tmp_path_factory.getbasetemp() / "flipped-key")
    vault = place.open()
    if vault.signing_address("nurse") is None:
        vault.create_signing_key("nurse", SESSION)
    [(whole,)] = place.query(f"SELECT {column} FROM signing_key_secrets")
    place.query(f"UPDATE signing_key_secrets SET {column} = :value", value=flipped(whole, bit))

    with pytest.raises(CiphertextInvalid):
        vault.sign("nurse", SESSION, DIGEST)

    place.query(f"UPDATE signing_key_secrets SET {column} = :value", value=whole)
    assert vault.sign("nurse", SESSION, DIGEST)
    vault.close()


def test_a_key_row_does_not_open_under_another_owner_address_or_name(place: VaultPlace, vault: SqlVault) -> None:
    vault.create_signing_key("nurse", SESSION)
    vault.create_signing_key("doctor", TOKEN)
    honest = place.query("SELECT owner, secret_id, locator, salt, wrapped FROM signing_key_secrets ORDER BY owner")
    doctor, nurse = honest

    def sign_nurse_after(sql: str, **values: object) -> None:
        place.query(sql, **values)
        with pytest.raises(CiphertextInvalid):
            vault.sign("nurse", SESSION, DIGEST)

    take_key = "UPDATE signing_key_secrets SET salt = :salt, wrapped = :wrapped WHERE owner = 'nurse'"
    sign_nurse_after(take_key, salt=doctor[3], wrapped=doctor[4])
    place.query(take_key, salt=nurse[3], wrapped=nurse[4])
    sign_nurse_after("UPDATE signing_key_secrets SET secret_id = 'renamed' WHERE owner = 'nurse'")
    place.query("UPDATE signing_key_secrets SET secret_id = 'first' WHERE owner = 'nurse'")
    sign_nurse_after("UPDATE signing_keys SET address = :other WHERE owner = 'nurse'", other="0x" + "11" * 20)


def test_a_digest_of_another_size_is_refused(vault: SqlVault) -> None:
    vault.create_signing_key("nurse", SESSION)
    for size in (0, 31, 33, 64):
        with pytest.raises(ValueError, match="32 bytes"):
            vault.sign("nurse", SESSION, bytes(size))


def test_a_secret_too_short_to_be_random_is_refused(vault: SqlVault) -> None:
    with pytest.raises(ValueError, match="16 random bytes"):
        vault.create_signing_key("nurse", secrets.token_bytes(15))
    vault.create_signing_key("nurse", SESSION)
    with pytest.raises(ValueError, match="16 random bytes"):
        vault.add_secret("nurse", SESSION, b"password", "token")
