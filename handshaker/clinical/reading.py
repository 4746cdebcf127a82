"""From FHIR R4 to what a page shows: names, values and units as clinicians write them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from handshaker.messages import Json


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
        return self.value if isinstance(self.value, str) else f"{self.value:g}"

    @property
    def range_text(self) -> str:
        """The reference range: ``13–17``, ``< 5``, ``> 40`` or empty."""
        if self.low is not None and self.high is not None:
            return f"{self.low:g}–{self.high:g}"
        if self.high is not None:
            return f"< {self.high:g}"
        return "" if self.low is None else f"> {self.low:g}"


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


def read(resource: Mapping[str, Json]) -> Content:
    """Return what an Observation, DocumentReference or DiagnosticReport says; never raises for odd content."""
    raise NotImplementedError
