"""Invitations, the second factor, and one's own account: password, sessions, tokens."""

from __future__ import annotations

import re
from typing import Any

import pytest
from flask.testing import FlaskClient

from tests.handshaker.accounts.people import PASSWORD, code_of, enroll
from tests.webapp.entering import log_in, login_of, opens
from tests.webapp.web import Web, send

NEW = "nineteen velvet ladders"


@pytest.fixture
def nurse(own_web: Web) -> str:
    """The username of a nurse with a login."""
    return enroll(own_web.hospital, own_web.hospital.nurse, "nurse-1")


# ---- invitations -----------------------------------------------------------------------------------------------------


def accept(client: FlaskClient, code: str, username: str = "mara", new: str = NEW, again: str | None = None) -> Any:
    data = {"code": code, "username": username, "new": new, "again": new if again is None else again}
    return send(client, "/welcome", data, page="/welcome")


def test_whoever_is_invited_chooses_a_name_and_a_password_once(own_web: Web) -> None:
    client = own_web.client()
    code = own_web.hospital.handshaker.tokens.invite(own_web.hospital.nurse)
    assert code not in client.get("/welcome").text
    answer = accept(client, f"  http://localhost:8080/welcome#{code} ")
    assert (answer.status_code, answer.location) == (303, "/login")
    log_in(client, "mara", NEW)
    assert opens(client)
    again = accept(own_web.client(), code, "other")
    assert again.status_code == 401
    assert "not valid" in again.text


def test_mistakes_at_the_door_are_told_at_their_field_and_cost_nothing(own_web: Web, nurse: str) -> None:
    client = own_web.client()
    code = own_web.hospital.handshaker.tokens.invite(own_web.hospital.doctor)
    for given, words in (
        ({"username": nurse}, "Somebody else has that username"),
        ({"username": "two words"}, "Use 2 to 64 letters"),
        ({"new": "short"}, "too short"),
        ({"new": "x" * 300}, "too long"),
        ({"new": "handshaker2026"}, "tried first"),
        ({"new": "doctor.one is my name", "username": "doctor.one"}, "contains your username"),
        ({"again": "something else"}, "not the same"),
        ({"new": ""}, "Write a new password"),
    ):
        answer = accept(client, code, **given)
        assert answer.status_code == 422, given
        assert words in answer.text, given
        assert f'value="{code}"' in answer.text, "what was typed is kept"
        assert NEW not in answer.text
    assert accept(client, code).status_code == 303


def test_a_token_is_no_invitation_at_the_door(own_web: Web) -> None:
    assert accept(own_web.client(), own_web.hospital.tokens["nurse"]).status_code == 401


# ---- the second factor -----------------------------------------------------------------------------------------------


def secret_of(page: str) -> str:
    found = re.search(r'name="secret"[^>]* value="([A-Z2-7]{32})"', page)
    assert found is not None
    return found[1]


def test_an_administrator_enrols_a_second_factor_before_anything_else(own_web: Web) -> None:
    hospital = own_web.hospital
    enroll(hospital, hospital.administrator, "admin")
    client = own_web.client()
    answer = log_in(client, "admin")
    assert client.get(answer.location).location == "/second-factor"
    for address in ("/account", "/account/password", "/account/tokens/new", "/administration/people", "/"):
        assert client.get(address).location == "/second-factor", address
    page = client.get("/second-factor").text
    assert "data:image/svg+xml" in page
    secret = secret_of(page)
    wrong = send(client, "/second-factor", {"secret": secret, "code": "000"}, page="/second-factor")
    assert wrong.status_code == 422
    assert secret_of(wrong.text) == secret, "the phone has scanned it already"
    right = send(client, "/second-factor", {"secret": secret, "code": code_of(hospital, secret)}, page="/second-factor")
    assert right.status_code == 303
    assert opens(client)
    hospital.clock.advance(60)
    another = own_web.client()
    assert log_in(another, "admin").status_code == 401
    assert log_in(another, "admin", code=code_of(hospital, secret)).status_code == 303
    assert opens(another)


