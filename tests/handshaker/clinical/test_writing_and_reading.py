"""From a form to FHIR R4 through the templates' gates, and back to what a page shows."""

from __future__ import annotations

import math
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from handshaker.clinical.gates import check_payload
from handshaker.clinical.loinc import is_loinc
from handshaker.clinical.measurements import _CONVERSIONS, GLUCOSE_MASS, SIGN_BY_KEY, written_unit
from handshaker.clinical.reading import Result, read
from handshaker.clinical.ucum import is_ucum
from handshaker.clinical.writing import (
    NOTE_KINDS,
    PANELS,
    VITAL_SIGNS,
    Analyte,
    VitalSign,
    interpretation,
    laboratory_report,
    note,
    panel,
    vital_signs,
)
from handshaker.clock import SystemClock
from handshaker.commitments import canonical
from handshaker.errors import SchemaViolated
from handshaker.messages import Template
from handshaker.template_manager import TemplateManager, shipped_documents
from tests.handshaker.clinical.resources import blood_pressure, observation

AT = datetime(2026, 11, 21, 8, 30, tzinfo=UTC)


class NoStore:
    def add_template(self, *_: Any) -> None: ...

    def template_documents(self) -> list[tuple[str, int, str, str]]:
        return []


MANAGER = TemplateManager(NoStore(), SystemClock())
TEMPLATES = {str(document["name"]): MANAGER.parse(document) for document in shipped_documents()}
RANGES = {known.code: known for name in ("vital-signs", "laboratory-report") for known in TEMPLATES[name].plausibility}


def template(name: str) -> Template:
    return TEMPLATES[name]


def values_of(code: str, ucum: str, decimals: int) -> st.SearchStrategy[float]:
    """Every value that the template lets pass, as somebody types it."""
    low, high = RANGES[code].units[ucum]
    scale = 10**decimals
    return st.integers(math.ceil(low * scale), math.floor(high * scale)).map(lambda number: number / scale)


@st.composite
def readings(draw: st.DrawFn) -> tuple[dict[str, float], dict[str, str]]:
    keys = draw(st.sets(st.sampled_from([sign.key for sign in VITAL_SIGNS[2:]])))
    values, units = {}, {}
    for key in keys:
        sign = SIGN_BY_KEY[key]
        ucum = draw(st.sampled_from(sorted(RANGES[sign.code].units)))
        values[key] = draw(values_of(sign.code, ucum, 2))
        if ucum != sign.ucum:
            units[key] = ucum
    if draw(st.booleans()) or not values:
        pressures = sorted((draw(values_of("8462-4", "mm[Hg]", 0)), draw(values_of("8480-6", "mm[Hg]", 0))))
        values |= {"diastolic": pressures[0], "systolic": max(pressures[1], 20)}
    return values, units


@given(readings())
def test_every_plausible_reading_passes_the_gates_and_is_read_as_it_was_entered(
    reading: tuple[dict[str, float], dict[str, str]],
) -> None:
    values, units = reading
    payloads = vital_signs(values, AT, units)
    for payload in payloads:
        check_payload(payload, template("vital-signs"))
        canonical(payload)
    contents = [read(payload) for payload in payloads]
    assert {content.at for content in contents} == {AT}
    found = {result.code: result for content in contents for result in content.results}
    assert len(found) == len(values)
    for key, value in values.items():
        sign, result = SIGN_BY_KEY[key], found[SIGN_BY_KEY[key].code]
        assert (result.name, result.unit) == (sign.name, sign.unit)
        if key not in units:
            assert result.value == value
            assert result.flag == interpretation(value, sign.low, sign.high)


@given(
    st.sampled_from(PANELS),
    st.sampled_from(["male", "female", ""]),
    st.data(),
    st.text(st.characters(codec="utf-8"), max_size=40),
)
def test_every_plausible_report_passes_the_gates_and_is_read_with_its_ranges_and_flags(
    chosen: Any, sex: str, data: st.DataObject, conclusion: str
) -> None:
    analytes = {each.code: each for each in panel(chosen.code, sex).analytes}
    codes = data.draw(st.sets(st.sampled_from(sorted(analytes)), min_size=1))
    values = {
        code: data.draw(
            values_of(code, analytes[code].ucum, 2) if code in RANGES else st.floats(0, 5000, allow_subnormal=False)
        )
        for code in codes
    }
    payload = laboratory_report(chosen.code, values, AT, sex=sex, conclusion=conclusion)
    check_payload(payload, template("laboratory-report"))
    content = read(payload)
    assert (content.title, content.code, content.at) == (chosen.name, chosen.code, AT)
    assert content.text == conclusion.strip()
    assert {result.code for result in content.results} == codes
    for result in content.results:
        analyte = analytes[result.code]
        assert (result.value, result.unit) == (values[result.code], analyte.unit)
        assert (result.low, result.high) == (analyte.low, analyte.high)
        assert result.flag == interpretation(values[result.code], analyte.low, analyte.high)


