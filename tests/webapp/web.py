"""The web application over a hospital of tests: clients of people who are logged in, without a browser or a socket."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from flask import Flask
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from handshaker.tokens import Credential
from tests.instances import Instance

ROLES = (
    "doctor",
    "nurse",
    "pathologist",
    "pharmacist",
    "insurer",
    "researcher",
    "auditor",
    "device",
    "administrator",
)
"""Everybody who can have a login."""
_TOKEN = re.compile(r'name="csrf_token"[^>]* value="([^"]+)"')


@dataclass
class Web:
    """The application, and the people who use it."""

    app: Flask
    hospital: Instance
    people: dict[str, Credential] = field(default_factory=dict)

    def person(self, role: str) -> Credential:
        """Somebody of that role."""
        if role not in self.people:
            known: Any = getattr(self.hospital, role, None)
            self.people[role] = known or self.hospital.hire(role, role)
        return self.people[role]

    def client(self, who: str | Credential | None = None) -> FlaskClient:
        """A browser of its own: somebody's, by role, in a new session; or nobody's."""
        client = self.app.test_client()
        if who is not None:
            credential = self.person(who) if isinstance(who, str) else who
            text = self.hospital.handshaker.sessions.open(credential.actor.actor_id, credential.secret)
            with client.session_transaction() as cookie:
                cookie["login"] = text
        return client


def csrf_token(client: FlaskClient, page: str = "/account") -> str:
    """The token that the forms of a page carry."""
    found = _TOKEN.search(client.get(page).text)
    assert found is not None, page
    return found[1]


def send(
    client: FlaskClient, address: str, data: Mapping[str, Any] | None = None, page: str = "/account"
) -> TestResponse:
    """Send a form as a page would."""
    return client.post(address, data={"csrf_token": csrf_token(client, page), **(data or {})})
