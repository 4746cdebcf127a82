"""From plain values to FHIR R4: what a form says, as the shipped templates take it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any


@dataclass(frozen=True, slots=True)
class VitalSign:
    """A field of the form for vital signs."""

    key: str
    """Name of the field: ``systolic``, ``heart-rate``, …"""
    code: str
    """LOINC."""
    name: str
    unit: str
    """As clinicians write it."""
    ucum: str
    low: float | None
    """Usual range of resting adults."""
    high: float | None
    decimals: int = 0


@dataclass(frozen=True, slots=True)
class Analyte:
    """A line of a laboratory panel."""

    code: str
    """LOINC; also the key of its value."""
    name: str
    unit: str
    ucum: str
    low: float | None
    high: float | None
    decimals: int = 1


@dataclass(frozen=True, slots=True)
class Panel:
    """What is measured together."""

    code: str
    name: str
    analytes: tuple[Analyte, ...]


VITAL_SIGNS: tuple[VitalSign, ...] = ()
"""Keys: systolic, diastolic, heart-rate, temperature, oxygen-saturation, respiratory-rate, glucose, weight, height."""

NOTE_KINDS: Mapping[str, str] = {
    "34109-9": "Note",
    "11506-3": "Progress note",
    "34117-2": "History and physical",
    "34111-5": "Emergency department note",
    "34746-8": "Nurse note",
}
"""LOINC → what it is called."""

PANELS: tuple[Panel, ...] = ()


def panel(code: str, sex: str = "") -> Panel:
    """Return a panel with the ranges of adults of that sex (FHIR's ``male``, ``female``); raises ``KeyError``."""
    raise NotImplementedError


def vital_signs(
    values: Mapping[str, float], taken_at: datetime, units: Mapping[str, str] | None = None
) -> list[dict[str, Any]]:
    """Return one FHIR R4 Observation for each vital sign in ``values`` (by `VitalSign.key`); both pressures make one.

    ``units`` holds UCUM codes where they differ from the table's (``[degF]``, ``[lb_av]``, ``mmol/L``). Raises
    ``SchemaViolated`` with ``problems`` by key: unknown, nothing at all, one pressure without the other.
    """
    raise NotImplementedError


def note(text: str, kind: str, written_at: datetime) -> dict[str, Any]:
    """Return a note as a FHIR R4 DocumentReference; ``kind`` of `NOTE_KINDS`. Raises ``SchemaViolated``."""
    raise NotImplementedError


def laboratory_report(
    panel_code: str, values: Mapping[str, float], taken_at: datetime, *, sex: str = "", conclusion: str = ""
) -> dict[str, Any]:
    """Return a FHIR R4 DiagnosticReport with one contained Observation for each value (by `Analyte.code`).

    Each has its reference range and the interpretation that follows from it. Raises ``SchemaViolated``.
    """
    raise NotImplementedError
