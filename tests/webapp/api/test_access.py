"""Who may ask, in which form, how often; and that everything else is told as a problem document."""

from __future__ import annotations

import secrets
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from flask import Flask

from handshaker import errors
from tests.instances import Instance, blood_pressure
from tests.webapp.api.conftest import Callers, make_api
from webapp.api.contract import operations

CLOSED = [pytest.param(operation, id=operation.name) for operation in operations() if operation.scope]
EXAMPLES = {
    "{id}": "00000000-0000-4000-8000-000000000000",
    "{patient}": "0x" + "ab" * 32,
    "{name}": "vital-signs",
    "{version}": "1",
    "{token}": "0" * 16,
}


def address(path: str) -> str:
    for name, example in EXAMPLES.items():
        path = path.replace(name, example)
    return path


@pytest.mark.parametrize("operation", CLOSED)
@pytest.mark.parametrize("authorization", ["", "Bearer ", "Bearer hsk_0000000000000000_AAAA", "Basic aHNrOng="])
def test_nobody_gets_in_and_is_told_how(operation: Any, authorization: str, callers: Callers) -> None:
    headers = {"Authorization": authorization} if authorization else {}
    answer = callers.nobody.open(address(operation.path), method=operation.method, headers=headers)
    assert (answer.status_code, answer.json["code"]) == (401, "not-authenticated")
    assert answer.headers["WWW-Authenticate"].startswith('Bearer realm="handshaker"')
    assert answer.json["detail"] == "There is no valid token."


@pytest.mark.parametrize("operation", CLOSED)
def test_a_token_opens_only_what_its_scopes_say(operation: Any, callers: Callers, hospital: Instance) -> None:
    other = "read" if operation.scope == "submit" else "submit"
    token = hospital.handshaker.tokens.issue(hospital.administrator, (other,))
    answer = callers.with_token(token).open(address(operation.path), method=operation.method)
    assert (answer.status_code, answer.json["code"]) == (403, "scope-missing")
    assert f'scope="{operation.scope}"' in answer.headers["WWW-Authenticate"]


def test_a_revoked_token_and_one_that_has_expired_open_nothing(own_callers: Callers, own_hospital: Instance) -> None:
    tokens, nurse = own_hospital.handshaker.tokens, own_hospital.nurse
    revoked = tokens.issue(nurse, ("read",))
    tokens.revoke(nurse.actor.actor_id, revoked.split("_")[1])
    assert own_callers.with_token(revoked).get("/tokens").status_code == 401
    own_hospital.clock.advance(100 * 86_400)
    assert own_callers.nurse.get("/tokens").status_code == 401


def test_an_invitation_opens_nothing_here(own_callers: Callers, own_hospital: Instance) -> None:
    text = own_hospital.handshaker.tokens.invite(own_hospital.nurse)
    assert own_callers.with_token(text).get("/tokens").status_code == 401


def test_a_cookie_opens_nothing(app: Flask, hospital: Instance) -> None:
    client = app.test_client()
    client.set_cookie("session", hospital.tokens["administrator"])
    assert client.get("/api/v1/transactions").status_code == 401


@pytest.mark.parametrize(
    ("name", "path", "status"),
    [
        ("consented", "/patients/search", 403),
        ("administrator", "/patients/search", 403),
        ("nurse", "/patients/search", 200),
    ],
)
def test_only_those_who_care_for_patients_find_them(name: str, path: str, status: int, callers: Callers) -> None:
    assert getattr(callers, name).post(path, json={"query": "consented"}).status_code == status


def test_the_figures_are_for_administrators_and_auditors(callers: Callers) -> None:
    assert callers.nurse.get("/metrics").json["code"] == "role-not-allowed"
    assert callers.administrator.get("/metrics").status_code == 200


def test_somebody_whose_licence_has_run_out_sees_only_what_is_their_own(
    own_callers: Callers, own_hospital: Instance
) -> None:
    auditor = own_hospital.hire("auditor", "auditor")
    token = own_hospital.tokens["auditor"]
    seen = own_callers.with_token(token).get("/acknowledgements").json["acknowledgements"]
    assert len(seen) > 1
    own_hospital.handshaker.store.people.put_actor(_expired(own_hospital, auditor.actor))

    assert own_callers.with_token(token).get("/metrics").json["code"] == "actor-inactive"
    assert own_callers.with_token(token).get("/acknowledgements").json["acknowledgements"] == []


def _expired(instance: Instance, actor: Any) -> Any:
    return replace(actor, licence_until=instance.clock.now() - timedelta(seconds=1), version=actor.version + 1)


