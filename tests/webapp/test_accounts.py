"""Logging in and out, the lock, and guessing: every way in, and every way around it."""

from __future__ import annotations

import re
from collections.abc import Iterator

import pytest
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from tests.handshaker.accounts.people import PASSWORD, enroll
from tests.webapp.entering import cookie_of, log_in, login_of, opens, unlock
from tests.webapp.web import Web, csrf_token, send
from webapp.extensions import limiter


@pytest.fixture
def nurse(own_web: Web) -> str:
    """The username of a nurse with a login."""
    return enroll(own_web.hospital, own_web.hospital.nurse, "nurse-1")


# ---- logging in ------------------------------------------------------------------------------------------------------


def test_a_nurse_logs_in_and_goes_where_she_wanted(own_web: Web, nurse: str) -> None:
    client = own_web.client()
    answer = client.get("/account?x=1")
    assert (answer.status_code, answer.location) == (303, "/login?next=/account?x%3D1")
    page = client.get(answer.location).text
    assert 'name="next" value="/account?x=1"' in page
    answer = log_in(client, nurse, next="/account?x=1")
    assert answer.status_code == 303
    assert client.get(answer.location).location == "/account?x=1"
    assert opens(client)


def test_every_refusal_is_the_same_page_and_keeps_the_username(own_web: Web, nurse: str) -> None:
    enroll(own_web.hospital, own_web.hospital.administrator, "admin")
    client, pages = own_web.client(), set[str]()
    for username, password, code in (
        (nurse, "wrong", ""),
        ("nobody", "wrong", ""),
        (nurse, "wrong", "123456"),
        ("admin", "wrong", ""),
    ):
        answer = log_in(client, username, password, code)
        assert answer.status_code == 401
        assert f'value="{username}"' in answer.text
        for said in (password, code):
            assert not said or f'value="{said}"' not in answer.text
        without = re.sub(r'value="[^"]*"|"X-CSRFToken": "[^"]*"', "", answer.text)
        pages.add(without)
    assert len(pages) == 1
    assert not opens(client)


def test_an_empty_form_says_what_is_missing(own_web: Web) -> None:
    answer = log_in(own_web.client(), "", "")
    assert answer.status_code == 422
    assert "Write your username." in answer.text
    assert "Write your password." in answer.text


def test_logging_in_gives_a_cookie_that_was_not_there_before(own_web: Web, nurse: str) -> None:
    """Session fixation: nothing that somebody planted survives, and nobody else's text becomes a login."""
    client = own_web.client()
    with client.session_transaction() as planted:
        planted["login"] = "hss_0123456789abcdef_" + "A" * 43
        planted["planted"] = "yes"
    token = csrf_token(client, "/login")
    before = cookie_of(client)
    client.post("/login", data={"csrf_token": token, "username": nurse, "password": PASSWORD})
    assert cookie_of(client) != before
    with client.session_transaction() as cookie:
        assert "planted" not in cookie
        assert cookie["login"].startswith("hss_")
        assert cookie["login"] != "hss_0123456789abcdef_" + "A" * 43
    forged = client.post("/lock", data={"csrf_token": token})
    assert forged.status_code == 400, "a token from before the login is worth nothing after it"


def test_a_second_login_in_the_same_browser_ends_the_first(own_web: Web, nurse: str) -> None:
    other = enroll(own_web.hospital, own_web.hospital.doctor, "doctor-1")
    client, copy = own_web.client(), own_web.client()
    token = csrf_token(client, "/login")
    client.post("/login", data={"csrf_token": token, "username": nurse, "password": PASSWORD})
    with copy.session_transaction() as cookie:
        cookie["login"] = login_of(client)
    send(client, "/lock")
    log_in(client, other)
    assert "doctor" in client.get("/account").text
    assert not opens(copy)


def test_whoever_is_here_already_is_not_asked_again(own_web: Web) -> None:
    assert own_web.client("nurse").get("/login").status_code == 303


ELSEWHERE = (
    "https://attacker.example/",
    "//attacker.example/account",
    "///attacker.example",
    "/\\attacker.example",
    "\\\\attacker.example",
    "/\t/attacker.example",
    "javascript:alert(1)",
    "account",
    "/logout",
    "/lock",
    "/login?next=/login",
    "/nowhere",
    "/static/css/tokens.css",
    "/api/v1/templates",
    "/account\r\nSet-Cookie: a=b",
    "/" + "a" * 600,
    "/administration/people",
)


def test_nobody_is_sent_to_what_is_no_page_of_theirs(own_web: Web, nurse: str) -> None:
    for address in ELSEWHERE:
        client = own_web.client()
        answer = log_in(client, nurse, next=address)
        assert answer.location.partition("?")[0] == "/arrive", address
        assert client.get(answer.location).location == "/today", address


def test_logging_out_ends_the_session_and_not_only_the_cookie(own_web: Web, nurse: str) -> None:
    client, copy = own_web.client(), own_web.client()
    log_in(client, nurse)
    with copy.session_transaction() as cookie:
        cookie["login"] = login_of(client)
    assert opens(copy)
    answer = send(client, "/logout")
    assert (answer.status_code, answer.location) == (303, "/login")
    assert "You are logged out." in client.get("/login").text
    assert not opens(client)
    assert not opens(copy)
    assert client.get("/logout").status_code == 405, "no link logs anybody out"


