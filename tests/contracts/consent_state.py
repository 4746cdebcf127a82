"""What the model of consent remembers of people: permits, denials, loans, mandates, broken glass."""

from __future__ import annotations

from dataclasses import dataclass, replace

from handshaker.vocabulary import Action, EmergencyLevel, Role
from tests.contracts.consent_statements import Account, Categories, Grantee

Slot = tuple[Grantee, int]
"""Grantee and purpose."""


@dataclass(frozen=True)
class Practitioner:
    """What the directory says of a practitioner."""

    key: Account
    organisation: int
    role: Role
    licence_until: int
    active: bool


@dataclass(frozen=True)
class Permit:
    """What may be read and written within a window; both ends included."""

    read: Categories
    write: Categories
    not_before: int
    not_after: int

    def covers(self, action: int, category: int, moment: int) -> bool:
        """Whether the permit holds for the action on the category at the moment."""
        categories = self.write if action == Action.WRITE else self.read
        return category in categories and self.not_before <= moment <= self.not_after

    def without(self, categories: Categories) -> Permit:
        """The permit after some categories were taken back."""
        return replace(self, read=self.read - categories, write=self.write - categories)


@dataclass(frozen=True)
class Loan:
    """A permit that a delegate gave in the patient's place."""

    permit: Permit
    delegate: Account


@dataclass(frozen=True)
class Mandate:
    """A delegation that was not ended."""

    scope: Categories
    not_before: int
    not_after: int

    def holds(self, moment: int) -> bool:
        """Whether the delegate may act at the moment."""
        return bool(self.scope) and self.not_before <= moment <= self.not_after


@dataclass(frozen=True)
class BrokenGlass:
    """An open emergency access."""

    categories: Categories
    opened_at: int
    until: int
    life_threatening: bool


class Patient:
    """All that was said about one patient's data."""

    def __init__(self, controller: Account) -> None:
        self.controller = controller
        self.epoch = 0
        self.level = int(EmergencyLevel.ALLOWED)
        self.level_version = 0
        self.permits: dict[Slot, Permit] = {}
        self.denials: dict[Slot, Categories] = {}
        self.loans: dict[Slot, Loan] = {}
        self.word_versions: dict[Slot, int] = {}
        self.loan_versions: dict[Slot, int] = {}
        self.mandates: dict[Account, Mandate] = {}
        self.mandate_versions: dict[Account, int] = {}
        self.glass: dict[bytes, BrokenGlass] = {}

    def refuses(self, life_threatening: bool) -> bool:
        """Whether the patient's preference stands against such an emergency."""
        if self.level == EmergencyLevel.LIFE_THREATENING_ONLY:
            return not life_threatening
        return self.level == EmergencyLevel.NEVER
