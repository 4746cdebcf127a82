"""Trends as the script in the page draws them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any
from zoneinfo import ZoneInfo

from handshaker import Series


@dataclass(frozen=True, slots=True)
class Trend:
    """A series and what its chart is drawn from."""

    series: Series
    data: dict[str, Any]
    """``{"unit", "zone", "at": [seconds], "lines": [{"name", "low", "high", "values"}]}``."""


def drawn(series: Series, zone: ZoneInfo) -> Trend:
    """Return a series ready to be drawn."""
    lines = [
        {"name": line.name, "low": line.low, "high": line.high, "values": [point.values[i] for point in series.points]}
        for i, line in enumerate(series.lines)
    ]
    at = [int(point.at.timestamp()) for point in series.points]
    return Trend(series, {"unit": series.unit, "zone": str(zone), "at": at, "lines": lines})
