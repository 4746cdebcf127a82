"""Trends: readings of vital signs as series that can be drawn."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime

from handshaker.clinical.measurements import BLOOD_PRESSURE, SIGN_BY_CODE, SIGN_BY_KEY, VITAL_SIGNS, VitalSign
from handshaker.clinical.reading import Result, shown


@dataclass(frozen=True, slots=True)
class Line:
    """One line of a trend, with the range that is usual in resting adults."""

    code: str
    name: str
    low: float | None
    high: float | None


@dataclass(frozen=True, slots=True)
class Point:
    """One reading in a trend."""

    at: datetime
    values: tuple[float, ...]
    """One for each line, in the unit of the series."""
    ti_id: str
    author: str

    @property
    def text(self) -> str:
        """The values as clinicians write them: ``128/82``."""
        return "/".join(shown(value) for value in self.values)


@dataclass(frozen=True, slots=True)
class Series:
    """A trend of one vital sign in one unit, oldest point first. Blood pressure is one with two lines."""

    code: str
    display: str
    unit: str
    lines: tuple[Line, ...]
    points: tuple[Point, ...]

    @property
    def latest(self) -> Point:
        """The newest reading; a series has at least one."""
        return self.points[-1]


@dataclass(frozen=True, slots=True)
class Reading:
    """What one record measured."""

    at: datetime
    ti_id: str
    author: str
    results: tuple[Result, ...]


_GROUPS: tuple[tuple[str, str, tuple[VitalSign, ...]], ...] = (
    (BLOOD_PRESSURE[0], "Blood pressure", (SIGN_BY_KEY["systolic"], SIGN_BY_KEY["diastolic"])),
    *((sign.code, sign.name, (sign,)) for sign in VITAL_SIGNS[2:]),
)


def trends(readings: Sequence[Reading]) -> tuple[Series, ...]:
    """Return a series for each vital sign that was measured, in the order of the form, each oldest point first.

    What is in a unit that could not be converted is in no series.
    """
    ordered = sorted(readings, key=lambda reading: (reading.at, reading.ti_id))
    return tuple(series for group in _GROUPS for series in _series(*group, ordered))


def _series(code: str, display: str, signs: tuple[VitalSign, ...], readings: Sequence[Reading]) -> Iterator[Series]:
    found = [(reading, values) for reading in readings if (values := _values(reading, signs)) is not None]
    if found:
        points = tuple(Point(r.at, tuple(map(float, values)), r.ti_id, r.author) for r, values in found)
        yield Series(code, display, signs[0].unit, _lines(signs, found[-1][0]), points)


def _values(reading: Reading, signs: tuple[VitalSign, ...]) -> list[float] | None:
    values = []
    for sign in signs:
        result = _measured(reading, sign)
        if result is None or isinstance(result.value, str):
            return None
        values.append(result.value)
    return values


def _measured(reading: Reading, sign: VitalSign) -> Result | None:
    for result in reading.results:
        if SIGN_BY_CODE.get(result.code) is sign and result.unit == sign.unit and not isinstance(result.value, str):
            return result
    return None


def _lines(signs: tuple[VitalSign, ...], latest: Reading) -> tuple[Line, ...]:
    """Return the lines with the ranges that the newest reading was held against."""
    measured = [(sign, _measured(latest, sign)) for sign in signs]
    return tuple(
        Line(sign.code, sign.name, result.low if result else None, result.high if result else None)
        for sign, result in measured
    )
