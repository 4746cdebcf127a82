"""Template files: YAML or JSON on disk becomes a plain JSON document, and a problem's path becomes a line number.

YAML is read more strictly than usual, because a template must mean one thing: no duplicate keys, no aliases, and dates
stay the text that was written.
"""

from __future__ import annotations

import json
import re
from collections.abc import Hashable, Mapping
from functools import lru_cache
from pathlib import Path
from typing import Any

import yaml

from handshaker.errors import InputInvalid
from handshaker.messages import Json
from handshaker.nesting import text_is_too_deep

LARGEST_FILE = 100_000
"""Bytes: fifteen times the largest that comes with the Handshaker, and reading YAML takes seconds for as many."""

_ORDER = (
    *("name", "version", "title", "description", "contract", "function", "roles", "action", "category", "purpose"),
    *("resource_type", "payload", "rules", "plausibility", "covers", "statement", "off_chain", "sentence", "lifetime"),
)
"""The order in which people write a template; an example comes last."""


class _StrictLoader(yaml.SafeLoader):
    """Safe YAML without surprises."""

    def compose_node(self, parent: yaml.Node | None, index: int) -> yaml.Node | None:
        """Refuse aliases: a few lines of them can stand for gigabytes."""
        if self.check_event(yaml.events.AliasEvent):
            event = self.peek_event()  # type: ignore[no-untyped-call]
            raise yaml.composer.ComposerError(None, None, "aliases (*name) are not allowed", event.start_mark)
        return super().compose_node(parent, index)

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Hashable, Any]:
        """Refuse keys that are no text, and a key that is written twice."""
        seen: set[str] = set()
        for key, _ in node.value:
            if key.tag != "tag:yaml.org,2002:str":
                raise yaml.constructor.ConstructorError(None, None, "a key must be text: quote it", key.start_mark)
            if key.value in seen:
                raise yaml.constructor.ConstructorError(
                    None, None, f"{key.value!r} is written twice here", key.start_mark
                )
            seen.add(key.value)
        return super().construct_mapping(node, deep)


_StrictLoader.yaml_implicit_resolvers = {
    first: [(tag, pattern) for tag, pattern in resolvers if tag != "tag:yaml.org,2002:timestamp"]
    for first, resolvers in yaml.SafeLoader.yaml_implicit_resolvers.items()
}


def load_document(path: Path) -> dict[str, Json]:
    """Return the document of a ``.yaml``, ``.yml`` or ``.json`` file.

    Raises ``InputInvalid`` (data: ``path``, ``problem``, and ``line`` and ``column`` from 1 where they are known).
    """
    return _document(_read(path), str(path), is_json=path.suffix.lower() == ".json")


def read_document(text: str, name: str = "The text") -> dict[str, Json]:
    """Return the document of YAML or JSON text; raises as `load_document`, with ``name`` for the path."""
    _check_size(text.encode("utf-8", "surrogatepass"), name)
    return _document(text, name, is_json=text.lstrip().startswith("{"))


def as_yaml(document: Mapping[str, Json], width: int = 100) -> str:
    """Return a document as YAML, in the order in which people write one."""
    ordered = {key: document[key] for key in (*_ORDER, *document) if key in document}
    text: str = yaml.safe_dump(ordered, sort_keys=False, allow_unicode=True, width=width)
    return text


def line_of(path: Path, problem_path: str) -> int | None:
    """Return the line (from 1) of the place that a problem's path names, or of the nearest place around it."""
    try:
        return line_in(_read(path), problem_path)
    except InputInvalid:
        return None


def line_in(text: str, problem_path: str) -> int | None:
    """Return what `line_of` returns, for text."""
    node, line = _composed(text), None
    rest = problem_path
    while node is not None:
        line = node.start_mark.line + 1 if line is None else line
        step = _step_into(node, rest)
        if step is None:
            break
        line, node, rest = step
    return line


@lru_cache(maxsize=1)
def _composed(text: str) -> yaml.Node | None:
    """Return the nodes of a text; kept, for a text has many problems, each with a line."""
    try:
        node: yaml.Node | None = yaml.compose(text, Loader=_StrictLoader)
    except yaml.YAMLError:
        return None
    return node


def _document(text: str, name: str, *, is_json: bool) -> dict[str, Json]:
    if text_is_too_deep(text):
        raise _malformed(name, "it is nested too deeply")
    try:
        document = _from_json(text) if is_json else _from_yaml(text)
    except json.JSONDecodeError as error:
        raise _malformed(name, error.msg, error.lineno, error.colno) from None
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        place = (mark.line + 1, mark.column + 1) if mark else (None, None)
        raise _malformed(name, error.problem or error.context or "it is malformed", *place) from None
    except yaml.YAMLError:
        raise _malformed(name, "it holds characters that YAML does not allow") from None
    except RecursionError:
        raise _malformed(name, "it is nested too deeply") from None
    except ValueError as error:
        raise _malformed(name, str(error)) from None
    if not isinstance(document, dict):
        raise _malformed(name, "it must be one document of names and values, not a list or a single value", 1, 1)
    return document


def _step_into(node: yaml.Node, rest: str) -> tuple[int, yaml.Node, str] | None:
    if isinstance(node, yaml.SequenceNode) and (match := re.match(r"\[(\d+)\]\.?", rest)):
        position = int(match[1])
        if position < len(node.value):
            item = node.value[position]
            return item.start_mark.line + 1, item, rest[match.end() :]
    if isinstance(node, yaml.MappingNode):
        # Keys such as mm[Hg] or http://… hold the signs that paths use, so the longest key that fits is taken.
        for key, value in sorted(node.value, key=lambda pair: -len(str(pair[0].value))):
            name = str(key.value)
            if rest == name or (rest.startswith(name) and rest[len(name)] in ".["):
                return key.start_mark.line + 1, value, rest[len(name) :].removeprefix(".")
    return None


def _read(path: Path) -> str:
    try:
        raw = path.read_bytes()
    except OSError as error:
        raise _malformed(str(path), error.strerror or "it cannot be read") from None
    _check_size(raw, str(path))
    try:
        return raw.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = raw.count(b"\n", 0, error.start) + 1
        raise _malformed(str(path), "it is not UTF-8 text", line) from None


def _check_size(raw: bytes, name: str) -> None:
    if len(raw) > LARGEST_FILE:
        raise _malformed(name, f"it is larger than {LARGEST_FILE} bytes")


def _from_yaml(text: str) -> Json:
    return yaml.load(text, Loader=_StrictLoader)  # noqa: S506  # a SafeLoader, made stricter


def _from_json(text: str) -> Json:
    return json.loads(text, object_pairs_hook=_unique, parse_constant=_no_constant)


def _unique(pairs: list[tuple[str, Json]]) -> Mapping[str, Json]:
    document: dict[str, Json] = {}
    for key, value in pairs:
        if key in document:
            raise ValueError(f"{key!r} is written twice in one object")
        document[key] = value
    return document


def _no_constant(name: str) -> Json:
    raise ValueError(f"{name} is not JSON")


def _malformed(name: str, problem: str, line: int | None = None, column: int | None = None) -> InputInvalid:
    place = "" if line is None else f" at line {line}" + ("" if column is None else f", column {column}")
    return InputInvalid(
        f"{name} cannot be read{place}: {problem}.", path=name, problem=problem, line=line, column=column
    )
