"""``Directory.tree``: who controls a pseudonym, and how it is given back to a patient who lost the key."""

from __future__ import annotations

from handshaker.ethereum.contracts import functions
from tests.contracts import drafts
from tests.contracts.acts import PROPOSE_RECOVERY, ROTATE_CONTROLLER, VETO_RECOVERY
from tests.contracts.branches import STRANGER, StatementOfTwoAdministrators, TimelyStatement
from tests.contracts.harness import Receipt, assert_emitted, assert_reverts
from tests.contracts.hospital import Hospital
from tests.contracts.people import (
    ADMINISTRATOR,
    ALICE,
    BOB,
    CO_ADMINISTRATOR,
    RECOVERY_DELAY,
    address_of,
    key_of,
)

NOBODY = b"\x99" * 32
ZERO = "0x" + "00" * 20
NEW_KEY, RECOVERED_KEY = key_of("new key of alice"), key_of("recovered key of alice")
PROPOSAL = PROPOSE_RECOVERY.id()
NO_RECOVERY = {"proposal": bytes(32), "newController": ZERO, "custodial": False, "version": 0, "readyAt": 0}


def complete(hospital: Hospital, patient_id: bytes = ALICE.id) -> Receipt:
    calldata = functions("Directory")["completeRecovery"].selector + patient_id
    return hospital.evm.transact(hospital.addresses["Directory"], calldata, address_of(STRANGER))


def controller(hospital: Hospital) -> tuple[str, bool, int]:
    stored = hospital.read("Directory", "patient", ALICE.id)
    return stored["controller"], stored["custodial"], stored["version"]


class TestRotateController(TimelyStatement):
    act = ROTATE_CONTROLLER

    def test_given_the_patient_is_unknown_it_reverts(self, hospital: Hospital) -> None:
        assert_reverts(self.act.perform(hospital, patientId=NOBODY), "PatientUnknown", patientId=NOBODY)

    def test_when_the_version_is_not_the_next_one_it_reverts(self, hospital: Hospital) -> None:
        for version in (0, 1, 3):
            receipt = self.act.perform(hospital, version=version)
            assert_reverts(receipt, "VersionOutOfRange", current=1, version=version)

    def test_when_the_controller_did_not_sign_it_reverts(self, hospital: Hospital) -> None:
        for key in (STRANGER, NEW_KEY, BOB.key, ADMINISTRATOR):
            receipt = hospital.submit("Directory", "rotateController", self.act.draft(), key)
            assert_reverts(receipt, "SignatureInvalid", statement=self.act.id(), signer=ALICE.address)

    def test_when_the_new_controller_is_zero_it_reverts(self, hospital: Hospital) -> None:
        assert_reverts(self.act.perform(hospital, newController=ZERO), "ZeroAddress")

    def test_when_the_controller_signed_it_hands_over(self, hospital: Hospital) -> None:
        assert_emitted(
            self.act.perform(hospital),
            "Directory",
            "ControllerRotated",
            statement=self.act.id(),
            patientId=ALICE.id,
            newController=address_of(NEW_KEY),
            oldController=ALICE.address,
            custodial=False,
            version=2,
        )
        assert controller(hospital) == (address_of(NEW_KEY).lower(), False, 2)
        old = hospital.submit("Directory", "rotateController", drafts.rotation(version=3), ALICE.key)
        assert old.status == 0
        assert hospital.submit("Directory", "rotateController", drafts.rotation(version=3), NEW_KEY).status == 1

    def test_given_a_recovery_is_pending_it_ends_the_recovery(self, hospital: Hospital) -> None:
        assert PROPOSE_RECOVERY.perform(hospital).status == 1
        assert self.act.perform(hospital).status == 1
        assert hospital.read("Directory", "recovery", ALICE.id) == NO_RECOVERY
        hospital.evm.advance(RECOVERY_DELAY)
        assert_reverts(complete(hospital), "RecoveryNotPending", patientId=ALICE.id, proposal=bytes(32))
        assert_reverts(PROPOSE_RECOVERY.perform(hospital), "VersionOutOfRange", current=2, version=2)


