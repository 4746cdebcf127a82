"""One act of every kind that the contracts take, each valid on the hospital's first day after what goes before it.

For rules that hold for all statements alike: they expire, they are signed by whom they say, and nobody can alter them.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from eth_keys.datatypes import PrivateKey

from handshaker.ethereum.statements import FieldValue
from handshaker.vocabulary import Duty
from tests.contracts import drafts
from tests.contracts.drafts import Draft
from tests.contracts.harness import Receipt
from tests.contracts.hospital import Hospital, statement_id
from tests.contracts.people import ADMINISTRATOR, ALICE, CO_ADMINISTRATOR, DOCTOR, NURSE, address_of, key_of

CARER = key_of("carer")


@dataclass(frozen=True)
class Act:
    """A statement, who signs it, and what has to happen first."""

    contract: str
    function: str
    draft: Callable[..., Draft]
    """Takes changes by field name."""
    keys: tuple[PrivateKey, ...]
    before: tuple[Act, ...] = ()

    def prepare(self, hospital: Hospital) -> Hospital:
        """Open the hospital anew and do what goes before."""
        hospital.reopen()
        for act in self.before:
            for earlier in act.before:
                hospital.must(earlier.contract, earlier.function, earlier.draft(), *earlier.keys)
            hospital.must(act.contract, act.function, act.draft(), *act.keys)
        return hospital

    def perform(self, hospital: Hospital, **changes: FieldValue) -> Receipt:
        """Submit the statement with some fields changed, rightly signed."""
        return hospital.submit(self.contract, self.function, self.draft(**changes), *self.keys)

    def id(self, **changes: FieldValue) -> bytes:
        """The statement's identity."""
        return statement_id(self.contract, self.function, self.draft(**changes))

    def __str__(self) -> str:
        return f"{self.contract}.{self.function}"


def _recovery_veto(**changes: FieldValue) -> Draft:
    proposal = statement_id("Directory", "proposeRecovery", drafts.recovery())
    return Draft({"patientId": ALICE.id, "proposal": proposal}) | changes


def _retraction(**changes: FieldValue) -> Draft:
    return drafts.retraction(statement_id("HealthRecords", "record", drafts.record()), NURSE) | changes


def _delegation(**changes: FieldValue) -> Draft:
    return drafts.delegation(address_of(CARER)) | changes


def _delegation_end(**changes: FieldValue) -> Draft:
    return drafts.delegation_end(address_of(CARER)) | changes


def _appointment(**changes: FieldValue) -> Draft:
    return drafts.appointment(address_of(key_of("new operator")), int(Duty.OPERATOR)) | changes


def _organisation(**changes: FieldValue) -> Draft:
    return drafts.organisation(3) | changes


def _practitioner(**changes: FieldValue) -> Draft:
    return drafts.practitioner(NURSE, version=2) | changes


def _patient(**changes: FieldValue) -> Draft:
    return drafts.patient(ALICE, patientId=b"\x11" * 32) | changes


TWO = (ADMINISTRATOR, CO_ADMINISTRATOR)

REGISTER_ORGANISATION = Act("Directory", "registerOrganisation", _organisation, (ADMINISTRATOR,))
REGISTER_PRACTITIONER = Act("Directory", "registerPractitioner", _practitioner, (ADMINISTRATOR,))
REGISTER_PATIENT = Act("Directory", "registerPatient", _patient, (ADMINISTRATOR,))
ROTATE_CONTROLLER = Act("Directory", "rotateController", drafts.rotation, (ALICE.key,))
PROPOSE_RECOVERY = Act("Directory", "proposeRecovery", drafts.recovery, TWO)
VETO_RECOVERY = Act("Directory", "vetoRecovery", _recovery_veto, (ALICE.key,), (PROPOSE_RECOVERY,))
APPOINT_OFFICER = Act("Directory", "appointOfficer", _appointment, TWO)
GRANT = Act("ConsentRegistry", "grant", drafts.grant, (ALICE.key,))
REVOKE = Act("ConsentRegistry", "revoke", drafts.revocation, (ALICE.key,), (GRANT,))
REVOKE_ALL = Act("ConsentRegistry", "revokeAll", drafts.total_revocation, (ALICE.key,))
DELEGATE = Act("ConsentRegistry", "delegate", _delegation, (ALICE.key,))
END_DELEGATION = Act("ConsentRegistry", "endDelegation", _delegation_end, (ALICE.key,), (DELEGATE,))
SET_EMERGENCY = Act("ConsentRegistry", "setEmergencyPreference", drafts.emergency_preference, (ALICE.key,))
OPEN_EMERGENCY = Act("ConsentRegistry", "openEmergency", drafts.emergency, (DOCTOR.key,))
RECORD = Act("HealthRecords", "record", drafts.record, (NURSE.key,), (GRANT,))
RETRACT = Act("HealthRecords", "retract", _retraction, (NURSE.key,), (RECORD,))

ACTS = (
    REGISTER_ORGANISATION,
    REGISTER_PRACTITIONER,
    REGISTER_PATIENT,
    ROTATE_CONTROLLER,
    PROPOSE_RECOVERY,
    VETO_RECOVERY,
    APPOINT_OFFICER,
    GRANT,
    REVOKE,
    REVOKE_ALL,
    DELEGATE,
    END_DELEGATION,
    SET_EMERGENCY,
    OPEN_EMERGENCY,
    RECORD,
    RETRACT,
)
