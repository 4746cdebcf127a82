"""How people come in, for tests: through the forms, as a browser sends them."""

from __future__ import annotations

from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from tests.handshaker.accounts.people import PASSWORD
from tests.webapp.web import send

COOKIE = "__Host-handshaker"


def cookie_of(client: FlaskClient) -> str:
    found = client.get_cookie(COOKIE)
    assert found is not None
    return str(found.value)


def login_of(client: FlaskClient) -> str | None:
    """The session's text in the cookie."""
    with client.session_transaction() as cookie:
        found: str | None = cookie.get("login")
        return found


def log_in(client: FlaskClient, username: str, password: str = PASSWORD, code: str = "", **more: str) -> TestResponse:
    data = {"username": username, "password": password, "code": code, **more}
    return send(client, "/login", data, page="/login")


def unlock(client: FlaskClient, password: str = PASSWORD, **more: str) -> TestResponse:
    return send(client, "/unlock", {"password": password, **more}, page="/unlock")


def opens(client: FlaskClient) -> bool:
    return client.get("/account").status_code == 200
