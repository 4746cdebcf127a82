"""Expressions give what the contract can take, or say in which way they do not, without repeating a value."""

from __future__ import annotations

from typing import Any

import pytest
from eth_utils.address import to_checksum_address
from hypothesis import given
from hypothesis import strategies as st

from handshaker.expressions import ExpressionInvalid, coerce, evaluate, expression_problems, grantee, paths_read
from handshaker.vocabulary import (
    ALL_CATEGORIES,
    CATEGORIES,
    EmergencyLevel,
    Purpose,
    Role,
    mask_of,
    organisation_grantee,
    practitioner_grantee,
)

SECRET = "Zebedee Quill"


def over(expression: str, value: Any) -> Any:
    return evaluate(expression, {"payload": {"x": value}})


@given(st.lists(st.sampled_from([category.code for category in CATEGORIES])))
def test_a_mask_has_the_bits_of_its_categories(codes: list[str]) -> None:
    assert over("mask(payload.x)", codes) == mask_of(codes)


def test_no_codes_are_an_empty_mask_and_all_are_the_general_ones() -> None:
    assert over("mask(payload.x)", None) == 0
    assert over("mask(payload.x)", ["all"]) == ALL_CATEGORIES


@pytest.mark.parametrize("purpose", list(Purpose))
def test_a_purpose_has_its_number(purpose: Purpose) -> None:
    assert over("purpose_number(payload.x)", purpose.name) == int(purpose)


@pytest.mark.parametrize("role", list(Role))
def test_a_role_has_its_number(role: Role) -> None:
    assert over("role_number(payload.x)", role.code) == int(role)


def test_categories_and_emergency_levels_have_their_numbers() -> None:
    assert over("category_number(payload.x)", "psychiatry") == 32
    assert over("emergency_number(payload.x)", "life-threatening-only") == EmergencyLevel.LIFE_THREATENING_ONLY


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("1970-01-01T00:00:00Z", 0),
        ("2027-03-01T00:00:00Z", 1803859200),
        ("2027-03-01T01:30:00+01:30", 1803859200),
        (None, None),
    ],
)
def test_a_moment_is_seconds_since_the_epoch(text: str | None, seconds: int | None) -> None:
    assert over("seconds(payload.x)", text) == seconds


@given(st.integers(1, 2**24 - 1))
def test_an_organisation_is_a_grantee_right_aligned(number: int) -> None:
    assert grantee(f"organisation/{number}") == "0x" + organisation_grantee(number).hex()


@given(st.binary(min_size=16, max_size=16))
def test_a_practitioner_is_a_grantee_left_aligned(identity: bytes) -> None:
    assert grantee(f"practitioner/0x{identity.hex()}") == "0x" + practitioner_grantee(identity).hex()


@pytest.mark.parametrize(
    "reference",
    [
        "",
        "organisation/",
        "organisation/0",
        "organisation/16777216",
        "organisation/-1",
        "organisation/1 ",
        "organisation/١",
        "organisation/" + "9" * 5000,
        "practitioner/" + "ab" * 16,
        "practitioner/0x" + "ab" * 15,
        "practitioner/0x" + "_b" * 16,
        "patient/1",
    ],
)
def test_what_is_no_grantee_is_refused(reference: str) -> None:
    with pytest.raises(ExpressionInvalid, match=r"neither organisation/<number> nor practitioner"):
        grantee(reference)


@pytest.mark.parametrize(
    ("expression", "value"),
    [
        ("mask(payload.x)", SECRET),
        ("mask(payload.x)", [SECRET]),
        ("mask(payload.x)", [{SECRET: 1}]),
        ("purpose_number(payload.x)", SECRET),
        ("category_number(payload.x)", SECRET),
        ("role_number(payload.x)", SECRET),
        ("emergency_number(payload.x)", SECRET),
        ("seconds(payload.x)", SECRET),
        ("seconds(payload.x)", "2027-03-01T00:00:00"),
        ("seconds(payload.x)", {SECRET: SECRET}),
        ("seconds(payload.x)", "0001-01-01T00:00:00+14:00"),
        ("ceil(to_number(payload.x))", "1e999"),
        ("grantee(payload.x)", SECRET),
        ("abs(payload.x)", SECRET),
    ],
)
def test_a_refusal_never_repeats_a_value(expression: str, value: Any) -> None:
    with pytest.raises(ExpressionInvalid) as refusal:
        over(expression, value)
    assert SECRET not in str(refusal.value)
    assert "2027" not in str(refusal.value) or "such as" in str(refusal.value)


@pytest.mark.parametrize(
    ("abi_type", "value", "result"),
    [
        ("uint8", 255, 255),
        ("uint40", 0, 0),
        ("bool", True, True),
        ("bytes16", "0x" + "Ab" * 16, b"\xab" * 16),
        ("bytes32", "0x" + "00" * 32, bytes(32)),
        ("address", "0x" + "ab" * 20, to_checksum_address("0x" + "ab" * 20)),
        ("string", "a sentence", "a sentence"),
    ],
)
def test_a_value_becomes_what_the_abi_takes(abi_type: str, value: Any, result: Any) -> None:
    found = coerce(value, abi_type)
    assert found == result
    assert type(found) is type(result)


@pytest.mark.parametrize("abi_type", ["uint8", "uint40", "bool", "bytes16", "bytes32", "address", "string"])
@given(value=st.none() | st.floats() | st.lists(st.integers()) | st.dictionaries(st.text(), st.text()))
def test_what_is_of_no_fitting_kind_is_refused(abi_type: str, value: Any) -> None:
    with pytest.raises(ExpressionInvalid, match="gives"):
        coerce(value, abi_type)


@pytest.mark.parametrize(
    ("abi_type", "value"),
    [
        ("uint8", 256),
        ("uint8", -1),
        ("uint8", True),
        ("bool", 1),
        ("bytes16", "0x" + "00" * 32),
        ("bytes16", "00" * 16),
        ("bytes16", "0x" + "0_" * 16),
        ("address", "ab" * 20),
        ("address", "0x" + "ab" * 19),
        ("string", ""),
    ],
)
def test_what_does_not_fit_is_refused(abi_type: str, value: Any) -> None:
    with pytest.raises(ExpressionInvalid):
        coerce(value, abi_type)


@pytest.mark.parametrize(
    ("expression", "paths"),
    [
        ("payload.a.b", {("payload", "a", "b")}),
        ("mask(payload.a) ", {("payload", "a")}),
        ("not_null(seconds(payload.a), context.now)", {("payload", "a"), ("context", "now")}),
        ("payload.a[?b == 'c'].d | [0]", {("payload", "a")}),
        ("{x: payload.a, y: [context.now]}", {("payload", "a"), ("context", "now")}),
        ("`7`", set()),
    ],
)
def test_the_paths_of_an_expression_are_known_before_it_runs(expression: str, paths: set[tuple[str, ...]]) -> None:
    assert paths_read(expression) == paths


def test_an_element_of_fhir_that_is_called_context_is_no_mistake() -> None:
    assert expression_problems("payload.a[?context.period].id | [0]", {"now": 1}, ("payload", "context")) == []
