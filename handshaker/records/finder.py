"""The finder: identities of patients, and the search for them.

Names rest as ciphertext, so the search has an index of its own in this process's memory, which only ever reads the
patients that are new to it. What is shown is unsealed again each time: whoever was erased meanwhile is not there.
"""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any

from handshaker.errors import CiphertextInvalid, KeyUnknown, NotFound
from handshaker.messages import Sealed
from handshaker.ports import Vault
from handshaker.records.name_index import Indexed, NameIndex
from handshaker.records.search_terms import read_terms
from handshaker.store.records import NewPatient
from handshaker.store.sql_store import SqlStore

_SEXES = ("male", "female", "other", "unknown")
_OVERLAP = timedelta(minutes=10)
"""How far back the look for new patients begins: clocks of several processes differ."""
_LONGEST_SEARCH = 200


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


class PatientFinder:
    """The index of patients; safe to share between threads."""

    def __init__(self, store: SqlStore, vault: Vault) -> None:
        self._store = store
        self._vault = vault
        self._index = NameIndex()
        self._seen: set[str] = set()
        self._newest: datetime | None = None
        self._lock = threading.Lock()

    def find(self, text: str, limit: int = 20) -> list[Identity]:
        """Return the patients whom ``text`` means, best first: words of the name, number, date of birth.

        Every word must match: a word or the beginning of one (accents and case do not count), the hospital's number,
        the first six digits or more of the pseudonym, a year or a date of birth as people write it (``7.3.1951``,
        ``07/03/1951``, ``7 Mar 1951``, ``1951-03-07``).
        """
        terms = read_terms(text[:_LONGEST_SEARCH])
        with self._lock:
            self._catch_up()
            found = self._index.search(terms) if terms else []
        shown: list[Identity] = []
        for start in range(0, len(found), limit):
            shown.extend(self._alive(found[start : start + limit]))
            if len(shown) >= limit:
                break
        return shown[:limit]

    def identity(self, patient_id: str) -> Identity:
        """Return who a patient is; raises ``NotFound``, also for somebody who was erased."""
        patient = self._store.people.patient(patient_id)
        registered = self._store.records.registrations([patient_id]).get(patient_id, False)
        if patient is not None:
            try:
                return _identity(patient_id, self._open(patient.demographics), registered)
            except KeyUnknown:
                self._forget(patient_id)
        raise NotFound("No patient has that pseudonym here.", what="patient", id=patient_id)

    def _alive(self, patient_ids: list[str]) -> Iterator[Identity]:
        """Yield those who are registered, or about to be, and whose key is there."""
        registrations = self._store.records.registrations(patient_ids)
        for patient_id in patient_ids:
            patient = self._store.people.patient(patient_id) if patient_id in registrations else None
            if patient is None:
                continue
            try:
                yield _identity(patient_id, self._open(patient.demographics), registrations[patient_id])
            except KeyUnknown:
                self._forget(patient_id)
            except CiphertextInvalid:
                # One row that was altered must not keep the others from being found.
                continue

    def _forget(self, patient_id: str) -> None:
        with self._lock:
            if patient_id in self._index:
                self._index.remove(patient_id)

    def _catch_up(self) -> None:
        """Read the patients who are new since the last look; without new ones this is one count."""
        if self._store.records.patient_count() == len(self._seen):
            return
        since = self._newest - _OVERLAP if self._newest is not None else None
        self._take(self._store.records.patients(since, self._seen))
        if self._store.records.patient_count() > len(self._seen):
            # Somebody whose clock is far behind wrote one too.
            self._take(self._store.records.patients(None, self._seen))

    def _take(self, patients: list[NewPatient]) -> None:
        self._index.add(indexed for indexed in map(self._indexed, patients) if indexed is not None)
        self._seen.update(patient.patient_id for patient in patients)
        if patients:
            self._newest = max(patients[-1].registered_at, self._newest or patients[-1].registered_at)

    def _indexed(self, patient: NewPatient) -> Indexed | None:
        try:
            resource = self._open(patient.demographics)
        except (KeyUnknown, CiphertextInvalid):
            return None
        names = tuple(" ".join((_family(name), _given(name))) for name in _parts(resource, "name"))
        return Indexed(patient.patient_id, names, tuple(_numbers(resource)), _born(resource))

    def _open(self, demographics: Sealed | None) -> Mapping[str, Any]:
        if demographics is None:
            return {}
        resource = json.loads(self._vault.unseal(demographics, b"demographics"))
        return resource if isinstance(resource, dict) else {}


def _identity(patient_id: str, resource: Mapping[str, Any], is_registered: bool) -> Identity:
    names = _parts(resource, "name")
    by_use = {use: name for name in reversed(names) if isinstance(use := name.get("use"), str)}
    name = by_use.get("official") or by_use.get("usual") or (names[0] if names else {})
    gender = resource.get("gender")
    return Identity(
        patient_id=patient_id,
        family=_family(name),
        given=_given(name),
        born=_born(resource),
        sex=gender if gender in _SEXES else "",
        number=next(_numbers(resource), ""),
        is_registered=is_registered,
    )


def _parts(resource: Mapping[str, Any], name: str) -> list[Mapping[str, Any]]:
    found = resource.get(name)
    return [part for part in found if isinstance(part, dict)] if isinstance(found, list) else []


def _family(name: Mapping[str, Any]) -> str:
    return _text(name.get("family"))


def _given(name: Mapping[str, Any]) -> str:
    given = name.get("given")
    return " ".join(filter(None, map(_text, given))) if isinstance(given, list) else ""


def _numbers(resource: Mapping[str, Any]) -> Iterator[str]:
    """Yield the values of identifiers, the medical record number (HL7 v2-0203 MR) first."""
    identifiers = sorted(_parts(resource, "identifier"), key=lambda each: not _is_record_number(each))
    yield from filter(None, (_text(each.get("value")) for each in identifiers))


def _is_record_number(identifier: Mapping[str, Any]) -> bool:
    kind = identifier.get("type")
    return isinstance(kind, dict) and any(coding.get("code") == "MR" for coding in _parts(kind, "coding"))


def _born(resource: Mapping[str, Any]) -> date | None:
    try:
        return date.fromisoformat(_text(resource.get("birthDate")))
    except ValueError:
        return None


def _text(value: Any) -> str:
    return " ".join(value.split()) if isinstance(value, str) else ""
