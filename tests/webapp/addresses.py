"""Every address of the web application, with arguments that lead somewhere. A new argument needs a value here."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from flask import Flask
from werkzeug.routing import Rule


def pages(app: Flask) -> list[Rule]:
    """Return the rules that people reach with a browser, the static files and the API aside."""
    return [rule for rule in app.url_map.iter_rules() if not rule.endpoint.startswith(("api.", "static"))]


def declared(app: Flask, rule: Rule) -> frozenset[str]:
    """Return who may open what a rule leads to."""
    found: frozenset[str] = getattr(app.view_functions[rule.endpoint], "open_to", frozenset())
    return found


def arguments(patient_id: str, practitioner_id: str, ti_id: str, **more: Any) -> dict[str, Any]:
    """Return a value for every name that rules use; ``endpoint.name`` comes before ``name``."""
    return {
        "patient_id": patient_id,
        "actor_id": practitioner_id,
        "ti_id": ti_id,
        "name": "vital-signs",
        "version": 1,
        "number": 1,
        "first": 1,
        "second": 2,
        "category": "vital-signs",
        "code": "58410-2",
        "key": "0" * 32,
        "record_id": "0x" + "0" * 64,
        "proposal_id": "0" * 36,
        "session_id": "0" * 16,
        "token_id": "0" * 16,
        **more,
    }


def address(app: Flask, rule: Rule, values: Mapping[str, Any]) -> str:
    """Return the address of a rule; raises ``KeyError`` for an argument that has no value."""
    chosen = {name: values.get(f"{rule.endpoint}.{name}") or values[name] for name in rule.arguments}
    adapter = app.url_map.bind("localhost")
    return adapter.build(rule.endpoint, chosen, method=next(iter(verbs(rule))))


def verbs(rule: Rule) -> Iterator[str]:
    """Yield the methods of a rule that somebody wrote down."""
    yield from sorted((rule.methods or set()) - {"HEAD", "OPTIONS"})
