"""A valid draft of every statement; a test changes the one field that it is about.

Each function takes who it is about and ``**changes`` by field name, and returns the values to sign.
"""

from __future__ import annotations

from handshaker.ethereum.statements import FieldValue
from handshaker.vocabulary import ALL_CATEGORIES, EmergencyLevel, Purpose, practitioner_grantee
from tests.contracts.harness import START
from tests.contracts.people import (
    ADMINISTRATOR,
    ALICE,
    CO_ADMINISTRATOR,
    DEADLINE,
    DOCTOR,
    LAKESIDE,
    NURSE,
    YEAR,
    Patient,
    Practitioner,
    address_of,
    key_of,
)

Draft = dict[str, FieldValue]

VITAL_SIGNS, LABORATORY, MEDICATIONS = 1, 2, 4
"""Category numbers that tests use most."""


def organisation(organisation_id: int = LAKESIDE, **changes: FieldValue) -> Draft:
    """``registerOrganisation``."""
    return (
        Draft(
            {
                "organisationId": organisation_id,
                "active": True,
                "profile": bytes([organisation_id % 256]) * 32,
                "version": 1,
                "administrator": address_of(ADMINISTRATOR),
                "deadline": DEADLINE,
            }
        )
        | changes
    )


def practitioner(who: Practitioner = DOCTOR, **changes: FieldValue) -> Draft:
    """``registerPractitioner``."""
    return (
        Draft(
            {
                "practitionerId": who.id,
                "key": who.address,
                "organisationId": who.organisation_id,
                "role": int(who.role),
                "licenceUntil": START + YEAR,
                "active": True,
                "custodial": True,
                "version": 1,
                "administrator": address_of(ADMINISTRATOR),
                "deadline": DEADLINE,
            }
        )
        | changes
    )


def patient(who: Patient = ALICE, **changes: FieldValue) -> Draft:
    """``registerPatient``."""
    return (
        Draft(
            {
                "patientId": who.id,
                "controller": who.address,
                "custodial": True,
                "administrator": address_of(ADMINISTRATOR),
                "deadline": DEADLINE,
            }
        )
        | changes
    )


def rotation(who: Patient = ALICE, **changes: FieldValue) -> Draft:
    """``rotateController``."""
    return (
        Draft(
            {
                "patientId": who.id,
                "newController": address_of(key_of(f"new key of {who.name}")),
                "custodial": False,
                "version": 2,
                "deadline": DEADLINE,
            }
        )
        | changes
    )


def recovery(who: Patient = ALICE, **changes: FieldValue) -> Draft:
    """``proposeRecovery``."""
    return (
        Draft(
            {
                "patientId": who.id,
                "newController": address_of(key_of(f"recovered key of {who.name}")),
                "custodial": True,
                "version": 2,
                "administrator": address_of(ADMINISTRATOR),
                "coAdministrator": address_of(CO_ADMINISTRATOR),
                "deadline": DEADLINE,
            }
        )
        | changes
    )


def appointment(officer: str, duties: int, **changes: FieldValue) -> Draft:
    """``appointOfficer``."""
    return (
        Draft(
            {
                "officer": officer,
                "duties": duties,
                "version": 1,
                "administrator": address_of(ADMINISTRATOR),
                "coAdministrator": address_of(CO_ADMINISTRATOR),
                "deadline": DEADLINE,
            }
        )
        | changes
    )


def grant(who: Patient = ALICE, to: Practitioner = NURSE, **changes: FieldValue) -> Draft:
    """``grant``: read and write everything general for treatment, for a year."""
    return (
        Draft(
            {
                "patientId": who.id,
                "grantee": practitioner_grantee(to.id),
                "purpose": int(Purpose.TREAT),
                "readMask": ALL_CATEGORIES,
                "writeMask": ALL_CATEGORIES,
                "denyMask": 0,
                "notBefore": START,
                "notAfter": START + YEAR,
                "version": 1,
                "epoch": 0,
                "signer": who.address,
                "deadline": DEADLINE,
                "terms": "Allow what this test allows. Reference 0123456789abcdef0123456789abcdef.",
            }
        )
        | changes
    )


def revocation(who: Patient = ALICE, to: Practitioner = NURSE, **changes: FieldValue) -> Draft:
    """``revoke``."""
    return (
        Draft(
            {
                "patientId": who.id,
                "grantee": practitioner_grantee(to.id),
                "purpose": int(Purpose.TREAT),
                "denyMask": 0,
                "version": 2,
                "signer": who.address,
                "terms": "Take back what this test allowed. Reference 0123456789abcdef0123456789abcdef.",
            }
        )
        | changes
    )


def total_revocation(who: Patient = ALICE, **changes: FieldValue) -> Draft:
    """``revokeAll``."""
    return (
        Draft({"patientId": who.id, "epoch": 1, "terms": "Take back everything. Reference 0123456789abcdef."}) | changes
    )


def delegation(delegate: str, who: Patient = ALICE, **changes: FieldValue) -> Draft:
    """``delegate``: everything general, for a year."""
    return (
        Draft(
            {
                "patientId": who.id,
                "delegate": delegate,
                "scope": ALL_CATEGORIES,
                "notBefore": START,
                "notAfter": START + YEAR,
                "version": 1,
                "epoch": 0,
                "deadline": DEADLINE,
                "terms": "Let my carer decide. Reference 0123456789abcdef0123456789abcdef.",
            }
        )
        | changes
    )


def delegation_end(delegate: str, who: Patient = ALICE, **changes: FieldValue) -> Draft:
    """``endDelegation``."""
    return (
        Draft(
            {
                "patientId": who.id,
                "delegate": delegate,
                "version": 2,
                "terms": "My carer decides no more. Reference 0123456789abcdef0123456789abcdef.",
            }
        )
        | changes
    )


def emergency_preference(who: Patient = ALICE, **changes: FieldValue) -> Draft:
    """``setEmergencyPreference``: no emergency access ever."""
    return (
        Draft(
            {
                "patientId": who.id,
                "level": int(EmergencyLevel.NEVER),
                "version": 1,
                "deadline": DEADLINE,
                "terms": "Never open my records in an emergency. Reference 0123456789abcdef0123456789abcdef.",
            }
        )
        | changes
    )


def emergency(by: Practitioner = DOCTOR, who: Patient = ALICE, **changes: FieldValue) -> Draft:
    """``openEmergency``: for an hour."""
    return (
        Draft(
            {
                "patientId": who.id,
                "practitionerId": by.id,
                "categories": ALL_CATEGORIES,
                "lifeThreatening": True,
                "reasonHash": b"\x5a" * 32,
                "until": START + 3600,
                "deadline": DEADLINE,
            }
        )
        | changes
    )


def record(by: Practitioner = NURSE, who: Patient = ALICE, **changes: FieldValue) -> Draft:
    """``record``: vital signs, for treatment."""
    return (
        Draft(
            {
                "patientId": who.id,
                "author": by.id,
                "category": VITAL_SIGNS,
                "purpose": int(Purpose.TREAT),
                "commitment": b"\xc0" * 32,
                "supersedes": bytes(32),
                "deadline": DEADLINE,
            }
        )
        | changes
    )


def retraction(record_id: bytes, by: Practitioner = NURSE, **changes: FieldValue) -> Draft:
    """``retract``."""
    return Draft({"recordId": record_id, "author": by.id, "reasonHash": b"\xee" * 32, "deadline": DEADLINE}) | changes
