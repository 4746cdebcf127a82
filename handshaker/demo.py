"""The demo hospital: two organisations, six people who work there, five patients. All names are invented.

Safe to run twice: who is there stays, and a run that was stopped halfway is finished.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any

from handshaker.bootstrap import Handshaker
from handshaker.errors import ChainError
from handshaker.messages import Acknowledgement
from handshaker.tokens import Credential
from handshaker.waiting import wait_for

PATIENCE = 120.0
"""Seconds that a step of the demo's making may take."""

ORGANISATIONS = ((1, "Lakeside Hospital"), (2, "Northgate Laboratory"))

PRACTITIONERS = (
    ("doctor-1", "Dr Ilse Aalto", "doctor", 1),
    ("doctor-2", "Dr Tomas Okafor", "doctor", 1),
    ("nurse-1", "Mara Lindqvist", "nurse", 1),
    ("nurse-2", "Jonas Petek", "nurse", 1),
    ("pathologist-1", "Dr Wen Adeyemi", "pathologist", 2),
)

PATIENTS = (
    ("patient-1", "Halvard", "Brimstad", "male", "1951-03-07", True),
    ("patient-2", "Odile", "Marchetti-Roux", "female", "1987-11-19", True),
    ("patient-3", "Sefa", "Tuilagi", "female", "2004-06-30", True),
    ("patient-4", "Anselm", "Quernstein", "male", "1969-01-12", False),
    ("patient-5", "Nilufar", "Ashrafzoda", "female", "1993-09-24", False),
)
"""Label, given name, family name, gender, date of birth, and whether they consented."""

SHARED = ["demographics", "vital-signs", "laboratory", "notes", "medications", "problems", "allergies"]


@dataclass(frozen=True, slots=True)
class Demo:
    """What the demo hospital is made of, by label."""

    practitioners: dict[str, str]
    """Label → practitioner id."""
    patients: dict[str, str]
    """Label → pseudonym."""


KeepToken = Callable[[str, str], object]


def make_demo(
    handshaker: Handshaker, administrator: Credential, keep_token: KeepToken, say: Callable[[str], None]
) -> Demo:
    """Make the demo hospital through the pipeline; a worker must be at work. ``keep_token`` gets label and token.

    Raises ``ChainError`` when an act is refused or nothing is acknowledged for two minutes.
    """
    ledger = _Ledger(handshaker.settings.instance / "demo.json")
    say("organisations")
    _expect_valid(
        handshaker,
        [
            handshaker.registrar.register_organisation(administrator, number, name).ti_id
            for number, name in ORGANISATIONS
        ],
    )
    say("practitioners and patients")
    licence_until = handshaker.clock.now().replace(microsecond=0) + timedelta(days=730)
    waiting = []
    for label, name, role, organisation in PRACTITIONERS:
        if not ledger.has("practitioners", label):
            person = handshaker.registrar.register_practitioner(administrator, name, role, organisation, licence_until)
            keep_token(label, person.token or "")
            ledger.put("practitioners", label, person.actor_id)
            waiting.append(person.submission.ti_id)
    tokens = {}
    for label, given, family, gender, born, _ in PATIENTS:
        if not ledger.has("patients", label):
            demographics = {
                "resourceType": "Patient",
                "name": [{"family": family, "given": [given]}],
                "gender": gender,
                "birthDate": born,
            }
            patient = handshaker.registrar.register_patient(administrator, demographics, f"urn:demo|{label}")
            if patient.token:
                keep_token(label, patient.token)
                tokens[label] = patient.token
            ledger.put("patients", label, patient.actor_id)
            waiting.append(patient.submission.ti_id)
    _expect_valid(handshaker, waiting)
    say("consents")
    until = (handshaker.clock.now() + timedelta(days=365)).strftime("%Y-%m-%dT00:00:00Z")
    consents = []
    for label, *_, consented in PATIENTS:
        if consented and label in tokens:
            request = {
                "template": "consent-grant",
                "idempotencyKey": f"demo/consent/{label}",
                "payload": {
                    "grantee": "organisation/1",
                    "purpose": "TREAT",
                    "read": SHARED,
                    "write": SHARED,
                    "notAfter": until,
                },
            }
            consents.append(handshaker.intake.submit(request, handshaker.tokens.authenticate(tokens[label])).ti_id)
    _expect_valid(handshaker, consents)
    return Demo(dict(ledger.section("practitioners")), dict(ledger.section("patients")))


def show_blood_pressures(handshaker: Handshaker, nurse: Credential, demo: Demo) -> list[Acknowledgement]:
    """Submit a blood pressure for a patient who consented and for one who did not; return both ACKs."""
    now = handshaker.clock.now()
    submitted = []
    for label, systolic, diastolic in (("patient-1", 128, 82), ("patient-4", 134, 86)):
        request = {
            "template": "vital-signs",
            "patient": demo.patients[label],
            "idempotencyKey": f"demo/{label}/{now.isoformat()}",
            "payload": blood_pressure(systolic, diastolic, now.isoformat(timespec="seconds")),
        }
        submitted.append(handshaker.intake.submit(request, nurse).ti_id)
    found = wait_for(handshaker.store, submitted, PATIENCE)
    return [found[ti_id] for ti_id in submitted if ti_id in found]


def blood_pressure(systolic: int, diastolic: int, taken_at: str) -> dict[str, Any]:
    """Return a blood pressure as a FHIR R4 Observation (vital signs profile, LOINC 85354-9)."""
    return {
        "resourceType": "Observation",
        "status": "final",
        "category": [
            {
                "coding": [
                    {"system": "http://terminology.hl7.org/CodeSystem/observation-category", "code": "vital-signs"}
                ]
            }
        ],
        "code": {"coding": [{"system": "http://loinc.org", "code": "85354-9", "display": "Blood pressure panel"}]},
        "effectiveDateTime": taken_at,
        "component": [_component("8480-6", "Systolic", systolic), _component("8462-4", "Diastolic", diastolic)],
    }


def _component(code: str, display: str, value: int) -> dict[str, Any]:
    return {
        "code": {"coding": [{"system": "http://loinc.org", "code": code, "display": f"{display} blood pressure"}]},
        "valueQuantity": {
            "value": value,
            "unit": "mmHg",
            "system": "http://unitsofmeasure.org",
            "code": "mm[Hg]",
        },
    }


def _expect_valid(handshaker: Handshaker, ti_ids: list[str]) -> None:
    found = wait_for(handshaker.store, ti_ids, PATIENCE)
    if len(found) < len(ti_ids):
        raise ChainError("The demo hospital waits for acknowledgements in vain. Is the chain there, and a worker?")
    refused = [ack.code for ack in found.values() if str(ack.kind) != "valid"]
    if refused:
        raise ChainError(f"The demo hospital was refused: {', '.join(sorted(set(refused)))}.")


class _Ledger:
    """Which label is whom, in a file that is replaced as a whole."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._known: dict[str, dict[str, str]] = json.loads(path.read_text()) if path.exists() else {}

    def has(self, section: str, label: str) -> bool:
        return label in self._known.get(section, {})

    def section(self, name: str) -> dict[str, str]:
        return self._known.get(name, {})

    def put(self, section: str, label: str, value: str) -> None:
        self._known.setdefault(section, {})[label] = value
        draft = self._path.with_suffix(".draft")
        draft.write_text(json.dumps(self._known, indent=1))
        draft.replace(self._path)
