"""Patients over HTTP: found, read with consent, asked for it without."""

from __future__ import annotations

import pytest

from handshaker import errors
from tests.instances import Instance, blood_pressure
from tests.webapp.api.conftest import Callers


def test_a_patient_is_found_by_name_and_read_by_pseudonym(callers: Callers, hospital: Instance) -> None:
    found = callers.nurse.post("/patients/search", json={"query": "consented"}).json["patients"]
    assert [each["id"] for each in found] == [hospital.consented.actor.actor_id]
    assert found[0]["born"] == "1970-01-01"
    assert callers.nurse.get(f"/patients/{found[0]['id']}").json == found[0]


def test_an_unknown_patient_is_not_found(callers: Callers) -> None:
    for path in ("", "/records"):
        assert callers.nurse.get(f"/patients/0x{'ab' * 32}{path}").json["code"] == "not-found"
    asked = callers.nurse.post(f"/patients/0x{'ab' * 32}/consent-requests", json={"read": ["notes"]})
    assert asked.status_code == 404


def test_records_are_read_as_far_as_the_patient_allows(own_callers: Callers, own_hospital: Instance) -> None:
    submission = own_hospital.measure(payload=blood_pressure(131, 84))
    own_hospital.drain()

    answer = own_callers.doctor.get(f"/patients/{own_hospital.consented.actor.actor_id}/records")

    assert answer.status_code == 200, answer.json
    record = answer.json["records"][0]
    assert (record["transaction"], record["category"]) == (submission.ti_id, "vital-signs")
    assert sorted(result["value"] for result in record["results"]) == [84, 131]
    assert record["evidence"]["block"]
    assert set(answer.json["allowed"]) == {"vital-signs", "notes", "laboratory"}


def test_without_consent_reading_is_refused(callers: Callers, hospital: Instance) -> None:
    path = f"/patients/{hospital.silent.actor.actor_id}/records"
    for query in ("", "?category=vital-signs"):
        answer = callers.doctor.get(path + query)
        assert (answer.status_code, answer.json["code"]) == (403, "not-permitted")


def test_when_the_chain_cannot_be_asked_nothing_is_read(
    callers: Callers, hospital: Instance, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object, **__: object) -> None:
        raise errors.ChainUnreachable("No node answers.", url="")

    for name in ("view", "head"):
        monkeypatch.setattr(type(hospital.handshaker.chain), name, fail)
    answer = callers.doctor.get(f"/patients/{hospital.consented.actor.actor_id}/records")
    assert (answer.status_code, answer.json["code"]) == (503, "chain-unreachable")
    assert answer.headers["Retry-After"]


def test_a_patient_is_asked_for_consent_and_sees_the_request(callers: Callers, hospital: Instance) -> None:
    patient = hospital.silent.actor.actor_id
    wish = {"read": ["vital-signs"], "write": ["vital-signs"]}

    first = callers.nurse.post(f"/patients/{patient}/consent-requests", json=wish)
    again = callers.nurse.post(f"/patients/{patient}/consent-requests", json=wish)

    assert (first.status_code, first.json["state"], first.json["purpose"]) == (201, "waiting", "TREAT")
    assert again.json["id"] == first.json["id"]
    assert first.json["id"] in [each["id"] for each in callers.doctor.get("/consent-requests").json["requests"]]
    assert [each["id"] for each in callers.silent.get("/consent-requests").json["requests"]] == [first.json["id"]]


def test_a_wish_for_nothing_is_none(callers: Callers, hospital: Instance) -> None:
    path = f"/patients/{hospital.silent.actor.actor_id}/consent-requests"
    wishes: list[dict[str, list[str]]] = [{}, {"read": []}, {"read": [], "write": []}, {"read": ["everything"]}]
    for wish in wishes:
        assert callers.nurse.post(path, json=wish).status_code == 400


def test_older_records_follow_page_by_page(
    own_callers: Callers, own_hospital: Instance, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("handshaker.records.chart._NEWEST", {"vital-signs": 2, "notes": 2, "laboratory": 2})
    written = [own_hospital.measure(payload=blood_pressure(120 + number)).ti_id for number in range(5)]
    own_hospital.drain()
    address = f"/patients/{own_hospital.consented.actor.actor_id}/records?category=vital-signs"

    found, before = [], ""
    while True:
        page = own_callers.nurse.get(address + before).json
        found += [record["transaction"] for record in page["records"]]
        if "vital-signs" not in page["older"]:
            break
        before = "&before=" + page["older"]["vital-signs"]

    assert sorted(found) == sorted(written)
    missing = own_callers.nurse.get(address.partition("?")[0] + "?before=abc")
    assert missing.json["errors"][0]["parameter"] == "category"
