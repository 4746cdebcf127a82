"""What a page shows of patients is one entry of the audit log, written before the page leaves."""

from __future__ import annotations

import json
import re
from typing import Any

import pytest

from handshaker.messages import Head
from tests.webapp.care.ward import LIVE, Ward
from tests.webapp.web import Web


@pytest.fixture
def ward(own_web: Web) -> Ward:
    """A nurse with a draft about the silent patient, a valid reading and a note of her own."""
    hospital = own_web.hospital
    hospital.acknowledged(hospital.consent(hospital.consented, write=["notes", "vital-signs"]))
    ward = Ward(own_web)
    ward.measure(temperature="36.8")
    ward.refused(temperature="37.9")
    ward.see(f"/patients/{ward.consented}")
    ward.fill(f"/patients/{ward.consented}/note", text="Slept well.", kind="34746-8")
    hospital.drain()
    return ward


def accesses(ward: Ward, after: int = 0) -> list[dict[str, Any]]:
    log = ward.hospital.handshaker.store.log
    return [json.loads(entry.leaf) for entry in log.entries(after, log.size(), "access")]


def seen(ward: Ward, address: str, **more: Any) -> list[dict[str, Any]]:
    """The entries that looking at a page wrote."""
    size = ward.hospital.handshaker.store.log.size()
    ward.see(address, **more)
    return accesses(ward, size)


def own_draft(ward: Ward) -> str:
    (draft,) = ward.hospital.handshaker.drafts.of(ward.hospital.nurse)
    return draft.ti_id


def sent_under(ward: Ward) -> str:
    return ward.measure(temperature="36.9")


def test_every_page_that_shows_patients_is_exactly_one_entry(ward: Ward) -> None:
    chart, draft = f"/patients/{ward.consented}", own_draft(ward)
    record = ward.hospital.handshaker.charts.open(ward.consented, ward.hospital.nurse).notes[0].record_id
    pages = {
        "/today": ("home", None),
        "/patients": ("patients", None),
        "/drafts": ("drafts", ward.silent),
        "/sent": ("submissions", None),
        f"/sent/{draft}": ("submission", ward.silent),
        f"/drafts/{draft}/discard": ("discard", ward.silent),
        sent_under(ward): ("together", ward.consented),
        chart: ("chart", ward.consented),
        f"{chart}/older/notes?cursor={'9' * 17}-{'f' * 36}": ("older", ward.consented),
        f"{chart}/vital-signs": ("vital-signs", ward.consented),
        f"{chart}/note": ("note", ward.consented),
        f"{chart}/note/{record}": ("note", ward.consented),
        f"{chart}/consent": ("ask-consent", ward.consented),
    }
    ward.see(f"/patients/{ward.silent}")  # so that two patients are those whom one looked at last
    for address, (view, patient) in pages.items():
        found = [(each["view"], each["patient"]) for each in seen(ward, address)]
        assert found == [(view, patient)], address


def test_pages_without_patients_are_none(ward: Ward) -> None:
    for address in ("/requests", "/account"):
        assert seen(ward, address) == []


def test_a_search_is_one_entry_also_while_somebody_types(ward: Ward) -> None:
    for more in ({}, {"headers": LIVE}):
        size = ward.hospital.handshaker.store.log.size()
        ward.find("consented", **more)
        found = [(each["view"], each["patients"]) for each in accesses(ward, size) if each["view"] == "search"]
        assert found == [("search", 1)]


def test_a_part_that_asks_again_is_an_entry_only_when_it_shows_something_new(ward: Ward) -> None:
    page = ward.see("/drafts")
    again = re.search(r'hx-get="([^"]+)"', page)
    assert again is not None
    address = again[1].replace("&amp;", "&")
    assert seen(ward, address, status=204, headers=LIVE) == []
    ward.hospital.acknowledged(ward.hospital.consent(ward.hospital.silent))
    (found,) = seen(ward, address, headers=LIVE)
    assert (found["view"], found["reason"]) == ("drafts-list", "own-submission")


