"""What people of the tests hand in: FHIR resources and requests, as plain JSON."""

from __future__ import annotations

from copy import deepcopy

from handshaker.messages import Json

CONSENT_END = "2030-03-01T00:00:00Z"


def demographics(family: str) -> dict[str, Json]:
    return {"resourceType": "Patient", "name": [{"family": family, "given": ["Zed"]}], "birthDate": "1970-01-01"}


def consent_payload(**changes: Json) -> dict[str, Json]:
    payload: dict[str, Json] = {
        "grantee": "organisation/1",
        "purpose": "TREAT",
        "read": ["all"],
        "write": ["vital-signs"],
        "notAfter": CONSENT_END,
    }
    return payload | changes


def blood_pressure(systolic: float = 118, diastolic: float = 76) -> dict[str, Json]:
    """A FHIR R4 blood pressure in mm[Hg]."""
    payload = deepcopy(_BLOOD_PRESSURE)
    payload["component"][0]["valueQuantity"]["value"] = systolic
    payload["component"][1]["valueQuantity"]["value"] = diastolic
    return payload


def _component(code: str) -> dict[str, Json]:
    return {
        "code": {"coding": [{"system": "http://loinc.org", "code": code}]},
        "valueQuantity": {"value": 0, "unit": "mmHg", "system": "http://unitsofmeasure.org", "code": "mm[Hg]"},
    }


_CATEGORY = "http://terminology.hl7.org/CodeSystem/observation-category"
_BLOOD_PRESSURE: dict[str, Json] = {
    "resourceType": "Observation",
    "status": "final",
    "category": [{"coding": [{"system": _CATEGORY, "code": "vital-signs"}]}],
    "code": {"coding": [{"system": "http://loinc.org", "code": "85354-9"}]},
    "effectiveDateTime": "2026-11-21T08:30:00Z",
    "component": [_component("8480-6"), _component("8462-4")],
}
