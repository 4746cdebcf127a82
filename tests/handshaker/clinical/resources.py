"""FHIR resources of people who do not exist."""

from __future__ import annotations

from typing import Any

UCUM = "http://unitsofmeasure.org"
LOINC = "http://loinc.org"


def concept(code: str) -> dict[str, Any]:
    return {"coding": [{"system": LOINC, "code": code}]}


def quantity(value: Any, unit: str | None) -> dict[str, Any]:
    return {"value": value, "system": UCUM} | ({} if unit is None else {"unit": unit, "code": unit})


def observation(code: str, value: Any, unit: str | None, **more: Any) -> dict[str, Any]:
    return {
        "resourceType": "Observation",
        "status": "final",
        "code": concept(code),
        "valueQuantity": quantity(value, unit),
    } | more


def blood_pressure(
    systolic: Any, diastolic: Any, unit: str | None = "mm[Hg]", code: str = "85354-9", **more: Any
) -> dict[str, Any]:
    return {
        "resourceType": "Observation",
        "status": "final",
        "code": concept(code),
        "component": [
            {"code": concept("8462-4"), "valueQuantity": quantity(diastolic, unit)},
            {"code": concept("8480-6"), "valueQuantity": quantity(systolic, unit)},
        ],
    } | more


def report(*observations: dict[str, Any], **more: Any) -> dict[str, Any]:
    contained = [{**item, "id": str(position)} for position, item in enumerate(observations, 1)]
    return {
        "resourceType": "DiagnosticReport",
        "status": "final",
        "code": concept("58410-2"),
        "contained": contained,
        "result": [{"reference": f"#{item['id']}"} for item in contained],
    } | more
