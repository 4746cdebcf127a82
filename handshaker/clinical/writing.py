"""From plain values to FHIR R4: what a form says, as the shipped templates take it."""

from __future__ import annotations

import base64
import math
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from typing import Any

from handshaker.clinical.loinc import LOINC_SYSTEM
from handshaker.clinical.measurements import BLOOD_PRESSURE, SIGN_BY_KEY, VITAL_SIGNS, VitalSign, written_unit
from handshaker.clinical.panels import PANELS, Analyte, Panel, panel
from handshaker.clinical.ucum import UCUM_SYSTEM
from handshaker.errors import SchemaViolated
from handshaker.schemas import Problem

__all__ = [
    "NOTE_KINDS",
    "PANELS",
    "VITAL_SIGNS",
    "Analyte",
    "Panel",
    "VitalSign",
    "interpretation",
    "laboratory_report",
    "note",
    "panel",
    "vital_signs",
]

NOTE_KINDS: Mapping[str, str] = {
    "34109-9": "Note",
    "11506-3": "Progress note",
    "34117-2": "History and physical",
    "34111-5": "Emergency department note",
    "34746-8": "Nurse note",
}
"""LOINC → what it is called."""

_CATEGORY = "http://terminology.hl7.org/CodeSystem/observation-category"
_SECTION = "http://terminology.hl7.org/CodeSystem/v2-0074"
_INTERPRETATION = "http://terminology.hl7.org/CodeSystem/v3-ObservationInterpretation"
_INTERPRETED = {"H": "High", "L": "Low", "N": "Normal"}
_REPORTED = ("final", "preliminary")
_PRESSURES = ("systolic", "diastolic")


def vital_signs(
    values: Mapping[str, float], taken_at: datetime, units: Mapping[str, str] | None = None
) -> list[dict[str, Any]]:
    """Return one FHIR R4 Observation for each vital sign in ``values`` (by `VitalSign.key`); both pressures make one.

    ``units`` holds UCUM codes where they differ from the table's (``[degF]``, ``[lb_av]``, ``mmol/L``). Raises
    ``SchemaViolated`` with ``problems`` by key: unknown, nothing at all, one pressure without the other.
    """
    units = units or {}
    problems = _number_problems(values, SIGN_BY_KEY, "is no vital sign that this form knows")
    given = [key for key in _PRESSURES if key in values]
    if len(given) == 1:
        missing = next(key for key in _PRESSURES if key not in values)
        problems.append({"path": missing, "problem": f"is missing beside the {given[0]} pressure"})
    _refuse("vital signs", problems)
    found = [_blood_pressure(values, units, taken_at)] if given else []
    for sign in VITAL_SIGNS:
        if sign.key in values and sign.key not in _PRESSURES:
            kind = "laboratory" if sign.key == "glucose" else "vital-signs"
            quantity = _quantity(values[sign.key], units.get(sign.key, sign.ucum))
            codes = [_loinc(code, sign.name) for code in (sign.code, *sign.also)]
            found.append(_observation(codes, kind, taken_at) | {"valueQuantity": quantity})
    return found


def note(text: str, kind: str, written_at: datetime) -> dict[str, Any]:
    """Return a note as a FHIR R4 DocumentReference; ``kind`` of `NOTE_KINDS`. Raises ``SchemaViolated``."""
    plain = text.replace("\r\n", "\n").strip()
    problems: list[Problem] = []
    if not plain:
        problems.append({"path": "text", "problem": "is empty"})
    if kind not in NOTE_KINDS:
        problems.append({"path": "kind", "problem": "is no kind of note that this form knows"})
    _refuse("note", problems)
    return {
        "resourceType": "DocumentReference",
        "status": "current",
        "docStatus": "final",
        "type": {"coding": [_loinc(kind, NOTE_KINDS[kind])]},
        "date": _moment(written_at),
        "content": [
            {
                "attachment": {
                    "contentType": "text/plain;charset=utf-8",
                    "data": base64.b64encode(plain.encode("utf-8", "replace")).decode(),
                }
            }
        ],
    }


