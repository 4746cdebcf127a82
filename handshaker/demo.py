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
from handshaker.demo_logins import make_login
from handshaker.errors import ChainError
from handshaker.login_files import LoginFiles
from handshaker.messages import Acknowledgement, VerdictKind
from handshaker.token_files import TokenFiles
from handshaker.tokens import Credential
from handshaker.waiting import wait_for

PATIENCE = 120.0
"""Seconds that a step of the demo's making may take."""

ORGANISATIONS = ((1, "Lakeside Hospital"), (2, "Northgate Laboratory"))

ADMINISTRATORS = ("administrator", "second-administrator")
"""Those whom every instance has; two, because acts that could open records or move control need two."""

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


def _nothing() -> None:
    """Look at nothing."""


def make_demo(
    handshaker: Handshaker,
    administrator: Credential,
    tokens: TokenFiles,
    say: Callable[[str], None],
    look: Callable[[], None] = _nothing,
) -> Demo:
    """Make the demo hospital through the pipeline; a worker must be at work. ``tokens`` keeps everybody's first token.

    The staff's logins are kept in instance/logins.

    ``look`` is called while it waits, and ends the making by raising. Raises ``ChainError`` when an act is refused or
    nothing is acknowledged for two minutes.
    """
    registrar, ledger = handshaker.registrar, _Ledger(handshaker.settings.instance / "demo.json")
    say("organisations")
    _expect_valid(
        handshaker,
        [registrar.register_organisation(administrator, number, name).ti_id for number, name in ORGANISATIONS],
        look,
    )
    say("practitioners and patients")
    licence_until = handshaker.clock.now().replace(microsecond=0) + timedelta(days=730)
    for label, name, role, organisation in PRACTITIONERS:
        if _is_refused(handshaker, ledger.find("registrations", label)):
            person = registrar.register_practitioner(
                administrator, name, role, organisation, licence_until, tokens.under(label)
            )
            ledger.put("practitioners", label, person.actor_id)
            ledger.put("registrations", label, person.submission.ti_id)
    for label, given, family, gender, born, _ in PATIENTS:
        demographics = {
            "resourceType": "Patient",
            "name": [{"family": family, "given": [given]}],
            "gender": gender,
            "birthDate": born,
        }
        patient = registrar.register_patient(administrator, demographics, f"urn:demo|{label}", tokens.under(label))
        ledger.put("patients", label, patient.actor_id)
        ledger.put("registrations", label, patient.submission.ti_id)
    _expect_valid(handshaker, list(ledger.section("registrations").values()), look)
    say("consents")
    _expect_valid(handshaker, [_consent(handshaker, tokens, label) for label, *_, agrees in PATIENTS if agrees], look)
    say("logins")
    logins = LoginFiles(handshaker.settings.instance / "logins")
    for label in (*ADMINISTRATORS, *(label for label, *_ in PRACTITIONERS)):
        look()
        make_login(handshaker, logins, label, tokens.find(label) or "")
    return Demo(dict(ledger.section("practitioners")), dict(ledger.section("patients")))


def _consent(handshaker: Handshaker, tokens: TokenFiles, label: str) -> str:
    """Let a demo patient consent, once; return the TI."""
    patient = handshaker.tokens.authenticate(tokens.find(label) or "")
    key = f"demo/consent/{label}"
    known = handshaker.intake.known(patient.actor.actor_id, key)
    if known is not None:
        return known
    until = (handshaker.clock.now() + timedelta(days=365)).strftime("%Y-%m-%dT00:00:00Z")
    payload = {"grantee": "organisation/1", "purpose": "TREAT", "read": SHARED, "write": SHARED, "notAfter": until}
    request = {"template": "consent-grant", "idempotencyKey": key, "payload": payload}
    return handshaker.intake.submit(request, patient).ti_id


def _is_refused(handshaker: Handshaker, ti_id: str | None) -> bool:
    """Whether a registration has to be made: there is none, or it came to nothing."""
    acknowledgement = handshaker.store.audit.acknowledgement(ti_id) if ti_id else None
    return ti_id is None or (acknowledgement is not None and acknowledgement.kind is VerdictKind.INVALID)


def show_blood_pressures(
    handshaker: Handshaker, nurse: Credential, demo: Demo, look: Callable[[], None] = _nothing
) -> list[Acknowledgement]:
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
    found = wait_for(handshaker.store, submitted, PATIENCE, look)
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


def _expect_valid(handshaker: Handshaker, ti_ids: list[str], look: Callable[[], None]) -> None:
    found = wait_for(handshaker.store, ti_ids, PATIENCE, look)
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

    def find(self, section: str, label: str) -> str | None:
        return self._known.get(section, {}).get(label)

    def section(self, name: str) -> dict[str, str]:
        return self._known.get(name, {})

    def put(self, section: str, label: str, value: str) -> None:
        self._known.setdefault(section, {})[label] = value
        draft = self._path.with_suffix(".draft")
        draft.write_text(json.dumps(self._known, indent=1))
        draft.replace(self._path)