@given(st.text(st.characters(codec="utf-8"), min_size=1).filter(str.strip), st.sampled_from(sorted(NOTE_KINDS)))
def test_every_note_passes_the_gates_and_is_read_word_for_word(text: str, kind: str) -> None:
    payload = note(text, kind, AT)
    check_payload(payload, template("clinical-note"))
    content = read(payload)
    assert (content.title, content.code, content.at) == (NOTE_KINDS[kind], kind, AT)
    assert content.text == text.replace("\r\n", "\n").strip()


# ---- what is refused -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("values", "path"),
    [
        ({}, ""),
        ({"systolic": 120}, "diastolic"),
        ({"diastolic": 80}, "systolic"),
        ({"mood": 3}, "mood"),
        ({"weight": math.nan}, "weight"),
        ({"weight": math.inf}, "weight"),
        ({"weight": True}, "weight"),
        ({"weight": "70"}, "weight"),
    ],
)
def test_what_cannot_be_written_says_which_field(values: Any, path: str) -> None:
    with pytest.raises(SchemaViolated) as refused:
        vital_signs(values, AT)
    assert [problem["path"] for problem in refused.value.data["problems"]] == [path]


@pytest.mark.parametrize(("text", "kind"), [("", "34109-9"), (" \r\n ", "34109-9"), ("well", "11506-4")])
def test_a_note_without_words_or_of_no_known_kind_is_refused(text: str, kind: str) -> None:
    with pytest.raises(SchemaViolated):
        note(text, kind, AT)


@pytest.mark.parametrize(
    ("code", "values"),
    [("0-0", {"718-7": 14}), ("58410-2", {}), ("58410-2", {"2951-2": 140}), ("4548-4", {"4548-4": "?"})],
)
def test_a_report_of_nothing_or_of_what_is_no_part_of_it_is_refused(code: str, values: Any) -> None:
    with pytest.raises(SchemaViolated):
        laboratory_report(code, values, AT)


# ---- the tables ----------------------------------------------------------------------------------------------------


def test_every_code_has_its_check_digit_and_every_unit_is_one() -> None:
    analytes = [each for chosen in PANELS for each in chosen.analytes]
    codes = [*NOTE_KINDS, *(chosen.code for chosen in PANELS), *(each.code for each in analytes)]
    codes += [code for sign in VITAL_SIGNS for code in (sign.code, *sign.also)]
    assert all(is_loinc(code) for code in codes)
    measured: list[VitalSign | Analyte] = [*VITAL_SIGNS, *analytes]
    for each in measured:
        assert is_ucum(each.ucum)
        assert written_unit(each.ucum) == each.unit
        if isinstance(each, VitalSign) or each.code in RANGES:
            assert each.ucum in RANGES[each.code].units


def test_every_unit_that_the_template_accepts_is_shown_in_one_unit() -> None:
    for sign in VITAL_SIGNS:
        for ucum in RANGES[sign.code].units:
            assert ucum == sign.ucum or (ucum, sign.ucum) in _CONVERSIONS


def test_the_conversions_are_those_of_ucum() -> None:
    from ucumvert import PintUcumRegistry

    registry = PintUcumRegistry()
    for (source, target), (factor, offset) in _CONVERSIONS.items():
        if source == "mmol/L":
            assert factor == pytest.approx(GLUCOSE_MASS)
            continue
        for value in (0.0, 37.0, 212.0):
            quantity = registry.Quantity(value, registry.from_ucum(source).units)
            expected = quantity.to(registry.from_ucum(target).units).magnitude
            assert value * factor + offset == pytest.approx(expected, rel=1e-6), source


def test_ranges_of_men_and_women_lie_within_the_range_for_everybody() -> None:
    for chosen in PANELS:
        for sex in ("male", "female"):
            for own, wide in zip(panel(chosen.code, sex).analytes, chosen.analytes, strict=True):
                assert (own.low or 0) >= (wide.low or 0)
                assert (own.high or math.inf) <= (wide.high or math.inf)


# ---- reading what others wrote -------------------------------------------------------------------------------------


def one(resource: dict[str, Any], **more: Any) -> Result:
    (result,) = read(resource, **more).results
    return result


