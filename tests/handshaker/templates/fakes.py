"""What the Template Manager's tests stand on: a store in memory, a clock that stands, and one small template."""

from __future__ import annotations

import copy
from datetime import UTC, datetime, timedelta
from functools import cache

from handshaker.errors import TemplateInvalid
from handshaker.messages import Json, Template
from handshaker.template_manager import TemplateManager, shipped_documents


class MemoryTemplateStore:
    """Implements ``TemplateStore``."""

    def __init__(self) -> None:
        self.rows: list[tuple[str, int, str, str, str, datetime]] = []

    def add_template(
        self, name: str, version: int, digest: str, document_json: str, added_by: str, added_at: datetime
    ) -> None:
        self.rows.append((name, version, digest, document_json, added_by, added_at))

    def template_documents(self) -> list[tuple[str, int, str, str]]:
        return [row[:4] for row in self.rows]


class StandingClock:
    """Implements ``Clock``; moves only when told."""

    def __init__(self) -> None:
        self.at = datetime(2026, 11, 21, 12, 0, tzinfo=UTC)

    def now(self) -> datetime:
        return self.at

    def advance(self, seconds: int) -> None:
        self.at += timedelta(seconds=seconds)


def manager(store: MemoryTemplateStore | None = None, clock: StandingClock | None = None) -> TemplateManager:
    return TemplateManager(store or MemoryTemplateStore(), clock or StandingClock())


@cache
def _shipped_by_name() -> dict[str, dict[str, Json]]:
    return {document["name"]: document for document in shipped_documents()}


def shipped(name: str) -> dict[str, Json]:
    """Return a copy of a shipped document."""
    return copy.deepcopy(_shipped_by_name()[name])


@cache
def shipped_template(name: str) -> Template:
    """Return a shipped template, parsed."""
    return manager().parse(shipped(name))


def ward(**changes: Json) -> dict[str, Json]:
    """Return a small sound template for organisations, with changes; ``None`` as a change removes the entry."""
    document: dict[str, Json] = {
        "name": "open-ward",
        "version": 1,
        "title": "Opening of a ward",
        "contract": "Directory",
        "function": "registerOrganisation",
        "roles": ["administrator"],
        "action": "administer",
        "payload": {
            "type": "object",
            "additionalProperties": False,
            "required": ["number", "open"],
            "properties": {
                "number": {"type": "integer", "minimum": 1, "maximum": 100},
                "open": {"type": "boolean"},
                "motto": {"type": "string"},
            },
        },
        "statement": {
            "organisationId": "payload.number",
            "active": "payload.open",
            "profile": "context.commitment",
            "version": "context.version",
            "administrator": "context.actor.address",
            "deadline": "context.deadline",
        },
        "sentence": "Open ward {{ payload.number }}.",
        "lifetime": 600,
        "example": {"number": 7, "open": True},
    }
    document |= changes
    return {name: value for name, value in document.items() if value is not None}


def problems(document: dict[str, Json]) -> dict[str, str]:
    """Return what is wrong with a document, by path; empty when nothing is."""
    try:
        manager().parse(document)
    except TemplateInvalid as error:
        return {problem["path"]: problem["problem"] for problem in error.data["problems"]}
    return {}
