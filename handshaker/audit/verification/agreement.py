"""Whether a leaf and the rows that rest on it say the same, field by field, as ``audit/leaf.py`` writes them."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from functools import lru_cache
from operator import itemgetter
from typing import Any

Opened = Callable[[Mapping[str, Any], Sequence[Any]], bytes | None]
"""What a leaf says, and the four columns of a sealed detail → the commitment to what the detail says; ``None`` where it
cannot be opened any more, because its owner was erased. Raises ``ValueError`` where it was altered."""

_decode = json.JSONDecoder().decode
_OF_TRANSACTIONS = ("template", "actor", "patient", "origin")
_FIELDS = (
    "ti",
    "verdict",
    "code",
    *_OF_TRANSACTIONS,
    "statement",
    "block",
    "blockHash",
    "transaction",
    "logIndex",
    "at",
)
_SAID = itemgetter(*_FIELDS)


def told(leaf: bytes) -> dict[str, Any]:
    """Return what a leaf says; empty where it is no JSON object."""
    try:
        said = _decode(leaf.decode())
    except (ValueError, RecursionError):
        return {}
    return said if isinstance(said, dict) else {}


def moment(value: Any) -> Any:
    """Return a time as leaves write it, from what the driver gives for one: SQLite's text, or an aware datetime."""
    if isinstance(value, str):
        return value.replace(" ", "T") + "Z"
    if isinstance(value, datetime):
        return value.astimezone(UTC).isoformat(timespec="microseconds").replace("+00:00", "Z")
    return value


def disagreement(said: Mapping[str, Any], row: Sequence[Any], opened: Opened) -> str | None:
    """Return in words the first thing that an acknowledgement's rows say otherwise than its leaf; ``None``: none.

    ``row`` are the columns of ``sources.ENTRY_COLUMNS`` from ``ti_id`` on.
    """
    (ti, verdict, code, arguments, statement, block, block_hash, transaction, log_index, at) = row[:10]
    (template, version, actor, patient, origin, signed) = row[14:]
    rows = (
        ti,
        verdict,
        code,
        f"{template}@{version}",
        actor,
        patient,
        origin,
        _hex(statement),
        block,
        _hex(block_hash),
        _hex(transaction),
        log_index,
        moment(at),
    )
    try:
        says = _SAID(said)
    except KeyError as error:
        return f"the leaf says nothing for {error.args[0]}"
    if rows != says:
        name, here, there = next(each for each in zip(_FIELDS, rows, says, strict=True) if each[1] != each[2])
        table = "transactions" if name in _OF_TRANSACTIONS else "acknowledgements"
        return f"the row in {table} says {_shown(here)} for {name}, the entry {_shown(there)}"
    if not _is_same(_json(arguments), said.get("arguments")):
        return "the row in acknowledgements has other arguments than the entry"
    if signed != statement:
        return "the row in statements has another hash than the acknowledgement"
    if said.get("detail") is None and row[12] is None and row[10] is None and row[11] is None and row[13] is None:
        return None
    return _detail(said, row[10:14], opened)


def _detail(said: Mapping[str, Any], sealed: Sequence[Any], opened: Opened) -> str | None:
    committed = said.get("detail")
    if committed is None:
        return "the row has a sealed detail, and the entry none"
    if any(each is None for each in sealed):
        return "its sealed detail is gone"
    try:
        found = opened(said, sealed)
    except ValueError:
        return "its sealed detail does not open any more"
    return None if found is None or _hex(found) == committed else "its sealed detail says something else"


def _json(value: Any) -> Any:
    return _parsed(value) if isinstance(value, str) else value


@lru_cache(maxsize=4096)
def _parsed(text: str) -> Any:
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        return text


def _is_same(one: Any, other: Any) -> bool:
    """Compare JSON values; to Python alone true would be 1."""
    if isinstance(one, bool) or isinstance(other, bool):
        return one is other
    if isinstance(one, dict) and isinstance(other, dict):
        return one.keys() == other.keys() and all(_is_same(value, other[name]) for name, value in one.items())
    if isinstance(one, list) and isinstance(other, list):
        return len(one) == len(other) and all(map(_is_same, one, other))
    return bool(one == other)


def _hex(value: Any) -> Any:
    return "0x" + value.hex() if isinstance(value, bytes) else value


def _shown(value: Any) -> str:
    text = "nothing" if value is None else str(value)
    return text if len(text) <= 40 else f"{text[:39]}…"
