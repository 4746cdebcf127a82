"""FHIR R4 (4.0.1) structure: every element known, of the right type, and present where R4 demands it."""

from __future__ import annotations

import importlib
import re
from collections.abc import Iterator, Mapping
from functools import lru_cache
from typing import Any

from fhirclient.models.domainresource import DomainResource
from fhirclient.models.fhirabstractbase import FHIRAbstractBase, FHIRValidationError
from fhirclient.models.resource import Resource

from handshaker.messages import Json
from handshaker.schemas import MOST_PROBLEMS, Problem

_RESOURCE_NAME = re.compile(r"[A-Z][A-Za-z]{1,40}", re.ASCII)
_PLAIN_NAME = re.compile(r"_?[A-Za-z][A-Za-z0-9]{0,39}", re.ASCII)
_QUOTED = re.compile(r'"([^"]*)"')
_WORDS = {"str": "text", "int": "a whole number", "float": "a number", "bool": "true or false"}


def is_resource_type(name: str) -> bool:
    """Tell whether FHIR R4 has a resource of that name."""
    return _model(name) is not None


def fhir_problems(resource: Mapping[str, Json], resource_type: str) -> list[Problem]:
    """Return where ``resource`` is no R4 resource of ``resource_type``, by path.

    ``resource`` must not nest deeper than the stack allows (``schemas.is_too_deep``).
    """
    if resource.get("resourceType") != resource_type:
        return [{"path": "resourceType", "problem": f"must be {resource_type}"}]
    model = _model(resource_type)
    if model is None:
        return [{"path": "resourceType", "problem": "is not a resource of FHIR R4"}]
    try:
        found = list(_choice_problems(model(dict(resource)), ""))
    except FHIRValidationError as error:
        found = list(_read(error, ""))
    return sorted(found, key=lambda problem: str(problem["path"]))[:MOST_PROBLEMS]


@lru_cache(maxsize=256)
def _model(name: str) -> Any:
    if not _RESOURCE_NAME.fullmatch(name):
        return None
    try:
        module = importlib.import_module(f"fhirclient.models.{name.lower()}")
    except ModuleNotFoundError:
        return None
    model = getattr(module, name, None)
    known = isinstance(model, type) and issubclass(model, Resource) and model not in (Resource, DomainResource)
    return model if known else None


def _read(error: Any, path: str) -> Iterator[Problem]:
    """Turn the library's tree of errors into paths; its own messages quote values and are not passed on."""
    here = _join(path, error.path)
    failed = {str(inner.path).split(".")[0] for inner in error.errors if isinstance(inner, FHIRValidationError)}
    for inner in error.errors:
        if isinstance(inner, FHIRValidationError):
            yield from _read(inner, here)
        elif isinstance(inner, KeyError):
            name = _quoted(inner)
            # An element that is there but wrong is reported once, as wrong.
            if name not in failed:
                yield {"path": _join(here, name), "problem": "is missing, and FHIR R4 demands it"}
        elif isinstance(inner, AttributeError):
            name = _quoted(inner)
            shown = name if _PLAIN_NAME.fullmatch(name) else "*"
            yield {"path": _join(here, shown), "problem": "is no element that FHIR R4 has here"}
        else:
            yield {"path": here, "problem": _wrong_kind(inner)}


def _wrong_kind(error: Exception) -> str:
    text = str(error)
    if "expecting a list" in text:
        return "must be a list"
    kind = text.rpartition("expecting <class '")[2].partition("'")[0]
    if kind in _WORDS:
        return f"must be {_WORDS[kind]}"
    if kind.endswith("resource.Resource"):
        return "must be a resource of FHIR R4"
    if isinstance(error, ValueError):
        return "is not in the form that FHIR R4 wants here"
    return "is not of the kind that FHIR R4 wants here"


def _choice_problems(element: Any, path: str) -> Iterator[Problem]:
    """Yield what the library leaves open: two forms of one choice, and lists whose later items are of another kind."""
    chosen: dict[str, list[str]] = {}
    for name, json_name, kind, is_list, choice, _ in element.elementProperties():
        value = getattr(element, name)
        if value is None:
            continue
        if choice is not None:
            chosen.setdefault(choice, []).append(json_name)
        for position, item in enumerate(value if is_list else [value]):
            place = _join(path, json_name) + (f"[{position}]" if is_list else "")
            if isinstance(item, FHIRAbstractBase):
                yield from _choice_problems(item, place)
            elif kind.__name__ in _WORDS and not _fits(item, kind):
                yield {"path": place, "problem": f"must be {_WORDS[kind.__name__]}"}
    for names in chosen.values():
        if len(names) > 1:
            yield {"path": path, "problem": f"has {' and '.join(names)}, of which FHIR R4 allows one"}


def _fits(value: Json, kind: type) -> bool:
    if kind is float:
        return isinstance(value, (int, float)) and not isinstance(value, bool)
    return isinstance(value, kind) and (kind is bool or not isinstance(value, bool))


def _quoted(error: Exception) -> str:
    found = _QUOTED.search(str(error))
    return found[1] if found else ""


def _join(path: str, more: str | None) -> str:
    """Append the library's dotted path; positions become ``[0]`` and Python's spellings become FHIR's."""
    for step in (more or "").split("."):
        if step.isdigit():
            path += f"[{step}]"
        elif step:
            path += ("." if path else "") + step.removesuffix("_fhir")
    return path
