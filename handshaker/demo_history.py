"""What the demo hospital wrote about two of its patients in three weeks, so that a chart has something to draw.

Submitted once, through intake like everything else; nobody waits for the acknowledgements. All of it is made up.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import datetime, timedelta
from typing import Any

from handshaker.bootstrap import Handshaker
from handshaker.clinical.writing import laboratory_report, note, vital_signs
from handshaker.errors import HandshakerError
from handshaker.tokens import Credential

_ROUND = timedelta(hours=7, minutes=40)
"""When the ward is measured, after midnight."""

_VISITS: Mapping[str, tuple[tuple[int, dict[str, float]], ...]] = {
    "patient-1": (
        (21, {"systolic": 158, "diastolic": 94, "heart-rate": 84, "temperature": 36.9, "weight": 84.2}),
        (18, {"systolic": 152, "diastolic": 92}),
        (15, {"systolic": 149, "diastolic": 88, "heart-rate": 78}),
        (12, {"systolic": 144, "diastolic": 90, "oxygen-saturation": 96}),
        (9, {"systolic": 146, "diastolic": 86, "heart-rate": 76}),
        (6, {"systolic": 138, "diastolic": 84}),
        (3, {"systolic": 136, "diastolic": 82, "heart-rate": 72}),
        (1, {"systolic": 131, "diastolic": 80, "weight": 82.6}),
    ),
    "patient-2": (
        (5, {"systolic": 112, "diastolic": 70, "heart-rate": 104, "temperature": 38.4, "oxygen-saturation": 94}),
        (4, {"temperature": 38.1}),
        (3, {"heart-rate": 88, "temperature": 37.4}),
        (2, {"temperature": 36.9}),
        (1, {"systolic": 116, "diastolic": 74, "heart-rate": 74, "temperature": 36.7, "oxygen-saturation": 98}),
    ),
}
"""Label → days ago, and what was measured."""

_REPORTS: Mapping[str, tuple[int, str, str, dict[str, float], str]] = {
    "patient-1": (
        14,
        "51990-0",
        "male",
        {"2951-2": 139, "2823-3": 3.4, "2075-0": 101, "2028-9": 26, "3094-0": 18, "2160-0": 1.1, "2345-7": 104},
        "Potassium slightly low, most likely from the diuretic.",
    ),
    "patient-2": (
        5,
        "58410-2",
        "female",
        {"718-7": 12.4, "4544-3": 38, "789-8": 4.4, "787-2": 86, "785-6": 28.2, "6690-2": 13.8, "777-3": 312},
        "White cells raised, in keeping with an infection.",
    ),
}
"""Label → days ago, panel, sex for the ranges, values, conclusion."""

_NOTES: Mapping[str, tuple[int, str, str]] = {
    "patient-1": (
        3,
        "11506-3",
        "Blood pressure has come down since the dose was raised. No dizziness, sleeps well.\n"
        "Continue as it is; potassium again in a week.",
    ),
    "patient-2": (
        1,
        "34746-8",
        "No fever since the day before yesterday. Eats and drinks well, walks without help.\n"
        "Wound dry, dressing changed.",
    ),
}
"""Label → days ago, kind, text."""


def add_history(handshaker: Handshaker, staff: Mapping[str, Credential], patients: Mapping[str, str]) -> None:
    """Submit what is not here yet. ``staff`` by label: a nurse, a doctor, a pathologist; ``patients``: pseudonyms.

    What cannot be submitted at this moment is left to the next run: the demo works without it.
    """
    midnight = handshaker.clock.now().replace(hour=0, minute=0, second=0, microsecond=0)
    for label in _VISITS:
        for number, (author, template, payload) in enumerate(_records(label, midnight)):
            credential, key = staff[author], f"demo/history/{label}/{number}"
            if handshaker.intake.known(credential.actor.actor_id, key) is not None:
                continue
            request = {"template": template, "patient": patients[label], "idempotencyKey": key, "payload": payload}
            try:
                handshaker.intake.submit(request, credential)
            except HandshakerError:
                return


def _records(label: str, midnight: datetime) -> Iterator[tuple[str, str, dict[str, Any]]]:
    """Yield author, template and payload, always in the same order."""
    for days, values in _VISITS[label]:
        for payload in vital_signs(values, midnight - timedelta(days=days) + _ROUND):
            yield "nurse-1", "vital-signs", payload
    days, panel_code, sex, values, conclusion = _REPORTS[label]
    taken_at = midnight - timedelta(days=days) + 2 * _ROUND
    yield (
        "pathologist-1",
        "laboratory-report",
        laboratory_report(panel_code, values, taken_at, sex=sex, conclusion=conclusion),
    )
    days, kind, text = _NOTES[label]
    author = "nurse-1" if kind == "34746-8" else "doctor-1"
    yield author, "clinical-note", note(text, kind, midnight - timedelta(days=days) + _ROUND + timedelta(hours=2))
