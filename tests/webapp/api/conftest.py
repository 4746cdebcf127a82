"""The API of a hospital, and clients of it."""

from __future__ import annotations

from typing import Any

import pytest
from flask import Flask
from jsonschema import Draft202012Validator
from werkzeug.exceptions import HTTPException
from werkzeug.test import TestResponse

from tests.instances import Instance, hospital, own_hospital, pattern_hospital
from webapp.api.contract import BASE, operations
from webapp.application import make_app
from webapp.extensions import limiter

__all__ = ["hospital", "own_hospital", "pattern_hospital"]


def make_api(instance: Instance) -> Flask:
    """The whole web application; nobody was counted yet."""
    app = make_app(instance.handshaker)
    limiter.reset()
    return app


def check_answer(app: Flask, answer: TestResponse) -> None:
    """Hold an answer against the document, unless the address led nowhere."""
    try:
        name, _ = app.url_map.bind("localhost").match(answer.request.path, method=answer.request.method)
    except HTTPException:
        return
    operation = next(each for each in operations() if f"api.{each.name}" == name)
    described = operation.raw["responses"][str(answer.status_code)].get("content", {})
    assert (answer.mimetype in described) if described else not answer.data
    if answer.is_json and answer.request.method != "HEAD":
        schema = described[answer.mimetype]["schema"]
        assert list(Draft202012Validator(schema).iter_errors(answer.json)) == []
    assert answer.headers["Cache-Control"] == "no-store"


class Caller:
    """Somebody who calls the API with a token."""

    def __init__(self, app: Flask, token: str) -> None:
        self.token = token
        self._app = app
        self._client = app.test_client(use_cookies=False)

    def get(self, path: str, **more: Any) -> Any:
        return self.open(path, method="GET", **more)

    def post(self, path: str, **more: Any) -> Any:
        return self.open(path, method="POST", **more)

    def delete(self, path: str, **more: Any) -> Any:
        return self.open(path, method="DELETE", **more)

    def open(self, path: str, **more: Any) -> Any:
        headers = {"Authorization": f"Bearer {self.token}"} if self.token else {}
        headers |= more.pop("headers", {})
        address = path if path.startswith("/api") else BASE + path
        answer = self._client.open(address, headers=headers, **more)
        if answer.mimetype != "text/event-stream":
            check_answer(self._app, answer)
        return answer


class Callers:
    """Callers by the name of their token."""

    def __init__(self, app: Flask, instance: Instance) -> None:
        self.app = app
        self.instance = instance

    def __getattr__(self, name: str) -> Caller:
        return self.with_token("" if name == "nobody" else self.instance.tokens[name])

    def with_token(self, token: str) -> Caller:
        return Caller(self.app, token)


@pytest.fixture(scope="module")
def app(hospital: Instance) -> Flask:
    return make_api(hospital)


@pytest.fixture
def callers(app: Flask, hospital: Instance) -> Callers:
    limiter.reset()
    return Callers(app, hospital)


@pytest.fixture
def own_callers(own_hospital: Instance) -> Callers:
    return Callers(make_api(own_hospital), own_hospital)
