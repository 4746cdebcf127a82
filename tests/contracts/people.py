"""Who is in the hospital of the tests: their keys, ids, roles and houses."""

from __future__ import annotations

from dataclasses import dataclass

from eth_keys.datatypes import PrivateKey
from eth_utils.crypto import keccak

from handshaker.vocabulary import Role
from tests.contracts.harness import START

RECOVERY_DELAY = 2 * 24 * 3600
LAKESIDE, RIVERSIDE = 1, 2
"""The two organisations."""
DEADLINE = START + 30 * 24 * 3600
YEAR = 365 * 24 * 3600


def key_of(name: str) -> PrivateKey:
    """Return the test key that belongs to a name."""
    return PrivateKey(keccak(text=f"test key of {name}"))


@dataclass(frozen=True, slots=True)
class Practitioner:
    """A practitioner and their key."""

    name: str
    organisation_id: int
    role: Role

    @property
    def id(self) -> bytes:
        """Their 16 bytes in ``Directory``."""
        return keccak(text=f"practitioner {self.name}")[:16]

    @property
    def key(self) -> PrivateKey:
        """What they sign with."""
        return key_of(self.name)

    @property
    def address(self) -> str:
        """The address of their key."""
        return self.key.public_key.to_checksum_address()


@dataclass(frozen=True, slots=True)
class Patient:
    """A patient and the key of their first controller."""

    name: str

    @property
    def id(self) -> bytes:
        """Their pseudonym."""
        return keccak(text=f"patient {self.name}")

    @property
    def key(self) -> PrivateKey:
        """What they sign with."""
        return key_of(self.name)

    @property
    def address(self) -> str:
        """The address of their key."""
        return self.key.public_key.to_checksum_address()


DOCTOR = Practitioner("doctor", LAKESIDE, Role.DOCTOR)
NURSE = Practitioner("nurse", LAKESIDE, Role.NURSE)
PATHOLOGIST = Practitioner("pathologist", LAKESIDE, Role.PATHOLOGIST)
RESEARCHER = Practitioner("researcher", LAKESIDE, Role.RESEARCHER)
VISITOR = Practitioner("visiting doctor", RIVERSIDE, Role.DOCTOR)
PRACTITIONERS = (DOCTOR, NURSE, PATHOLOGIST, RESEARCHER, VISITOR)

ALICE, BOB = Patient("alice"), Patient("bob")
PATIENTS = (ALICE, BOB)

ADMINISTRATOR, CO_ADMINISTRATOR, OPERATOR = (key_of(n) for n in ("administrator", "co-administrator", "operator"))


def address_of(key: PrivateKey) -> str:
    """Return the checksummed address of a key."""
    return key.public_key.to_checksum_address()
