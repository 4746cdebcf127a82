"""Identities: who a patient is, from the demographics that rest under the patient's key.

For the parts of this package, which write what they show into the access log; whoever asks from outside asks the
finder.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any

from handshaker.errors import KeyUnknown, NotFound
from handshaker.messages import Sealed
from handshaker.ports import Vault
from handshaker.store.sql_store import SqlStore

_SEXES = ("male", "female", "other", "unknown")


@dataclass(frozen=True, slots=True)
class Identity:
    """Who a patient is, for the banner and for choosing between people of one name."""

    patient_id: str
    family: str
    given: str
    born: date | None
    sex: str
    """FHIR's administrative gender: ``male``, ``female``, ``other``, ``unknown``, or empty."""
    number: str
    """The hospital's number, or empty."""
    is_registered: bool
    """Whether the registration is on the chain; until then nothing can be written."""

    @property
    def name(self) -> str:
        """``FAMILY, Given``, as charts write it."""
        return ", ".join(part for part in (self.family.upper(), self.given) if part)

    def age(self, today: date) -> int | None:
        """Return the age in whole years."""
        if self.born is None:
            return None
        return today.year - self.born.year - ((today.month, today.day) < (self.born.month, self.born.day))


class Identities:
    """Opens demographics."""

    def __init__(self, store: SqlStore, vault: Vault) -> None:
        self._store = store
        self._vault = vault

    def identity(self, patient_id: str) -> Identity:
        """Return who a patient is; raises ``NotFound``, also for somebody who was erased."""
        patient = self._store.people.patient(patient_id)
        registered = self._store.records.registrations([patient_id]).get(patient_id, False)
        if patient is not None:
            try:
                return identity_of(patient_id, self.demographics(patient.demographics), registered)
            except KeyUnknown:
                pass
        raise NotFound("No patient has that pseudonym here.", what="patient", id=patient_id)

    def demographics(self, sealed: Sealed | None) -> Mapping[str, Any]:
        """Return the FHIR R4 Patient that was sealed; raises ``KeyUnknown`` and ``CiphertextInvalid``."""
        if sealed is None:
            return {}
        resource = json.loads(self._vault.unseal(sealed, b"demographics"))
        return resource if isinstance(resource, dict) else {}


def identity_of(patient_id: str, resource: Mapping[str, Any], is_registered: bool) -> Identity:
    """Return who the patient of a FHIR R4 Patient is."""
    names = _parts(resource, "name")
    by_use = {use: name for name in reversed(names) if isinstance(use := name.get("use"), str)}
    name = by_use.get("official") or by_use.get("usual") or (names[0] if names else {})
    gender = resource.get("gender")
    return Identity(
        patient_id=patient_id,
        family=_family(name),
        given=_given(name),
        born=born_of(resource),
        sex=gender if gender in _SEXES else "",
        number=next(numbers_of(resource), ""),
        is_registered=is_registered,
    )


def names_of(resource: Mapping[str, Any]) -> tuple[str, ...]:
    """Return every name of a FHIR R4 Patient, family name first."""
    return tuple(" ".join((_family(name), _given(name))) for name in _parts(resource, "name"))


def numbers_of(resource: Mapping[str, Any]) -> Iterator[str]:
    """Yield the values of identifiers, the medical record number (HL7 v2-0203 MR) first."""
    identifiers = sorted(_parts(resource, "identifier"), key=lambda each: not _is_record_number(each))
    yield from filter(None, (_text(each.get("value")) for each in identifiers))


def born_of(resource: Mapping[str, Any]) -> date | None:
    """Return the date of birth, where there is one that is a date."""
    try:
        return date.fromisoformat(_text(resource.get("birthDate")))
    except ValueError:
        return None


def _parts(resource: Mapping[str, Any], name: str) -> list[Mapping[str, Any]]:
    found = resource.get(name)
    return [part for part in found if isinstance(part, dict)] if isinstance(found, list) else []


def _family(name: Mapping[str, Any]) -> str:
    return _text(name.get("family"))


def _given(name: Mapping[str, Any]) -> str:
    given = name.get("given")
    return " ".join(filter(None, map(_text, given))) if isinstance(given, list) else ""


def _is_record_number(identifier: Mapping[str, Any]) -> bool:
    kind = identifier.get("type")
    return isinstance(kind, dict) and any(coding.get("code") == "MR" for coding in _parts(kind, "coding"))


def _text(value: Any) -> str:
    return " ".join(value.split()) if isinstance(value, str) else ""
