"""Handing in, and following what was handed in."""

from __future__ import annotations

import secrets
from typing import Any

from eth_account import Account

from tests.instances import Instance, blood_pressure
from tests.webapp.api.conftest import Caller, Callers


def reading(patient: str, **more: Any) -> dict[str, Any]:
    request = {"template": "vital-signs", "patient": patient, "payload": blood_pressure(), **more}
    request.setdefault("idempotencyKey", secrets.token_hex(8))
    return request


def test_what_is_accepted_says_where_to_follow_it(callers: Callers, hospital: Instance) -> None:
    answer = callers.nurse.post("/transactions", json=reading(hospital.consented.actor.actor_id))

    assert answer.status_code == 202, answer.json
    assert answer.json["status"] == "received"
    assert answer.json["final"] is False
    found = callers.nurse.get(answer.headers["Location"])
    assert found.json["id"] == answer.json["id"]
    assert found.json["statement"] == answer.json["statement"]


def test_a_valid_transaction_has_its_evidence(callers: Callers, hospital: Instance) -> None:
    ti = callers.nurse.post("/transactions", json=reading(hospital.consented.actor.actor_id)).json["id"]
    hospital.drain()

    found = callers.nurse.get(f"/transactions/{ti}").json
    acknowledgement = callers.nurse.get(f"/acknowledgements/{ti}").json

    assert (found["status"], found["final"], found["reason"]["code"]) == ("valid", True, "effect")
    assert found["evidence"] == acknowledgement["evidence"]
    assert all(value is not None for value in found["evidence"].values())
    assert found["position"] == acknowledgement["position"]
    kinds = [event["kind"] for event in callers.nurse.get(f"/transactions/{ti}/events").json["events"]]
    assert (kinds[0], kinds[-1]) == ("received", "valid")


def test_what_the_chain_refuses_has_a_reason_and_a_next_step(callers: Callers, hospital: Instance) -> None:
    ti = callers.nurse.post("/transactions", json=reading(hospital.silent.actor.actor_id)).json["id"]
    hospital.drain()

    found = callers.nurse.get(f"/transactions/{ti}").json

    assert (found["status"], found["reason"]["code"]) == ("invalid", "not-permitted")
    assert "consent" in found["reason"]["nextStep"]


def test_the_same_request_again_answers_the_same_transaction(callers: Callers, hospital: Instance) -> None:
    request = reading(hospital.consented.actor.actor_id)
    first, second = (callers.nurse.post("/transactions", json=request) for _ in range(2))

    assert (first.status_code, second.status_code) == (202, 202)
    assert first.json["id"] == second.json["id"]


def test_the_same_key_with_another_body_is_refused_and_names_the_first_one(
    callers: Callers, hospital: Instance
) -> None:
    request = reading(hospital.consented.actor.actor_id)
    first = callers.nurse.post("/transactions", json=request).json["id"]

    answer = callers.nurse.post("/transactions", json={**request, "payload": blood_pressure(130)})

    assert (answer.status_code, answer.json["code"]) == (422, "idempotency-conflict")
    assert answer.json["transaction"] == first


def test_the_key_may_come_in_the_header_quoted_or_not(callers: Callers, hospital: Instance) -> None:
    request, key = reading(hospital.consented.actor.actor_id), secrets.token_hex(8)
    inside = callers.nurse.post("/transactions", json={**request, "idempotencyKey": key}).json["id"]
    del request["idempotencyKey"]

    for header in (key, f'"{key}"'):
        answer = callers.nurse.post("/transactions", json=request, headers={"Idempotency-Key": header})
        assert (answer.status_code, answer.json["id"]) == (202, inside)


def test_two_keys_that_differ_and_none_at_all_are_refused(callers: Callers, hospital: Instance) -> None:
    request = reading(hospital.consented.actor.actor_id)
    differing = callers.nurse.post("/transactions", json=request, headers={"Idempotency-Key": "another"})
    del request["idempotencyKey"]
    missing = callers.nurse.post("/transactions", json=request)

    assert (differing.status_code, differing.json["errors"][0]["pointer"]) == (400, "#/idempotencyKey")
    assert (missing.status_code, missing.json["code"]) == (400, "request-invalid")


def test_what_a_gate_refuses_is_stored_and_the_problem_carries_its_acknowledgement(
    callers: Callers, hospital: Instance
) -> None:
    request = reading(hospital.consented.actor.actor_id, payload=blood_pressure(systolic=900))
    answer = callers.nurse.post("/transactions", json=request)

    assert (answer.status_code, answer.json["code"]) == (422, "implausible")
    assert answer.json["errors"][0]["pointer"].startswith("#/payload/component/0")
    assert answer.json["acknowledgement"]["verdict"] == "invalid"
    stored = callers.nurse.get(f"/transactions/{answer.json['transaction']}").json
    assert (stored["status"], stored["reason"]["code"]) == ("invalid", "implausible")
    again = callers.nurse.post("/transactions", json=request)
    assert (again.status_code, again.json["transaction"]) == (422, answer.json["transaction"])


