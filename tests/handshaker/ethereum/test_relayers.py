"""The raw bytes of network transactions are what every other library would make of them."""

from __future__ import annotations

from eth_account import Account
from eth_keys.datatypes import PrivateKey
from eth_utils.address import to_checksum_address
from eth_utils.crypto import keccak
from hypothesis import given
from hypothesis import strategies as st

from handshaker.ethereum.relayers import sign_transaction
from handshaker.messages import Fees

KEY = bytes(31) + b"\x07"
words = st.integers(0, 2**64 - 1)


@given(
    chain_id=st.integers(1, 2**32),
    nonce=st.integers(0, 2**40),
    to=st.one_of(st.none(), st.binary(min_size=20, max_size=20)),
    data=st.binary(max_size=200),
    gas=st.integers(21_000, 30_000_000),
    fee=words,
    tip=words,
    value=words,
)
def test_the_bytes_are_those_of_an_independent_library(
    chain_id: int, nonce: int, to: bytes | None, data: bytes, gas: int, fee: int, tip: int, value: int
) -> None:
    recipient = None if to is None else to_checksum_address(to)
    attempt = sign_transaction(
        lambda digest: PrivateKey(KEY).sign_msg_hash(digest).to_bytes(),
        chain_id=chain_id,
        nonce=nonce,
        to=recipient,
        data=data,
        gas=gas,
        fees=Fees(fee, tip),
        value=value,
    )
    transaction = {
        "type": 2,
        "chainId": chain_id,
        "nonce": nonce,
        "data": data,
        "gas": gas,
        "maxFeePerGas": fee,
        "maxPriorityFeePerGas": tip,
        "value": value,
    }
    if recipient is not None:
        transaction["to"] = recipient
    expected = Account.sign_transaction(transaction, KEY)
    assert attempt.raw == bytes(expected.raw_transaction)
    assert attempt.hash == bytes(expected.hash) == keccak(attempt.raw)
    assert (attempt.max_fee, attempt.priority_fee) == (fee, tip)


@given(st.binary(max_size=100))
def test_the_same_transaction_has_the_same_bytes_each_time(data: bytes) -> None:
    """RFC 6979: a crash between signature and database costs nothing."""

    def once() -> bytes:
        return sign_transaction(
            lambda digest: PrivateKey(KEY).sign_msg_hash(digest).to_bytes(),
            chain_id=1,
            nonce=1,
            to=None,
            data=data,
            gas=1,
            fees=Fees(1, 1),
        ).raw

    assert once() == once()
