"""Refused records: asked for, signed again, given up, and nobody else's."""

from __future__ import annotations

import pytest

from tests.instances import consent_payload
from tests.webapp.care.ward import LIVE, Ward, main
from tests.webapp.web import Web


@pytest.fixture
def ward(own_web: Web) -> Ward:
    return Ward(own_web)


def seen(ward: Ward) -> str:
    """The address of the list as the page has it."""
    page = ward.see("/drafts")
    start = page.index('hx-get="/drafts/list') + len('hx-get="')
    return page[start : page.index('"', start)]


def agree(ward: Ward) -> None:
    hospital = ward.hospital
    hospital.acknowledged(hospital.submit(hospital.silent, "consent-grant", consent_payload()))


def test_nothing_refused_says_what_this_list_is_for(ward: Ward) -> None:
    assert "No drafts" in ward.see("/drafts")


def test_a_refused_reading_waits_is_asked_for_and_is_sent_with_one_click(ward: Ward) -> None:
    ti_id = ward.refused(temperature="38,2")
    page = main(ward.see("/drafts"))
    assert "SILENT, Zed" in page
    assert "38.2" in page
    assert "has not allowed writing vital signs" in page
    assert "Sign and send" not in page

    answer = ward.press(f"/drafts/{ti_id}/ask")
    assert answer.status_code == 303
    page = ward.see("/drafts")
    assert "The patient was asked." in page
    assert "The patient was asked</span>" in page

    waiting = seen(ward)
    assert ward.client.get(waiting, headers=LIVE).status_code == 204
    agree(ward)
    part = ward.see(waiting, headers=LIVE)
    assert "Consent has come" in part
    assert f'action="/drafts/{ti_id}/send"' in part

    answer = ward.press(f"/drafts/{ti_id}/send")
    assert answer.status_code == 303
    ward.hospital.drain()
    assert "Valid: it is on the chain for good" in ward.see(answer.location)
    assert "No drafts" in ward.see("/drafts")


def test_two_clicks_send_it_once(ward: Ward) -> None:
    ti_id = ward.refused()
    agree(ward)
    before = ward.count()
    first, second = (ward.press(f"/drafts/{ti_id}/send") for _ in range(2))
    assert first.location == second.location
    assert ward.count() == before + 1


def test_it_is_given_up_only_after_a_second_thought(ward: Ward) -> None:
    ti_id = ward.refused()
    page = ward.see(f"/drafts/{ti_id}/discard")
    assert "Discard this draft?" in page
    assert "SILENT, Zed" in page
    assert "Temperature" in main(ward.see("/drafts"))
    assert ward.press(f"/drafts/{ti_id}/discard").status_code == 303
    assert "No drafts" in ward.see("/drafts")
    assert ward.client.get(f"/drafts/{ti_id}/discard").status_code == 404


def test_somebody_elses_draft_is_not_here(ward: Ward, own_web: Web) -> None:
    ti_id, other = ward.refused(), Ward(own_web, "doctor")
    assert "No drafts" in other.see("/drafts")
    assert other.client.get(f"/drafts/{ti_id}/discard").status_code == 404
    for verb in ("send", "ask", "discard"):
        assert other.press(f"/drafts/{ti_id}/{verb}").status_code == 404
    assert "No drafts" not in ward.see("/drafts")


def test_while_the_chain_is_down_no_draft_is_ready(ward: Ward, monkeypatch: pytest.MonkeyPatch) -> None:
    ti_id = ward.refused()
    agree(ward)
    with ward.without_chain(monkeypatch):
        assert f'action="/drafts/{ti_id}/send"' not in ward.see("/drafts")
    assert f'action="/drafts/{ti_id}/send"' in ward.see("/drafts")


def test_drafts_stand_on_the_first_page_and_in_the_chart(ward: Ward) -> None:
    ward.refused(temperature="38.2")
    for address in ("/today", f"/patients/{ward.silent}"):
        assert "38.2" in main(ward.see(address))