def test_a_payload_of_the_wrong_form_is_told_by_its_places(callers: Callers, hospital: Instance) -> None:
    payload = blood_pressure()
    payload["status"] = "guessed"
    answer = callers.nurse.post("/transactions", json=reading(hospital.consented.actor.actor_id, payload=payload))

    assert (answer.status_code, answer.json["code"]) == (422, "schema-violated")
    assert [error["pointer"] for error in answer.json["errors"]] == ["#/payload/status"]


def test_an_unknown_template_and_a_patient_who_is_not_here_are_told_apart(callers: Callers, hospital: Instance) -> None:
    unknown = reading(hospital.consented.actor.actor_id) | {"template": "no-such-template"}
    assert callers.nurse.post("/transactions", json=unknown).json["code"] == "template-unknown"

    stranger = callers.nurse.post("/transactions", json=reading("0x" + "ab" * 32))
    assert (stranger.status_code, stranger.json["code"]) == (422, "patient-unknown")


def test_a_wallet_prepares_signs_and_submits(callers: Callers, hospital: Instance) -> None:
    account = Account.create()
    nurse = hospital.hire_with_wallet(account)
    hospital_tokens = hospital.handshaker.tokens
    text = hospital_tokens.issue(nurse, ("submit", "read"))
    caller = callers.with_token(text)
    request = reading(hospital.consented.actor.actor_id)

    prepared = caller.post("/transactions/prepare", json=request)
    assert prepared.status_code == 200, prepared.json
    signed = Account.sign_typed_data(account.key, full_message=prepared.json["typedData"])
    answer = caller.post(
        "/transactions",
        json={**request, "preparation": prepared.json["preparation"], "signature": "0x" + signed.signature.hex()},
    )

    assert (answer.status_code, answer.json["statement"]) == (202, prepared.json["statement"])
    hospital.drain()
    assert caller.get(answer.headers["Location"]).json["status"] == "valid"


def test_preparing_writes_nothing_and_needs_no_key(callers: Callers, hospital: Instance) -> None:
    request = reading(hospital.consented.actor.actor_id)
    del request["idempotencyKey"]
    before = callers.nurse.get("/transactions").json["transactions"]

    answer = callers.nurse.post("/transactions/prepare", json=request)

    assert answer.status_code == 200
    assert callers.nurse.get("/transactions").json["transactions"] == before


def test_somebody_elses_transaction_and_one_that_does_not_exist_look_alike(
    callers: Callers, hospital: Instance
) -> None:
    ti = callers.nurse.post("/transactions", json=reading(hospital.consented.actor.actor_id)).json["id"]
    hospital.drain()
    absent = "00000000-0000-4000-8000-000000000000"

    for path in ("/transactions/{}", "/transactions/{}/events", "/acknowledgements/{}"):
        theirs, none = (_without_number(callers.doctor, path.format(each)) for each in (ti, absent))
        assert theirs == none
        assert theirs["status"] == 404
        assert callers.administrator.get(path.format(ti)).status_code == 200


def test_the_list_has_ones_own_newest_first_and_leads_to_the_older_ones(
    own_callers: Callers, own_hospital: Instance
) -> None:
    nurse, patient = own_callers.nurse, own_hospital.consented.actor.actor_id
    handed_in = [nurse.post("/transactions", json=reading(patient)).json["id"] for _ in range(5)]
    own_callers.doctor.post("/transactions", json=reading(patient))

    found, address = [], "/transactions?limit=2"
    while address:
        page = nurse.get(address)
        found += [line["id"] for line in page.json["transactions"]]
        address = page.headers["Link"].partition(">")[0][1:] if "Link" in page.headers else ""

    assert found == handed_in[::-1]
    everybody = own_callers.administrator.get("/transactions?template=vital-signs").json["transactions"]
    assert len(everybody) == 6


def test_the_list_is_narrowed_by_status_and_patient(own_callers: Callers, own_hospital: Instance) -> None:
    nurse = own_callers.nurse
    good = nurse.post("/transactions", json=reading(own_hospital.consented.actor.actor_id)).json["id"]
    bad = nurse.post("/transactions", json=reading(own_hospital.silent.actor.actor_id)).json["id"]
    own_hospital.drain()

    assert _ids(nurse, "status=valid") == [good]
    assert _ids(nurse, "status=invalid") == [bad]
    assert _ids(nurse, f"patient={own_hospital.silent.actor.actor_id}") == [bad]
    assert nurse.get("/transactions?before=bm9uZQ").json["code"] == "cursor-invalid"


def _ids(caller: Caller, query: str) -> list[str]:
    return [line["id"] for line in caller.get(f"/transactions?{query}").json["transactions"]]


def _without_number(caller: Caller, path: str) -> dict[str, Any]:
    answer = caller.get(path).json
    del answer["instance"]
    return dict(answer)
