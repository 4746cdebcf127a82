"""Finding patients and looking at their charts."""

from __future__ import annotations

import json
import re

import pytest

from handshaker.records import chart
from tests.instances import blood_pressure, demographics
from tests.webapp.care.ward import LIVE, Ward, main, title
from tests.webapp.web import Web


@pytest.fixture
def ward(web: Web) -> Ward:
    return Ward(web)


@pytest.mark.parametrize("text", ["consented", "CONSEN", "Zed consented", "1970"])
def test_a_patient_is_found_as_one_types(ward: Ward, text: str) -> None:
    page = ward.find(text, headers=LIVE)
    assert f'href="/patients/{ward.consented}"' in page
    assert "CONSENTED, Zed" in page
    assert "<html" not in page


def test_the_search_works_without_script(ward: Ward) -> None:
    page = ward.find("consented")
    assert "<html" in page
    assert f'href="/patients/{ward.consented}"' in page
    assert 'value="consented"' in page


def test_people_of_one_name_are_told_apart(own_web: Web) -> None:
    ward = Ward(own_web)
    for born, gender in (("1951-03-07", "male"), ("1987-11-19", "female")):
        resource = demographics("Twin") | {"birthDate": born, "gender": gender}
        own_web.hospital.handshaker.registrar.register_patient(own_web.hospital.administrator, resource, None)
    own_web.hospital.drain()
    page = re.sub(r"<[^>]+>", "", ward.find("twin", headers=LIVE))
    assert page.count("TWIN, Zed") >= 2
    assert "born 7 Mar 1951 (75 years) · male" in page
    assert "born 19 Nov 1987 (39 years) · female" in page


def test_nobody_found_says_what_to_do(ward: Ward) -> None:
    page = ward.find("nosuchname", headers=LIVE)
    assert "Nobody is found." in page
    assert "try the number or the date of birth" in page


def test_nothing_typed_shows_nothing(ward: Ward) -> None:
    assert ward.find("  ", headers=LIVE).strip() == ""


def test_what_is_searched_for_cannot_stand_in_an_address(ward: Ward) -> None:
    # GET /patients/search is the chart of nobody.
    assert ward.client.get("/patients/search?text=consented").status_code in (404, 405)


def test_every_page_has_the_search(ward: Ward) -> None:
    for address in ("/today", "/patients", "/drafts", "/requests", "/sent", f"/patients/{ward.consented}"):
        assert ward.see(address).count("data-search") == 1, address


def test_whoever_was_looked_at_is_offered_again_by_pseudonym_only(ward: Ward) -> None:
    ward.see(f"/patients/{ward.consented}")
    ward.see(f"/patients/{ward.silent}")
    page = main(ward.see("/today"))
    assert page.index("SILENT, Zed") < page.index("CONSENTED, Zed")
    with ward.client.session_transaction() as cookie:
        assert cookie["recent"] == [ward.silent, ward.consented]


def test_every_page_of_a_patient_says_whose_it_is_and_its_title_does_not(ward: Ward) -> None:
    for part in ("", "/vital-signs", "/note", "/consent"):
        page = ward.see(f"/patients/{ward.consented}{part}")
        banner = page[page.index('class="banner"') : page.index("<main")]
        assert "CONSENTED, Zed" in banner
        assert "1 Jan 1970" in banner
        assert ward.consented[:10] in banner
        assert "consented" not in title(page).lower()


@pytest.mark.parametrize("patient", ["0x" + "00" * 32, "0x12", "nobody", "0X" + "AB" * 32])
def test_a_patient_who_does_not_exist_is_not_here(ward: Ward, patient: str) -> None:
    for part in ("", "/vital-signs", "/note", "/consent"):
        assert ward.client.get(f"/patients/{patient}{part}").status_code == 404


def test_without_consent_the_chart_says_so_and_offers_to_ask(ward: Ward) -> None:
    page = main(ward.see(f"/patients/{ward.silent}"))
    assert "has not allowed you to read the record" in page
    assert f'href="/patients/{ward.silent}/consent"' in page
    assert "Ask the patient for consent" in page


def test_with_consent_the_chart_shows_trends_values_and_evidence(web: Web) -> None:
    ward = Ward(web, "doctor")
    for systolic in (118, 131):
        web.hospital.measure(payload=blood_pressure(systolic))
    web.hospital.drain()
    page = ward.see(f"/patients/{ward.consented}")
    drawn = re.search(r'<script type="application/json" id="trend-1">(.*?)</script>', page, re.S)
    assert drawn is not None
    trend = json.loads(drawn[1])
    assert trend["unit"] == "mmHg"
    assert [line["low"] for line in trend["lines"]] == [90, 60]
    assert sorted(trend["lines"][0]["values"])[:2] == [118, 131]
    assert 'role="img" aria-label="Blood pressure over time: 2 values' in page
    assert re.search(r'<td class="number">131/76</td>', page)
    assert "One by one, with evidence" in page


def test_when_the_chain_does_not_answer_the_chart_says_why_it_is_empty(
    web: Web, monkeypatch: pytest.MonkeyPatch
) -> None:
    ward = Ward(web, "doctor")
    web.hospital.acknowledged(web.hospital.measure(payload=blood_pressure(137)))
    with ward.without_chain(monkeypatch):
        page = main(ward.see(f"/patients/{ward.consented}"))
    assert "Nothing can be shown at the moment." in page
    assert "137/" not in page


def test_older_entries_come_by_cursor(own_web: Web, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(chart._NEWEST, "notes", 3)
    ward = Ward(own_web, "doctor")
    own_web.hospital.acknowledged(own_web.hospital.consent(own_web.hospital.consented, write=["notes", "vital-signs"]))
    for number in range(5):
        ward.fill(f"/patients/{ward.consented}/note", text=f"Note number {number}.", kind="34109-9")
        own_web.hospital.drain()
    page = ward.see(f"/patients/{ward.consented}")
    link = re.search(rf'href="(/patients/{ward.consented}/older/notes\?cursor=[^"]+)"', page)
    assert link is not None
    assert "Note number 4." in page
    assert "Note number 0." not in page
    older = ward.see(link[1].replace("&amp;", "&"), headers=LIVE)
    assert "Note number 0." in older
    assert "<html" not in older
    assert "<html" in ward.see(link[1].replace("&amp;", "&"))


def test_older_entries_of_somebody_who_did_not_consent_are_not_shown(ward: Ward) -> None:
    assert ward.client.get(f"/patients/{ward.silent}/older/notes?cursor=nonsense").status_code == 404
    assert ward.client.get(f"/patients/{ward.silent}/older/secrets?cursor=1-1").status_code == 404


def test_a_doctor_sees_who_lets_them_read(web: Web) -> None:
    page = main(Ward(web, "doctor").see("/patients"))
    assert "CONSENTED, Zed" in page
    assert "SILENT, Zed" not in page
