"""What people change in an address leads to a page that says so, or narrows nothing; it never breaks one."""

from __future__ import annotations

import base64
import json
from urllib.parse import quote

import pytest

from tests.webapp.web import Web

_EARLIEST, _LATEST = "0001-01-01T00:00:00+14:00", "9999-12-31T23:59:59-14:00"


def _cursor(moment: str, ti_id: str) -> str:
    return base64.urlsafe_b64encode(json.dumps([moment, ti_id]).encode()).decode().rstrip("=")


@pytest.mark.parametrize(
    "cursor",
    [_cursor(_EARLIEST, "a"), _cursor(_LATEST, "a"), _cursor("2026-11-21T08:00:00+00:00", "\ud800")],
)
def test_a_cursor_of_no_possible_moment_or_id_is_no_place_in_the_list(web: Web, cursor: str) -> None:
    bearer = {"Authorization": f"Bearer {web.hospital.handshaker.tokens.issue(web.person('nurse'), ('read',))}"}
    assert web.client("nurse").get(f"/sent?before={cursor}").status_code == 400
    assert web.client().get(f"/api/v1/transactions?before={cursor}", headers=bearer).status_code == 400


@pytest.mark.parametrize("narrowed", ["since=0001-01-01", "until=0001-01-01", "since=9999-12-31", "until=9999-12-31"])
def test_a_day_at_the_end_of_all_calendars_narrows_nothing_or_everything(web: Web, narrowed: str) -> None:
    assert web.client("administrator").get(f"/administration/acknowledgements?{narrowed}").status_code == 200


@pytest.mark.parametrize("last", ["\U0010ffff", "\ud7ff", "\x7f", "é"])
def test_an_id_with_signs_that_no_id_has_is_not_found(web: Web, last: str) -> None:
    address = f"/administration/acknowledgements/{quote('0' * 8 + last)}"
    assert web.client("administrator").get(address).status_code == 404
