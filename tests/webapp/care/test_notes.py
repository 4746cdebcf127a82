"""Notes: written, amended by their author, kept as typed when something is wrong."""

from __future__ import annotations

import re

import pytest

from tests.webapp.care.ward import Ward, main
from tests.webapp.web import Web


@pytest.fixture
def doctor(own_web: Web) -> Ward:
    hospital = own_web.hospital
    hospital.acknowledged(hospital.consent(hospital.consented, write=["notes", "vital-signs"]))
    return Ward(own_web, "doctor")


def note(ward: Ward) -> str:
    return f"/patients/{ward.consented}/note"


def test_a_note_is_signed_sent_and_stands_in_the_chart(doctor: Ward) -> None:
    answer = doctor.fill(note(doctor), text="Slept well.\nNo <b>pain</b>.", kind="11506-3")
    assert answer.status_code == 303
    doctor.hospital.drain()
    assert "All is valid" in doctor.see(answer.location)
    page = main(doctor.see(f"/patients/{doctor.consented}"))
    assert "Progress note" in page
    assert "No &lt;b&gt;pain&lt;/b&gt;." in page


def test_an_author_amends_their_own_note_and_both_stay_to_be_seen(doctor: Ward) -> None:
    doctor.fill(note(doctor), text="Potassium 3.1.", kind="34109-9")
    doctor.hospital.drain()
    page = doctor.see(f"/patients/{doctor.consented}")
    link = re.search(rf'href="({note(doctor)}/0x[0-9a-f]{{64}})"', page)
    assert link is not None
    assert "Potassium 3.1." in doctor.see(link[1])
    doctor.fill(link[1], text="Potassium 4.1.", kind="34109-9")
    doctor.hospital.drain()
    page = main(doctor.see(f"/patients/{doctor.consented}"))
    assert page.index("Potassium 4.1.") < page.index("Potassium 3.1.")
    assert "superseded" in page
    assert doctor.client.get(link[1]).status_code == 404


def test_nobody_amends_the_note_of_somebody_else(doctor: Ward, own_web: Web) -> None:
    doctor.fill(note(doctor), text="Mine.", kind="34109-9")
    doctor.hospital.drain()
    link = re.search(rf'href="({note(doctor)}/0x[0-9a-f]{{64}})"', doctor.see(f"/patients/{doctor.consented}"))
    assert link is not None
    nurse = Ward(own_web)
    assert link[1] not in nurse.see(f"/patients/{doctor.consented}")
    assert nurse.client.get(link[1]).status_code == 404
    assert nurse.send_again(link[1], {}, text="Not mine.", kind="34109-9").status_code == 404


@pytest.mark.parametrize(
    ("values", "problem"),
    [
        ({"text": "  ", "kind": "34109-9"}, "Write the note first."),
        ({"text": "Kept.", "kind": "99999-9"}, "Not a valid choice"),
        ({"text": "Kept.", "kind": "34109-9", "written_at": "2999-01-01T00:00"}, "in the future"),
        ({"text": "x" * 20_001, "kind": "34109-9"}, "20,000 characters at most"),
    ],
)
def test_what_was_typed_stays_when_something_is_wrong(doctor: Ward, values: dict[str, str], problem: str) -> None:
    before = doctor.count()
    answer = doctor.fill(note(doctor), **values)
    assert answer.status_code == 200
    assert problem in answer.text
    assert values["text"].strip() in answer.text
    assert doctor.count() == before


def test_a_pathologist_writes_no_notes(own_web: Web) -> None:
    ward = Ward(own_web, "pathologist")
    assert ward.client.get(note(ward)).status_code == 403
