"""Categories, purposes, roles and actions: the numbers of ``contracts/Vocabulary.sol`` with their HL7 codes.

A test reads the Solidity file and compares.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from enum import IntEnum, StrEnum

CATEGORY_BITS = 40


@dataclass(frozen=True, slots=True)
class Category:
    """A kind of health data that a patient can share or keep to themselves."""

    bit: int
    """Position in the 40-bit masks of ``ConsentRegistry``."""
    code: str
    """The name in templates, requests and on the command line."""
    display: str
    """Plain words for a person."""
    hl7: str
    """``system|code`` of the closest HL7 or LOINC term."""

    @property
    def is_sensitive(self) -> bool:
        """Whether consent must name it: no "all" ever covers it."""
        return self.bit >= 32

    @property
    def mask(self) -> int:
        """The mask with only this bit."""
        return 1 << self.bit


_LOINC = "http://loinc.org|"
_ACT = "http://terminology.hl7.org/CodeSystem/v3-ActCode|"
_RESOURCE = "http://hl7.org/fhir/resource-types|"
_OBSERVATION = "http://terminology.hl7.org/CodeSystem/observation-category|"

CATEGORIES: tuple[Category, ...] = (
    Category(0, "demographics", "name and contact details", _RESOURCE + "Patient"),
    Category(1, "vital-signs", "vital signs", _OBSERVATION + "vital-signs"),
    Category(2, "laboratory", "laboratory results", _OBSERVATION + "laboratory"),
    Category(3, "imaging", "images and scans", _OBSERVATION + "imaging"),
    Category(4, "medications", "medications", _RESOURCE + "MedicationRequest"),
    Category(5, "problems", "diagnoses and problems", _RESOURCE + "Condition"),
    Category(6, "allergies", "allergies", _RESOURCE + "AllergyIntolerance"),
    Category(7, "immunizations", "vaccinations", _RESOURCE + "Immunization"),
    Category(8, "procedures", "procedures and operations", _RESOURCE + "Procedure"),
    Category(9, "notes", "notes of doctors and nurses", _LOINC + "34109-9"),
    Category(10, "billing", "bills and insurance", _RESOURCE + "Claim"),
    Category(11, "devices", "readings of devices", _RESOURCE + "Device"),
    Category(12, "genomics", "genetic results", _LOINC + "51969-4"),
    Category(13, "care-plans", "care plans", _RESOURCE + "CarePlan"),
    Category(32, "psychiatry", "mental health records", _ACT + "PSY"),
    Category(33, "substance-use", "records about alcohol or drugs", _ACT + "ETH"),
    Category(34, "sexual-health", "records about sexual health and HIV", _ACT + "HIV"),
    Category(35, "domestic-violence", "records about violence at home", _ACT + "SDV"),
    Category(
        36,
        "restricted",
        "records under special restriction",
        "http://terminology.hl7.org/CodeSystem/v3-Confidentiality|R",
    ),
)

CATEGORY_BY_CODE = {category.code: category for category in CATEGORIES}
CATEGORY_BY_BIT = {category.bit: category for category in CATEGORIES}

ALL_CATEGORIES = sum(category.mask for category in CATEGORIES if not category.is_sensitive)
"""What "all" means: every general category and no sensitive one."""
SENSITIVE_CATEGORIES = sum(category.mask for category in CATEGORIES if category.is_sensitive)
KNOWN_CATEGORIES = ALL_CATEGORIES | SENSITIVE_CATEGORIES


class Purpose(IntEnum):
    """Why data is used; the names are codes of HL7 v3-ActReason."""

    TREAT = 0
    HPAYMT = 1
    HOPERAT = 2
    HRESCH = 3
    PUBHLTH = 4
    PATRQT = 5
    ETREAT = 6

    @property
    def display(self) -> str:
        """Plain words for a person."""
        return _PURPOSE_DISPLAY[self]


_PURPOSE_DISPLAY = {
    Purpose.TREAT: "treatment",
    Purpose.HPAYMT: "payment",
    Purpose.HOPERAT: "running the hospital",
    Purpose.HRESCH: "research",
    Purpose.PUBHLTH: "public health",
    Purpose.PATRQT: "my own request",
    Purpose.ETREAT: "emergency treatment",
}


class Action(IntEnum):
    """What a requester wants to do with a category."""

    READ = 0
    WRITE = 1


class Role(IntEnum):
    """The role of a practitioner in ``Directory``."""

    DOCTOR = 1
    NURSE = 2
    PATHOLOGIST = 3
    PHARMACIST = 4
    INSURER = 5
    RESEARCHER = 6
    AUDITOR = 7
    DEVICE = 8

    @property
    def code(self) -> str:
        """The name in templates and on the command line."""
        return self.name.lower()


class ActorKind(StrEnum):
    """Which part of ``Directory`` knows the actor."""

    PRACTITIONER = "practitioner"
    PATIENT = "patient"
    ADMINISTRATOR = "administrator"


class EmergencyLevel(IntEnum):
    """What a patient says beforehand about emergency access."""

    ALLOWED = 0
    LIFE_THREATENING_ONLY = 1
    NEVER = 2


class Duty(IntEnum):
    """Duties of an officer, as bits."""

    ADMINISTRATOR = 1
    OPERATOR = 2
    CUSTODIAL = 128


class AccessReason(StrEnum):
    """Why somebody was shown what they asked for about a patient, or was not."""

    CONSENT = "consent"
    DENIED = "denied"
    CHAIN_UNREACHABLE = "chain-unreachable"
    OWN_SUBMISSION = "own-submission"
    IDENTIFICATION = "identification"

    @property
    def sentence(self) -> str:
        """Plain words for a person."""
        return _ACCESS_REASONS[self]


_ACCESS_REASONS = {
    AccessReason.CONSENT: "The patient's consent allows what was shown.",
    AccessReason.DENIED: "The patient does not allow it: nothing but who they are was shown.",
    AccessReason.CHAIN_UNREACHABLE: "The chain could not be asked: nothing but who they are was shown.",
    AccessReason.OWN_SUBMISSION: "Authors see again what they sent themselves.",
    AccessReason.IDENTIFICATION: "Staff see who a patient is, to find and to recognise them.",
}


class ActCode(StrEnum):
    """What administrators, people with a login, or the system at their word did off the chain."""

    TEMPLATE_INSTALLED = "template-installed"
    TEMPLATE_PROPOSED = "template-proposed"
    TEMPLATE_APPROVED = "template-approved"
    TEMPLATE_REJECTED = "template-rejected"
    TEMPLATE_WITHDRAWN = "template-withdrawn"
    ADMINISTRATOR_ENROLLED = "administrator-enrolled"
    ORGANISATION_ADDED = "organisation-added"
    ORGANISATION_CHANGED = "organisation-changed"
    PRACTITIONER_ADDED = "practitioner-added"
    PRACTITIONER_CHANGED = "practitioner-changed"
    PRACTITIONER_ENDED = "practitioner-ended"
    PRACTITIONER_RESET = "practitioner-reset"
    PATIENT_ADDED = "patient-added"
    INVITATION_MADE = "invitation-made"
    TOKEN_MADE = "token-made"  # noqa: S105 the name of an act
    TOKEN_REVOKED = "token-revoked"  # noqa: S105 the name of an act
    LOGIN_MADE = "login-made"
    LOGGED_IN = "logged-in"
    LOGIN_RESTS = "login-rests"
    PASSWORD_CHANGED = "password-changed"  # noqa: S105 the name of an act
    SECOND_FACTOR_SET = "second-factor-set"
    DEPLOYMENT_ADOPTED = "deployment-adopted"
    ROOT_KEY_ROTATED = "root-key-rotated"
    BACKUP_MADE = "backup-made"
    BACKUP_RESTORED = "backup-restored"

    @property
    def sentence(self) -> str:
        """Plain words for a person."""
        return _ACTS[self]


_ACTS = {
    ActCode.TEMPLATE_INSTALLED: "A template was put in without review, as those are that come with the Handshaker.",
    ActCode.TEMPLATE_PROPOSED: "A template was laid before a second administrator.",
    ActCode.TEMPLATE_APPROVED: "A proposed template was approved and can be used.",
    ActCode.TEMPLATE_REJECTED: "A proposed template was turned down.",
    ActCode.TEMPLATE_WITHDRAWN: "A proposed template was taken back by who proposed it.",
    ActCode.ADMINISTRATOR_ENROLLED: "An administrator got a key and a token.",
    ActCode.ORGANISATION_ADDED: "An organisation was added here; its registration goes to the chain.",
    ActCode.ORGANISATION_CHANGED: "An organisation was renamed, ended or brought back.",
    ActCode.PRACTITIONER_ADDED: "A practitioner was added here; the registration goes to the chain.",
    ActCode.PRACTITIONER_CHANGED: "Name, role, organisation or licence of a practitioner was changed.",
    ActCode.PRACTITIONER_ENDED: "A practitioner was ended: sessions, tokens, login and key at once.",
    ActCode.PRACTITIONER_RESET: "A practitioner begins anew: login, second factor, tokens and key ended at once.",
    ActCode.PATIENT_ADDED: "A patient was added here under a pseudonym; the registration goes to the chain.",
    ActCode.INVITATION_MADE: "An invitation was made, to choose a username and a password.",
    ActCode.TOKEN_MADE: "A bearer token was made.",
    ActCode.TOKEN_REVOKED: "A bearer token or an invitation was ended.",
    ActCode.LOGIN_MADE: "An invitation was used: somebody chose a username and a password.",
    ActCode.LOGGED_IN: "Somebody logged in.",
    ActCode.LOGIN_RESTS: "A login rests after failures in a row, unless the last attempt was right.",
    ActCode.PASSWORD_CHANGED: "Somebody changed their password.",
    ActCode.SECOND_FACTOR_SET: "Somebody set up a second factor.",
    ActCode.DEPLOYMENT_ADOPTED: "The contracts at these addresses are used from now on.",
    ActCode.ROOT_KEY_ROTATED: "The vault's root key was replaced.",
    ActCode.BACKUP_MADE: "A backup was made.",
    ActCode.BACKUP_RESTORED: "A backup was restored, and nothing that the chain had anchored was lost by it.",
}


def mask_of(codes: Iterable[str]) -> int:
    """Return the mask of category ``codes``; ``"all"`` stands for every general category.

    Raises ``KeyError`` with the code that is not known.
    """
    mask = 0
    for code in codes:
        mask |= ALL_CATEGORIES if code == "all" else CATEGORY_BY_CODE[code].mask
    return mask


def categories_of(mask: int) -> tuple[Category, ...]:
    """Return the categories whose bits are set in ``mask``, by rising bit."""
    return tuple(category for category in CATEGORIES if mask & category.mask)


_DOCTOR_WRITES = KNOWN_CATEGORIES
WRITABLE: dict[Role, int] = {
    Role.DOCTOR: _DOCTOR_WRITES,
    Role.NURSE: mask_of(
        (
            "demographics",
            "vital-signs",
            "allergies",
            "immunizations",
            "procedures",
            "notes",
            "devices",
            "care-plans",
        )
    ),
    Role.PATHOLOGIST: mask_of(("laboratory", "genomics")),
    Role.PHARMACIST: mask_of(("medications", "immunizations")),
    Role.INSURER: mask_of(("billing",)),
    Role.RESEARCHER: 0,
    Role.AUDITOR: 0,
    Role.DEVICE: mask_of(("vital-signs", "devices")),
}
"""The categories that each role may write, as ``HealthRecords`` enforces it."""


def organisation_grantee(organisation_id: int) -> bytes:
    """Return the grantee of an organisation: its number, right-aligned in 32 bytes."""
    return organisation_id.to_bytes(32, "big")


def practitioner_grantee(practitioner_id: bytes) -> bytes:
    """Return the grantee of a practitioner: the 16 bytes of their id, left-aligned in 32 bytes."""
    return practitioner_id.ljust(32, b"\0")
