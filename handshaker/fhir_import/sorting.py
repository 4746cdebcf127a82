"""What becomes of each entry of a bundle: a record to submit, or a reason why not."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass

from handshaker.clinical.loinc import is_loinc
from handshaker.clinical.plausibility import loinc_codes
from handshaker.commitments import canonical
from handshaker.errors import EnvelopeInvalid
from handshaker.fhir_import.bundles import Bundle, resource_type
from handshaker.messages import Json, Template

Covering = Callable[[str], Template | None]
"""LOINC code → the template that imports Observations with it."""


@dataclass(frozen=True, slots=True)
class Record:
    """A resource that a template covers."""

    template: Template
    resource: Mapping[str, Json]
    """As it came."""
    name: str
    """What tells it from every other resource of the patient, the same in each run."""

    def key(self, patient_id: str) -> str:
        """Return the idempotency key of this record of a patient."""
        return "import/" + hashlib.sha256(f"{patient_id}\n{self.name}".encode()).hexdigest()


@dataclass(frozen=True, slots=True)
class Skipped:
    """An entry that is not submitted."""

    reason: str


@dataclass(frozen=True, slots=True)
class Person:
    """The patient's own entry."""


def sort_entries(bundle: Bundle, covering: Covering) -> Iterator[Record | Skipped | Person]:
    """Yield exactly one answer for each entry of ``bundle``, in its order."""
    for entry in bundle.entries:
        yield _sorted(entry, bundle, covering)


def _sorted(entry: Mapping[str, Json], bundle: Bundle, covering: Covering) -> Record | Skipped | Person:
    resource = entry.get("resource")
    if not isinstance(resource, Mapping):
        return Skipped("entry without a resource")
    if resource is bundle.patient:
        return Person()
    if not _adds(entry):
        return Skipped("entry that asks for something else than to add")
    kind = resource_type(resource)
    if kind != "Observation":
        return Skipped(f"no template for {kind}")
    codes = [code for code in loinc_codes(resource) if is_loinc(code)]
    template = next((found for code in codes if (found := covering(code)) is not None), None)
    if template is None:
        return Skipped(f"no template for Observation {codes[0] if codes else 'without a LOINC code'}")
    subject = resource.get("subject")
    reference = subject.get("reference") if isinstance(subject, Mapping) else None
    if not isinstance(reference, str):
        return Skipped("Observation of nobody")
    if not bundle.is_patient(reference):
        return Skipped("Observation of somebody or something else")
    try:
        return Record(template, resource, _name(entry, resource))
    except EnvelopeInvalid:
        return Skipped("Observation without a canonical form")


def _adds(entry: Mapping[str, Json]) -> bool:
    request = entry.get("request")
    return request is None or (isinstance(request, Mapping) and request.get("method") in ("POST", "PUT", None))


def _name(entry: Mapping[str, Json], resource: Mapping[str, Json]) -> str:
    for name in (entry.get("fullUrl"), resource.get("id")):
        if isinstance(name, str) and name:
            return name
    return hashlib.sha256(canonical(resource)).hexdigest()