class TestProposeRecovery(StatementOfTwoAdministrators):
    act = PROPOSE_RECOVERY

    def test_given_the_patient_is_unknown_it_reverts(self, hospital: Hospital) -> None:
        assert_reverts(self.act.perform(hospital, patientId=NOBODY), "PatientUnknown", patientId=NOBODY)

    def test_when_the_new_controller_is_zero_it_reverts(self, hospital: Hospital) -> None:
        assert_reverts(self.act.perform(hospital, newController=ZERO), "ZeroAddress")

    def test_when_the_version_is_not_the_next_one_it_reverts(self, hospital: Hospital) -> None:
        for version in (0, 1, 3):
            receipt = self.act.perform(hospital, version=version)
            assert_reverts(receipt, "VersionOutOfRange", current=1, version=version)

    def test_given_a_recovery_is_pending_it_reverts(self, hospital: Hospital) -> None:
        assert self.act.perform(hospital).status == 1
        for changes in ({}, {"newController": address_of(STRANGER)}):
            receipt = self.act.perform(hospital, **changes)
            assert_reverts(receipt, "RecoveryAlreadyPending", patientId=ALICE.id, proposal=PROPOSAL)

    def test_when_two_administrators_signed_it_starts_the_delay(self, hospital: Hospital) -> None:
        ready_at = hospital.evm.timestamp + RECOVERY_DELAY
        assert_emitted(
            self.act.perform(hospital),
            "Directory",
            "RecoveryProposed",
            statement=PROPOSAL,
            patientId=ALICE.id,
            newController=address_of(RECOVERED_KEY),
            readyAt=ready_at,
        )
        assert hospital.read("Directory", "recovery", ALICE.id) == {
            "proposal": PROPOSAL,
            "newController": address_of(RECOVERED_KEY).lower(),
            "custodial": True,
            "version": 2,
            "readyAt": ready_at,
        }
        assert controller(hospital) == (ALICE.address.lower(), True, 1)


class TestVetoRecovery:
    act = VETO_RECOVERY

    def test_given_the_patient_is_unknown_it_reverts(self, hospital: Hospital) -> None:
        assert_reverts(self.act.perform(hospital, patientId=NOBODY), "PatientUnknown", patientId=NOBODY)

    def test_given_another_proposal_is_pending_it_reverts(self, hospital: Hospital) -> None:
        self.act.prepare(hospital)
        receipt = self.act.perform(hospital, proposal=NOBODY)
        assert_reverts(receipt, "RecoveryNotPending", patientId=ALICE.id, proposal=NOBODY)

    def test_given_no_recovery_is_pending_it_reverts(self, hospital: Hospital) -> None:
        # The empty slot's proposal is zero: a veto of "nothing" would be one that works again and again.
        for proposal in (PROPOSAL, bytes(32)):
            receipt = self.act.perform(hospital, proposal=proposal)
            assert_reverts(receipt, "RecoveryNotPending", patientId=ALICE.id, proposal=proposal)
        assert controller(hospital)[2] == 1

    def test_when_the_controller_did_not_sign_it_reverts(self, hospital: Hospital) -> None:
        self.act.prepare(hospital)
        for key in (STRANGER, ADMINISTRATOR, RECOVERED_KEY):
            receipt = hospital.submit("Directory", "vetoRecovery", self.act.draft(), key)
            assert_reverts(receipt, "SignatureInvalid", statement=self.act.id(), signer=ALICE.address)

    def test_when_the_controller_signed_it_ends_the_recovery(self, hospital: Hospital) -> None:
        self.act.prepare(hospital)
        receipt = self.act.perform(hospital)
        assert_emitted(
            receipt, "Directory", "RecoveryVetoed", statement=self.act.id(), patientId=ALICE.id, proposal=PROPOSAL
        )
        assert hospital.read("Directory", "recovery", ALICE.id) == NO_RECOVERY
        assert controller(hospital) == (ALICE.address.lower(), True, 2)


