"""The gates that read a payload: what a person can have passes, a slip of the hand does not."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from handshaker.clinical.gates import check_payload, plausibility_gate, schema_gate
from handshaker.errors import Implausible, SchemaViolated
from tests.handshaker.clinical.resources import UCUM, blood_pressure, concept, observation, quantity, report
from tests.handshaker.templates.fakes import shipped_template

VITALS = shipped_template("vital-signs")
NAME = "Zebedee Quill"


def refused(payload: dict[str, Any], template: str = "vital-signs") -> dict[str, str]:
    """Return why the schema gate refuses, by path."""
    with pytest.raises(SchemaViolated) as refusal:
        schema_gate(payload, shipped_template(template))
    assert NAME not in str(refusal.value)
    assert NAME not in str(refusal.value.data)
    told: dict[str, str] = {}
    for problem in refusal.value.data["problems"]:
        told[problem["path"]] = "; ".join(filter(None, (told.get(problem["path"]), problem["problem"])))
    return told


def implausible(payload: dict[str, Any], template: str = "vital-signs") -> list[dict[str, Any]]:
    """Return why the plausibility gate refuses; the schema gate must have let it pass."""
    schema_gate(payload, shipped_template(template))
    with pytest.raises(Implausible) as refusal:
        plausibility_gate(payload, shipped_template(template))
    problems: list[dict[str, Any]] = refusal.value.data["problems"]
    return problems


@pytest.mark.parametrize(
    "payload",
    [
        blood_pressure(118, 76),
        blood_pressure(118.5, 76.25, code="55284-4"),
        blood_pressure(15.7, 10.1, "kPa"),
        blood_pressure(60, 35),  # a newborn
        blood_pressure(370, 360),  # the highest ever measured
        observation("8867-4", 72, "/min"),
        observation("8867-4", 180, "{beats}/min"),  # a newborn who cries
        observation("8867-4", 26, "/min"),
        observation("8310-5", 36.8, "Cel"),
        observation("8310-5", 98.2, "[degF]"),
        observation("8310-5", 13.7, "Cel"),  # survived, in ice
        observation("59408-5", 98, "%"),
        observation("2708-6", 100, "%"),
        observation("9279-1", 14, "/min"),
        observation("9279-1", 70, "{breaths}/min"),  # a newborn
        observation("2339-0", 92, "mg/dL"),
        observation("2339-0", 5.1, "mmol/L"),
        observation("29463-7", 71.4, "kg"),
        observation("29463-7", 480, "g"),  # born far too early
        observation("29463-7", 157, "[lb_av]"),
        observation("29463-7", 635, "kg"),
        observation("8302-2", 172, "cm"),
        observation("8302-2", 24, "cm"),
        observation("8302-2", 67.7, "[in_i]"),
        observation("8302-2", 1.72, "m"),
    ],
)
def test_what_a_living_person_can_have_passes(payload: dict[str, Any]) -> None:
    check_payload(payload, VITALS)


def test_a_systolic_pressure_of_900_is_refused_with_the_range() -> None:
    problems = implausible(blood_pressure(900, 76))
    assert problems == [
        {
            "path": "component[1].valueQuantity.value",
            "problem": "is not plausible for systolic blood pressure (8480-6): a living person has 20 to 370 mm[Hg]",
            "data": {
                "code": "8480-6",
                "display": "systolic blood pressure",
                "value": 900,
                "unit": "mm[Hg]",
                "low": 20,
                "high": 370,
            },
        }
    ]


def test_the_measured_value_stands_only_in_the_data() -> None:
    with pytest.raises(Implausible) as refusal:
        check_payload(observation("8867-4", 7213, "/min"), VITALS)
    assert "7213" not in str(refusal.value)
    assert all("7213" not in problem["problem"] for problem in refusal.value.data["problems"])


@pytest.mark.parametrize(
    ("payload", "words"),
    [
        (observation("8867-4", 0, "/min"), "10 to 400 /min"),
        (observation("8310-5", 98.2, "Cel"), "11 to 47 Cel"),
        (observation("8310-5", 36.8, "[degF]"), "51.8 to 116.6 [degF]"),
        (observation("59408-5", 101, "%"), "5 to 100 %"),
        (observation("59408-5", 0.98, "%"), "5 to 100 %"),
        (observation("29463-7", 3400, "kg"), "0.2 to 650 kg"),
        (observation("8302-2", 1.72, "cm"), "18 to 280 cm"),
        (observation("2339-0", 5000, "mg/dL"), "2 to 2800 mg/dL"),
        (observation("9279-1", 1000, "/min"), "1 to 200 /min"),
        (observation("29463-7", 71, "mg"), "is not a unit for body weight (29463-7), which takes kg or g or [lb_av]"),
        (observation("29463-7", 71, "kilo"), "is not a UCUM unit"),
        (observation("8867-4", 71, "bpm"), "is not a UCUM unit"),
        (observation("8867-4", 71, None), "is missing: a measured value needs its UCUM unit"),
        (observation("8867-4", 71, "/min") | {"valueQuantity": {"value": 71, "code": "/min"}}, f"must be {UCUM}"),
        (blood_pressure(118, 76, "mmHg"), "is not a UCUM unit"),
        (blood_pressure(118, 76, "cm[H2O]"), "is not a unit for diastolic blood pressure"),
    ],
)
def test_a_slip_is_refused(payload: dict[str, Any], words: str) -> None:
    assert words in implausible(payload)[0]["problem"]


def test_a_blood_pressure_without_a_unit_is_read_as_millimetres() -> None:
    check_payload(blood_pressure(117.7, 72.6, None), VITALS)


def test_a_blood_pressure_without_a_unit_that_could_be_kilopascal_is_refused() -> None:
    assert len(implausible(blood_pressure(15.7, 10.1, None))) == 2


def test_a_unit_in_words_alone_is_not_guessed() -> None:
    payload = blood_pressure(117, 72)
    for component in payload["component"]:
        component["valueQuantity"] = {"value": component["valueQuantity"]["value"], "unit": "mmHg", "system": UCUM}
    assert "needs its UCUM unit" in implausible(payload)[0]["problem"]


@pytest.mark.parametrize(
    ("payload", "path", "words"),
    [
        ([], "", "must be an object"),
        ({}, "", "resourceType is missing"),
        (observation("8867-4", 72, "/min") | {"status": "entered-in-error"}, "status", "must be one of preliminary"),
        (observation("72166-2", 72, "/min"), "code.coding", "LOINC code of one of the measurements"),
        (observation("8867-4", 72, "/min") | {"code": concept("8867-5")}, "code.coding", "LOINC code of one of"),
        (observation("8867-4", "72", "/min"), "valueQuantity.value", "must be a number"),
        (observation("8867-4", None, "/min"), "valueQuantity.value", "must be a number"),
        (observation("8867-4", 72, "/min", patient=NAME), "patient", "is no element that FHIR R4 has here"),
        (observation("8867-4", 72, "/min", valueString=NAME), "", "of which FHIR R4 allows one"),
        ({"resourceType": "Observation", "status": "final", "code": concept("8867-4")}, "", "valueQuantity is missing"),
        (observation("85354-9", 118, "mm[Hg]"), "", "component is missing"),
        (blood_pressure(118, 76) | {"valueQuantity": quantity(118, "mm[Hg]")}, "valueQuantity", "is not allowed here"),
        (blood_pressure(76, 118), "", "the systolic pressure must not be below the diastolic one"),
        (
            observation("8867-4", 72, "/min", method={"coding": [{"system": "http://loinc.org", "code": "1234-5"}]}),
            "method.coding[0].code",
            "is no LOINC code: its check digit is wrong",
        ),
    ],
)
def test_what_is_no_vital_sign_is_refused_with_its_place(payload: Any, path: str, words: str) -> None:
    problems = refused(payload)
    assert words in problems[path], problems


def test_a_blood_pressure_needs_each_of_its_two_values_once() -> None:
    one = blood_pressure(118, 76)
    one["component"] = one["component"][:1]
    assert "exactly one systolic value" in refused(one)["component"]
    three = blood_pressure(118, 76)
    three["component"].append(three["component"][0])
    assert "exactly one diastolic value" in refused(three)["component"]


def test_nesting_without_end_is_refused_and_no_crash() -> None:
    extension: dict[str, Any] = {"url": "a"}
    for _ in range(5000):
        extension = {"url": "a", "extension": [extension]}
    assert refused(observation("8867-4", 72, "/min", extension=[extension])) == {"": "is nested deeper than 64 levels"}


def test_a_laboratory_report_is_held_to_the_ranges_of_its_results() -> None:
    good = report(observation("718-7", 13.4, "g/dL"), observation("2823-3", 4.1, "mmol/L"))
    check_payload(good, shipped_template("laboratory-report"))
    wrong = report(observation("718-7", 13.4, "g/dL"), observation("2823-3", 41, "mmol/L"))
    problems = implausible(wrong, "laboratory-report")
    assert [problem["path"] for problem in problems] == ["contained[1].valueQuantity.value"]


def test_a_result_without_a_range_still_needs_a_real_unit() -> None:
    check_payload(report(observation("1742-6", 31, "U/L")), shipped_template("laboratory-report"))
    problems = implausible(report(observation("1742-6", 31, "units")), "laboratory-report")
    assert problems[0]["problem"] == "is not a UCUM unit"


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"result": []}, "must not be empty"),
        ({"result": [{"reference": "Observation/1"}]}, "a reference to a contained Observation"),
        ({"contained": []}, "must not be empty"),
        ({"contained": [{"resourceType": "Patient", "id": "p"}]}, "must be one of Observation, Specimen"),
        ({"contained": [{"resourceType": "Observation", "id": "1"}]}, "status is missing"),
    ],
)
def test_a_report_that_does_not_hold_its_results_is_refused(change: dict[str, Any], words: str) -> None:
    problems = refused(report(observation("718-7", 13.4, "g/dL")) | change, "laboratory-report")
    assert any(words in problem for problem in problems.values()), problems


@pytest.mark.parametrize(
    ("attachment", "words"),
    [
        ({"contentType": "text/plain"}, "data is missing"),
        ({"contentType": "text/html", "data": "YWJj"}, "must be text/plain"),
        ({"contentType": "text/plain", "data": "not base64!"}, "must be text in base64"),
        ({"contentType": "text/plain", "data": ""}, "must be text in base64"),
    ],
)
def test_a_note_carries_its_text(attachment: dict[str, str], words: str) -> None:
    example = shipped_template("clinical-note").example or {}
    problems = refused(dict(example) | {"content": [{"attachment": attachment}]}, "clinical-note")
    assert any(words in problem for problem in problems.values()), problems


_JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.just(NAME),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(["code", "value", NAME]), inner),
    max_leaves=6,
)


@given(st.sampled_from(["status", "code", "component", "valueQuantity", "category", "subject", NAME]), _JSON)
def test_whatever_is_sent_is_passed_or_refused_without_repeating_it(name: str, value: Any) -> None:
    refusal: Exception | None = None
    try:
        check_payload(blood_pressure(118, 76) | {name: value}, VITALS)
    except (SchemaViolated, Implausible) as error:
        refusal = error
        assert error.data["problems"]  # noqa: PT017
        told = [{key: text for key, text in problem.items() if key != "data"} for problem in error.data["problems"]]
        assert NAME not in str(told)
    assert NAME not in str(refusal)
