"""The page at /api shows the whole document to people."""

from __future__ import annotations

import html
import re
import shlex

from flask import Flask

from tests.webapp.api.conftest import Callers
from webapp.api.contract import BASE, operations
from webapp.api.reference import words


def test_everybody_may_read_every_operation(app: Flask) -> None:
    page = app.test_client().get("/api")
    text = html.unescape(re.sub(r"</?code>", "", page.text))
    assert page.status_code == 200
    for operation in operations():
        assert f"{operation.method} {operation.path}" in text
        assert operation.raw["summary"].replace("`", "") in text
        assert f'id="{operation.name}"' in text


def test_every_example_asks_what_it_stands_beside(app: Flask, callers: Callers) -> None:
    page = html.unescape(app.test_client().get("/api").text)
    examples = re.findall(r">(curl .*?)</pre>", page, re.DOTALL)
    assert len(examples) == len(operations())
    ordered = sorted(operations(), key=lambda each: each.raw["tags"] == ["service"])
    for operation, example in zip(ordered, examples, strict=True):
        command = shlex.split(example)
        address = next(word for word in command if word.startswith("http"))
        body = command[command.index("-d") + 1] if "-d" in command else None
        assert address.startswith(f"http://localhost{BASE}/")
        answer = callers.nobody.open(
            address.removeprefix("http://localhost"),
            method=operation.method,
            data=body,
            content_type="application/json" if body else None,
        )
        # The examples are of the right form: nothing but the token is missing.
        assert answer.status_code in ({401} if operation.scope else {200, 404, 503}), example


def test_words_in_backticks_are_code() -> None:
    assert words("Send `Accept` twice.") == [("Send ", False), ("Accept", True), (" twice.", False)]
