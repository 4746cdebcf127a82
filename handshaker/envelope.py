"""The envelope: the first gate. What a request must look like before anybody asks who sent it."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from handshaker.commitments import canonical
from handshaker.errors import EnvelopeInvalid, PayloadTooLarge
from handshaker.messages import Json, Preparation
from handshaker.nesting import DEEPEST_DOCUMENT, is_too_deep, text_is_too_deep
from handshaker.schemas import compile_schema, problems_of

_HASH = r"^0x[0-9a-f]{64}$"

SCHEMA: dict[str, Json] = {
    "$schema": "https://json-schema.org/draft/2020-12/schema",
    "type": "object",
    "required": ["template", "payload", "idempotencyKey"],
    "additionalProperties": False,
    "properties": {
        "template": {"type": "string", "pattern": r"^[a-z0-9-]{1,80}(@[1-9][0-9]{0,8})?$"},
        "patient": {"type": ["string", "null"], "pattern": _HASH},
        "payload": {"type": "object"},
        "idempotencyKey": {"type": "string", "minLength": 1, "maxLength": 200},
        "supersedes": {"type": ["string", "null"], "pattern": _HASH},
        "signature": {"type": ["string", "null"], "pattern": r"^0x([0-9a-f]{2}){1,2048}$"},
        "preparation": {
            "type": ["object", "null"],
            "required": ["salt", "reference", "deadline", "version", "epoch"],
            "additionalProperties": False,
            "properties": {
                "salt": {"type": "string", "pattern": r"^[0-9a-f]{64}$"},
                "reference": {"type": "string", "pattern": r"^[A-Z2-7]{26}$"},
                "deadline": {"type": "integer", "minimum": 0, "maximum": 2**40 - 1},
                "version": {"type": "integer", "minimum": 1, "maximum": 2**32 - 1},
                "epoch": {"type": "integer", "minimum": 0, "maximum": 2**24 - 1},
            },
        },
    },
    "dependentRequired": {"signature": ["preparation"], "preparation": ["signature"]},
}
"""JSON Schema 2020-12 of a request, also for the API's own description."""

_VALIDATOR = compile_schema(SCHEMA)


@dataclass(frozen=True, slots=True)
class Envelope:
    """A request that is well formed."""

    template: str
    version: int | None
    patient: str | None
    payload: Mapping[str, Json]
    idempotency_key: str
    supersedes: str | None
    signature: bytes | None
    preparation: Preparation | None
    request: Mapping[str, Json]
    """The request without its key and signature: what the idempotency key stands for."""


def read_envelope(request: bytes | Mapping[str, Json], limit: int) -> Envelope:
    """Return what a request says; raises ``EnvelopeInvalid`` and ``PayloadTooLarge`` (``limit`` in bytes)."""
    document = _parse(request, limit) if isinstance(request, bytes) else request
    if is_too_deep(document, DEEPEST_DOCUMENT):
        raise EnvelopeInvalid("The request is nested too deeply.")
    problems = problems_of(_VALIDATOR, document)
    if problems:
        first = problems[0]
        raise EnvelopeInvalid(
            f"The request is not well formed: {first['path'] or 'the whole'} {first['problem']}.", problems=problems
        )
    asked = {name: document.get(name) for name in ("template", "patient", "payload", "supersedes")}
    encoded = canonical(asked)
    if len(encoded) > limit:
        raise PayloadTooLarge(
            f"The request has {len(encoded)} bytes; {limit} are allowed.", size=len(encoded), limit=limit
        )
    name, _, version = str(document["template"]).partition("@")
    signature = document.get("signature")
    return Envelope(
        template=name,
        version=int(version) if version else None,
        patient=document.get("patient"),
        payload=document["payload"],
        idempotency_key=document["idempotencyKey"],
        supersedes=document.get("supersedes"),
        signature=bytes.fromhex(signature[2:]) if signature else None,
        preparation=_preparation(document.get("preparation")),
        request=asked,
    )


def parse_json(raw: bytes, what: str) -> Json:
    """Return the JSON value of ``raw``; raises ``EnvelopeInvalid`` with line and column, ``what`` naming the source."""
    try:
        text = raw.decode()
        if text_is_too_deep(text):
            raise EnvelopeInvalid(f"{what} is nested too deeply.")
        return json.loads(text, parse_constant=_refuse_constant)
    except json.JSONDecodeError as error:
        raise EnvelopeInvalid(
            f"{what} is not JSON: line {error.lineno}, column {error.colno}: {error.msg}.",
            line=error.lineno,
            column=error.colno,
        ) from error
    except UnicodeDecodeError as error:
        raise EnvelopeInvalid(f"{what} is not JSON: it is not UTF-8 text.") from error
    except ValueError as error:
        raise EnvelopeInvalid(f"{what} is not JSON: it holds numbers that JSON does not know.") from error


def _parse(request: bytes, limit: int) -> Mapping[str, Json]:
    if len(request) > limit:
        raise PayloadTooLarge(
            f"The request has {len(request)} bytes; {limit} are allowed.", size=len(request), limit=limit
        )
    document = parse_json(request, "The request")
    if not isinstance(document, dict):
        raise EnvelopeInvalid("The request is not a JSON object.")
    return document


def _refuse_constant(name: str) -> Any:
    raise ValueError(name)


def _preparation(raw: Mapping[str, Any] | None) -> Preparation | None:
    if raw is None:
        return None
    # 5.0 is a whole number too, by JSON Schema.
    deadline, version, epoch = (int(raw[name]) for name in ("deadline", "version", "epoch"))
    return Preparation(bytes.fromhex(raw["salt"]), raw["reference"], deadline, version, epoch)