def laboratory_report(
    panel_code: str,
    values: Mapping[str, float],
    taken_at: datetime,
    *,
    sex: str = "",
    conclusion: str = "",
    status: str = "final",
) -> dict[str, Any]:
    """Return a FHIR R4 DiagnosticReport with one contained Observation for each value (by `Analyte.code`).

    Each has its reference range and the interpretation that follows from it. ``status`` is ``final`` or
    ``preliminary``. Raises ``SchemaViolated``.
    """
    known = {each.code: each for each in PANELS}
    if panel_code not in known:
        _refuse("laboratory report", [{"path": "panel", "problem": "is no panel that this form knows"}])
    if status not in _REPORTED:
        _refuse("laboratory report", [{"path": "status", "problem": "is neither final nor preliminary"}])
    analytes = {each.code: each for each in panel(panel_code, sex).analytes}
    _refuse("laboratory report", _number_problems(values, analytes, "is no part of this panel"))
    measured = [each for code, each in analytes.items() if code in values]
    report = {
        "resourceType": "DiagnosticReport",
        "status": status,
        "category": [{"coding": [{"system": _SECTION, "code": "LAB"}]}],
        "code": {"coding": [_loinc(panel_code, known[panel_code].name)]},
        "effectiveDateTime": _moment(taken_at),
        "contained": [
            {"id": str(number)} | _finding(each, values[each.code], taken_at) | {"status": status}
            for number, each in enumerate(measured, 1)
        ],
        "result": [{"reference": f"#{number}"} for number, _ in enumerate(measured, 1)],
    }
    return report | ({"conclusion": conclusion.strip()} if conclusion.strip() else {})


def interpretation(value: float, low: float | None, high: float | None) -> str:
    """Return ``L``, ``H`` or ``N`` for a value in its range, both ends included; empty where there is no range."""
    if low is None and high is None:
        return ""
    if low is not None and value < low:
        return "L"
    return "H" if high is not None and value > high else "N"


def _blood_pressure(values: Mapping[str, float], units: Mapping[str, str], taken_at: datetime) -> dict[str, Any]:
    components = [
        {
            "code": {"coding": [_loinc(sign.code, sign.name)]},
            "valueQuantity": _quantity(values[key], units.get(key, sign.ucum)),
        }
        for key, sign in ((key, SIGN_BY_KEY[key]) for key in _PRESSURES)
    ]
    panel_code = [_loinc(BLOOD_PRESSURE[0], "Blood pressure panel")]
    return _observation(panel_code, "vital-signs", taken_at) | {"component": components}


def _finding(analyte: Analyte, value: float, taken_at: datetime) -> dict[str, Any]:
    observation = _observation([_loinc(analyte.code, analyte.name)], "laboratory", taken_at)
    observation["valueQuantity"] = _quantity(value, analyte.ucum)
    limits = {"low": analyte.low, "high": analyte.high}
    bounds = {name: _quantity(limit, analyte.ucum) for name, limit in limits.items() if limit is not None}
    if bounds:
        flag = interpretation(value, analyte.low, analyte.high)
        coding = {"system": _INTERPRETATION, "code": flag, "display": _INTERPRETED[flag]}
        observation |= {"referenceRange": [bounds], "interpretation": [{"coding": [coding]}]}
    return observation


def _observation(codes: list[dict[str, str]], category: str, taken_at: datetime) -> dict[str, Any]:
    return {
        "resourceType": "Observation",
        "status": "final",
        "category": [{"coding": [{"system": _CATEGORY, "code": category}]}],
        "code": {"coding": codes},
        "effectiveDateTime": _moment(taken_at),
    }


def _quantity(value: float, ucum: str) -> dict[str, Any]:
    return {"value": value, "unit": written_unit(ucum), "system": UCUM_SYSTEM, "code": ucum}


def _loinc(code: str, display: str) -> dict[str, str]:
    return {"system": LOINC_SYSTEM, "code": code, "display": display}


def _moment(at: datetime) -> str:
    return at.astimezone(UTC).isoformat(timespec="seconds").replace("+00:00", "Z")


def _number_problems(values: Mapping[str, Any], known: Iterable[str], unknown: str) -> list[Problem]:
    problems: list[Problem] = [] if values else [{"path": "", "problem": "has no value at all"}]
    for key, value in values.items():
        if key not in known:
            problems.append({"path": key, "problem": unknown})
        elif isinstance(value, bool) or not isinstance(value, (int, float)) or not math.isfinite(value):
            problems.append({"path": key, "problem": "is no number"})
    return problems


def _refuse(what: str, problems: list[Problem]) -> None:
    """Raise ``SchemaViolated`` if there are any."""
    if problems:
        places = "; ".join(f"{each['path']} {each['problem']}".strip() for each in problems[:3])
        raise SchemaViolated(f"The {what} cannot be written: {places}.", problems=problems)
