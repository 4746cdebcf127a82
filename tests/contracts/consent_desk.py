"""Consents said and asked about, in one line each."""

from __future__ import annotations

from typing import Any

from eth_keys.datatypes import PrivateKey

from handshaker.vocabulary import Action, Purpose, practitioner_grantee
from tests.contracts.drafts import VITAL_SIGNS, Draft
from tests.contracts.harness import Receipt, assert_emitted
from tests.contracts.hospital import Hospital, statement_id
from tests.contracts.people import ALICE, NURSE, Patient, Practitioner

REGISTRY = "ConsentRegistry"
NOBODY = Patient("somebody who was never registered")
PSYCHIATRY = 32


def say(hospital: Hospital, function: str, draft: Draft, key: PrivateKey = ALICE.key) -> Receipt:
    """Carry a statement to the registry, whatever becomes of it."""
    return hospital.submit(REGISTRY, function, draft, key)


def must(hospital: Hospital, function: str, draft: Draft, key: PrivateKey = ALICE.key) -> bytes:
    """Carry a statement that has to take effect; return its id."""
    return hospital.must(REGISTRY, function, draft, key)


def id_of(function: str, draft: Draft) -> bytes:
    """Return the statement's identity."""
    return statement_id(REGISTRY, function, draft)


def assert_told(receipt: Receipt, event: str, function: str, draft: Draft, *fields: str) -> None:
    """The statement took effect and its one event repeats these fields of it."""
    told: dict[str, Any] = {name: draft[name] for name in fields}
    assert_emitted(receipt, REGISTRY, event, statement=id_of(function, draft), **told)


def may(
    hospital: Hospital,
    by: Practitioner = NURSE,
    action: int = Action.READ,
    category: int = VITAL_SIGNS,
    purpose: int = Purpose.TREAT,
    moment: int | None = None,
    about: Patient = ALICE,
) -> bool:
    """Whether the contract permits it, now unless another ``moment`` is given."""
    at = hospital.evm.timestamp if moment is None else moment
    return bool(hospital.read(REGISTRY, "isPermitted", about.id, by.id, int(action), category, int(purpose), at))


def slot(hospital: Hospital, to: Practitioner = NURSE, purpose: int = Purpose.TREAT) -> dict[str, Any]:
    """What the registry stores of Alice's own word about a practitioner."""
    found: dict[str, Any] = hospital.read(REGISTRY, "consent", ALICE.id, practitioner_grantee(to.id), int(purpose))
    return found


def loan(hospital: Hospital, to: Practitioner = NURSE, purpose: int = Purpose.TREAT) -> dict[str, Any]:
    """What the registry stores of what Alice's delegates gave to a practitioner."""
    grantee = practitioner_grantee(to.id)
    found: dict[str, Any] = hospital.read(REGISTRY, "delegatedConsent", ALICE.id, grantee, int(purpose))
    return found
