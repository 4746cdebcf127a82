"""What one sent: the list, the page of one, and nobody else's."""

from __future__ import annotations

import re

import pytest

from tests.webapp.care.ward import LIVE, Ward, main
from tests.webapp.web import Web


@pytest.fixture
def ward(own_web: Web) -> Ward:
    return Ward(own_web)


def first(page: str) -> str:
    found = re.search(r'href="/sent/([0-9a-f-]{36})"', main(page))
    assert found is not None
    return found[1]


def test_nothing_sent_says_what_this_list_is_for(ward: Ward) -> None:
    assert "Nothing here yet" in ward.see("/sent")


def test_the_list_moves_by_itself_while_something_is_on_its_way(ward: Ward) -> None:
    ward.measure(temperature="36,8")
    page = main(ward.see("/sent"))
    assert "Received" in page
    part = re.search(r'hx-get="(/sent/list[^"]*)"', page)
    assert part is not None
    assert ward.client.get(part[1].replace("&amp;", "&"), headers=LIVE).status_code == 204
    ward.hospital.drain()
    page = ward.see(part[1].replace("&amp;", "&"), headers=LIVE)
    assert "Valid" in page
    assert "hx-get" not in page


def test_the_list_is_narrowed_by_status(ward: Ward) -> None:
    ward.measure(temperature="36.8")
    ward.refused(temperature="38.2")
    assert ("36.8" in main(ward.see("/sent?status=valid")), "38.2" in main(ward.see("/sent?status=valid"))) == (
        True,
        False,
    )
    assert "38.2" in main(ward.see("/sent?status=invalid"))
    assert "Nothing here yet" in ward.see("/sent?status=mined")
    assert "36.8" in main(ward.see("/sent?status=nonsense"))


def test_older_pages_come_by_cursor(ward: Ward) -> None:
    for number in range(27):
        ward.measure(**{"heart-rate": str(60 + number)})
    page = main(ward.see("/sent"))
    link = re.search(r'href="(/sent\?before=[^"]+)"', page)
    assert link is not None
    older = main(ward.see(link[1]))
    assert older.count('id="sent-') == 2
    assert "hx-get" not in older
    assert ward.client.get("/sent?before=nonsense").status_code in (400, 404)


def test_the_page_of_one_tells_what_was_entered_and_what_happened(ward: Ward) -> None:
    ward.measure(systolic="128", diastolic="82")
    ti_id = first(ward.see("/sent"))
    part = re.search(r'hx-get="(/sent/[^"]+/progress[^"]*)"', ward.see(f"/sent/{ti_id}"))
    assert part is not None
    assert ward.client.get(part[1], headers=LIVE).status_code == 204
    ward.hospital.drain()
    assert "Valid: it is on the chain for good" in ward.see(part[1], headers=LIVE)
    page = main(ward.see(f"/sent/{ti_id}"))
    assert "128" in page
    assert "vital-signs@1" in page
    assert "Received, checked and signed" in page
    assert "<dt>Statement</dt>" in page


def test_a_refused_one_says_what_to_do(ward: Ward) -> None:
    page = main(ward.see(f"/sent/{ward.refused()}"))
    assert "has not allowed writing vital signs" in page
    assert "Ask the patient for consent" in page


@pytest.mark.parametrize("part", ["", "/progress"])
def test_somebody_elses_is_not_here(ward: Ward, own_web: Web, part: str) -> None:
    ward.measure()
    ti_id = first(ward.see("/sent"))
    assert Ward(own_web, "doctor").client.get(f"/sent/{ti_id}{part}").status_code == 404
    assert ward.client.get(f"/sent/{ti_id[:8]}{part}").status_code == 404


def test_polling_keeps_no_session_open(ward: Ward) -> None:
    ward.measure()
    ti_id = first(ward.see("/sent"))
    minutes = ward.hospital.handshaker.settings.session_idle_minutes
    for _ in range(minutes + 1):
        ward.hospital.clock.advance(60)
        answer = ward.client.get(f"/sent/{ti_id}/progress?seen=0", headers=LIVE)
    assert answer.headers["HX-Redirect"].startswith("/unlock")
