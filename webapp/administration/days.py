"""Days as people choose them, in the hospital's time zone, as moments."""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from webapp.access import handshaker


def today() -> date:
    """Return the hospital's date."""
    return handshaker().clock.now().astimezone(_zone()).date()


def start_of(day: date | None) -> datetime | None:
    """Return when a day begins."""
    return datetime.combine(day, time(), _zone()).astimezone(UTC) if day else None


def end_of(day: date | None) -> datetime | None:
    """Return when the day after it begins."""
    return start_of(day + timedelta(days=1)) if day else None


def last_moment_of(day: date) -> datetime:
    """Return the last second of a day."""
    return datetime.combine(day, time(23, 59, 59), _zone()).astimezone(UTC)


def day_of(moment: datetime | None) -> date | None:
    """Return the day of a moment."""
    return moment.astimezone(_zone()).date() if moment else None


def _zone() -> ZoneInfo:
    return ZoneInfo(handshaker().settings.timezone)