def test_forms_without_their_token_do_nothing(own_web: Web, nurse: str) -> None:
    client = own_web.client()
    assert client.post("/login", data={"username": nurse, "password": PASSWORD}).status_code == 400
    assert not opens(client)
    log_in(client, nurse)
    for address in ("/lock", "/logout", "/session/alive", "/account/password", "/account/tokens/new", "/second-factor"):
        assert client.post(address).status_code == 400, address
    assert opens(client)


# ---- the lock --------------------------------------------------------------------------------------------------------


def test_a_locked_workstation_names_who_locked_it_and_goes_on_where_they_were(own_web: Web, nurse: str) -> None:
    client = own_web.client()
    log_in(client, nurse)
    text = login_of(client)
    referrer = {"Referer": "http://localhost/account"}
    token = csrf_token(client)
    answer = client.post("/lock", data={"csrf_token": token}, headers=referrer)
    assert (answer.status_code, answer.location) == (303, "/unlock?next=/account")
    page = client.get(answer.location).text
    assert "nurse" in page
    assert "Lock this workstation" not in page
    assert not opens(client)
    assert unlock(client, "wrong", next="/account").status_code == 401
    assert not opens(client)
    answer = unlock(client, next="/account")
    assert client.get(answer.location).location == "/account"
    assert opens(client)
    assert login_of(client) != text, "the cookie from before the lock is worth nothing"
    old = own_web.client()
    with old.session_transaction() as cookie:
        cookie["login"] = text
    assert not opens(old)


def test_where_the_button_was_on_another_site_nobody_goes_back_there(own_web: Web, nurse: str) -> None:
    client = own_web.client()
    log_in(client, nurse)
    token = csrf_token(client)
    answer = client.post("/lock", data={"csrf_token": token}, headers={"Referer": "http://attacker.example/account"})
    assert answer.location == "/unlock"


def test_a_workstation_at_which_nobody_was_is_locked(own_web: Web, nurse: str) -> None:
    client = own_web.client()
    log_in(client, nurse)
    own_web.hospital.clock.advance(14 * 60)
    token = csrf_token(client)
    own_web.hospital.clock.advance(14 * 60)
    answer = client.post("/session/alive", headers={"X-CSRFToken": token})
    assert answer.status_code == 204
    own_web.hospital.clock.advance(16 * 60)
    answer = client.post("/session/alive", headers={"X-CSRFToken": token})
    assert answer.status_code == 303
    assert answer.location.startswith("/unlock")
    assert client.get("/account").location == "/unlock?next=/account"


def test_somebody_else_can_take_over_a_locked_workstation(own_web: Web, nurse: str) -> None:
    other = enroll(own_web.hospital, own_web.hospital.doctor, "doctor-1")
    client = own_web.client()
    log_in(client, nurse)
    send(client, "/lock")
    answer = send(client, "/logout", page="/unlock")
    assert answer.location == "/login"
    log_in(client, other)
    assert opens(client)
    assert len(own_web.hospital.handshaker.sessions.live(own_web.hospital.nurse.actor.actor_id)) == 0


def test_a_locked_session_that_is_over_leads_to_the_login(own_web: Web, nurse: str) -> None:
    client = own_web.client()
    log_in(client, nurse)
    send(client, "/lock")
    token = csrf_token(client, "/unlock")
    own_web.hospital.clock.advance(13 * 3_600)
    answer = client.post("/unlock", data={"csrf_token": token, "password": PASSWORD})
    assert answer.status_code == 303
    assert answer.location.startswith("/login")


def test_an_open_session_needs_no_unlocking(own_web: Web, nurse: str) -> None:
    client = own_web.client()
    log_in(client, nurse)
    assert client.get("/unlock?next=/account").location == "/account"
    assert unlock_open(client).status_code == 303


def unlock_open(client: FlaskClient) -> TestResponse:
    return client.post("/unlock", data={"csrf_token": csrf_token(client), "password": "whatever"})


# ---- guessing --------------------------------------------------------------------------------------------------------


@pytest.fixture
def counted(own_web: Web) -> Iterator[Web]:
    """The application as in earnest: requests are counted."""
    from webapp.application import make_app

    handshaker = own_web.hospital.handshaker
    handshaker.settings = handshaker.settings.model_copy(update={"web_rate_limits": True})
    yield Web(make_app(handshaker), own_web.hospital)
    limiter.reset()
    limiter.enabled = False


def test_guesses_from_one_address_are_limited_and_people_who_come_to_work_are_not(counted: Web) -> None:
    nurse = enroll(counted.hospital, counted.hospital.nurse, "nurse-1")
    for _ in range(21):
        client = counted.client()
        assert log_in(client, nurse).status_code == 303
    client = counted.client()
    statuses = [log_in(client, f"nobody-{number}").status_code for number in range(20)]
    assert set(statuses) == {401}
    token = csrf_token(client, "/login")
    answer = client.post("/login", data={"csrf_token": token, "username": nurse, "password": PASSWORD})
    assert answer.status_code == 429
    assert "Too many attempts" in answer.text
    assert client.get("/login").status_code == 200
