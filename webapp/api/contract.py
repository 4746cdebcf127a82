"""The contract: the OpenAPI document, read once, and what each operation in it asks of a request.

Routes, scopes, roles, parameters and bodies are taken from the document, so code and document cannot differ.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from copy import deepcopy
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import yaml
from jsonschema import Draft202012Validator

from handshaker import TRANSACTION_SCHEMA, compile_schema, errors, parse_json, problems_of
from webapp.refusals import RequestInvalid

Document = dict[str, Any]

HERE = Path(__file__).parent
BASE = "/api/v1"
METHODS = ("get", "post", "put", "patch", "delete")
_INTEGER = re.compile(r"-?(0|[1-9][0-9]{0,17})", re.ASCII)


@dataclass(frozen=True, slots=True)
class Parameter:
    """A parameter of an operation."""

    name: str
    where: str
    """``path``, ``query`` or ``header``."""
    is_required: bool
    schema: Mapping[str, Any]
    """Without references."""
    description: str
    example: Any

    @property
    def pattern(self) -> str:
        """What fits, as a regular expression without anchors."""
        if self.schema.get("type") == "integer":
            return f"[1-9][0-9]{{0,{len(str(self.schema['maximum'])) - 1}}}"
        return str(self.schema["pattern"]).removeprefix("^").removesuffix("$")

    def read(self, text: str) -> Any:
        """Return what a text of the request means here."""
        is_integer = self.schema.get("type") == "integer"
        return int(text) if is_integer and _INTEGER.fullmatch(text) else text


@dataclass(frozen=True, slots=True)
class Operation:
    """What the document says of one operation."""

    name: str
    """Its ``operationId``: the name of the function that does it."""
    method: str
    path: str
    """Below ``BASE``, with ``{parameters}``."""
    scope: str | None
    """What a token must be for; ``None`` for what needs no token."""
    roles: frozenset[str] | None
    """Who may, where not everybody."""
    parameters: tuple[Parameter, ...]
    produces: tuple[str, ...]
    """Media types of its answers, the first one where the client does not care; errors aside."""
    body: Draft202012Validator | None
    checks: Draft202012Validator
    """Of all parameters together, by name."""
    raw: Mapping[str, Any]
    """As it stands in the document, without references."""

    @property
    def rule(self) -> str:
        """The path as Flask writes it, each parameter with the converter of its name (``converter_name``)."""
        return BASE + re.sub(r"\{(\w+)\}", lambda found: f"<{converter_name(found[1])}:{found[1]}>", self.path)

    def read_parameters(self, given: Mapping[str, Mapping[str, str]]) -> dict[str, Any]:
        """Return the parameters by name, defaults included, ``None`` for what is absent.

        ``given`` holds texts by place and name. Raises ``RequestInvalid``.
        """
        wanted = {(parameter.where, parameter.name): parameter for parameter in self.parameters}
        read = {
            name: wanted[where, name].read(text) if (where, name) in wanted else text
            for where, texts in given.items()
            for name, text in texts.items()
        }
        problems = problems_of(self.checks, read)
        if problems:
            raise RequestInvalid(
                "A parameter is not as it should be.",
                errors=[_parameter_fault(problem) for problem in problems],
            )
        defaults = {parameter.name: parameter.schema.get("default") for parameter in self.parameters}
        return defaults | read

    def read_body(self, raw: bytes) -> Any:
        """Return the body; raises ``EnvelopeInvalid`` where it is no JSON, and ``RequestInvalid``."""
        assert self.body is not None
        document = parse_json(raw, "The body")
        if not _is_unicode(document):
            raise errors.EnvelopeInvalid("The body is not JSON: it holds text that is not valid Unicode.")
        problems = problems_of(self.body, document)
        if problems:
            raise RequestInvalid(
                f"The body is not as it should be: {problems[0]['path'] or 'the whole'} {problems[0]['problem']}.",
                errors=[{"pointer": pointer(p["path"]), "detail": p["problem"]} for p in problems],
            )
        return document


@cache
def document() -> Document:
    """Return the whole document as it is served: one file, and the library's own schema of a transaction in it."""
    whole = _bundled(_load("openapi.yaml"))
    components = _bundled(_load("components.yaml"))["components"]
    components["schemas"] = _bundled(_load("schemas.yaml"))["components"]["schemas"]
    components["schemas"]["TransactionRequest"] = _transaction_request()
    whole = {key: value for key, value in whole.items() if not key.startswith("x-")}
    return {**whole, "components": components}


