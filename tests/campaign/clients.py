"""Applications of the hospital: they repeat a request until it is answered, as every client of the API is told to."""

from __future__ import annotations

import secrets
import threading
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import requests

from tests.campaign.hospital import Person

_PAUSE = 0.05
_TIMEOUT = 20
_ANSWERS = {202, 422}
"""Accepted, and refused at a gate; everything else is no answer, and asked again."""


class Unanswered(Exception):
    """The campaign is over and this request got no answer."""


class Unexpected(Exception):
    """The answer is none that this request may get."""


@dataclass
class Promise:
    """One request and all answers that it got."""

    key: str
    kind: str
    verdicts: frozenset[str]
    """Those that may be true in the end."""
    told: list[str] = field(default_factory=list)
    """The TI of each answer."""
    attempts: int = 0


class Client:
    """Speaks REST for one thread."""

    def __init__(self, url: str, over: threading.Event) -> None:
        self._url = url
        self._over = over
        self._session = requests.Session()

    def submit(self, person: Person, body: Mapping[str, Any], promise: Promise) -> str:
        """Hand in until there is an answer; return the TI. Raises ``Unanswered`` and ``Unexpected``."""
        answer = self._until_answered("/api/v1/transactions", person, {**body, "idempotencyKey": promise.key}, promise)
        document = answer.json()
        if answer.status_code not in _ANSWERS or not (ti := document.get("id") or document.get("transaction")):
            raise Unexpected(f"{promise.kind}: {answer.status_code} {document.get('code')}")
        promise.told.append(str(ti))
        return str(ti)

    def prepare(self, person: Person, body: Mapping[str, Any]) -> dict[str, Any]:
        """Ask what to sign."""
        answer = self._until_answered("/api/v1/transactions/prepare", person, dict(body), None)
        if answer.status_code != 200:
            raise Unexpected(f"prepare: {answer.status_code} {answer.json().get('code')}")
        document: dict[str, Any] = answer.json()
        return document

    def _until_answered(
        self, path: str, person: Person, body: dict[str, Any], promise: Promise | None
    ) -> requests.Response:
        while True:
            if promise is not None:
                promise.attempts += 1
            try:
                answer = self._session.post(
                    self._url + path,
                    json=body,
                    headers={"Authorization": f"Bearer {person.token}"},
                    timeout=_TIMEOUT,
                )
                if answer.status_code < 500:
                    return answer
            except requests.RequestException:
                # The process died, with our request or before it: nobody can tell, so it goes again.
                pass
            if self._over.is_set():
                raise Unanswered(path)
            time.sleep(_PAUSE)


def new_key() -> str:
    return secrets.token_hex(12)
