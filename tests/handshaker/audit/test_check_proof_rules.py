"""The rules in the verifier are those of the standards, and of the libraries that are known to follow them."""

from __future__ import annotations

import contextlib
from typing import Any

import pytest
from eth_account import Account
from eth_account.messages import encode_typed_data
from eth_keys.datatypes import PrivateKey
from eth_utils.crypto import keccak
from hypothesis import given
from hypothesis import strategies as st

from handshaker.audit.check_proof import (
    check_consistency,
    head_digest,
    keccak256,
    leaf_hash,
    root_from_inclusion,
    signer_of,
)
from handshaker.ethereum.signatures import recover
from tests.handshaker.audit import rfc9162
from tests.handshaker.audit.anchored import address_of, signature
from tests.handshaker.audit.kept import leaves

LEAVES = leaves(600)
ORDER = 0xFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFEBAAEDCE6AF48A03BBFD25E8CD0364141
keys = st.integers(1, ORDER - 1).map(lambda number: PrivateKey(number.to_bytes(32, "big")))
digests = st.binary(min_size=32, max_size=32)
sizes = st.one_of(st.integers(1, 70), st.integers(1, 600))


def leads_to(root: bytes, position: int, size: int, leaf: bytes, path: list[bytes]) -> bool:
    try:
        return root_from_inclusion(position, size, leaf_hash(leaf), path) == root
    except ValueError:
        return False


def is_consistent(first: int, old: bytes, second: int, new: bytes, path: list[bytes]) -> bool:
    try:
        check_consistency(first, old, second, new, path)
    except ValueError:
        return False
    return True


def spoilt(path: list[bytes]) -> list[list[bytes]]:
    """Every path with one node left out, one put in, or one bit of each node flipped; and the path upside down."""
    fewer = [path[:i] + path[i + 1 :] for i in range(len(path))]
    more = [[*path[:i], bytes(32), *path[i:]] for i in range(len(path) + 1)]
    flipped = [[*path[:i], bytes([*node[:-1], node[-1] ^ 1 << i % 8]), *path[i + 1 :]] for i, node in enumerate(path)]
    turned = [path[::-1]] if path[::-1] != path else []
    return fewer + more + flipped + turned


@given(sizes, st.data())
def test_an_entry_is_under_the_root_by_its_path_alone(size: int, data: st.DataObject) -> None:
    position = data.draw(st.integers(0, size - 1))
    root, path = rfc9162.mth(LEAVES[:size]), rfc9162.path(position, LEAVES[:size])
    leaf = LEAVES[position]
    assert leads_to(root, position, size, leaf, path)
    assert not leads_to(root, position, size, leaf + b" ", path)
    assert not any(leads_to(root, position, size, leaf, other) for other in spoilt(path))


@given(sizes, st.data())
def test_a_path_belongs_to_one_position(size: int, data: st.DataObject) -> None:
    position = data.draw(st.integers(0, size - 1))
    root, path = rfc9162.mth(LEAVES[:size]), rfc9162.path(position, LEAVES[:size])
    for other in range(-1, size + 2):
        assert leads_to(root, other, size, LEAVES[position], path) == (other == position)


@given(sizes, st.data())
def test_a_path_of_another_length_than_the_size_asks_for_is_refused(size: int, data: st.DataObject) -> None:
    position = data.draw(st.integers(0, size - 1))
    path, leaf = rfc9162.path(position, LEAVES[:size]), leaf_hash(LEAVES[position])
    with pytest.raises(ValueError, match="too long"):
        root_from_inclusion(position, size, leaf, [*path, bytes(32)])
    if path:
        with pytest.raises(ValueError, match="too short"):
            root_from_inclusion(position, size, leaf, path[:-1])


@given(sizes, sizes)
def test_a_log_grew_by_its_path_alone(one: int, other: int) -> None:
    first, second = sorted((one, other))
    old, new = rfc9162.mth(LEAVES[:first]), rfc9162.mth(LEAVES[:second])
    path = rfc9162.proof(first, LEAVES[:second])
    assert is_consistent(first, old, second, new, path)
    assert not is_consistent(first, bytes(32), second, new, path)
    assert not is_consistent(first, old, second, bytes(32), path)
    assert not is_consistent(second, new, first, old, path) or first == second
    assert not any(is_consistent(first, old, second, new, each) for each in spoilt(path))


@given(sizes, st.data())
def test_a_log_that_was_rewritten_has_not_grown(second: int, data: st.DataObject) -> None:
    first = data.draw(st.integers(1, second))
    changed = data.draw(st.integers(0, first - 1))
    rewritten = [*LEAVES[:changed], b"rewritten", *LEAVES[changed + 1 : second]]
    old, new = rfc9162.mth(LEAVES[:first]), rfc9162.mth(rewritten)
    for path in (rfc9162.proof(first, rewritten), rfc9162.proof(first, LEAVES[:second])):
        assert not is_consistent(first, old, second, new, path)