def test_a_second_factor_is_enrolled_later_with_the_password_only(own_web: Web, nurse: str) -> None:
    hospital, client = own_web.hospital, own_web.client()
    log_in(client, nurse)
    secret = secret_of(client.get("/second-factor").text)
    data = {"secret": secret, "code": code_of(hospital, secret)}
    assert send(client, "/second-factor", data, page="/second-factor").status_code == 422
    wrong = send(client, "/second-factor", {**data, "password": "wrong"}, page="/second-factor")
    assert wrong.status_code == 401
    assert send(client, "/second-factor", {**data, "password": PASSWORD}, page="/second-factor").status_code == 303
    assert "Enrolled" in client.get("/account").text
    assert "You have one already" in client.get("/second-factor").text


def test_a_secret_that_is_none_of_ours_is_not_shown_back(own_web: Web, nurse: str) -> None:
    client = own_web.client()
    log_in(client, nurse)
    answer = send(client, "/second-factor", {"secret": "<b>x</b>", "code": "123456"}, page="/second-factor")
    assert (answer.status_code, answer.location) == (303, "/second-factor")


def test_a_locked_session_enrols_nothing(own_web: Web, nurse: str) -> None:
    client = own_web.client()
    log_in(client, nurse)
    send(client, "/lock")
    for answer in (client.get("/second-factor"), send(client, "/second-factor", {}, page="/unlock")):
        assert answer.location == "/unlock"


# ---- one's account ---------------------------------------------------------------------------------------------------


def test_a_password_is_changed_by_who_knows_it(own_web: Web, nurse: str) -> None:
    client, other = own_web.client(), own_web.client()
    log_in(client, nurse)
    log_in(other, nurse)
    wrong = send(client, "/account/password", {"old": "wrong", "new": NEW, "again": NEW})
    assert wrong.status_code == 401
    assert NEW not in wrong.text
    weak = send(
        client, "/account/password", {"old": PASSWORD, "new": "nurse-1 is my name", "again": "nurse-1 is my name"}
    )
    assert "contains your username" in weak.text
    assert send(client, "/account/password", {"old": PASSWORD, "new": NEW, "again": NEW}).status_code == 303
    assert opens(client)
    assert not opens(other)
    assert log_in(own_web.client(), nurse).status_code == 401
    assert log_in(own_web.client(), nurse, NEW).status_code == 303


def test_one_ends_ones_own_sessions_and_nobody_elses(own_web: Web, nurse: str) -> None:
    sessions, hospital = own_web.hospital.handshaker.sessions, own_web.hospital
    client, other, doctor = own_web.client(), own_web.client(), own_web.client("doctor")
    log_in(client, nurse)
    log_in(other, nurse)
    foreign = sessions.live(hospital.doctor.actor.actor_id)[0].session_id
    send(client, f"/account/sessions/{foreign}/end")
    assert opens(doctor)
    theirs = (login_of(other) or "").split("_")[1]
    send(client, f"/account/sessions/{theirs}/end")
    assert not opens(other)
    assert opens(client)
    own = (login_of(client) or "").split("_")[1]
    assert send(client, f"/account/sessions/{own}/end").location == "/login"
    assert not opens(client)


def test_a_token_is_shown_once_and_may_no_more_than_its_maker(own_web: Web, nurse: str) -> None:
    hospital, client = own_web.hospital, own_web.client()
    log_in(client, nurse)
    form = {"label": "Night export", "scopes": ["read", "administer"], "days": "30"}
    assert send(client, "/account/tokens/new", form).status_code == 422
    answer = send(client, "/account/tokens/new", {**form, "scopes": ["read"]})
    found = re.search(r"hsk_[0-9a-f]{16}_[\w-]{43}", answer.text)
    assert found is not None
    token = hospital.handshaker.tokens.authenticate(found[0])
    assert token.scopes == ("read",)
    assert answer.headers["Cache-Control"] == "no-store"
    page = client.get("/account").text
    assert "Night export" in page
    assert found[0] not in page
    again = send(client, "/account/tokens/new", {**form, "scopes": ["read"]})
    assert again.status_code == 422, "a page that is loaded again makes no second one"
    assert send(client, f"/account/tokens/{token.token_id}/revoke").status_code == 303
    assert "Night export" not in client.get("/account").text
    assert send(client, "/account/tokens/new", {"label": "", "scopes": [], "days": "9999"}).status_code == 422


def test_nobody_ends_the_token_of_somebody_else(own_web: Web, nurse: str) -> None:
    hospital, client = own_web.hospital, own_web.client()
    log_in(client, nurse)
    theirs = hospital.tokens["doctor"]
    send(client, f"/account/tokens/{theirs.split('_')[1]}/revoke")
    hospital.handshaker.tokens.authenticate(theirs)