def test_other_units_are_shown_in_the_usual_one() -> None:
    assert one(observation("8310-5", 98.6, "[degF]")).value == 37.0
    assert one(observation("29463-7", 154, "[lb_av]")).value == 69.9
    assert one(observation("2339-0", 5.5, "mmol/L")).value == 99
    systolic = [result for result in read(blood_pressure(16, 10.7, "kPa")).results if result.code == "8480-6"]
    assert [(result.value, result.unit, result.flag) for result in systolic] == [(120, "mmHg", "N")]


def test_a_pressure_without_a_unit_is_what_the_template_takes_it_for() -> None:
    assert {(result.value, result.unit) for result in read(blood_pressure(128, 82, None)).results} == {
        (128, "mmHg"),
        (82, "mmHg"),
    }


def test_a_unit_that_is_not_known_is_shown_as_it_came_and_judged_by_nobody() -> None:
    assert one(observation("8310-5", 310, "K")) == Result("8310-5", "Temperature", 310, "K", None, None, "")


def test_children_are_not_held_against_the_ranges_of_adults() -> None:
    assert one(observation("8867-4", 130, "/min")).flag == "H"
    child = one(observation("8867-4", 130, "/min"), is_adult=False)
    assert (child.low, child.high, child.flag) == (None, None, "")


def test_the_range_and_the_flag_of_the_record_itself_count_first() -> None:
    own = {
        "referenceRange": [{"low": {"value": 40, "code": "/min"}, "high": {"value": 200, "code": "/min"}}],
        "interpretation": [{"coding": [{"code": "HH"}]}],
    }
    result = one(observation("8867-4", 130, "/min", **own))
    assert (result.low, result.high, result.flag, result.range_text) == (40, 200, "HH", "40–200")


@pytest.mark.parametrize(
    ("part", "value", "unit"),
    [
        ({"valueString": "clear"}, "clear", ""),
        ({"valueBoolean": False}, "no", ""),
        ({"valueInteger": 3}, "3", ""),
        ({"valueCodeableConcept": {"coding": [{"display": "Positive"}]}}, "Positive", ""),
        ({"valueQuantity": {"value": 0.5, "comparator": "<", "code": "mg/L"}}, "< 0.5", "mg/L"),
        ({"valueRange": {"low": {"value": 2}, "high": {"value": 5}}}, "2–5", ""),
        ({"dataAbsentReason": {"coding": [{"code": "not-performed"}]}}, "none: not-performed", ""),
    ],
)
def test_values_that_are_no_plain_number_are_shown_in_words(part: dict[str, Any], value: str, unit: str) -> None:
    result = one({"resourceType": "Observation", "code": {"text": "Something"}, **part})
    assert (result.name, result.value, result.unit, result.flag) == ("Something", value, unit, "")


@pytest.mark.parametrize(
    ("ucum", "written"),
    [("10*9/L", "10⁹/L"), ("umol/L", "µmol/L"), ("[IU]/L", "IU/L"), ("{score}", ""), ("mm[Hg]", "mmHg")],
)
def test_units_are_written_as_clinicians_do(ucum: str, written: str) -> None:
    assert written_unit(ucum) == written


anything: st.SearchStrategy[Any] = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8) | st.just("8480-6"),
    lambda inner: st.lists(inner, max_size=3)
    | st.dictionaries(
        st.sampled_from(
            ["resourceType", "code", "coding", "system", "value", "valueQuantity", "component", "contained", "result",
             "reference", "referenceRange", "low", "high", "interpretation", "content", "attachment", "data", "id",
             "contentType", "effectiveDateTime", "effectivePeriod", "start", "type", "text", "valueRatio", "note",
             "valueCodeableConcept", "dataAbsentReason", "comparator", "display"]
        ),
        inner,
        max_size=4,
    ),
    max_leaves=25,
)  # fmt: skip


@given(anything, st.sampled_from(["Observation", "DocumentReference", "DiagnosticReport", "Claim"]))
def test_nothing_that_a_record_may_hold_makes_reading_fail(content: Any, kind: str) -> None:
    resource = content | {"resourceType": kind} if isinstance(content, dict) else content
    for result in read(resource).results:
        assert isinstance(result.text + result.range_text, str)


@pytest.mark.parametrize(
    "moment", ["2026", "2026-11", "yesterday", "", "0001-01-01T00:00:00+14:00", "9999-12-31T23:59:59-12:00"]
)
def test_a_time_that_cannot_be_read_is_none(moment: str) -> None:
    assert read(observation("8867-4", 70, "/min", effectiveDateTime=moment)).at is None
