"""Whose signature it is: the same answer as the contracts', and none for what they refuse."""

from __future__ import annotations

from eth_account import Account
from eth_keys.datatypes import PrivateKey
from hypothesis import given
from hypothesis import strategies as st

from handshaker.ethereum.signatures import recover

ORDER = 0xFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFEBAAEDCE6AF48A03BBFD25E8CD0364141
keys = st.integers(1, ORDER - 1).map(lambda number: number.to_bytes(32, "big"))
digests = st.binary(min_size=32, max_size=32)


def signed(key: bytes, digest: bytes) -> bytes:
    found = PrivateKey(key).sign_msg_hash(digest).to_bytes()
    return found[:64] + bytes([found[64] + 27])


@given(keys, digests)
def test_the_signer_is_recovered(key: bytes, digest: bytes) -> None:
    assert recover(digest, signed(key, digest)) == Account.from_key(key).address


@given(keys, digests, digests)
def test_a_signature_of_something_else_is_somebody_elses(key: bytes, digest: bytes, other: bytes) -> None:
    assert (recover(other, signed(key, digest)) == Account.from_key(key).address) == (digest == other)


@given(keys, digests)
def test_the_other_half_of_a_signature_is_refused(key: bytes, digest: bytes) -> None:
    found = signed(key, digest)
    high = (ORDER - int.from_bytes(found[32:64], "big")).to_bytes(32, "big")
    assert recover(digest, found[:32] + high + bytes([55 - found[64]])) is None


@given(digests, st.binary(max_size=130))
def test_any_bytes_have_a_signer_or_none(digest: bytes, signature: bytes) -> None:
    found = recover(digest, signature)
    assert found is None or found.startswith("0x")


@given(digests, st.binary(min_size=64, max_size=64), st.integers(0, 255))
def test_only_27_and_28_are_recovery_values(digest: bytes, body: bytes, v: int) -> None:
    assert v in (27, 28) or recover(digest, body + bytes([v])) is None
    assert recover(digest, bytes(64) + bytes([v])) is None
