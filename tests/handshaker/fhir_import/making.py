"""Little bundles, made by hand in the shape that Synthea writes: one patient, references by ``urn:uuid``."""

from __future__ import annotations

import json
import uuid
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from handshaker.fhir_import.bundles import Bundle, BundleFile

Entry = dict[str, Any]

UNITS = {"8302-2": "cm", "29463-7": "kg", "2339-0": "mg/dL", "8867-4": "/min"}
VALUES = {"8302-2": 171.25, "29463-7": 70.5, "2339-0": 92.75, "8867-4": 61}


class Family:
    """The entries of one patient."""

    def __init__(self, surname: str = "Quibble", given: str = "Ottoline", **changes: Any) -> None:
        self.id = str(uuid.uuid4())
        self.url = f"urn:uuid:{self.id}"
        self.resource: dict[str, Any] = {
            "resourceType": "Patient",
            "id": self.id,
            "identifier": [{"system": "https://example.org/patients", "value": self.id}],
            "name": [{"family": surname, "given": [given]}],
            "gender": "other",
            "birthDate": "1961-05-04",
        } | changes
        self.patient: Entry = {
            "fullUrl": self.url,
            "resource": self.resource,
            "request": {"method": "POST", "url": "Patient"},
        }

    def observation(self, loinc: str = "8302-2", **changes: Any) -> Entry:
        """A measurement of this patient, with an id of its own."""
        name = str(uuid.uuid4())
        resource = {
            "resourceType": "Observation",
            "id": name,
            "status": "final",
            "code": coded(loinc),
            "subject": {"reference": self.url},
            "effectiveDateTime": "2019-02-03T04:05:06+00:00",
            **_measured(loinc),
        } | changes
        return posted(f"urn:uuid:{name}", resource)

    def other(self, kind: str = "Encounter") -> Entry:
        """A resource of this patient that no template covers."""
        name = str(uuid.uuid4())
        return posted(f"urn:uuid:{name}", {"resourceType": kind, "id": name, "subject": {"reference": self.url}})

    def usual(self) -> list[Entry]:
        """One blood pressure, one weight, one height, and three entries that are not for us."""
        covered = [self.observation(code) for code in ("55284-4", "29463-7", "8302-2")]
        return [self.patient, self.other(), *covered, self.other("Claim"), self.observation("72166-2")]


def posted(url: str, resource: dict[str, Any]) -> Entry:
    return {"fullUrl": url, "resource": resource, "request": {"method": "POST", "url": resource["resourceType"]}}


def coded(code: str) -> dict[str, Any]:
    return {"coding": [{"system": "http://loinc.org", "code": code}]}


def bundle_of(entries: Sequence[Any]) -> dict[str, Any]:
    return {"resourceType": "Bundle", "type": "transaction", "entry": list(entries)}


def written(path: Path, entries: Sequence[Any]) -> Path:
    """Write a bundle of ``entries`` to ``path``."""
    path.write_text(json.dumps(bundle_of(entries)))
    return path


def read(path: Path) -> Bundle:
    return BundleFile(path).read()


def _measured(code: str) -> dict[str, Any]:
    if code == "55284-4":
        return {"component": [_component("8480-6", 121.5), _component("8462-4", 77.5)]}
    return {"valueQuantity": quantity(VALUES.get(code, 1), UNITS.get(code, "1"))}


def _component(code: str, value: float) -> dict[str, Any]:
    return {"code": coded(code), "valueQuantity": quantity(value, "mm[Hg]")}


def quantity(value: float, unit: str) -> dict[str, Any]:
    return {"value": value, "unit": unit, "system": "http://unitsofmeasure.org", "code": unit}
