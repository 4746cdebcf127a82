"""What people can say about consent, for the model: the statements of ``IConsentRegistry`` in plain Python.

Categories are sets, grantees are what they are, and ``terms`` is left out because the rule does not look at it.
"""

from __future__ import annotations

from dataclasses import dataclass

Account = str
"""A checksummed address."""
Grantee = bytes | int
"""A practitioner's 16 bytes, or the number of an organisation."""
Categories = frozenset[int]


@dataclass(frozen=True)
class Grant:
    """``ConsentGrant``."""

    patient_id: bytes
    grantee: Grantee
    purpose: int
    read: Categories
    write: Categories
    deny: Categories
    not_before: int
    not_after: int
    version: int
    epoch: int
    signer: Account
    deadline: int


@dataclass(frozen=True)
class Revocation:
    """``ConsentRevocation``."""

    patient_id: bytes
    grantee: Grantee
    purpose: int
    deny: Categories
    version: int
    signer: Account


@dataclass(frozen=True)
class TotalRevocation:
    """``TotalRevocation``."""

    patient_id: bytes
    epoch: int


@dataclass(frozen=True)
class Delegation:
    """``Delegation``."""

    patient_id: bytes
    delegate: Account
    scope: Categories
    not_before: int
    not_after: int
    version: int
    epoch: int
    deadline: int


@dataclass(frozen=True)
class DelegationEnd:
    """``DelegationEnd``."""

    patient_id: bytes
    delegate: Account
    version: int


@dataclass(frozen=True)
class Preference:
    """``EmergencyPreference``; ``deadline`` 0 means none."""

    patient_id: bytes
    level: int
    version: int
    deadline: int


@dataclass(frozen=True)
class Opening:
    """``EmergencyOpening``."""

    patient_id: bytes
    practitioner_id: bytes
    categories: Categories
    life_threatening: bool
    until: int
    deadline: int


Statement = Grant | Revocation | TotalRevocation | Delegation | DelegationEnd | Preference | Opening
