"""FHIR R4 as it is written: every fault with its path, and no word of the payload."""

from __future__ import annotations

from typing import Any

import pytest

from handshaker.clinical.fhir import fhir_problems, is_resource_type
from tests.handshaker.clinical.resources import blood_pressure, observation, report

NAME = "Zebedee Quill"


def found(resource: dict[str, Any], kind: str = "Observation") -> dict[str, str]:
    return {problem["path"]: problem["problem"] for problem in fhir_problems(resource, kind)}


@pytest.mark.parametrize("name", ["Observation", "Patient", "DiagnosticReport", "DocumentReference", "Consent"])
def test_a_resource_of_r4_is_known(name: str) -> None:
    assert is_resource_type(name)


@pytest.mark.parametrize(
    "name", ["", "observation", "Quantity", "Element", "Resource", "Foo", "../Patient", "Patient.Patient", "Meta"]
)
def test_what_is_no_resource_of_r4_is_not(name: str) -> None:
    assert not is_resource_type(name)


def test_a_true_resource_has_no_problems() -> None:
    assert found(blood_pressure(118, 76)) == {}
    assert found(report(observation("718-7", 13.4, "g/dL")), "DiagnosticReport") == {}


@pytest.mark.parametrize(
    ("change", "path", "words"),
    [
        ({"resourceType": "Patient"}, "resourceType", "must be Observation"),
        ({"status": None}, "status", "is missing, and FHIR R4 demands it"),
        ({"code": None}, "code", "is missing"),
        ({"heartRate": 3}, "heartRate", "is no element that FHIR R4 has here"),
        ({NAME: 3}, "*", "is no element"),
        ({"status": 3}, "status", "must be text"),
        ({"status": ["final"]}, "status", "must be text"),
        ({"valueQuantity": {"value": NAME}}, "valueQuantity.value", "must be a number"),
        ({"valueQuantity": {"value": True}}, "valueQuantity.value", "must be a number"),
        ({"valueQuantity": NAME}, "valueQuantity", "is not of the kind"),
        ({"valueQuantity": {"valu": 3}}, "valueQuantity.valu", "is no element"),
        ({"valueString": NAME}, "", "has valueQuantity and valueString, of which FHIR R4 allows one"),
        ({"code": {"coding": {"code": "8867-4"}}}, "code.coding", "must be a list"),
        ({"code": {"coding": [NAME]}}, "code.coding", "is not of the kind"),
        ({"code": {"coding": [{"code": "a"}, {"code": 3}]}}, "code.coding[1].code", "must be text"),
        ({"code": {"coding": [{"display": NAME, "name": NAME}]}}, "code.coding[0].name", "is no element"),
        ({"effectiveDateTime": NAME}, "effectiveDateTime", "is not in the form"),
        ({"effectiveDateTime": "2026-13-45"}, "effectiveDateTime", "is not in the form"),
        ({"note": [{}]}, "note[0].text", "is missing"),
        ({"contained": [{"resourceType": "Foo"}]}, "contained", "must be a resource of FHIR R4"),
        ({"contained": [NAME]}, "contained", "is not of the kind"),
        ({"subject": {"reference": {"a": NAME}}}, "subject.reference", "must be text"),
        ({"component": [{"valueInteger": 3}]}, "component[0].code", "is missing"),
    ],
)
def test_a_fault_is_named_with_its_path(change: dict[str, Any], path: str, words: str) -> None:
    resource = {
        name: value for name, value in (observation("8867-4", 72, "/min") | change).items() if value is not None
    }
    problems = found(resource)
    assert words in problems[path], problems
    assert NAME not in str(problems)


def test_an_element_that_is_wrong_is_told_once() -> None:
    assert found(observation("8867-4", 72, "/min") | {"code": {"coding": 3}}) == {
        "code.coding": "is not of the kind that FHIR R4 wants here"
    }


def test_later_items_of_a_list_are_looked_at_too() -> None:
    patient = {"resourceType": "Patient", "name": [{"given": ["Ilse", 3]}]}
    assert found(patient, "Patient") == {"name[0].given[1]": "must be text"}


def test_many_problems_are_cut_short() -> None:
    resource = observation("8867-4", 72, "/min") | {f"x{position}": 1 for position in range(500)}
    assert len(fhir_problems(resource, "Observation")) == 50
