"""The finder: identities of patients, and the search for them."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

from handshaker.ports import Vault
from handshaker.store.sql_store import SqlStore


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
    """The index of patients."""

    def __init__(self, store: SqlStore, vault: Vault) -> None:
        self._store = store
        self._vault = vault

    def find(self, text: str, limit: int = 20) -> list[Identity]:
        """Return the patients whom ``text`` means, best first: words of the name, number, date of birth."""
        raise NotImplementedError

    def identity(self, patient_id: str) -> Identity:
        """Return who a patient is; raises ``NotFound``, also for somebody who was erased."""
        raise NotImplementedError
