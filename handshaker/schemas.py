"""JSON Schema 2020-12: problems as a path and a sentence, which never repeat what the document says.

Where a schema gives a ``description``, the sentence uses it ("must be a LOINC code"), so a template's author decides
how a refusal reads.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from datetime import date, datetime
from typing import Any

from jsonschema import Draft202012Validator, FormatChecker
from jsonschema.exceptions import ValidationError
from referencing import Registry
from referencing.exceptions import Unresolvable

from handshaker.messages import Json
from handshaker.patterns import pattern_problem

Problem = dict[str, Json]
"""``{"path": "component[0].code", "problem": "is missing"}``, and possibly ``data``."""

MOST_PROBLEMS = 50
_PLAIN_KEY = re.compile(r"[A-Za-z0-9_.\-\[\]/%{}*$]{1,40}", re.ASCII)
_KINDS = {
    "object": "an object",
    "array": "a list",
    "string": "text",
    "number": "a number",
    "integer": "a whole number",
    "boolean": "true or false",
    "null": "null",
}

_FORMATS = FormatChecker(formats=())


@_FORMATS.checks("date-time", raises=ValueError)
def _is_moment(value: object) -> bool:
    return not isinstance(value, str) or ("T" in value and datetime.fromisoformat(value).tzinfo is not None)


@_FORMATS.checks("date", raises=ValueError)
def _is_date(value: object) -> bool:
    return not isinstance(value, str) or bool(date.fromisoformat(value))


def compile_schema(schema: Mapping[str, Json]) -> Draft202012Validator:
    """Return a validator that checks ``date`` and ``date-time`` and resolves nothing outside the schema itself."""
    return Draft202012Validator(_forbidding(schema), registry=Registry(), format_checker=_FORMATS)


def _forbidding(node: Json, names: bool = False) -> Json:
    """Write ``name: false`` as ``name: {not: {}}``, which means the same and whose errors know their path."""
    if isinstance(node, Mapping):
        return {
            key: {"not": {}} if names and value is False else _forbidding(value, key == "properties")
            for key, value in node.items()
        }
    return [_forbidding(item) for item in node] if isinstance(node, list) else node


def schema_problems(schema: Mapping[str, Json]) -> list[Problem]:
    """Return what is wrong with a schema itself, references to other documents included."""
    found = problems_of(Draft202012Validator(Draft202012Validator.META_SCHEMA), schema, author=True)
    for path, pattern in _patterns(schema, ()):
        problem = pattern_problem(pattern)
        if problem is not None:
            found.append({"path": path_of(path), "problem": problem})
    for path, reference in _references(schema, ()):
        if not isinstance(reference, str) or not reference.startswith("#"):
            found.append({"path": path_of(path), "problem": "may only refer to a place in this schema (#/…)"})
    if not found:
        try:
            list(compile_schema(schema).iter_errors({}))
        except Unresolvable:
            found.append({"path": "", "problem": "refers to a place that this schema does not have"})
    return found


def problems_of(validator: Draft202012Validator, document: Json, author: bool = False) -> list[Problem]:
    """Return everything that ``validator`` finds in ``document``, by path, at most ``MOST_PROBLEMS``.

    ``author`` tells that the document is an author's own and no payload, so that its words may be shown.
    """
    found: list[Problem] = []
    for error in sorted(validator.iter_errors(document), key=lambda error: [str(step) for step in error.absolute_path]):
        for leaf in _leaves(error):
            problem = {"path": path_of(leaf.absolute_path), "problem": _sentence(leaf, author)}
            if problem not in found:
                found.append(problem)
    return found[:MOST_PROBLEMS]


def path_of(steps: Iterable[str | int]) -> str:
    """Return steps into a document as ``component[0].code``; a key that could be a person's words becomes ``*``."""
    path = ""
    for step in steps:
        if isinstance(step, int):
            path += f"[{step}]"
        else:
            path += ("." if path else "") + (step if _PLAIN_KEY.fullmatch(step) else "*")
    return path


def kind_of(value: Json) -> str:
    """Name the kind of a JSON value, never the value."""
    if value is None:
        return "nothing"
    if isinstance(value, bool):
        return "true or false"
    if isinstance(value, int):
        return "a whole number"
    if isinstance(value, float):
        return "a number with a fraction"
    if isinstance(value, str):
        return "text"
    return "a list" if isinstance(value, (list, tuple)) else "an object"


def _leaves(error: ValidationError) -> Iterator[ValidationError]:
    """Where a document fits none of several forms, the problems of the form that it comes closest to."""
    if error.validator not in ("anyOf", "oneOf") or not error.context or _description(error):
        yield error
        return
    branches: dict[Any, list[ValidationError]] = {}
    for inner in error.context:
        branches.setdefault(inner.schema_path[0], []).append(inner)
    for inner in min(branches.values(), key=len):
        yield from _leaves(inner)


