"""The demo hospital: two organisations, six people who work there, five patients. All names are invented.

Safe to run twice: who is there stays, and a run that was stopped halfway is finished.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

from handshaker.bootstrap import Handshaker
from handshaker.clinical.writing import vital_signs
from handshaker.demo_history import add_history
from handshaker.demo_logins import make_login
from handshaker.errors import ChainError, NotAuthenticated
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

AT_THE_LABORATORY = ("patient-1", "patient-2")
"""Those of them who also let the laboratory of organisation 2 treat them."""

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
            "identifier": [{"system": "urn:demo", "value": f"LH-{100_000 + int(label.removeprefix('patient-'))}"}],
        }
        patient = registrar.register_patient(administrator, demographics, f"urn:demo|{label}", tokens.under(label))
        ledger.put("patients", label, patient.actor_id)
        ledger.put("registrations", label, patient.submission.ti_id)
    _expect_valid(handshaker, list(ledger.section("registrations").values()), look)
    say("consents")
    consents = [_consent(handshaker, tokens, label, 1, SHARED) for label, *_, agrees in PATIENTS if agrees]
    consents += [_consent(handshaker, tokens, label, 2, ["laboratory"]) for label in AT_THE_LABORATORY]
    _expect_valid(handshaker, consents, look)
    say("logins")
    logins = LoginFiles(handshaker.settings.instance / "logins")
    for label in (*ADMINISTRATORS, *(label for label, *_ in PRACTITIONERS)):
        look()
        make_login(handshaker, logins, label, tokens.find(label) or "")
    demo = Demo(dict(ledger.section("practitioners")), dict(ledger.section("patients")))
    _add_history(handshaker, tokens, demo)
    return demo


def _add_history(handshaker: Handshaker, tokens: TokenFiles, demo: Demo) -> None:
    """Fill two charts, unless somebody who wrote in them is here no more."""
    with suppress(NotAuthenticated):
        staff = {label: handshaker.tokens.authenticate(tokens.find(label) or "") for label, *_ in PRACTITIONERS}
        add_history(handshaker, staff, demo.patients)


def _consent(handshaker: Handshaker, tokens: TokenFiles, label: str, organisation: int, categories: list[str]) -> str:
    """Let a demo patient consent to what an organisation reads and writes, once; return the TI."""
    patient = handshaker.tokens.authenticate(tokens.find(label) or "")
    key = f"demo/consent/{label}" + (f"/{organisation}" if organisation > 1 else "")
    known = handshaker.intake.known(patient.actor.actor_id, key)
    if known is not None:
        return known
    until = (handshaker.clock.now() + timedelta(days=365)).strftime("%Y-%m-%dT00:00:00Z")
    payload = {
        "grantee": f"organisation/{organisation}",
        "purpose": "TREAT",
        "read": categories,
        "write": categories,
        "notAfter": until,
    }
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
            "payload": vital_signs({"systolic": systolic, "diastolic": diastolic}, now)[0],
        }
        submitted.append(handshaker.intake.submit(request, nurse).ti_id)
    found = wait_for(handshaker.store, submitted, PATIENCE, look)
    return [found[ti_id] for ti_id in submitted if ti_id in found]


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
