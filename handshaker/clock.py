"""The clock of the machine: the one place that asks for the time."""

from __future__ import annotations

from datetime import UTC, datetime


class SystemClock:
    """UTC as the operating system tells it."""

    def now(self) -> datetime:
        """Return the present moment, aware, in UTC."""
        return datetime.now(UTC)
