"""The document for people: one page with every operation, its parameters and an example that can be pasted."""

from __future__ import annotations

import json
import shlex
from dataclasses import dataclass
from typing import Any

from flask import Blueprint, render_template, request

from webapp import access
from webapp.api import contract
from webapp.api.contract import BASE, Operation

reference = Blueprint("reference", __name__)

JSON = "application/json"


@dataclass(frozen=True, slots=True)
class Shown:
    """An operation as the page shows it."""

    operation: Operation
    curl: str
    answers: tuple[tuple[str, str], ...]
    """Status and description."""


@reference.get("/api")
@access.anybody
def page() -> str:
    """Show every operation, by what it is about."""
    subjects: dict[str, list[Shown]] = {}
    for operation in sorted(contract.operations(), key=lambda each: each.raw["tags"] == ["service"]):
        subjects.setdefault(operation.raw["tags"][0], []).append(_shown(operation, request.host_url.rstrip("/")))
    return render_template(
        "reference/page.html", info=contract.document()["info"], subjects=subjects, words=words, kind=kind
    )


def words(text: str) -> list[tuple[str, bool]]:
    """Return the pieces of a description, and of each whether it is code."""
    return [(piece, number % 2 == 1) for number, piece in enumerate(text.split("`")) if piece]


def kind(schema: dict[str, Any]) -> str:
    """Return what a parameter may be, in a few words."""
    if "enum" in schema:
        return ", ".join(schema["enum"])
    if schema.get("type") == "integer":
        return f"{schema['minimum']} … {schema['maximum']}"
    return str(schema.get("pattern", schema.get("type", "")))


def _shown(operation: Operation, host: str) -> Shown:
    body = operation.raw["requestBody"]["content"][JSON]["example"] if operation.body else None
    return Shown(
        operation=operation,
        curl=_curl(operation, host, body),
        answers=tuple((status, answer["description"]) for status, answer in sorted(operation.raw["responses"].items())),
    )


def _curl(operation: Operation, host: str, body: Any) -> str:
    """Return a command that does the operation, with the examples of what it must be told."""
    path = operation.path
    for parameter in operation.parameters:
        path = path.replace(f"{{{parameter.name}}}", str(parameter.example))
    lines = [f"curl {host}{BASE}{path}" if operation.method != "DELETE" else f"curl -X DELETE {host}{BASE}{path}"]
    if operation.scope:
        lines.append('-H "Authorization: Bearer $TOKEN"')
    if JSON not in operation.produces and operation.produces[0].startswith("text/event"):
        lines[0] = lines[0].replace("curl", "curl -N", 1)
    if body is not None:
        lines += [f"-H 'Content-Type: {JSON}'", "-d " + shlex.quote(json.dumps(body, indent=2, ensure_ascii=False))]
    return " \\\n  ".join(lines)
