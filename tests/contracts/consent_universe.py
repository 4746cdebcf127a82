"""The small universe in which contract and model are compared, and the translation between the two."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import fields
from itertools import product

from eth_abi.abi import decode, encode
from eth_keys.datatypes import PrivateKey
from eth_utils.crypto import keccak

from handshaker.ethereum.statements import FieldValue, statement_type
from handshaker.vocabulary import Action, Purpose, organisation_grantee, practitioner_grantee
from tests.contracts.consent_model import ConsentModel
from tests.contracts.consent_state import Patient, Practitioner
from tests.contracts.consent_statements import (
    Account,
    Delegation,
    DelegationEnd,
    Grant,
    Opening,
    Preference,
    Revocation,
    Statement,
    TotalRevocation,
)
from tests.contracts.harness import START, Receipt
from tests.contracts.hospital import Hospital
from tests.contracts.people import ALICE, BOB, DOCTOR, LAKESIDE, NURSE, RIVERSIDE, VISITOR, YEAR, address_of, key_of

REGISTRY = "ConsentRegistry"
CATEGORIES = (1, 9, 32)
"""Vital signs, notes, and psychiatry for the sensitive ones."""
UNKNOWN_CATEGORY = 14
PURPOSES = (Purpose.TREAT, Purpose.ETREAT)
PEOPLE = (DOCTOR, NURSE, VISITOR)
ORGANISATIONS = (LAKESIDE, RIVERSIDE)
NEW_KEY, CARER, GUARDIAN, STRANGER = (key_of(name) for name in ("new key of alice", "carer", "guardian", "stranger"))
KEYS: dict[Account, PrivateKey] = {
    address_of(key): key
    for key in (ALICE.key, BOB.key, NEW_KEY, CARER, GUARDIAN, STRANGER, *(person.key for person in PEOPLE))
}

Question = tuple[bytes, bytes, int, int, int]
"""Patient, requester, action, category, purpose."""

_FUNCTIONS: dict[type[Statement], str] = {
    Grant: "grant",
    Revocation: "revoke",
    TotalRevocation: "revokeAll",
    Delegation: "delegate",
    DelegationEnd: "endDelegation",
    Preference: "setEmergencyPreference",
    Opening: "openEmergency",
}
_ASK_TYPES = ("address", "bytes32", "bytes16[]", "uint8[]", "uint8[]", "uint40")
_ASK = keccak(text=f"ask({','.join(_ASK_TYPES)})")
_FIELDS = {"read": "readMask", "write": "writeMask", "deny": "denyMask"}
_UNSEEN: dict[str, FieldValue] = {"terms": "The rule does not look at the sentence.", "reasonHash": b"\x5a" * 32}


def opening_model() -> ConsentModel:
    """Return the model of the hospital on its first day."""
    model = ConsentModel(START)
    model.organisations = dict.fromkeys(ORGANISATIONS, True)
    model.practitioners = {
        person.id: Practitioner(person.address, person.organisation_id, person.role, START + YEAR, True)
        for person in PEOPLE
    }
    model.patients = {patient.id: Patient(patient.address) for patient in (ALICE, BOB)}
    return model


def questions(patient_id: bytes) -> Iterator[Question]:
    """Everything that can be asked about a patient in this universe."""
    for person, action, category, purpose in product(PEOPLE, Action, CATEGORIES, PURPOSES):
        yield patient_id, person.id, int(action), category, int(purpose)


def permitted_by_model(model: ConsentModel, patient_id: bytes, moment: int) -> set[Question]:
    """Return the questions that the model answers with yes."""
    return {question for question in questions(patient_id) if model.is_permitted(*question, moment)}


def permitted_by_contract(hospital: Hospital, asker: str, patient_id: bytes, moment: int) -> set[Question]:
    """Return the questions that the contract answers with yes, asked through a deployed ``Questions``."""
    asked = list(questions(patient_id))
    people = [person.id for person in PEOPLE]
    purposes = [int(purpose) for purpose in PURPOSES]
    arguments = (hospital.addresses[REGISTRY], patient_id, people, CATEGORIES, purposes, moment)
    (answers,) = decode(["uint256"], hospital.evm.ask(asker, _ASK[:4] + encode(_ASK_TYPES, arguments)))
    return {question for place, question in enumerate(asked) if answers >> place & 1}


def submit(hospital: Hospital, said: Statement, signed_by: Account) -> Receipt:
    """Sign the statement as ``signed_by`` and carry it to the contract."""
    function = _FUNCTIONS[type(said)]
    return hospital.submit(REGISTRY, function, _values(said, function), KEYS[signed_by])


def _values(said: Statement, function: str) -> dict[str, FieldValue]:
    spoken = {_name(field.name): _value(getattr(said, field.name), field.name) for field in fields(said)}
    spoken |= {name: value for name, value in _UNSEEN.items() if name not in spoken}
    return {name: spoken[name] for name, _ in statement_type(REGISTRY, function).fields}


def _name(field: str) -> str:
    first, *others = field.split("_")
    return _FIELDS.get(field, first + "".join(part.capitalize() for part in others))


def _value(value: FieldValue | frozenset[int], field: str) -> FieldValue:
    if isinstance(value, frozenset):
        return sum(1 << category for category in value)
    if field == "grantee":
        return practitioner_grantee(value) if isinstance(value, bytes) else organisation_grantee(int(value))
    return value