def test_how_far_a_record_is_tells_nothing_of_it_and_is_none(ward: Ward) -> None:
    draft = own_draft(ward)
    assert seen(ward, f"/sent/{draft}/progress", headers=LIVE) == []


def test_a_flag_opens_nobodys_identity(own_web: Web) -> None:
    ward = Ward(own_web, "pathologist")
    hospital = own_web.hospital
    size = hospital.handshaker.store.log.size()
    page = ward.see(f"/patients/{ward.consented}/report/58410-2")
    assert len(accesses(ward, size)) == 1
    flag = re.search(r'hx-post="([^"]+of=718-7[^"]*)"', page)
    assert flag is not None
    assert "sex=" in flag[1]
    size = hospital.handshaker.store.log.size()
    data = {"718-7": "3"}
    csrf = re.search(r'name="csrf_token"[^>]* value="([^"]+)"', page)
    assert csrf is not None
    answer = ward.client.post(flag[1].replace("&amp;", "&"), data={"csrf_token": csrf[1], **data}, headers=LIVE)
    assert answer.status_code == 200
    assert accesses(ward, size) == []


def test_what_leads_elsewhere_shows_nothing_and_is_none(ward: Ward) -> None:
    opened = ward.opened(f"{ward.vital_signs()}")
    ward.see("/account")
    size = ward.hospital.handshaker.store.log.size()
    token = {"csrf_token": _token(ward)}
    answer = ward.client.post(ward.vital_signs(), data={**token, **opened, "temperature": "36.6"})
    assert answer.status_code == 303
    assert accesses(ward, size) == []


def test_no_page_leaves_while_the_log_is_held(ward: Ward) -> None:
    draft, log = own_draft(ward), ward.hospital.handshaker.store.log
    log.hold("behind", log.size(), Head(log.size() + 1, bytes(32)), ward.hospital.clock.now())
    chart = f"/patients/{ward.consented}"
    for address in ("/today", "/patients", "/drafts", "/sent", f"/sent/{draft}", chart, f"{chart}/vital-signs"):
        page = ward.see(address, status=503)
        assert "consented" not in page.lower(), address
        assert "silent" not in page.lower(), address
        assert "Cache-Control" in ward.client.get(address).headers


def test_the_api_answers_503_while_the_log_is_held(ward: Ward) -> None:
    hospital, log = ward.hospital, ward.hospital.handshaker.store.log
    log.hold("behind", log.size(), Head(log.size() + 1, bytes(32)), hospital.clock.now())
    headers = {"Authorization": f"Bearer {hospital.tokens['nurse']}"}
    client = ward.client.application.test_client()
    for address in (f"/api/v1/patients/{ward.consented}", f"/api/v1/patients/{ward.consented}/records"):
        answer = client.get(address, headers=headers)
        assert (answer.status_code, json.loads(answer.text)["code"]) == (503, "log-held")


@pytest.mark.parametrize("query", ["", "?category=notes", "?category=notes&before=" + "9" * 17 + "-" + "f" * 36])
def test_a_call_of_the_api_is_one_entry(ward: Ward, query: str) -> None:
    hospital = ward.hospital
    headers = {"Authorization": f"Bearer {hospital.tokens['nurse']}"}
    client, size = ward.client.application.test_client(), hospital.handshaker.store.log.size()
    answer = client.get(f"/api/v1/patients/{ward.consented}/records{query}", headers=headers)
    assert answer.status_code == 200, answer.json
    (found,) = accesses(ward, size)
    assert (found["patient"], found["reason"]) == (ward.consented, "consent")


def _token(ward: Ward) -> str:
    found = re.search(r'name="csrf_token"[^>]* value="([^"]+)"', ward.see("/account"))
    assert found is not None
    return found[1]
