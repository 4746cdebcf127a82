"""The finder: identities of patients, and the search for them.

Names rest as ciphertext, so the search has an index of its own in this process's memory, which only ever reads the
patients that are new to it. What is shown is unsealed again each time: whoever was erased meanwhile is not there. And
it is written into the access log first.
"""

from __future__ import annotations

import threading
from collections.abc import Iterable, Iterator
from datetime import datetime, timedelta

from handshaker.errors import CiphertextInvalid, KeyUnknown, NotFound
from handshaker.records.access_log import AccessLog, Look
from handshaker.records.identities import Identities, Identity, born_of, identity_of, names_of, numbers_of
from handshaker.records.name_index import Indexed, NameIndex
from handshaker.records.search_terms import read_terms
from handshaker.store.records import NewPatient
from handshaker.store.sql_store import SqlStore
from handshaker.tokens import Credential

_OVERLAP = timedelta(minutes=10)
"""How far back the look for new patients begins: clocks of several processes differ."""
_LONGEST_SEARCH = 200


class PatientFinder:
    """The index of patients; safe to share between threads."""

    def __init__(self, store: SqlStore, identities: Identities, accesses: AccessLog) -> None:
        self._store = store
        self._identities = identities
        self._accesses = accesses
        self._index = NameIndex()
        self._seen: set[str] = set()
        self._newest: datetime | None = None
        self._lock = threading.Lock()

    def find(self, credential: Credential, text: str, limit: int = 20) -> list[Identity]:
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
        if terms:
            with self._accesses.looking(credential, "search") as look:
                look.search(each.patient_id for each in shown[:limit])
        return shown[:limit]

    def identity(self, credential: Credential, patient_id: str, within: Look | None = None) -> Identity:
        """Return who a patient is; raises ``NotFound``, also for somebody who was erased."""
        with self._accesses.looking(credential, "identity", within) as look:
            try:
                identity = self._identities.identity(patient_id)
            except NotFound:
                self._forget(patient_id)
                raise
            look.identity(patient_id)
        return identity

    def identities(
        self, credential: Credential, patient_ids: Iterable[str], within: Look | None = None
    ) -> dict[str, Identity]:
        """Return who these patients are; left out are those who were erased, and whose demographics were altered."""
        found = {}
        with self._accesses.looking(credential, "identities", within) as look:
            for patient_id in set(patient_ids):
                try:
                    found[patient_id] = self._identities.identity(patient_id)
                except (NotFound, CiphertextInvalid):
                    continue
            look.identity(*found)
        return found

    def _alive(self, patient_ids: list[str]) -> Iterator[Identity]:
        """Yield those who are registered, or about to be, and whose key is there."""
        registrations = self._store.records.registrations(patient_ids)
        for patient_id in patient_ids:
            patient = self._store.people.patient(patient_id) if patient_id in registrations else None
            if patient is None:
                continue
            try:
                demographics = self._identities.demographics(patient.demographics)
                yield identity_of(patient_id, demographics, registrations[patient_id])
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
            resource = self._identities.demographics(patient.demographics)
        except (KeyUnknown, CiphertextInvalid):
            return None
        return Indexed(patient.patient_id, names_of(resource), tuple(numbers_of(resource)), born_of(resource))
