"""Who a patient is, as a FHIR R4 Patient."""

from __future__ import annotations

from datetime import date
from typing import Any

HOSPITAL_NUMBER = "urn:handshaker:hospital-number"
"""System of the numbers that the hospital gives its patients."""
SEXES = ("female", "male", "other", "unknown")
"""FHIR's administrative gender."""

_RECORD_NUMBER = {"coding": [{"system": "http://terminology.hl7.org/CodeSystem/v2-0203", "code": "MR"}]}


def patient(family: str, given: str, sex: str, born: date | None, number: str = "") -> dict[str, Any]:
    """Return a Patient; ``given`` may be several names, ``sex`` is one of ``SEXES``, ``number`` the hospital's."""
    names = {"family": family.strip(), "given": given.split()}
    resource: dict[str, Any] = {
        "resourceType": "Patient",
        "name": [{name: value for name, value in names.items() if value}],
        "gender": sex,
    }
    if born is not None:
        resource["birthDate"] = born.isoformat()
    if number:
        resource["identifier"] = [{"type": _RECORD_NUMBER, "system": HOSPITAL_NUMBER, "value": number.strip()}]
    return resource


def identifier(number: str) -> str | None:
    """Return a hospital number as the registrar knows a patient again by it; ``None`` for none."""
    return f"{HOSPITAL_NUMBER}|{number.strip()}" if number.strip() else None
