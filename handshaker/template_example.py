"""Trying a template with its own example: the gates, every field, and the sentence."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from handshaker.clinical.gates import check_payload
from handshaker.commitments import canonical
from handshaker.errors import EnvelopeInvalid, Implausible, SchemaViolated
from handshaker.expressions import ExpressionInvalid
from handshaker.messages import Json, Template
from handshaker.schemas import Problem
from handshaker.sentences import render
from handshaker.template_check import actors_of, field_problem, sample_values, statement_of

_SALT = bytes(32)


class _AnyName(dict[str, str]):
    """Every grantee has a name here."""

    def __missing__(self, grantee: str) -> str:
        return "Lakeside Hospital"


def example_problems(document: Mapping[str, Json], template: Template) -> list[Problem]:
    """Return what goes wrong when the template's example is its payload; nothing where it has none."""
    if template.example is None:
        return []
    found = list(_gate_problems(template, template.example))
    if not found:
        for kind, role in actors_of(document):
            names = sample_values(document, kind, role) | {"names": _AnyName()}
            found.extend(problem for problem in _mapping_problems(document, template, names) if problem not in found)
    return found


def _gate_problems(template: Template, example: Mapping[str, Json]) -> Iterator[Problem]:
    try:
        canonical(example)
        check_payload(example, template)
    except (SchemaViolated, Implausible) as error:
        for problem in error.data["problems"]:
            yield problem | {"path": ".".join(filter(None, ("example", problem["path"])))}
    except EnvelopeInvalid as error:
        yield {"path": "example", "problem": error.data["problem"]}


def _mapping_problems(document: Mapping[str, Json], template: Template, names: Mapping[str, Json]) -> Iterator[Problem]:
    payload = template.example or {}
    try:
        sentence = render(template.sentence, payload, names, _SALT)
    except ExpressionInvalid as error:
        yield {"path": "sentence", "problem": f"{error} (tried with the example)"}
        return
    kind = statement_of(document)
    if kind is None:
        return
    if "terms" in template.statement and names["reference"] not in sentence:
        yield {"path": "sentence", "problem": "must end in {{ context.reference }} for every payload"}
    scope = {"payload": payload, "context": {**names, "terms": sentence}}
    for name, abi_type in kind.fields:
        problem = field_problem(template.statement[name], abi_type, scope)
        if problem is not None:
            yield {"path": f"statement.{name}", "problem": f"{problem} (tried with the example)"}
