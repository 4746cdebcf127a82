"""Common laboratory panels with the reference ranges of adults.

Ranges follow the American Board of Internal Medicine, *Laboratory Test Reference Ranges*; lipids and HbA1c are the
desirable ones. A laboratory states its own with each result: these are what the form begins with.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace


@dataclass(frozen=True, slots=True)
class Analyte:
    """A line of a laboratory panel."""

    code: str
    """LOINC; also the key of its value."""
    name: str
    unit: str
    """As clinicians write it."""
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


_ELECTROLYTES = (
    Analyte("2951-2", "Sodium", "mmol/L", "mmol/L", 136, 145, 0),
    Analyte("2823-3", "Potassium", "mmol/L", "mmol/L", 3.5, 5.0),
    Analyte("2075-0", "Chloride", "mmol/L", "mmol/L", 98, 106, 0),
    Analyte("2028-9", "Bicarbonate", "mmol/L", "mmol/L", 23, 28, 0),
)

PANELS: tuple[Panel, ...] = (
    Panel(
        "58410-2",
        "Complete blood count",
        (
            Analyte("718-7", "Haemoglobin", "g/dL", "g/dL", 12, 18),
            Analyte("4544-3", "Haematocrit", "%", "%", 37, 50),
            Analyte("789-8", "Red cells", "10⁶/µL", "10*6/uL", 4.2, 5.9, 2),
            Analyte("787-2", "MCV", "fL", "fL", 80, 98, 0),
            Analyte("785-6", "MCH", "pg", "pg", 28, 32),
            Analyte("786-4", "MCHC", "g/dL", "g/dL", 33, 36),
            Analyte("6690-2", "White cells", "10³/µL", "10*3/uL", 4, 11),
            Analyte("777-3", "Platelets", "10³/µL", "10*3/uL", 150, 450, 0),
        ),
    ),
    Panel(
        "51990-0",
        "Basic metabolic panel",
        (
            *_ELECTROLYTES,
            Analyte("3094-0", "Urea nitrogen", "mg/dL", "mg/dL", 8, 20, 0),
            Analyte("2160-0", "Creatinine", "mg/dL", "mg/dL", 0.5, 1.3, 2),
            Analyte("2345-7", "Glucose, fasting", "mg/dL", "mg/dL", 70, 99, 0),
            Analyte("17861-6", "Calcium", "mg/dL", "mg/dL", 8.6, 10.2),
        ),
    ),
    Panel("24326-1", "Electrolytes", _ELECTROLYTES),
    Panel(
        "57698-3",
        "Lipids",
        (
            Analyte("2093-3", "Cholesterol", "mg/dL", "mg/dL", None, 200, 0),
            Analyte("18262-6", "LDL cholesterol", "mg/dL", "mg/dL", None, 100, 0),
            Analyte("2085-9", "HDL cholesterol", "mg/dL", "mg/dL", 40, None, 0),
            Analyte("2571-8", "Triglycerides", "mg/dL", "mg/dL", None, 150, 0),
        ),
    ),
    Panel("4548-4", "Haemoglobin A1c", (Analyte("4548-4", "Haemoglobin A1c", "%", "%", 4.0, 5.6),)),
)

_BY_SEX: Mapping[str, Mapping[str, tuple[float | None, float | None]]] = {
    "male": {"718-7": (14, 18), "4544-3": (42, 50), "2160-0": (0.7, 1.3)},
    "female": {"718-7": (12, 16), "4544-3": (37, 47), "2160-0": (0.5, 1.1), "2085-9": (50, None)},
}
"""Where the ranges of men and women differ; the table above has the wider one for everybody else."""


def panel(code: str, sex: str = "") -> Panel:
    """Return a panel with the ranges of adults of that sex (FHIR's ``male``, ``female``); raises ``KeyError``."""
    found = {each.code: each for each in PANELS}[code]
    own = _BY_SEX.get(sex, {})
    return replace(
        found,
        analytes=tuple(
            replace(each, low=own[each.code][0], high=own[each.code][1]) if each.code in own else each
            for each in found.analytes
        ),
    )
