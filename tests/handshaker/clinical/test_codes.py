"""LOINC's check digit and UCUM's grammar."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from handshaker.clinical.loinc import is_loinc
from handshaker.clinical.ucum import is_ucum


@pytest.mark.parametrize(
    "code", ["85354-9", "55284-4", "8480-6", "8462-4", "8867-4", "8310-5", "59408-5", "2339-0", "58410-2", "34109-9"]
)
def test_a_loinc_code_is_known_by_its_check_digit(code: str) -> None:
    assert is_loinc(code)
    digit = int(code[-1])
    assert not any(is_loinc(f"{code[:-1]}{other}") for other in range(10) if other != digit)


@given(st.integers(1, 9_999_999))
def test_every_number_has_exactly_one_check_digit(number: int) -> None:
    assert sum(is_loinc(f"{number}-{digit}") for digit in range(10)) == 1


@pytest.mark.parametrize(
    "code", ["", "8867", "8867-", "-4", "08867-4", "8867-4 ", "8867–4", "LP8867-4", "８８６７-4", "8867-44"]
)
def test_what_has_not_the_form_is_no_loinc_code(code: str) -> None:
    assert not is_loinc(code)


@pytest.mark.parametrize(
    "unit",
    ["mm[Hg]", "/min", "{beats}/min", "Cel", "[degF]", "[lb_av]", "[in_i]", "mg/dL", "mmol/L", "%", "10*3/uL", "kPa"],
)
def test_a_ucum_unit_is_known(unit: str) -> None:
    assert is_ucum(unit)


@pytest.mark.parametrize(
    "unit", ["", "mmHg", "bpm", "°C", "lbs", "kg/", "(kg", "mg / dL", "percent", "k" * 65, "[Hg]", "{" * 60]
)
def test_what_ucum_does_not_know_is_no_unit(unit: str) -> None:
    assert not is_ucum(unit)


@given(st.text(max_size=70))
def test_any_text_is_a_unit_or_not(unit: str) -> None:
    assert is_ucum(unit) in (True, False)
