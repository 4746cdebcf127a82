"""What nurses, doctors and pathologists do on the pages, with the test client."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from handshaker.errors import ChainUnreachable
from handshaker.tokens import Credential
from tests.instances import Instance
from tests.webapp.web import Web, csrf_token

LIVE = {"HX-Request": "true"}
_FIELD = r'name="{}"[^>]* value="([^"]*)"'


class Ward:
    """One person at one browser."""

    def __init__(self, web: Web, who: str | Credential = "nurse") -> None:
        self.hospital: Instance = web.hospital
        self.client: FlaskClient = web.client(who)
        self.consented = self.hospital.consented.actor.actor_id
        self.silent = self.hospital.silent.actor.actor_id

    def see(self, address: str, status: int = 200, **more: Any) -> str:
        answer = self.client.get(address, **more)
        assert answer.status_code == status, (address, answer.status)
        return answer.text

    def fill(self, address: str, **values: Any) -> TestResponse:
        """Open a form, fill it in and send it where it says."""
        return self.send_again(address, self.opened(address), **values)

    def opened(self, address: str) -> dict[str, str]:
        """What a form holds when it is opened: its key and its time."""
        page = self.see(address)
        found = {name: re.search(_FIELD.format(name), page) for name in ("key", "taken_at", "written_at")}
        return {name: match[1] for name, match in found.items() if match}

    def send_again(self, address: str, opened: dict[str, str], **values: Any) -> TestResponse:
        token = csrf_token(self.client, "/patients")
        return self.client.post(address, data={"csrf_token": token, **opened, **values})

    def press(self, address: str) -> TestResponse:
        return self.client.post(address, data={"csrf_token": csrf_token(self.client, "/patients")})

    def find(self, text: str, **more: Any) -> str:
        data = {"csrf_token": csrf_token(self.client, "/patients"), "text": text}
        answer = self.client.post("/patients/search", data=data, **more)
        assert answer.status_code == 200
        return answer.text

    def vital_signs(self, patient: str | None = None) -> str:
        return f"/patients/{patient or self.consented}/vital-signs"

    def measure(self, patient: str | None = None, **values: Any) -> str:
        """Send vital signs; return where one sees what became of them."""
        answer = self.fill(self.vital_signs(patient), **(values or {"temperature": "36,8"}))
        assert answer.status_code == 303, answer.text
        return answer.location

    def refused(self, **values: Any) -> str:
        """The id of a refused reading of somebody who did not consent."""
        page = self.measure(self.silent, **values)
        self.hospital.drain()
        found = re.search(r'href="/sent/([0-9a-f-]{36})"', self.see(page))
        assert found is not None
        return found[1]

    def count(self) -> int:
        """How many transactions there are."""
        return len(self.hospital.handshaker.explorer.search(limit=500).rows)

    @contextmanager
    def without_chain(self, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
        def gone(*_: Any, **__: Any) -> None:
            raise ChainUnreachable("No node answers.", url="http://127.0.0.1:1")

        with monkeypatch.context() as patch:
            for name in ("view", "head"):
                patch.setattr(type(self.hospital.handshaker.chain), name, gone)
            yield


def title(page: str) -> str:
    found = re.search(r"<title>(.*?)</title>", page, re.S)
    assert found is not None
    return found[1]


def main(page: str) -> str:
    return page[page.index("<main") :]
