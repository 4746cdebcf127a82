"""Some work in the demo hospital, so that every page has something to show."""

from __future__ import annotations

import secrets
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from handshaker.clinical import writing
from handshaker.waiting import wait_for
from scripts.demo_stack import DemoStack

_PATIENCE = 120.0
_NURSE_NOTE = "34746-8"
_WORDS = "Slept well, no pain. Walked to the window twice with help. Drinks enough."


@dataclass(frozen=True, slots=True)
class Life:
    """What was done, by the one who did it."""

    patient_id: str
    """Of whom all is known."""
    silent_id: str
    """Who did not consent."""
    key: str
    """With which the nurse's last form was sent."""
    reading: str
    """TI of one of the nurse's readings."""
    draft: str
    """TI of the nurse's reading that was refused."""
    note: str
    """Record id of the nurse's note."""
    proposal_id: str
    """Of a template that waits for the second administrator."""


def live(stack: DemoStack) -> Life:
    """Let nurse, doctor and administrator work; returns when all is acknowledged."""
    patient_id, silent_id = stack.patients["patient-2"], stack.patients["patient-4"]
    now = stack.handshaker.clock.now().replace(second=0, microsecond=0)
    key = secrets.token_hex(16)
    well, ill = (122, 78, 71, 36.7, 98), (142, 91, 88, 38.2, 94)
    sent = [_submit(stack, "vital-signs", patient_id, *each) for each in _signs(well, now - timedelta(minutes=5), key)]
    note = writing.note(_WORDS, _NURSE_NOTE, now - timedelta(hours=3))
    noted = _submit(stack, "clinical-note", patient_id, note, f"{secrets.token_hex(16)}/note")
    refused = next(_signs(ill, now - timedelta(minutes=20), secrets.token_hex(16)))
    draft = _submit(stack, "vital-signs", silent_id, *refused)
    wait_for(stack.handshaker.store, [*sent, noted, draft], _PATIENCE)
    stack.handshaker.requests.ask(stack.credential("doctor-1"), silent_id, ["notes"], ["notes"])
    notes = stack.handshaker.charts.open(patient_id, stack.credential("nurse-1")).notes
    record_id = next(each.record_id for each in notes if each.ti_id == noted)
    return Life(patient_id, silent_id, key, sent[0], draft, record_id, propose(stack))


def propose(stack: DemoStack) -> str:
    """Lay a new version of a template before the second administrator; return the proposal's id."""
    document = stack.handshaker.templates.document("clinical-note")
    document |= {
        "version": document["version"] + 1,
        "description": "A note in plain text, inside a FHIR R4 DocumentReference. To be carried within six hours.",
        "lifetime": 6 * 60 * 60,
    }
    administrator = stack.credential("administrator")
    return stack.handshaker.reviews.propose(administrator, document).proposal_id


def _signs(values: tuple[float, ...], moment: Any, key: str) -> Iterator[tuple[Mapping[str, Any], str]]:
    """Yield what one round at the bed measured, with the keys that the form of the pages would give it."""
    names = ("systolic", "diastolic", "heart-rate", "temperature", "oxygen-saturation")
    parts = ("blood-pressure", *names[2:])
    payloads = writing.vital_signs(dict(zip(names, values, strict=True)), moment)
    for payload, part in zip(payloads, parts, strict=True):
        yield payload, f"{key}/{part}"


def _submit(stack: DemoStack, template: str, patient_id: str, payload: Mapping[str, Any], key: str) -> str:
    request = {"template": template, "patient": patient_id, "payload": payload, "idempotencyKey": key}
    return stack.handshaker.intake.submit(request, stack.credential("nurse-1")).ti_id