@cache
def operations() -> tuple[Operation, ...]:
    """Return every operation, in the order of the document."""
    whole = document()
    return tuple(
        _operation(path, method, resolved(whole, item[method]), whole)
        for path, item in whole["paths"].items()
        for method in METHODS
        if method in item
    )


def converter_name(parameter: str) -> str:
    """Return the name of the converter that lets only such texts into an address as the document allows."""
    return f"api_{parameter}"


def resolved(whole: Document, node: Any) -> Any:
    """Return ``node`` with every reference replaced by what it refers to; no schema refers to itself."""
    if isinstance(node, Mapping):
        if "$ref" in node:
            target: Any = whole
            for step in node["$ref"].removeprefix("#/").split("/"):
                target = target[step]
            beside = {key: value for key, value in node.items() if key != "$ref"}
            return {**resolved(whole, target), **resolved(whole, beside)}
        return {key: resolved(whole, value) for key, value in node.items()}
    return [resolved(whole, item) for item in node] if isinstance(node, list) else node


def pointer(path: str) -> str:
    """Return ``component[0].code`` as a JSON Pointer in a URI fragment (RFC 6901, section 6)."""
    steps = [step for step in re.split(r"[.\[\]]+", path) if step]
    return "#" + "".join("/" + step.replace("~", "~0").replace("/", "~1") for step in steps)


def _load(name: str) -> Document:
    loaded: Document = yaml.safe_load((HERE / name).read_text())
    return loaded


def _bundled(node: Any) -> Any:
    """Return ``node`` with references to the other files turned into references within one document."""
    if isinstance(node, Mapping):
        return {key: "#" + value.partition("#")[2] if key == "$ref" else _bundled(value) for key, value in node.items()}
    return [_bundled(item) for item in node] if isinstance(node, list) else node


def _transaction_request() -> Document:
    """Return the library's schema of a request, whose key may also come in the header."""
    schema = deepcopy(dict(TRANSACTION_SCHEMA))
    schema["required"] = [name for name in schema["required"] if name != "idempotencyKey"]
    return schema


def _operation(path: str, method: str, raw: Document, whole: Document) -> Operation:
    security = raw.get("security", whole["security"])
    roles = raw.get("x-open-to")
    parameters = tuple(_parameters(raw))
    good = [answer for status, answer in raw["responses"].items() if status.startswith("2")]
    produces = [media for answer in good for media in answer.get("content", {})]
    body = raw.get("requestBody")
    return Operation(
        name=raw["operationId"],
        method=method.upper(),
        path=path,
        scope=security[0]["bearer"][0] if security else None,
        roles=frozenset(roles) if roles else None,
        parameters=parameters,
        produces=tuple(dict.fromkeys(produces)) or ("application/json",),
        body=_compiled(body["content"]["application/json"]["schema"]) if body else None,
        checks=_compiled(
            {
                "type": "object",
                "properties": {parameter.name: parameter.schema for parameter in parameters},
                "required": [parameter.name for parameter in parameters if parameter.is_required],
                "additionalProperties": False,
            }
        ),
        raw=raw,
    )


def _parameters(raw: Document) -> Iterator[Parameter]:
    for found in raw.get("parameters", []):
        yield Parameter(
            name=found["name"],
            where=found["in"],
            is_required=found.get("required", False),
            schema=found["schema"],
            description=found.get("description", ""),
            example=found.get("example"),
        )


def _compiled(schema: Any) -> Draft202012Validator:
    return compile_schema(_strict(schema))


def _strict(node: Any) -> Any:
    """Let patterns end where the text ends: Python's ``$`` also fits before a last newline."""
    if isinstance(node, Mapping):
        return {
            key: re.sub(r"\$$", r"\\Z", value) if key == "pattern" and isinstance(value, str) else _strict(value)
            for key, value in node.items()
        }
    return [_strict(item) for item in node] if isinstance(node, list) else node


def _parameter_fault(problem: Mapping[str, Any]) -> dict[str, str]:
    name = problem["path"]
    return {"detail": f"{name} {problem['problem']}".strip(), **({"parameter": name} if name else {})}


def _is_unicode(value: Any) -> bool:
    try:
        json.dumps(value, ensure_ascii=False).encode()
    except UnicodeEncodeError:
        return False
    return True
