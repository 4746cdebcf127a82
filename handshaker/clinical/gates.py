"""The two gates of intake that read the payload: schema, then plausibility."""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache

from jsonschema import Draft202012Validator

from handshaker.clinical.fhir import fhir_problems
from handshaker.clinical.plausibility import coding_problems, plausibility_problems
from handshaker.errors import Implausible, SchemaViolated
from handshaker.expressions import ExpressionInvalid, evaluate
from handshaker.messages import Json, Template
from handshaker.nesting import DEEPEST_PAYLOAD, is_too_deep
from handshaker.schemas import Problem, compile_schema, problems_of


def check_payload(payload: Mapping[str, Json], template: Template) -> None:
    """Pass both gates in order; raises ``SchemaViolated`` or ``Implausible``."""
    schema_gate(payload, template)
    plausibility_gate(payload, template)


def schema_gate(payload: Mapping[str, Json], template: Template) -> None:
    """Hold ``payload`` against the template's JSON Schema, then FHIR R4 and LOINC, then the template's own rules.

    Raises ``SchemaViolated`` with every problem that the first failing step found. FHIR, LOINC and UCUM are asked only
    where the template names a resource type.
    """
    if is_too_deep(payload):
        problems: list[Problem] = [{"path": "", "problem": f"is nested deeper than {DEEPEST_PAYLOAD} levels"}]
    else:
        problems = problems_of(_validator(template), payload)
    if not problems and template.resource_type is not None:
        problems = [*fhir_problems(payload, template.resource_type), *coding_problems(payload)]
    if not problems:
        problems = rule_problems(payload, template)
    if problems:
        raise SchemaViolated(
            f"The payload does not fit {template.reference}: {_places(problems)}.",
            template=template.reference,
            problems=problems,
        )


def plausibility_gate(payload: Mapping[str, Json], template: Template) -> None:
    """Hold every measured value of a clinical payload against its unit and the template's range for it.

    Raises ``Implausible``; the message names codes and ranges, the values stand in ``problems[…]["data"]``.
    """
    if template.resource_type is None:
        return
    problems = plausibility_problems(payload, template.plausibility)
    if problems:
        raise Implausible(f"A value is not plausible: {_places(problems)}.", problems=problems)


def rule_problems(payload: Mapping[str, Json], template: Template) -> list[Problem]:
    """Return the template's rules that ``payload`` breaks; a rule that cannot be worked out is broken."""
    found: list[Problem] = []
    for rule in template.rules:
        try:
            kept = evaluate(rule.that, {"payload": payload}) is True
        except ExpressionInvalid:
            kept = False
        if not kept:
            found.append({"path": "", "problem": rule.problem})
    return found


def _places(problems: list[Problem]) -> str:
    shown = "; ".join(f"{problem['path']} {problem['problem']}".strip() for problem in problems[:3])
    return shown if len(problems) <= 3 else f"{shown}; and {len(problems) - 3} more"


class _Schema:
    """A template's schema with the identity that the cache of validators goes by."""

    __slots__ = ("key", "schema")

    def __init__(self, template: Template) -> None:
        self.key = template.digest
        self.schema = template.payload_schema

    def __eq__(self, other: object) -> bool:
        return isinstance(other, _Schema) and (
            self.schema is other.schema or (bool(self.key) and self.key == other.key)
        )

    def __hash__(self) -> int:
        return hash(self.key)


def _validator(template: Template) -> Draft202012Validator:
    return _cached_validator(_Schema(template))


@lru_cache(maxsize=256)
def _cached_validator(schema: _Schema) -> Draft202012Validator:
    return compile_schema(schema.schema)
