"""From FHIR R4 to what a page shows: names, values and units as clinicians write them.

What comes from elsewhere may be odd in any way that the gates let pass: what cannot be read is left out, and no error.
"""

from __future__ import annotations

import base64
import binascii
import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from handshaker.clinical.loinc import LOINC_SYSTEM
from handshaker.clinical.measurements import BLOOD_PRESSURE, SIGN_BY_CODE, VitalSign, converted, written_unit
from handshaker.clinical.panels import PANELS
from handshaker.clinical.writing import NOTE_KINDS, interpretation
from handshaker.messages import Json

_TITLES = {
    **NOTE_KINDS,
    **{panel.code: panel.name for panel in PANELS},
    **{analyte.code: analyte.name for panel in PANELS for analyte in panel.analytes},
    **{code: sign.name for code, sign in SIGN_BY_CODE.items()},
    **dict.fromkeys(BLOOD_PRESSURE, "Blood pressure"),
}
_KINDS = {"Observation": "Observation", "DocumentReference": "Document", "DiagnosticReport": "Report"}


@dataclass(frozen=True, slots=True)
class Result:
    """One measured or observed thing."""

    code: str
    """LOINC, or empty."""
    name: str
    value: float | str
    """A number in ``unit``, or words."""
    unit: str
    """As clinicians write it: ``mmHg``, ``°C``, ``/min``."""
    low: float | None
    high: float | None
    flag: str
    """``H``, ``L``, ``HH``, ``LL``, ``N``, another code of HL7's interpretation, or empty."""

    @property
    def text(self) -> str:
        """The value without its unit."""
        return self.value if isinstance(self.value, str) else shown(self.value)

    @property
    def range_text(self) -> str:
        """The reference range: ``13–17``, ``≤ 5``, ``≥ 40`` or empty."""
        if self.low is not None and self.high is not None:
            return f"{shown(self.low)}–{shown(self.high)}"
        if self.high is not None:
            return f"≤ {shown(self.high)}"
        return "" if self.low is None else f"≥ {shown(self.low)}"


@dataclass(frozen=True, slots=True)
class Content:
    """What a clinical resource says."""

    title: str
    code: str
    """LOINC of the whole, or empty."""
    at: datetime | None
    """When it was measured or written, if it says so."""
    text: str
    results: tuple[Result, ...]


def read(resource: Json, *, is_adult: bool = True) -> Content:
    """Return what an Observation, DocumentReference or DiagnosticReport says; never raises for odd content.

    Vital signs come in one unit each. Where one names no range of its own, the usual range of adults stands beside it,
    unless ``is_adult`` is false.
    """
    resource = _object(resource)
    kind = _text(resource.get("resourceType"))
    concept = resource.get("type" if kind == "DocumentReference" else "code")
    code = _loinc(concept)
    return Content(
        title=_title(concept, code) or _KINDS.get(kind, "Record"),
        code=code,
        at=_when(resource),
        text=_prose(resource, kind),
        results=tuple(_results(resource, kind, is_adult)),
    )


def shown(value: float) -> str:
    """Return a number without digits that nobody typed: ``37.0`` is ``37``, ``250000.0`` is ``250000``."""
    return f"{value:.10g}" if abs(value) < 1e10 else f"{value:g}"


def _results(resource: Mapping[str, Any], kind: str, is_adult: bool) -> Iterator[Result]:
    if kind == "DiagnosticReport":
        contained = {_text(each.get("id")): each for each in _objects(resource.get("contained"))}
        for reference in _objects(resource.get("result")):
            found = contained.get(_text(reference.get("reference")).removeprefix("#"))
            if found is not None and found.get("resourceType") == "Observation":
                yield from _results(found, "Observation", is_adult)
    elif kind == "Observation":
        for part in (resource, *_objects(resource.get("component"))):
            result = _result(part, is_adult)
            if result is not None:
                yield result


def _result(part: Mapping[str, Any], is_adult: bool) -> Result | None:
    """Return what an Observation or a component of one says, if it has a value or a reason for having none."""
    code = _loinc(part.get("code"))
    sign = SIGN_BY_CODE.get(code)
    measured = _measured(part.get("valueQuantity"), sign)
    if measured is None:
        words = _words(part)
        measured = (words, "") if words else None
    if measured is None:
        return None
    value, unit = measured
    low, high = _range(part, sign)
    if low is None and high is None and sign is not None and unit == sign.unit and is_adult:
        low, high = sign.low, sign.high
    flag = _code(next(_objects(part.get("interpretation")), None))
    if not flag and not isinstance(value, str):
        flag = interpretation(value, low, high)
    return Result(code, _title(part.get("code"), code) or "Result", value, unit, low, high, flag)


