"""Whatever bytes a contract returns when it refuses: a refusal comes of them, never an exception."""

from __future__ import annotations

import json

import pytest
import rfc8785
from eth_abi.abi import encode
from hypothesis import given
from hypothesis import strategies as st

from handshaker.codes import code_of
from handshaker.ethereum.contracts import AbiItem, errors
from handshaker.ethereum.refusals import decode_refusal, plain
from handshaker.messages import Refusal
from handshaker.reasons import reason

PANIC, ERROR = bytes.fromhex("4e487b71"), bytes.fromhex("08c379a0")
ZEROES = {"bool": False, "address": "0x" + "00" * 20, "string": ""}


def zero(kind: str) -> object:
    return ZEROES.get(kind, bytes(int(kind[5:] or 0)) if kind.startswith("bytes") else 0)


@given(st.binary(max_size=400))
def test_any_bytes_at_all_are_a_refusal(data: bytes) -> None:
    check(decode_refusal(data))


@given(st.sampled_from([PANIC, ERROR, *errors()]), st.binary(max_size=256))
def test_a_known_selector_with_anything_behind_it_is_a_refusal(selector: bytes, rest: bytes) -> None:
    check(decode_refusal(selector + rest))


@given(st.sampled_from(list(errors().values())), st.integers(0, 260))
def test_a_reason_that_was_cut_off_is_unknown_or_whole(item: AbiItem, length: int) -> None:
    whole = item.selector + encode(item.input_types, [zero(kind) for kind in item.input_types])
    refusal = decode_refusal(whole[:length])
    check(refusal)
    assert refusal.error == item.name if length >= len(whole) else refusal.is_unknown


def check(refusal: Refusal) -> None:
    """It fits into a leaf, a row, and a sentence, and whether it is final can be said."""
    rfc8785.dumps(dict(refusal.arguments))
    assert json.loads(json.dumps(refusal.arguments)) == refusal.arguments
    assert isinstance(refusal.is_terminal, bool)
    assert reason(code_of(refusal.error), refusal.arguments).sentence


@pytest.mark.parametrize("item", list(errors().values()), ids=lambda item: item.name)
def test_every_error_of_the_contracts_is_decoded_by_name(item: AbiItem) -> None:
    refusal = decode_refusal(item.selector + encode(item.input_types, [zero(kind) for kind in item.input_types]))
    assert refusal.error == item.name
    assert set(refusal.arguments) == {part["name"] for part in item.inputs}
    assert not refusal.is_unknown


@given(st.text())
def test_an_error_string_is_told_as_it_is(text: str) -> None:
    encodable = text.encode("utf-8", "ignore").decode()
    assert decode_refusal(ERROR + encode(("string",), (encodable,))) == Refusal("Error", {"message": encodable})


def test_an_error_string_that_is_no_text_is_unknown() -> None:
    data = ERROR + encode(("bytes",), (b"\xff\xfe\xfd",))
    assert decode_refusal(data).is_unknown


@given(st.integers(0, 2**256 - 1))
def test_a_panic_says_what_it_means(number: int) -> None:
    refusal = decode_refusal(PANIC + number.to_bytes(32, "big"))
    assert refusal.error == "Panic"
    assert refusal.arguments["meaning"]
    check(refusal)


def test_nothing_at_all_is_unknown() -> None:
    assert decode_refusal(b"") == Refusal("Unknown", {})
    assert decode_refusal(bytes.fromhex("deadbeef")).is_unknown


@given(st.integers(-(2**256), 2**256))
def test_no_integer_loses_a_digit_in_json(number: int) -> None:
    assert int(json.loads(json.dumps(plain("uint256", number)))) == number
    assert json.loads(rfc8785.dumps(plain("uint256", number))) == plain("uint256", number)


@given(st.from_regex(r"[A-Z][a-z0-9]+([A-Z][a-z0-9]+){0,4}", fullmatch=True))
def test_a_code_is_the_name_in_small_letters_with_hyphens(name: str) -> None:
    code = code_of(name)
    assert code == code.lower()
    assert code.replace("-", "") == name.lower()
    assert code.count("-") == sum(letter.isupper() for letter in name) - 1
