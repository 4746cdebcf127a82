"""What a thief has, and what it does not open."""

from __future__ import annotations

import traceback

import pytest

from handshaker.errors import KeyLocked, RootKeyUnusable, VaultError
from handshaker.vault import SqlVault
from handshaker.vault.root import RootKey
from handshaker.vault.rooted import MASTER_BINDING, relayer_binding, salt_binding, secret_binding
from handshaker.vault.sealing import derive
from handshaker.vault.secp256k1 import address_of, is_private_key
from tests.handshaker.vault.place import VaultPlace

SESSION = b"a session's secret of many bytes"
PRIVATE_KEY = bytes(range(1, 33))
PAYLOAD = b"a payload that nobody else reads"


@pytest.fixture
def full(place: VaultPlace, vault: SqlVault) -> VaultPlace:
    vault.create_owner("patient")
    vault.seal("patient", PAYLOAD, b"ti")
    vault.create_signing_key("nurse", SESSION)
    vault.import_relayer("first", PRIVATE_KEY)
    return place


def test_a_stolen_database_holds_no_key_in_clear(full: VaultPlace, vault: SqlVault) -> None:
    stolen = full.stored()

    for known in (PRIVATE_KEY, SESSION, vault._rooted.master, full.root_key.read_bytes(), PAYLOAD):
        assert known not in stolen
        assert known.hex().encode() not in stolen.lower()


def test_a_stolen_database_without_the_root_file_opens_nothing(full: VaultPlace, vault: SqlVault) -> None:
    vault.close()
    full.root_key.unlink()
    with pytest.raises(RootKeyUnusable):
        full.open()

    thief = RootKey(b"g" * 32)
    [(master,)] = full.query("SELECT wrapped_master FROM vault")
    [(salt,)] = full.query("SELECT wrapped_salt FROM owners")
    [(name, address, relayer)] = full.query("SELECT name, address, wrapped FROM relayers")
    [(secret_id, person)] = full.query("SELECT secret_id, wrapped FROM signing_key_secrets")
    [(persons_address,)] = full.query("SELECT address FROM signing_keys")
    for wrapped, bound_to in (
        (master, MASTER_BINDING),
        (salt, salt_binding("patient")),
        (relayer, relayer_binding(name, address)),
        (person, secret_binding("nurse", persons_address, secret_id)),
    ):
        with pytest.raises(VaultError):
            thief.unwrap(wrapped, bound_to, owner="thief")


def test_a_guessed_root_id_does_not_make_a_wrong_key_fit(full: VaultPlace, vault: SqlVault) -> None:
    vault.close()
    full.root_key.write_bytes(b"g" * 32)
    full.query("UPDATE vault SET root_id = :root", root=RootKey(b"g" * 32).root_id)

    with pytest.raises(VaultError):
        full.open()


def test_database_and_root_file_together_cannot_sign_for_a_person(full: VaultPlace, vault: SqlVault) -> None:
    address = vault.signing_address("nurse")
    assert address is not None
    root = RootKey(full.root_key.read_bytes())
    [(secret_id, salt, locator, wrapped)] = full.query(
        "SELECT secret_id, salt, locator, wrapped FROM signing_key_secrets"
    )
    inner = root.unwrap(wrapped, secret_binding("nurse", address, secret_id), owner="nurse")
    master = vault._rooted.master

    seen = [inner[at : at + 32] for at in range(len(inner) - 31)]
    seen += [master, salt, locator, full.root_key.read_bytes(), derive(master, salt, "secret-key/v1")]
    assert not [key for key in seen if is_private_key(key) and address_of(key) == address]
    for guess in seen:
        with pytest.raises(KeyLocked):
            vault.sign("nurse", guess, bytes(32))


def test_an_idle_server_holds_no_persons_key_in_memory(full: VaultPlace, vault: SqlVault) -> None:
    vault.sign("nurse", SESSION, bytes(32))

    state = vars(vault._signing)

    assert set(state) == {"_rooted", "_locator_key"}, "whatever is kept here outlives the session"


def test_no_repr_shows_a_key(full: VaultPlace, vault: SqlVault) -> None:
    root = vault._rooted.roots.read()
    shown = "".join(
        repr(each)
        for each in (vault, vault._rooted, vault._rooted.roots, root, vault._owners, vault._signing, vault._relayers)
    )

    for key in (vault._rooted.master, full.root_key.read_bytes()):
        assert repr(key) not in shown
        assert key.hex() not in shown


def test_no_error_shows_a_secret_or_a_key(full: VaultPlace, vault: SqlVault) -> None:
    told = ""
    wrong = b"another secret with enough bytes"
    full.query("UPDATE relayers SET wrapped = :zeros", zeros=bytes(60))
    attempts = (
        lambda: vault.sign("nurse", wrong, bytes(32)),
        lambda: vault.create_signing_key("nurse", wrong),
        lambda: vault.add_secret("nurse", SESSION, wrong, "first"),
        lambda: vault.import_relayer("first", wrong),
        lambda: vault.sign_as_relayer(Address, bytes(32)),
    )
    for attempt in attempts:
        with pytest.raises(VaultError) as raised:
            attempt()
        # The lines of this file are quoted in a traceback: only what the vault adds is looked at.
        chain = raised.value
        told += f"{chain} {chain.to_json()} {chain.__cause__!r} {chain.__context__!r}"
        told += "".join(traceback.format_exception_only(chain))

    for secret in (wrong, SESSION):
        assert secret.decode() not in told
        assert secret.hex() not in told


Address = address_of(PRIVATE_KEY)
