"""Times as people type them: in the hospital's time zone, to the minute."""

from __future__ import annotations

from datetime import UTC, date, datetime, time
from zoneinfo import ZoneInfo

from webapp.access import handshaker

TYPED = "%Y-%m-%dT%H:%M"
"""What ``<input type="datetime-local">`` sends."""


def zone() -> ZoneInfo:
    """Return the hospital's time zone."""
    return ZoneInfo(handshaker().settings.timezone)


def now() -> datetime:
    """Return the present moment where the hospital is."""
    return handshaker().clock.now().astimezone(zone())


def today() -> date:
    """Return the hospital's date."""
    return now().date()


def midnight() -> datetime:
    """Return when the hospital's day began, in UTC."""
    return datetime.combine(today(), time(), zone()).astimezone(UTC)


def typed(text: str) -> datetime:
    """Return the moment that was typed; raises ``ValueError``."""
    return datetime.strptime(text.strip()[:16], TYPED).replace(tzinfo=zone())
