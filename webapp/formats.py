"""How values look to people: times, numbers, identifiers."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, date, datetime
from typing import Any

from flask import Flask
from flask_babel import format_date, format_datetime, format_timedelta, get_locale
from flask_babel import gettext as _
from markupsafe import Markup

from webapp.access import handshaker


def register(app: Flask) -> None:
    """Make the formats known to templates."""
    for name, function in FILTERS.items():
        app.add_template_filter(function, name)
    app.add_template_global(get_locale)


def moment(value: datetime | int | None) -> Markup | str:
    """``21 Nov 2026, 14:05`` in the hospital's time zone, with the exact time for machines."""
    if value is None:
        return "–"
    value = datetime.fromtimestamp(value, UTC) if isinstance(value, int) else value
    exact = value.astimezone(UTC).isoformat(timespec="seconds").replace("+00:00", "Z")
    shown = format_datetime(value, "d MMM yyyy, HH:mm")
    return Markup('<time datetime="{}" title="{}">{}</time>').format(exact, exact, shown)


def ago(value: datetime | None) -> Markup | str:
    """``3 minutes ago``, with the exact time for machines."""
    if value is None:
        return "–"
    exact = value.astimezone(UTC).isoformat(timespec="seconds").replace("+00:00", "Z")
    passed = format_timedelta(value - handshaker().clock.now(), add_direction=True)
    return Markup('<time datetime="{}" title="{}">{}</time>').format(exact, exact, passed)


def day(value: date | datetime | None) -> Markup | str:
    """``7 Mar 1951``: the month in letters, for no two countries agree on its place among numbers."""
    if value is None:
        return "–"
    exact = value.date() if isinstance(value, datetime) else value
    return Markup('<time datetime="{}">{}</time>').format(exact.isoformat(), format_date(value, "d MMM yyyy"))


def short(value: str | bytes | None) -> str:
    """``0x1a2b3c4d…``: as much of an identifier or hash as a person compares."""
    if value is None:
        return "–"
    text = "0x" + value.hex() if isinstance(value, bytes) else value
    return text if len(text) <= 12 else f"{text[:10]}…"


def hexadecimal(value: bytes | None) -> str:
    """Return the whole hash."""
    return "–" if value is None else "0x" + value.hex()


def ether(wei: int) -> str:
    """``1.2345 ETH``; wei go by strings, for a float would lose some."""
    return f"{wei // 10**18:,}.{wei % 10**18 // 10**14:04d} ETH"


def quantity(value: Any) -> str:
    """``36.8``, ``120``: no zeros that say nothing."""
    return f"{value:.10g}" if isinstance(value, float) else str(value)


def role(value: str) -> str:
    """Return a role in words."""
    words: dict[str, str] = {
        "doctor": _("doctor"),
        "nurse": _("nurse"),
        "pathologist": _("pathologist"),
        "pharmacist": _("pharmacist"),
        "insurer": _("insurer"),
        "researcher": _("researcher"),
        "auditor": _("auditor"),
        "device": _("device"),
        "administrator": _("administrator"),
        "patient": _("patient"),
    }
    return words.get(value, value)


FILTERS: dict[str, Callable[..., Any]] = {
    "moment": moment,
    "ago": ago,
    "day": day,
    "short": short,
    "hexadecimal": hexadecimal,
    "ether": ether,
    "quantity": quantity,
    "role": role,
}