def test_the_empty_log_has_one_root() -> None:
    empty, other = rfc9162.mth([]), rfc9162.mth(LEAVES[:5])
    assert is_consistent(0, empty, 0, empty, [])
    assert is_consistent(0, empty, 5, other, [])
    assert not is_consistent(0, other, 5, other, [])
    assert not is_consistent(0, empty, 0, other, [])
    assert not is_consistent(0, empty, 5, other, [other])
    assert not is_consistent(-1, empty, 5, other, [])


@given(st.binary(max_size=600))
def test_keccak_is_that_of_ethereum(data: bytes) -> None:
    assert keccak256(data) == keccak(data)


@given(st.integers(134, 138), st.integers(0, 255))
def test_keccak_is_that_of_ethereum_where_a_block_is_just_full(length: int, byte: int) -> None:
    assert keccak256(bytes([byte]) * length) == keccak(bytes([byte]) * length)


@given(keys, digests)
def test_the_signer_is_found(key: PrivateKey, digest: bytes) -> None:
    found = signer_of(digest, signature(key, digest))
    assert found == address_of(key) == Account.from_key(key.to_bytes()).address


@given(digests, st.binary(min_size=64, max_size=64), st.integers(0, 255))
def test_any_signature_has_the_signer_that_the_library_finds_or_none(digest: bytes, body: bytes, v: int) -> None:
    for each in (v, 27, 28):
        try:
            found: str | None = signer_of(digest, body + bytes([each]))
        except ValueError:
            found = None
        assert found == recover(digest, body + bytes([each]))


@given(keys, digests, st.integers(0, 519))
def test_a_flipped_bit_makes_it_somebody_elses_signature_or_none(key: PrivateKey, digest: bytes, bit: int) -> None:
    spoilt = bytearray(signature(key, digest))
    spoilt[bit // 8] ^= 1 << bit % 8
    with contextlib.suppress(ValueError):
        assert signer_of(digest, bytes(spoilt)) != address_of(key)


@given(keys, digests)
def test_the_other_half_of_a_signature_is_refused(key: PrivateKey, digest: bytes) -> None:
    found = signature(key, digest)
    high = (ORDER - int.from_bytes(found[32:64], "big")).to_bytes(32, "big")
    with pytest.raises(ValueError, match="out of range"):
        signer_of(digest, found[:32] + high + bytes([55 - found[64]]))


@pytest.mark.parametrize("number", [0, ORDER, ORDER + 1, 2**256 - 1])
@pytest.mark.parametrize("place", [0, 32])
def test_numbers_out_of_range_are_refused(number: int, place: int) -> None:
    spoilt = bytearray(signature(PrivateKey(b"\x01" * 32), b"\x02" * 32))
    spoilt[place : place + 32] = number.to_bytes(32, "big")
    with pytest.raises(ValueError, match="out of range"):
        signer_of(b"\x02" * 32, bytes(spoilt))


def test_a_signature_that_leads_to_no_key_has_no_signer() -> None:
    # r = 5 is the x of no point: 5³ + 7 is no square.
    with pytest.raises(ValueError, match="no key"):
        signer_of(b"\x02" * 32, (5).to_bytes(32, "big") + (1).to_bytes(32, "big") + b"\x1b")
    # s·R = digest·G: the key would be the point at infinity. With R = G and s = digest that is so.
    generator = 0x79BE667EF9DCBBAC55A06295CE870B07029BFCDB2DCE28D959F2815B16F81798
    with pytest.raises(ValueError, match="no key"):
        signer_of((7).to_bytes(32, "big"), generator.to_bytes(32, "big") + (7).to_bytes(32, "big") + b"\x1b")


@given(
    st.integers(1, 2**256 - 1),
    keys.map(address_of),
    st.integers(0, 2**64 - 1),
    digests,
    st.integers(0, 2**64 - 1),
)
def test_a_head_is_signed_as_typed_data(chain_id: int, contract: str, size: int, root: bytes, made_at: int) -> None:
    domain = {
        "name": "Blockchain Handshaker",
        "version": "1",
        "chainId": chain_id,
        "verifyingContract": contract,
    }
    types = {
        "AuditHead": [
            {"name": "size", "type": "uint64"},
            {"name": "root", "type": "bytes32"},
            {"name": "madeAt", "type": "uint64"},
        ]
    }
    message: dict[str, Any] = {"size": size, "root": root, "madeAt": made_at}
    signable = encode_typed_data(domain, types, message)
    assert head_digest(chain_id, contract, size, root, made_at) == keccak(b"\x19\x01" + signable.header + signable.body)
    signed = Account.sign_message(signable, b"\x07" * 32)
    assert signer_of(head_digest(chain_id, contract, size, root, made_at), bytes(signed.signature)) == (
        Account.from_key(b"\x07" * 32).address
    )
