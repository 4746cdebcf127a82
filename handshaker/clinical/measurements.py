"""The vital signs that forms, charts and trends know: codes, units, and what is usual in resting adults.

Usual ranges are those of MedlinePlus, *Vital signs* (National Library of Medicine, article 002341); oxygen saturation
and glucose those of its articles *Pulse oximetry* and *Blood sugar test* (random). They help the eye, and judge nobody:
children have others, which is why no range is shown for them.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass

GLUCOSE_MASS = 18.0156
"""Milligrams in a decilitre that one millimole of glucose in a litre weighs (C6H12O6, 180.156 g/mol)."""


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
    also: tuple[str, ...] = ()
    """Other LOINC codes of the same."""


VITAL_SIGNS: tuple[VitalSign, ...] = (
    VitalSign("systolic", "8480-6", "Systolic blood pressure", "mmHg", "mm[Hg]", 90, 120),
    VitalSign("diastolic", "8462-4", "Diastolic blood pressure", "mmHg", "mm[Hg]", 60, 80),
    VitalSign("heart-rate", "8867-4", "Heart rate", "/min", "/min", 60, 100),
    VitalSign("temperature", "8310-5", "Temperature", "°C", "Cel", 36.5, 37.3, 1),
    VitalSign("oxygen-saturation", "59408-5", "Oxygen saturation", "%", "%", 95, 100, also=("2708-6",)),
    VitalSign("respiratory-rate", "9279-1", "Respiratory rate", "/min", "/min", 12, 18),
    VitalSign("glucose", "2339-0", "Glucose", "mg/dL", "mg/dL", 70, 125),
    VitalSign("weight", "29463-7", "Weight", "kg", "kg", None, None, 1),
    VitalSign("height", "8302-2", "Height", "cm", "cm", None, None, 1),
)
BLOOD_PRESSURE = ("85354-9", "55284-4")
"""LOINC of the panel that has both pressures, and how older systems code it."""

SIGN_BY_KEY: Mapping[str, VitalSign] = {sign.key: sign for sign in VITAL_SIGNS}
SIGN_BY_CODE: Mapping[str, VitalSign] = {code: sign for sign in VITAL_SIGNS for code in (sign.code, *sign.also)}

_CONVERSIONS: Mapping[tuple[str, str], tuple[float, float]] = {
    ("kPa", "mm[Hg]"): (1 / 0.133322387415, 0),
    ("[degF]", "Cel"): (5 / 9, -160 / 9),
    ("g", "kg"): (0.001, 0),
    ("[lb_av]", "kg"): (0.45359237, 0),
    ("m", "cm"): (100, 0),
    ("[in_i]", "cm"): (2.54, 0),
    ("{beats}/min", "/min"): (1, 0),
    ("{Beats}/min", "/min"): (1, 0),
    ("{breaths}/min", "/min"): (1, 0),
    ("{Breaths}/min", "/min"): (1, 0),
    ("mmol/L", "mg/dL"): (GLUCOSE_MASS, 0),
}
"""``value × factor + offset``, from the units that the shipped template accepts to the one that is shown."""

_WRITTEN: Mapping[str, str] = {
    "mm[Hg]": "mmHg",
    "Cel": "°C",
    "[degF]": "°F",
    "[lb_av]": "lb",
    "[in_i]": "in",
    "meq/L": "mEq/L",
    "mL/min/{1.73_m2}": "mL/min/1.73 m²",
    "1": "",
}
_ANNOTATION = re.compile(r"\{[^}]*\}")
_POWER = re.compile(r"10\*(\d+)")
_SUPERSCRIPT = str.maketrans("0123456789", "⁰¹²³⁴⁵⁶⁷⁸⁹")


def converted(value: float, ucum: str | None, sign: VitalSign) -> float | None:
    """Return a value in the unit of ``sign``, rounded as it is shown; ``None`` for a unit that is not known here."""
    if ucum == sign.ucum:
        return value
    conversion = _CONVERSIONS.get((ucum or "", sign.ucum))
    return None if conversion is None else round(value * conversion[0] + conversion[1], sign.decimals)


def written_unit(ucum: str) -> str:
    """Return a UCUM code as clinicians write the unit: ``10*3/uL`` is ``10³/µL``."""
    if ucum in _WRITTEN:
        return _WRITTEN[ucum]
    plain = _ANNOTATION.sub("", ucum).replace("[", "").replace("]", "")
    plain = _POWER.sub(lambda match: "10" + match[1].translate(_SUPERSCRIPT), plain)
    return re.sub(r"\bu(?=[A-Za-z])", "µ", plain)
