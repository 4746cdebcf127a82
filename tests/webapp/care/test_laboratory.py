"""The work list and laboratory reports."""

from __future__ import annotations

import pytest

from tests.webapp.care.ward import LIVE, Ward, main
from tests.webapp.web import Web, csrf_token

BLOOD_COUNT, HAEMOGLOBIN, PLATELETS = "58410-2", "718-7", "777-3"


@pytest.fixture
def ward(own_web: Web) -> Ward:
    return Ward(own_web, "pathologist")


def agree(ward: Ward) -> None:
    payload = {"grantee": "organisation/2", "read": ["laboratory"], "write": ["laboratory"]}
    ward.hospital.acknowledged(ward.hospital.consent(ward.hospital.consented, **payload))


def report(ward: Ward) -> str:
    return f"/patients/{ward.consented}/report/{BLOOD_COUNT}"


def test_the_work_list_names_who_lets_this_laboratory_report(ward: Ward) -> None:
    assert "Nobody so far." in main(ward.see("/laboratory"))
    agree(ward)
    page = main(ward.see("/laboratory"))
    assert "CONSENTED, Zed" in page
    assert "SILENT, Zed" not in page


def test_the_work_list_says_when_the_chain_cannot_be_asked(ward: Ward, monkeypatch: pytest.MonkeyPatch) -> None:
    agree(ward)
    with ward.without_chain(monkeypatch):
        page = main(ward.see("/laboratory"))
    assert "The chain cannot be asked at the moment" in page
    assert "CONSENTED, Zed" not in page


def test_a_report_is_signed_sent_and_read_with_ranges_and_flags(ward: Ward) -> None:
    agree(ward)
    assert f'href="{report(ward)}"' in ward.see(f"/patients/{ward.consented}/report")
    values = {HAEMOGLOBIN: "9,8", PLATELETS: "254", "conclusion": "Anaemia.", "status": "preliminary"}
    answer = ward.fill(report(ward), **values)
    assert answer.status_code == 303
    ward.hospital.drain()
    assert "All is valid" in ward.see(answer.location)
    page = main(ward.see(f"/patients/{ward.consented}"))
    assert "Complete blood count" in page
    assert '<span class="quietly">low</span>' in page
    assert "150–450" in page
    assert "Anaemia." in page
    row = ward.hospital.handshaker.explorer.search(limit=1).rows[0]
    payload = ward.hospital.handshaker.submissions.get(ward.hospital.pathologist, row.ti_id).payload
    assert payload["status"] == "preliminary"
    assert {each["status"] for each in payload["contained"]} == {"preliminary"}


@pytest.mark.parametrize(("value", "said"), [("9,8", "low"), ("13", "in range"), ("19", "high"), ("", ""), ("x", "")])
def test_a_flag_follows_what_is_typed(ward: Ward, value: str, said: str) -> None:
    data = {"csrf_token": csrf_token(ward.client, "/patients"), HAEMOGLOBIN: value}
    answer = ward.client.post(f"{report(ward)}/flag?of={HAEMOGLOBIN}", data=data, headers=LIVE)
    assert answer.status_code == 200
    assert said in answer.text
    assert bool(answer.text.strip()) == bool(said)


def test_a_flag_of_what_is_not_in_the_panel_is_not_here(ward: Ward) -> None:
    assert ward.press(f"{report(ward)}/flag?of=nothing").status_code == 404
    assert ward.client.get(f"/patients/{ward.consented}/report/nothing").status_code == 404


@pytest.mark.parametrize(
    ("values", "problem"),
    [
        ({"status": "final"}, "Enter at least one result."),
        ({"status": "final", HAEMOGLOBIN: "134"}, "A living person has 0.5 to 30 g/dL."),
        ({"status": "entered-in-error", HAEMOGLOBIN: "13"}, "Not a valid choice"),
        ({"status": "final", HAEMOGLOBIN: "about 13"}, "Write a number"),
    ],
)
def test_what_is_wrong_is_said_and_nothing_is_sent(ward: Ward, values: dict[str, str], problem: str) -> None:
    before = ward.count()
    answer = ward.fill(report(ward), conclusion="Kept.", **values)
    assert answer.status_code == 200
    assert problem in answer.text
    assert "Kept." in answer.text
    assert ward.count() == before


def test_a_report_that_is_refused_waits_on_the_work_list(ward: Ward) -> None:
    ward.fill(report(ward), **{HAEMOGLOBIN: "13", "status": "final"})
    ward.hospital.drain()
    page = main(ward.see("/laboratory"))
    assert "Complete blood count" in page[page.index("Refused reports") :]


@pytest.mark.parametrize("role", ["nurse", "administrator"])
def test_another_role_reports_nothing(own_web: Web, role: str) -> None:
    ward = Ward(own_web, role)
    assert ward.client.get(report(ward)).status_code == 403
    assert ward.client.get("/laboratory").status_code == 403