def test_what_is_wrong_with_address_method_and_form_is_a_problem_document(callers: Callers) -> None:
    nurse, patient = callers.nurse, "0x" + "ab" * 32
    wrong = [
        (nurse.get("/nothing-here"), 404, "not-found"),
        (nurse.get("/api/v2/transactions"), 404, "not-found"),
        (nurse.get("/transactions/not-an-id"), 404, "not-found"),
        (nurse.get("/transactions//events"), 404, "not-found"),
        (nurse.delete("/transactions"), 405, "method-not-allowed"),
        (nurse.open("/transactions", method="OPTIONS"), 405, "method-not-allowed"),
        (nurse.get("/templates", headers={"Accept": "text/html"}), 406, "not-acceptable"),
        (nurse.post("/transactions", data="template=x"), 415, "unsupported-media-type"),
        (nurse.post("/transactions", data=b"{", content_type="application/json"), 400, "envelope-invalid"),
        (nurse.post("/transactions", data=b'"\\ud800"', content_type="application/json"), 400, "envelope-invalid"),
        (nurse.post("/transactions", data=b"[" * 100_000, content_type="application/json"), 400, "envelope-invalid"),
        (nurse.post("/transactions", json={"template": "vital-signs"}), 400, "request-invalid"),
        (nurse.get("/transactions?limit=0"), 400, "request-invalid"),
        (nurse.get("/transactions?limit=1&limit=2"), 400, "request-invalid"),
        (nurse.get("/transactions?unknown=1"), 400, "request-invalid"),
        (nurse.get(f"/transactions?patient={patient}%0A"), 400, "request-invalid"),
    ]
    for answer, status, code in wrong:
        assert (answer.status_code, answer.json["code"], answer.mimetype) == (status, code, "application/problem+json")
        assert answer.json["type"] == f"/api/v1/problems/{code}"
        assert answer.json["instance"].startswith("urn:uuid:")
    assert set(wrong[4][0].headers["Allow"].split(", ")) == {"GET", "HEAD", "POST"}


def test_a_body_over_the_limit_is_refused_before_it_is_read(callers: Callers) -> None:
    answer = callers.nurse.post("/transactions", data=b" " * 1_200_000, content_type="application/json")
    assert (answer.status_code, answer.json["code"]) == (413, "body-too-large")


def test_a_payload_over_the_limit_is_refused(callers: Callers, hospital: Instance) -> None:
    payload = blood_pressure() | {"note": [{"text": "x" * 1_000_001}]}
    request = {"template": "vital-signs", "payload": payload, "idempotencyKey": secrets.token_hex(8)}
    answer = callers.nurse.post("/transactions", json=request)
    assert (answer.status_code, answer.json["code"]) == (413, "payload-too-large")


@pytest.mark.parametrize(
    ("error", "status"),
    [
        (errors.ChainUnreachable("No node answers at http://secret-host:8545.", url="http://secret-host:8545"), 503),
        (errors.StoreUnavailable("sqlite:////srv/secret-host/x.db is locked."), 503),
        (errors.RootKeyUnusable("The key /srv/secret-host is missing."), 500),
        (RuntimeError("secret-host"), 500),
    ],
)
def test_what_fails_beneath_tells_no_address_and_no_path(
    error: Exception, status: int, app: Flask, callers: Callers, monkeypatch: pytest.MonkeyPatch, hospital: Instance
) -> None:
    def fail(*_: Any) -> None:
        raise error

    monkeypatch.setattr(type(hospital.handshaker.templates), "list", fail)
    answer = callers.nurse.get("/templates")
    assert answer.status_code == status
    assert "secret-host" not in answer.text
    assert ("Retry-After" in answer.headers) == (status == 503)


def test_too_many_requests_are_told_when_to_come_again(own_hospital: Instance) -> None:
    settings = own_hospital.handshaker.settings.model_copy(update={"api_requests_per_minute": 3})
    own_hospital.handshaker.settings = settings
    callers = Callers(make_api(own_hospital), own_hospital)

    answers = [callers.nurse.get("/templates") for _ in range(4)]

    assert [answer.status_code for answer in answers] == [200, 200, 200, 429]
    assert answers[-1].json["code"] == "too-many-requests"
    assert 1 <= int(answers[-1].headers["Retry-After"]) <= 60
    assert "Retry-After" not in answers[0].headers


def test_another_host_than_ours_is_refused_in_a_problem_document(callers: Callers) -> None:
    answer = callers.nurse.get("/templates", headers={"Host": "attacker.example"})
    assert (answer.status_code, answer.mimetype) == (400, "application/problem+json")
    assert "attacker" not in answer.text


def test_every_answer_stays_out_of_caches_and_sets_no_cookie(callers: Callers) -> None:
    for answer in (callers.nurse.get("/templates"), callers.nobody.get("/templates"), callers.nobody.get("/nothing")):
        assert answer.headers["Cache-Control"] == "no-store"
        assert "Set-Cookie" not in answer.headers
        assert answer.headers["X-Content-Type-Options"] == "nosniff"


def test_a_head_request_is_answered_like_a_get_without_its_body(callers: Callers) -> None:
    answer = callers.nurse.open("/templates", method="HEAD")
    assert (answer.status_code, answer.data) == (200, b"")
    stream = callers.nurse.open("/acknowledgements/stream", method="HEAD")
    stream.close()
    assert stream.status_code == 200
    assert callers.app.extensions["api-places"].taken() == 0
