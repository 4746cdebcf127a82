"""One's own tokens over HTTP."""

from __future__ import annotations

from tests.instances import Instance
from tests.webapp.api.conftest import Callers
from tests.webapp.api.test_transactions import reading


def test_a_token_that_was_made_here_submits(callers: Callers, hospital: Instance) -> None:
    made = callers.nurse.post("/tokens", json={"label": "ward monitor", "scopes": ["submit", "read"], "days": 30})
    assert made.status_code == 201, made.json
    assert (made.json["token"]["label"], made.json["token"]["current"]) == ("ward monitor", False)

    answer = callers.with_token(made.json["text"]).post(
        "/transactions", json=reading(hospital.consented.actor.actor_id)
    )

    assert answer.status_code == 202


def test_the_text_of_a_token_is_told_once(callers: Callers) -> None:
    made = callers.nurse.post("/tokens", json={"label": "once", "scopes": ["read"]}).json
    secret = made["text"].split("_", 2)[2]
    listed = callers.nurse.get("/tokens")
    assert made["token"]["id"] in [each["id"] for each in listed.json["tokens"]]
    assert secret not in listed.text
    assert [each["label"] for each in listed.json["tokens"] if each["current"]] == ["first token"]


def test_nobody_gets_more_than_they_have(callers: Callers) -> None:
    more = callers.nurse.post("/tokens", json={"label": "more", "scopes": ["administer"]})
    assert (more.status_code, more.json["code"]) == (403, "scope-missing")
    invitation = callers.nurse.post("/tokens", json={"label": "more", "scopes": ["enroll"]})
    assert invitation.status_code == 400
    longer = callers.nurse.post("/tokens", json={"label": "more", "scopes": ["read"], "days": 366})
    assert (longer.status_code, longer.json["errors"][0]["pointer"]) == (400, "#/days")


def test_a_revoked_token_is_gone_at_once_and_others_cannot_be_touched(callers: Callers) -> None:
    made = callers.nurse.post("/tokens", json={"label": "short", "scopes": ["read"]}).json
    path = f"/tokens/{made['token']['id']}"

    assert callers.doctor.delete(path).status_code == 404
    assert callers.with_token(made["text"]).get("/tokens").status_code == 200
    assert callers.nurse.delete(path).status_code == 204
    assert callers.with_token(made["text"]).get("/tokens").status_code == 401
    assert callers.nurse.delete(path).status_code == 404
