"""Calldata that is put together by hand is what an ABI encoder makes, and its size is known without making it."""

from __future__ import annotations

import pytest
from eth_abi.abi import decode, encode
from hypothesis import given
from hypothesis import strategies as st
from web3.providers import BaseProvider

from handshaker.ethereum.chain import EthereumChain
from handshaker.ethereum.contracts import CONTRACT_NAMES, functions
from handshaker.ethereum.relayers import relay_size
from handshaker.ethereum.statements import StatementType, statement_type
from handshaker.messages import ChainIdentity, Deployment, SignedCall

KINDS = [
    statement_type(contract, name)
    for contract in ("Directory", "ConsentRegistry", "HealthRecords")
    for name, item in functions(contract).items()
    if item.inputs and item.inputs[0]["type"] == "tuple"
]
SIGNATURES = st.binary(max_size=200)
CHAIN = EthereumChain(
    BaseProvider(),
    deployment=Deployment(ChainIdentity(1337, bytes(32)), {name: "0x" + "11" * 20 for name in CONTRACT_NAMES}, 1),
)


def struct(kind: StatementType) -> bytes:
    return encode(kind.abi_types, [_zero(abi_type) for abi_type in kind.abi_types])


def call(kind: StatementType, signature: bytes) -> SignedCall:
    return SignedCall(
        ti_id="ti",
        contract=kind.contract,
        function=kind.function.name,
        words=struct(kind),
        statement_hash=bytes(32),
        signature=signature,
        patient_id=None,
        deadline=None,
        custodial=False,
        alone=False,
        sent=False,
    )


@given(kind=st.sampled_from(KINDS), signatures=st.lists(SIGNATURES, max_size=3))
def test_calldata_is_what_an_abi_encoder_makes(kind: StatementType, signatures: list[bytes]) -> None:
    words = struct(kind)
    types = [f"({','.join(kind.abi_types)})", *(["bytes"] * len(signatures))]
    expected = kind.function.selector + encode(types, [decode(kind.abi_types, words), *signatures])
    assert kind.calldata(words, *signatures) == expected


def test_a_struct_of_the_wrong_length_is_refused() -> None:
    for words in (b"", bytes(31), struct(KINDS[0]) + bytes(32)):
        with pytest.raises(ValueError, match="words"):
            KINDS[0].calldata(words, bytes(65))


@given(st.lists(st.builds(call, st.sampled_from(KINDS), SIGNATURES), max_size=5))
def test_the_size_of_a_batch_is_known_before_it_is_made(calls: list[SignedCall]) -> None:
    assert relay_size(calls) == len(CHAIN.relay_data(calls))


def _zero(abi_type: str) -> object:
    if abi_type == "bool":
        return False
    if abi_type == "address":
        return "0x" + "22" * 20
    return bytes(int(abi_type.removeprefix("bytes"))) if abi_type.startswith("bytes") else 1