class TestCompleteRecovery:
    def test_given_the_patient_is_unknown_it_reverts(self, hospital: Hospital) -> None:
        assert_reverts(complete(hospital, NOBODY), "PatientUnknown", patientId=NOBODY)

    def test_given_no_recovery_is_pending_it_reverts(self, hospital: Hospital) -> None:
        assert_reverts(complete(hospital), "RecoveryNotPending", patientId=ALICE.id, proposal=bytes(32))

    def test_when_the_delay_is_not_over_it_reverts(self, hospital: Hospital) -> None:
        assert PROPOSE_RECOVERY.perform(hospital).status == 1
        ready_at = hospital.evm.timestamp + RECOVERY_DELAY
        hospital.evm.advance(RECOVERY_DELAY - 1)
        assert_reverts(complete(hospital), "RecoveryTooEarly", patientId=ALICE.id, readyAt=ready_at)

    def test_when_the_delay_is_over_it_hands_over(self, hospital: Hospital) -> None:
        assert PROPOSE_RECOVERY.perform(hospital).status == 1
        hospital.evm.advance(RECOVERY_DELAY)
        assert_emitted(
            complete(hospital),
            "Directory",
            "ControllerRotated",
            statement=PROPOSAL,
            patientId=ALICE.id,
            newController=address_of(RECOVERED_KEY),
            oldController=ALICE.address,
            custodial=True,
            version=2,
        )
        assert controller(hospital) == (address_of(RECOVERED_KEY).lower(), True, 2)
        assert hospital.read("Directory", "recovery", ALICE.id) == NO_RECOVERY


def test_a_completed_recovery_cannot_be_completed_or_proposed_again(hospital: Hospital) -> None:
    assert PROPOSE_RECOVERY.perform(hospital).status == 1
    hospital.evm.advance(RECOVERY_DELAY)
    assert complete(hospital).status == 1
    assert_reverts(complete(hospital), "RecoveryNotPending", patientId=ALICE.id, proposal=bytes(32))
    assert_reverts(PROPOSE_RECOVERY.perform(hospital), "VersionOutOfRange", current=2, version=2)


def test_a_vetoed_proposal_cannot_be_proposed_again_but_a_new_one_can(hospital: Hospital) -> None:
    VETO_RECOVERY.prepare(hospital)
    assert VETO_RECOVERY.perform(hospital).status == 1
    assert_reverts(PROPOSE_RECOVERY.perform(hospital), "VersionOutOfRange", current=2, version=2)
    hospital.must("Directory", "proposeRecovery", drafts.recovery(version=3), ADMINISTRATOR, CO_ADMINISTRATOR)
    # The veto of the first proposal says nothing about the second.
    replayed = VETO_RECOVERY.perform(hospital)
    assert_reverts(replayed, "RecoveryNotPending", patientId=ALICE.id, proposal=PROPOSAL)


def test_a_veto_in_the_last_second_of_the_delay_counts(hospital: Hospital) -> None:
    VETO_RECOVERY.prepare(hospital)
    hospital.evm.advance(RECOVERY_DELAY - 1)
    assert VETO_RECOVERY.perform(hospital).status == 1
    hospital.evm.advance(1)
    assert_reverts(complete(hospital), "RecoveryNotPending", patientId=ALICE.id, proposal=bytes(32))


def test_a_recovery_of_one_patient_leaves_the_others(hospital: Hospital) -> None:
    before = hospital.read("Directory", "patient", BOB.id)
    assert PROPOSE_RECOVERY.perform(hospital).status == 1
    hospital.evm.advance(RECOVERY_DELAY)
    assert complete(hospital).status == 1
    assert_reverts(complete(hospital, BOB.id), "RecoveryNotPending", patientId=BOB.id, proposal=bytes(32))
    assert hospital.read("Directory", "patient", BOB.id) == before


def test_nobody_enables_a_custodian_but_the_patient_or_two_administrators(hospital: Hospital) -> None:
    # Alice keeps her own key. Whoever is not Alice cannot mark it as kept by the house.
    assert ROTATE_CONTROLLER.perform(hospital, newController=ALICE.address, custodial=False).status == 1
    values = drafts.rotation(newController=ALICE.address, custodial=True, version=3)
    for key in (STRANGER, ADMINISTRATOR, BOB.key):
        assert hospital.submit("Directory", "rotateController", values, key).status == 0
    own = hospital.sign(ALICE.key, "Directory", "rotateController", values | {"custodial": False})
    assert hospital.submit("Directory", "rotateController", values, signatures=(own,)).status == 0
    again = drafts.patient(ALICE, custodial=True)
    assert hospital.submit("Directory", "registerPatient", again, ADMINISTRATOR).status == 0
    alone = drafts.recovery(version=3, coAdministrator=address_of(ADMINISTRATOR))
    assert hospital.submit("Directory", "proposeRecovery", alone, ADMINISTRATOR, ADMINISTRATOR).status == 0
    assert controller(hospital) == (ALICE.address.lower(), False, 2)
