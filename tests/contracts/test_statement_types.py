"""Statements mean the same in Python, in a wallet and on chain: type, hash and digest."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
from eth_account import Account
from eth_account.messages import SignableMessage, _hash_eip191_message, encode_typed_data
from eth_utils.address import to_checksum_address
from eth_utils.crypto import keccak
from hypothesis import given
from hypothesis import strategies as st

from handshaker.ethereum.statements import FieldValue, StatementType, digest, statement_type
from tests.contracts.acts import ACTS, SET_EMERGENCY, Act
from tests.contracts.drafts import Draft
from tests.contracts.harness import CHAIN_ID, START, assert_reverts
from tests.contracts.hospital import Hospital, statement_id

SOURCES = Path(__file__).parent.parent.parent / "contracts"
CONTRACT = to_checksum_address(b"\xab" * 20)

every_act = pytest.mark.parametrize("act", ACTS, ids=str)


def kind_of(act: Act) -> StatementType:
    return statement_type(act.contract, act.function)


def field_values(kind: str) -> st.SearchStrategy[Any]:
    """Return a strategy for the values of an EIP-712 type."""
    if kind == "bool":
        return st.booleans()
    if kind == "string":
        return st.text()
    if kind == "address":
        return st.binary(min_size=20, max_size=20).map(to_checksum_address)
    if match := re.fullmatch(r"uint(\d+)", kind):
        return st.integers(0, 2 ** int(match[1]) - 1)
    length = int(kind.removeprefix("bytes"))
    return st.binary(min_size=length, max_size=length)


def any_values(act: Act) -> st.SearchStrategy[Draft]:
    """Return a strategy for all values of the act's statement, of the right types and without further sense."""
    return st.fixed_dictionaries({name: field_values(kind) for name, kind in kind_of(act).fields})


def as_a_wallet_reads_it(kind: StatementType, values: Draft, verifying_contract: str) -> SignableMessage:
    data = kind.typed_data(values, CHAIN_ID, verifying_contract)
    types = {name: fields for name, fields in data["types"].items() if name != "EIP712Domain"}
    return encode_typed_data(data["domain"], types, data["message"])


@every_act
def test_the_type_that_is_signed_stands_in_the_source(act: Act) -> None:
    source = (SOURCES / f"{act.contract}.sol").read_text()
    assert f'"{kind_of(act).encoded_type}"' in source


@pytest.mark.parametrize("contract", ["Directory", "ConsentRegistry", "HealthRecords"])
def test_the_source_knows_no_type_that_is_not_signed(contract: str) -> None:
    source = (SOURCES / f"{contract}.sol").read_text()
    types = set(re.findall(r'keccak256\(\s*"([^"]+)"', source))
    assert types == {kind_of(act).encoded_type for act in ACTS if act.contract == contract}


@every_act
@given(data=st.data())
def test_python_and_a_wallet_hash_alike(act: Act, data: st.DataObject) -> None:
    kind, values = kind_of(act), data.draw(any_values(act))
    message = as_a_wallet_reads_it(kind, values, CONTRACT)
    struct_hash = kind.struct_hash(kind.words(values))
    assert message.body == struct_hash
    assert _hash_eip191_message(message) == digest(struct_hash, CHAIN_ID, CONTRACT)


@every_act
@given(data=st.data())
def test_the_words_of_a_statement_say_all_of_it(act: Act, data: st.DataObject) -> None:
    kind, values = kind_of(act), data.draw(any_values(act))
    words = kind.words(values)
    assert len(words) == 32 * len(kind.fields)
    terms = str(values["terms"]) if "terms" in values else None
    assert kind.values(words, terms) == values
    if terms is not None:
        assert kind.values(words)["terms"] == "0x" + keccak(text=terms).hex()


@pytest.mark.parametrize("act", [act for act in ACTS if "deadline" in act.draft()], ids=str)
@given(data=st.data())
def test_the_chain_hashes_alike(act: Act, data: st.DataObject, opened_hospital: Hospital) -> None:
    hospital = opened_hospital.reopen()
    # What is too late is refused before anything else is looked at, and the refusal tells the hash.
    late: dict[str, FieldValue] = {"deadline": data.draw(st.integers(1, START - 1))}
    if act is SET_EMERGENCY:
        late["level"] = data.draw(st.integers(0, 2))
    values = data.draw(any_values(act)) | late
    receipt = hospital.submit(act.contract, act.function, values, signatures=(b"",) * len(act.keys))
    assert_reverts(
        receipt,
        "StatementExpired",
        statement=statement_id(act.contract, act.function, values),
        deadline=values["deadline"],
    )


@every_act
@given(terms=st.text())
def test_what_a_wallet_signs_is_accepted_on_chain(act: Act, terms: str, opened_hospital: Hospital) -> None:
    hospital = act.prepare(opened_hospital)
    values = act.draft()
    if "terms" in values:
        values["terms"] = terms
    message = as_a_wallet_reads_it(kind_of(act), values, hospital.addresses[act.contract])
    signatures = tuple(Account.sign_message(message, key.to_bytes()).signature for key in act.keys)
    receipt = hospital.submit(act.contract, act.function, values, signatures=signatures)
    assert receipt.status == 1
    assert receipt.logs[0].topics[1] == statement_id(act.contract, act.function, values)
