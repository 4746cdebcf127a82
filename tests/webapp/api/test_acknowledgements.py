"""The log of acknowledgements over HTTP."""

from __future__ import annotations

from typing import Any

from tests.instances import Instance
from tests.webapp.api.conftest import Caller, Callers


def walked(caller: Caller, address: str) -> list[dict[str, Any]]:
    """Every entry from ``address`` on, page after page."""
    found = []
    while address:
        page = caller.get(address)
        found += page.json["acknowledgements"]
        address = page.headers["Link"].partition(">")[0][1:] if "Link" in page.headers else ""
    return found


def test_every_page_leads_to_the_next_in_the_order_of_the_log(callers: Callers, hospital: Instance) -> None:
    for _ in range(3):
        hospital.measure()
    hospital.drain()

    whole = walked(callers.administrator, "/acknowledgements?limit=500")
    paged = walked(callers.administrator, "/acknowledgements?limit=2")

    assert paged == whole
    positions = [each["position"] for each in whole]
    assert positions == sorted(set(positions))


def test_one_goes_on_after_the_last_position(callers: Callers, hospital: Instance) -> None:
    last = callers.administrator.get("/acknowledgements?limit=500").json["last"]
    submission = hospital.measure()
    hospital.drain()

    page = callers.administrator.get(f"/acknowledgements?after={last}")

    assert [each["id"] for each in page.json["acknowledgements"]] == [submission.ti_id]
    end = callers.administrator.get(f"/acknowledgements?after={page.json['last']}")
    assert end.json == {"acknowledgements": [], "last": page.json["last"]}
    assert "Link" not in end.headers


def test_everybody_sees_their_own_and_overseers_all(callers: Callers, hospital: Instance) -> None:
    hospital.measure()
    hospital.drain()
    nurse = hospital.nurse.actor.actor_id

    own = walked(callers.nurse, "/acknowledgements")
    everybody = walked(callers.administrator, "/acknowledgements")

    assert {each["actor"] for each in own} == {nurse}
    assert {each["actor"] for each in everybody} > {nurse}
    assert walked(callers.administrator, f"/acknowledgements?actor={nurse}") == own
    assert walked(callers.nurse, f"/acknowledgements?actor={hospital.doctor.actor.actor_id}") == []


def test_filters_narrow_and_go_along_to_the_next_page(callers: Callers, hospital: Instance) -> None:
    for patient in (hospital.silent, hospital.consented, hospital.silent):
        hospital.measure(patient)
    hospital.drain()

    invalid = walked(callers.nurse, "/acknowledgements?limit=1&verdict=invalid&code=not-permitted")

    assert len(invalid) >= 2
    assert {(each["verdict"], each["code"]) for each in invalid} == {("invalid", "not-permitted")}
    assert {each["patient"] for each in invalid} == {hospital.silent.actor.actor_id}
    about = walked(callers.nurse, f"/acknowledgements?patient={hospital.consented.actor.actor_id}")
    assert {each["verdict"] for each in about} == {"valid"}
    assert walked(callers.nurse, "/acknowledgements?template=register-patient") == []