def _measured(quantity: Json, sign: VitalSign | None) -> tuple[float | str, str] | None:
    """Return value and unit of a Quantity; words where it names only a bound, as ``< 0.5`` does."""
    quantity = _object(quantity)
    value = _number(quantity.get("value"))
    if value is None:
        return None
    ucum, unit = _text(quantity.get("code")), _text(quantity.get("unit"))
    comparator = _text(quantity.get("comparator"))
    if sign is not None and not comparator:
        # A quantity without any unit passed the gate only where the template assumes the one that is shown here.
        number = converted(value, ucum or (unit or sign.ucum), sign)
        if number is not None:
            return number, sign.unit
    unit = written_unit(ucum) if ucum else unit
    return (f"{comparator} {shown(value)}", unit) if comparator else (value, unit)


def _range(part: Mapping[str, Any], sign: VitalSign | None) -> tuple[float | None, float | None]:
    bounds = next(_objects(part.get("referenceRange")), {})
    found = [_measured(bounds.get(name), sign) for name in ("low", "high")]
    low, high = (each[0] if each is not None and not isinstance(each[0], str) else None for each in found)
    return low, high


def _words(part: Mapping[str, Any]) -> str:
    """Return a value that is no Quantity in words."""
    for name in ("valueString", "valueDateTime", "valueTime"):
        if text := _text(part.get(name)):
            return text
    if isinstance(flag := part.get("valueBoolean"), bool):
        return "yes" if flag else "no"
    if (number := _number(part.get("valueInteger"))) is not None:
        return shown(number)
    for name, mark in (("valueRange", ("low", "–", "high")), ("valueRatio", ("numerator", ":", "denominator"))):
        if parts := _pair(part.get(name), mark):
            return parts
    if text := _display(part.get("valueCodeableConcept")):
        return text
    return _display(part.get("dataAbsentReason")) and f"none: {_display(part.get('dataAbsentReason'))}"


def _pair(value: Json, mark: tuple[str, str, str]) -> str:
    value = _object(value)
    sides = [_measured(value.get(name), None) for name in (mark[0], mark[2])]
    spoken = [f"{each[0] if isinstance(each[0], str) else shown(each[0])} {each[1]}".strip() for each in sides if each]
    return mark[1].join(spoken)


def _prose(resource: Mapping[str, Any], kind: str) -> str:
    if kind == "DocumentReference":
        attachments = [_object(each.get("attachment")) for each in _objects(resource.get("content"))]
        return "\n\n".join(filter(None, map(_attached, attachments)))
    if kind == "DiagnosticReport":
        return _text(resource.get("conclusion"))
    return "\n".join(filter(None, (_text(each.get("text")) for each in _objects(resource.get("note")))))


def _attached(attachment: Mapping[str, Any]) -> str:
    if not _text(attachment.get("contentType")).lower().startswith("text/plain"):
        return ""
    try:
        return base64.b64decode(_text(attachment.get("data")), validate=True).decode("utf-8", "replace")
    except (binascii.Error, ValueError):
        return ""


def _when(resource: Mapping[str, Any]) -> datetime | None:
    period = _object(resource.get("effectivePeriod"))
    for value in (resource.get("effectiveDateTime"), resource.get("date"), period.get("start"), resource.get("issued")):
        try:
            moment = datetime.fromisoformat(_text(value))
            return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).astimezone(UTC)
        except (ValueError, OverflowError):
            continue
    return None


# ---- parts of FHIR that may be anything ----------------------------------------------------------------------------


def _title(concept: Json, code: str) -> str:
    return _TITLES.get(code) or _display(concept)


def _display(concept: Json) -> str:
    concept = _object(concept)
    if text := _text(concept.get("text")):
        return text
    codings = list(_objects(concept.get("coding")))
    shown_first = [_text(each.get("display")) for each in codings] + [_text(each.get("code")) for each in codings]
    return next(filter(None, shown_first), "")


def _loinc(concept: Json) -> str:
    """Return the first LOINC code of a concept, one that is known here before others."""
    codings = _objects(_object(concept).get("coding"))
    codes = [_text(each.get("code")) for each in codings if each.get("system") == LOINC_SYSTEM]
    return next((code for code in codes if code in _TITLES), next(filter(None, codes), ""))


def _code(concept: Json) -> str:
    return next(filter(None, (_text(each.get("code")) for each in _objects(_object(concept).get("coding")))), "")


def _object(value: Json) -> Mapping[str, Any]:
    return value if isinstance(value, Mapping) else {}


def _objects(value: Json) -> Iterator[Mapping[str, Any]]:
    return (each for each in (value if isinstance(value, list) else []) if isinstance(each, Mapping))


def _text(value: Json) -> str:
    return value.strip() if isinstance(value, str) else ""


def _number(value: Json) -> float | None:
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        return None
    try:
        return value if math.isfinite(value) else None
    except OverflowError:
        return None