def _description(error: ValidationError) -> str | None:
    described = error.schema.get("description") if isinstance(error.schema, Mapping) else None
    return described if isinstance(described, str) else None


def _sentence(error: ValidationError, author: bool) -> str:
    keyword: str = str(error.validator)
    described = _description(error)
    if described and keyword not in ("required", "additionalProperties", "unevaluatedProperties", "type"):
        return f"must be {described}"
    limit: Any = error.validator_value
    say = _SENTENCES.get(keyword)
    if say is not None:
        return say(limit)
    if keyword == "required":
        absent = [str(name) for name in limit if name not in _names(error)]
        # jsonschema yields one error for each name; its message starts with the quoted name.
        named = next((name for name in absent if error.message.startswith(repr(name))), absent[0])
        return f"{named} is missing"
    if keyword in ("additionalProperties", "unevaluatedProperties"):
        return _unknown_names(error, author)
    return f"does not keep to the schema's `{keyword}`"


def _names(error: ValidationError) -> list[str]:
    return list(error.instance) if isinstance(error.instance, Mapping) else []


def _unknown_names(error: ValidationError, author: bool) -> str:
    known = set(error.schema.get("properties", {})) if isinstance(error.schema, Mapping) else set()
    extra = [name for name in _names(error) if name not in known]
    shown = sorted(name for name in extra if author or _PLAIN_KEY.fullmatch(name))
    names = ", ".join(shown) if shown else f"{len(extra)} that have no plain name"
    return f"has entries that are not known here: {names}"


def _type_sentence(limit: Any) -> str:
    kinds = limit if isinstance(limit, list) else [limit]
    return "must be " + " or ".join(_KINDS.get(kind, str(kind)) for kind in kinds)


def _enum_sentence(limit: Any) -> str:
    return "must be one of " + ", ".join(str(item) for item in limit[:40])


_SENTENCES: dict[str, Callable[[Any], str]] = {
    "type": _type_sentence,
    "enum": _enum_sentence,
    "const": lambda limit: f"must be {limit}",
    "pattern": lambda limit: f"must match the pattern {limit}",
    "format": lambda limit: {
        "date-time": "must be a moment such as 2027-03-01T00:00:00Z, with its time zone",
        "date": "must be a date such as 2027-03-01",
    }.get(limit, f"must be of the format {limit}"),
    "minimum": lambda limit: f"must be at least {limit}",
    "maximum": lambda limit: f"must be at most {limit}",
    "exclusiveMinimum": lambda limit: f"must be more than {limit}",
    "exclusiveMaximum": lambda limit: f"must be less than {limit}",
    "multipleOf": lambda limit: f"must be a multiple of {limit}",
    "minLength": lambda limit: "must not be empty" if limit == 1 else f"must have at least {limit} characters",
    "maxLength": lambda limit: f"must have at most {limit} characters",
    "minItems": lambda limit: "must not be empty" if limit == 1 else f"must have at least {limit} items",
    "maxItems": lambda limit: f"must have at most {limit} items",
    "uniqueItems": lambda limit: "must not name the same thing twice",
    "minProperties": lambda limit: "must not be empty" if limit == 1 else f"must have at least {limit} entries",
    "maxProperties": lambda limit: f"must have at most {limit} entries",
    "dependentRequired": lambda limit: "needs another entry beside it",
    "contains": lambda limit: "holds no item of the kind that is needed here",
    "not": lambda limit: "is of a form that is not allowed here" if limit else "is not allowed here",
    "anyOf": lambda limit: "fits none of the forms that are allowed here",
    "oneOf": lambda limit: "must fit exactly one of the forms that are allowed here",
}


def _patterns(node: Json, path: tuple[str | int, ...]) -> Iterator[tuple[tuple[str | int, ...], str]]:
    if isinstance(node, Mapping):
        for key, value in node.items():
            if key == "pattern" and isinstance(value, str):
                yield (*path, key), value
            elif key == "patternProperties" and isinstance(value, Mapping):
                yield from (((*path, key), name) for name in value)
            yield from _patterns(value, (*path, key))
    elif isinstance(node, list):
        for position, value in enumerate(node):
            yield from _patterns(value, (*path, position))


def _references(node: Json, path: tuple[str | int, ...]) -> Iterator[tuple[tuple[str | int, ...], Json]]:
    if isinstance(node, Mapping):
        for key, value in node.items():
            if key in ("$ref", "$dynamicRef"):
                yield (*path, key), value
            else:
                yield from _references(value, (*path, key))
    elif isinstance(node, list):
        for position, value in enumerate(node):
            yield from _references(value, (*path, position))
