from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from handshaker.errors import CiphertextInvalid, KeyUnknown
from handshaker.messages import Sealed
from handshaker.vault import SqlVault
from tests.handshaker.vault.place import VaultPlace, flipped

CONTEXT = b"ti-0001"
FIELDS = ["nonce", "ciphertext", "wrapped_key"]


def with_field(sealed: Sealed, field: str, value: bytes) -> Sealed:
    changes: dict[str, Any] = {field: value}
    return replace(sealed, **changes)


@given(plaintext=st.binary(max_size=4096), context=st.binary(max_size=64))
@settings(max_examples=50, deadline=None)
def test_what_was_sealed_unseals_to_the_same_bytes(shared_vault: SqlVault, plaintext: bytes, context: bytes) -> None:
    shared_vault.create_owner("patient")

    sealed = shared_vault.seal("patient", plaintext, context)

    assert shared_vault.unseal(sealed, context) == plaintext
    assert len(sealed.nonce) == 12
    assert len(sealed.ciphertext) == len(plaintext) + 16


@given(field=st.sampled_from(FIELDS), bit=st.integers(0, 10_000))
@settings(max_examples=200, deadline=None)
def test_any_flipped_bit_of_a_sealed_payload_is_noticed(shared_vault: SqlVault, field: str, bit: int) -> None:
    shared_vault.create_owner("patient")
    sealed = shared_vault.seal("patient", b"systolic 120", CONTEXT)

    altered = with_field(sealed, field, flipped(getattr(sealed, field), bit))

    with pytest.raises(CiphertextInvalid) as raised:
        shared_vault.unseal(altered, CONTEXT)
    assert raised.value.data == {"owner": "patient"}


@given(bit=st.integers(0, 8 * len(CONTEXT) - 1))
@settings(max_examples=56, deadline=None)
def test_any_flipped_bit_of_the_context_is_noticed(shared_vault: SqlVault, bit: int) -> None:
    shared_vault.create_owner("patient")
    sealed = shared_vault.seal("patient", b"systolic 120", CONTEXT)

    with pytest.raises(CiphertextInvalid):
        shared_vault.unseal(sealed, flipped(CONTEXT, bit))


@given(field=st.sampled_from(FIELDS), keep=st.integers(0, 60), more=st.binary(max_size=3))
@settings(max_examples=60, deadline=None)
def test_a_cut_or_lengthened_payload_is_noticed(shared_vault: SqlVault, field: str, keep: int, more: bytes) -> None:
    shared_vault.create_owner("patient")
    sealed = shared_vault.seal("patient", b"", CONTEXT)
    whole = getattr(sealed, field)
    changed = whole[:keep] + more
    if changed == whole:
        return

    with pytest.raises(CiphertextInvalid):
        shared_vault.unseal(with_field(sealed, field, changed), CONTEXT)


def test_a_payload_moved_to_another_owner_is_noticed(vault: SqlVault) -> None:
    vault.create_owner("one")
    vault.create_owner("two")
    sealed = vault.seal("one", b"reading", CONTEXT)

    with pytest.raises(CiphertextInvalid):
        vault.unseal(replace(sealed, owner="two"), CONTEXT)


def test_a_payload_moved_to_an_owner_that_is_not_there_has_no_key(vault: SqlVault) -> None:
    vault.create_owner("one")
    sealed = vault.seal("one", b"reading", CONTEXT)

    with pytest.raises(KeyUnknown):
        vault.unseal(replace(sealed, owner="nobody"), CONTEXT)


def test_parts_of_two_payloads_of_one_owner_do_not_mix(vault: SqlVault) -> None:
    vault.create_owner("one")
    first, second = (vault.seal("one", b"reading", CONTEXT) for _ in range(2))

    for field in FIELDS:
        with pytest.raises(CiphertextInvalid):
            vault.unseal(with_field(first, field, getattr(second, field)), CONTEXT)


def test_the_border_between_owner_and_context_is_part_of_the_seal(vault: SqlVault) -> None:
    vault.create_owner("ab")
    vault.create_owner("a")
    sealed = vault.seal("ab", b"reading", b"c")

    with pytest.raises(CiphertextInvalid):
        vault.unseal(replace(sealed, owner="a"), b"bc")


def test_the_same_plaintext_never_seals_to_the_same_bytes(vault: SqlVault) -> None:
    vault.create_owner("one")

    sealed = [vault.seal("one", b"reading", CONTEXT) for _ in range(20)]

    for field in FIELDS:
        assert len({getattr(each, field) for each in sealed}) == 20


def test_an_owner_without_a_key_seals_nothing(vault: SqlVault) -> None:
    with pytest.raises(KeyUnknown) as raised:
        vault.seal("nobody", b"reading", CONTEXT)
    assert raised.value.data == {"owner": "nobody"}


def test_creating_an_owner_again_keeps_the_key(vault: SqlVault) -> None:
    vault.create_owner("one")
    sealed = vault.seal("one", b"reading", CONTEXT)

    vault.create_owner("one")

    assert vault.unseal(sealed, CONTEXT) == b"reading"


def test_payloads_outlive_the_process(place: VaultPlace) -> None:
    first = place.open()
    first.create_owner("one")
    sealed = first.seal("one", b"reading", CONTEXT)
    first.close()

    second = place.open()

    assert second.unseal(sealed, CONTEXT) == b"reading"
    second.close()


def test_an_owner_row_copied_over_another_is_noticed(place: VaultPlace, vault: SqlVault) -> None:
    vault.create_owner("one")
    vault.create_owner("two")
    sealed = vault.seal("one", b"reading", CONTEXT)

    place.query("UPDATE owners SET wrapped_salt = (SELECT wrapped_salt FROM owners WHERE owner = 'one')")

    assert vault.unseal(sealed, CONTEXT) == b"reading"
    with pytest.raises(CiphertextInvalid):
        vault.seal("two", b"reading", CONTEXT)


def test_more_owners_than_the_cache_holds_all_stay_readable(vault: SqlVault, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("handshaker.vault.owners.CACHED_KEYS", 3)
    sealed: list[Sealed] = []
    for number in range(8):
        vault.create_owner(f"p{number}")
        sealed.append(vault.seal(f"p{number}", bytes([number]), CONTEXT))

    assert [vault.unseal(each, CONTEXT) for each in sealed] == [bytes([number]) for number in range(8)]
    assert len(vault._owners._keys) == 3
