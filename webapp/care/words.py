"""Words of the library as people of this hospital read them, so that they can be translated."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from flask_babel import lazy_gettext as _l

from handshaker import Purpose, vocabulary

SEXES = {"male": _l("male"), "female": _l("female"), "other": _l("other"), "unknown": _l("unknown")}

SIGNS = {
    "systolic": _l("Systolic pressure"),
    "diastolic": _l("Diastolic pressure"),
    "heart-rate": _l("Heart rate"),
    "temperature": _l("Temperature"),
    "oxygen-saturation": _l("Oxygen saturation (SpO₂)"),
    "respiratory-rate": _l("Respiratory rate"),
    "glucose": _l("Glucose"),
    "weight": _l("Weight"),
    "height": _l("Height"),
}

NOTES = {
    "34109-9": _l("Note"),
    "11506-3": _l("Progress note"),
    "34117-2": _l("History and physical"),
    "34111-5": _l("Emergency department note"),
    "34746-8": _l("Nurse note"),
}

CATEGORIES = {
    "demographics": _l("Name and contact details"),
    "vital-signs": _l("Vital signs"),
    "laboratory": _l("Laboratory results"),
    "imaging": _l("Images and scans"),
    "medications": _l("Medications"),
    "problems": _l("Diagnoses and problems"),
    "allergies": _l("Allergies"),
    "immunizations": _l("Vaccinations"),
    "procedures": _l("Procedures and operations"),
    "notes": _l("Notes of doctors and nurses"),
    "billing": _l("Bills and insurance"),
    "devices": _l("Readings of devices"),
    "genomics": _l("Genetic results"),
    "care-plans": _l("Care plans"),
    "psychiatry": _l("Mental health records"),
    "substance-use": _l("Records about alcohol or drugs"),
    "sexual-health": _l("Records about sexual health and HIV"),
    "domestic-violence": _l("Records about violence at home"),
    "restricted": _l("Records under special restriction"),
}

PURPOSES = {
    Purpose.TREAT: _l("treatment"),
    Purpose.HOPERAT: _l("running the hospital"),
    Purpose.HRESCH: _l("research"),
    Purpose.PUBHLTH: _l("public health"),
}

FLAGS = {
    "H": _l("high"),
    "L": _l("low"),
    "HH": _l("critically high"),
    "LL": _l("critically low"),
    "A": _l("abnormal"),
    "AA": _l("critically abnormal"),
}

EVENTS = {
    "received": _l("Received, checked and signed; kept safely"),
    "refused": _l("Refused"),
    "deferred": _l("Not now: the chain will be asked again"),
    "sent": _l("Sent to the chain"),
    "mined": _l("In a block of the chain; waiting until the block is final"),
    "rejected": _l("Refused by the contract"),
    "requeued": _l("Taken back, and sent again"),
    "valid": _l("Valid: it is on the chain for good"),
    "invalid": _l("Invalid: it did not take effect, and will not"),
    "contradicted": _l("The chain took its block back after the fact; tell the operator"),
}

PROBLEMS = {
    "erased": _l("This was erased at the patient's wish."),
    "altered": _l("What is stored does not match what was signed; it is not shown. Tell the operator."),
    "unreadable": _l("What is stored cannot be read here."),
    "absent": _l("Its content is not kept here."),
}


def category(code: str) -> Any:
    """Return a category in words."""
    known = vocabulary.CATEGORY_BY_CODE.get(code)
    return CATEGORIES.get(code, known.display.capitalize() if known else code)


def categories(codes: tuple[str, ...]) -> str:
    """Return several in a row."""
    return ", ".join(str(category(code)) for code in codes)


def purpose(value: Purpose) -> Any:
    """Return a purpose in words."""
    return PURPOSES.get(value, value.display)


FILTERS: dict[str, Callable[..., Any]] = {
    "sex": lambda value: SEXES.get(value, ""),
    "category": category,
    "categories": categories,
    "purpose": purpose,
    "flag_word": lambda value: FLAGS.get(value, ""),
    "event_word": lambda value: EVENTS.get(str(value), str(value)),
    "problem_word": lambda value: PROBLEMS.get(value, PROBLEMS["unreadable"]),
}
