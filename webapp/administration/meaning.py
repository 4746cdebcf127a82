"""What numbers in statements and events mean, for the people who read them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from typing import Any

from flask_babel import format_datetime
from flask_babel import gettext as _
from markupsafe import Markup

from handshaker import vocabulary
from webapp.administration.blueprint import administration
from webapp.care import words
from webapp.formats import role as role_words

_MASKS = {"readMask", "writeMask", "denyMask", "scope", "categories"}
_MOMENTS = {"deadline", "notBefore", "notAfter", "licenceUntil", "until", "readyAt"}
_NOTHING = "0x" + "0" * 64
_END_OF_TIME = 2**40 - 1


@administration.app_template_filter("gwei")
def gwei(wei: int) -> str:
    """``1.5 gwei``: what a unit of gas costs."""
    return f"{wei / 10**9:,.3f}".rstrip("0").rstrip(".") + " gwei"


@administration.app_template_filter("second")
def second(value: datetime) -> Markup:
    """``21 Nov 2026, 14:05:09``: for what follows on another within a minute."""
    exact = value.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
    shown = format_datetime(value, "d MMM yyyy, HH:mm:ss")
    return Markup('<time datetime="{}" title="{}">{}</time>').format(exact, exact, shown)


def written(value: Any) -> str:
    """Return a value as it stands on the chain: hashes in hex, the rest as it is."""
    if isinstance(value, bytes):
        return "0x" + value.hex()
    return {True: "true", False: "false"}.get(value, str(value)) if isinstance(value, bool) else str(value)


def meaning(name: str, value: Any) -> str:
    """Return the words for a field's value, or nothing where it speaks for itself."""
    if written(value) == _NOTHING:
        return str(_("none"))
    if isinstance(value, bool) or not isinstance(value, int):
        return ""
    if name in _MASKS:
        return _codes(value)
    if name in _MOMENTS:
        return _moment(value)
    if name == "category" and value in vocabulary.CATEGORY_BY_BIT:
        return str(words.category(vocabulary.CATEGORY_BY_BIT[value].code))
    if name == "purpose" and value in set(vocabulary.Purpose):
        return str(words.purpose(vocabulary.Purpose(value)))
    if name == "role" and value in set(vocabulary.Role):
        return role_words(vocabulary.Role(value).code)
    return ""


def rows(fields: Iterable[Any]) -> list[dict[str, str]]:
    """Return a statement's fields for a table: name, type, value, and what it means."""
    return [
        {
            "name": field.name,
            "type": field.type,
            "value": written(field.value),
            "meaning": meaning(field.name, field.value),
        }
        for field in fields
    ]


def argument_rows(arguments: Mapping[str, Any]) -> list[dict[str, str]]:
    """Return an event's arguments for the same table."""
    return [
        {"name": name, "type": "", "value": written(value), "meaning": meaning(name, value)}
        for name, value in arguments.items()
    ]


def _codes(mask: int) -> str:
    if not mask:
        return str(_("nothing"))
    return words.categories(tuple(category.code for category in vocabulary.categories_of(mask)))


def _moment(seconds: int) -> str:
    if seconds in (0, _END_OF_TIME):
        return str(_("no limit"))
    try:
        return str(format_datetime(datetime.fromtimestamp(seconds, UTC), "d MMM yyyy, HH:mm"))
    except (OverflowError, ValueError, OSError):
        return ""
