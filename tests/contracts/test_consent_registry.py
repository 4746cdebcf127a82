"""``ConsentRegistry.tree``: what patients grant and take back with their own key."""

from __future__ import annotations

import pytest

from handshaker.vocabulary import ALL_CATEGORIES, KNOWN_CATEGORIES, EmergencyLevel, Purpose, organisation_grantee
from tests.contracts import drafts
from tests.contracts.acts import ACTS, CARER, GRANT, REVOKE, Act
from tests.contracts.branches import STRANGER, TimelyStatement, VersionedStatement
from tests.contracts.consent_desk import NOBODY, REGISTRY, assert_told, id_of, may, must, say, slot
from tests.contracts.drafts import LABORATORY, MEDICATIONS, VITAL_SIGNS
from tests.contracts.harness import START, assert_reverts
from tests.contracts.hospital import Hospital
from tests.contracts.hostiles import AccountManner, deploy_test_contract
from tests.contracts.people import ALICE, BOB, DOCTOR, LAKESIDE, NURSE, YEAR, address_of

SECP256K1_ORDER = 0xFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFEBAAEDCE6AF48A03BBFD25E8CD0364141
UNKNOWN_BITS = (14, 31, 37, 39)
VITALS, LABS = 1 << VITAL_SIGNS, 1 << LABORATORY


class TestGrant(TimelyStatement, VersionedStatement):
    act = GRANT

    def test_when_the_purpose_is_unknown_it_reverts(self, hospital: Hospital) -> None:
        assert_reverts(GRANT.perform(hospital, purpose=7), "PurposeUnknown", purpose=7)

    @pytest.mark.parametrize("field", ["readMask", "writeMask", "denyMask"])
    @pytest.mark.parametrize("bit", UNKNOWN_BITS)
    def test_when_a_category_bit_is_unknown_it_reverts(self, hospital: Hospital, field: str, bit: int) -> None:
        masks = {"readMask": VITALS, "writeMask": 0, "denyMask": 0}
        masks[field] |= 1 << bit
        receipt = GRANT.perform(hospital, **masks)
        assert_reverts(receipt, "CategoriesUnknown", categories=VITALS | 1 << bit)

    def test_when_the_window_ends_before_its_beginning_it_reverts(self, hospital: Hospital) -> None:
        receipt = GRANT.perform(hospital, notBefore=START + 1, notAfter=START)
        assert_reverts(receipt, "WindowInvalid", notBefore=START + 1, notAfter=START)

    def test_when_the_epoch_is_not_the_present_one_it_reverts(self, hospital: Hospital) -> None:
        assert_reverts(GRANT.perform(hospital, epoch=1), "EpochStale", current=0, epoch=1)
        must(hospital, "revokeAll", drafts.total_revocation())
        assert_reverts(GRANT.perform(hospital, epoch=0), "EpochStale", current=1, epoch=0)

    def test_given_the_patient_is_unknown_it_reverts(self, hospital: Hospital) -> None:
        assert_reverts(say(hospital, "grant", drafts.grant(NOBODY), NOBODY.key), "PatientUnknown", patientId=NOBODY.id)

    def test_when_the_signer_is_neither_controller_nor_delegate_it_reverts(self, hospital: Hospital) -> None:
        for somebody in (STRANGER, BOB.key, NURSE.key):
            receipt = say(hospital, "grant", drafts.grant(signer=address_of(somebody)), somebody)
            assert_reverts(receipt, "SignerNotEntitled", patientId=ALICE.id, signer=address_of(somebody))

    def test_when_the_controller_did_not_sign_it_reverts(self, hospital: Hospital) -> None:
        receipt = say(hospital, "grant", drafts.grant(), STRANGER)
        assert_reverts(receipt, "SignatureInvalid", statement=GRANT.id(), signer=ALICE.address)

    def test_when_the_signature_is_for_another_chain_it_reverts(self, hospital: Hospital) -> None:
        signature = hospital.sign(ALICE.key, REGISTRY, "grant", drafts.grant(), chain_id=1)
        receipt = hospital.submit(REGISTRY, "grant", drafts.grant(), signatures=(signature,))
        assert_reverts(receipt, "SignatureInvalid", statement=GRANT.id(), signer=ALICE.address)

    def test_when_the_signature_is_for_another_contract_it_reverts(self, hospital: Hospital) -> None:
        twin = hospital.evm.deploy(REGISTRY, hospital.addresses["Directory"])
        signature = hospital.sign(ALICE.key, REGISTRY, "grant", drafts.grant(), verifying_contract=twin)
        receipt = hospital.submit(REGISTRY, "grant", drafts.grant(), signatures=(signature,))
        assert_reverts(receipt, "SignatureInvalid", statement=GRANT.id(), signer=ALICE.address)

    def test_when_the_signature_is_malleable_it_reverts(self, hospital: Hospital) -> None:
        signature = hospital.sign(ALICE.key, REGISTRY, "grant", drafts.grant())
        high = SECP256K1_ORDER - int.from_bytes(signature[32:64], "big")
        mirrored = signature[:32] + high.to_bytes(32, "big") + bytes([27 + 28 - signature[64]])
        receipt = hospital.submit(REGISTRY, "grant", drafts.grant(), signatures=(mirrored,))
        assert_reverts(receipt, "SignatureInvalid", statement=GRANT.id(), signer=ALICE.address)

    def test_when_the_signature_is_replayed_it_reverts(self, hospital: Hospital) -> None:
        must(hospital, "grant", drafts.grant())
        assert_reverts(GRANT.perform(hospital), "VersionOutOfRange", current=1, version=1)

    def test_when_withheld_until_after_a_revocation_it_reverts(self, hospital: Hospital) -> None:
        withheld = hospital.calldata(REGISTRY, "grant", drafts.grant(version=1), ALICE.key)
        must(hospital, "revoke", drafts.revocation(version=2))
        receipt = hospital.evm.transact(hospital.addresses[REGISTRY], withheld)
        assert_reverts(receipt, "VersionOutOfRange", current=2, version=1)
        assert not may(hospital)

    def test_when_withheld_until_after_a_rotation_it_reverts(self, hospital: Hospital) -> None:
        withheld = hospital.calldata(REGISTRY, "grant", drafts.grant(), ALICE.key)
        hospital.must("Directory", "rotateController", drafts.rotation(), ALICE.key)
        receipt = hospital.evm.transact(hospital.addresses[REGISTRY], withheld)
        assert_reverts(receipt, "SignerNotEntitled", patientId=ALICE.id, signer=ALICE.address)

    def test_when_the_controller_signed_it_takes_effect(self, hospital: Hospital) -> None:
        draft = drafts.grant(denyMask=LABS, version=7)
        receipt = say(hospital, "grant", draft)
        stored = ("readMask", "writeMask", "denyMask", "notBefore", "notAfter", "version", "epoch")
        assert slot(hospital) == {name: draft[name] for name in stored}
        told = ("patientId", "grantee", "purpose", *stored[:-1], "signer")
        assert_told(receipt, "ConsentGranted", "grant", draft, *told)

    def test_given_an_earlier_grant_it_replaces_the_whole_slot(self, hospital: Hospital) -> None:
        must(hospital, "grant", drafts.grant(denyMask=LABS))
        must(hospital, "grant", drafts.grant(version=2, readMask=VITALS, writeMask=0, notAfter=START + 5))
        assert slot(hospital) == {
            "readMask": VITALS,
            "writeMask": 0,
            "denyMask": 0,
            "notBefore": START,
            "notAfter": START + 5,
            "version": 2,
            "epoch": 0,
        }

    def test_given_the_controller_is_a_smart_account_it_asks_the_account(self, hospital: Hospital) -> None:
        account = deploy_test_contract(hospital.evm, "HostileAccount", ALICE.address, int(AccountManner.HONEST))
        hospital.must("Directory", "rotateController", drafts.rotation(newController=account), ALICE.key)
        draft = drafts.grant(signer=account)
        refused = say(hospital, "grant", draft, STRANGER)
        assert_reverts(refused, "SignatureInvalid", statement=id_of("grant", draft), signer=account)
        assert say(hospital, "grant", draft, ALICE.key).status == 1
        assert may(hospital)

    @pytest.mark.parametrize("act", [act for act in ACTS if act.contract == REGISTRY], ids=str)
    def test_given_any_statement_it_leaves_exactly_one_event(self, act: Act, hospital: Hospital) -> None:
        """Earlier systems had grants that left no trace: here every change of state tells of its statement."""
        act.prepare(hospital)
        before = hospital.evm.snapshot()
        receipt = act.perform(hospital)
        assert hospital.evm.snapshot().root != before.root
        assert [(log.address, log.topics[1]) for log in receipt.logs] == [(hospital.addresses[REGISTRY], act.id())]


class TestRevoke(VersionedStatement):
    act = REVOKE

    def test_when_the_purpose_is_unknown_it_reverts(self, hospital: Hospital) -> None:
        assert_reverts(REVOKE.perform(hospital, purpose=255), "PurposeUnknown", purpose=255)

    @pytest.mark.parametrize("bit", UNKNOWN_BITS)
    def test_when_a_category_bit_is_unknown_it_reverts(self, hospital: Hospital, bit: int) -> None:
        assert_reverts(REVOKE.perform(hospital, denyMask=1 << bit), "CategoriesUnknown", categories=1 << bit)

    def test_given_the_patient_is_unknown_it_reverts(self, hospital: Hospital) -> None:
        receipt = say(hospital, "revoke", drafts.revocation(NOBODY), NOBODY.key)
        assert_reverts(receipt, "PatientUnknown", patientId=NOBODY.id)

    def test_when_the_signer_is_neither_controller_nor_delegate_it_reverts(self, hospital: Hospital) -> None:
        receipt = say(hospital, "revoke", drafts.revocation(signer=address_of(STRANGER)), STRANGER)
        assert_reverts(receipt, "SignerNotEntitled", patientId=ALICE.id, signer=address_of(STRANGER))

    def test_when_the_controller_did_not_sign_it_reverts(self, hospital: Hospital) -> None:
        receipt = say(hospital, "revoke", drafts.revocation(), STRANGER)
        assert_reverts(receipt, "SignatureInvalid", statement=REVOKE.id(), signer=ALICE.address)

    def test_given_a_grant_it_takes_back_what_it_permits(self, hospital: Hospital) -> None:
        must(hospital, "grant", drafts.grant())
        assert may(hospital)
        draft = drafts.revocation(denyMask=LABS)
        receipt = say(hospital, "revoke", draft)
        assert not may(hospital)
        found = slot(hospital)
        assert (found["readMask"], found["writeMask"], found["denyMask"], found["version"]) == (0, 0, LABS, 2)
        told = ("patientId", "grantee", "purpose", "denyMask", "version", "signer")
        assert_told(receipt, "ConsentRevoked", "revoke", draft, *told)

    def test_given_nothing_was_ever_granted_it_leaves_a_tombstone(self, hospital: Hospital) -> None:
        must(hospital, "revoke", drafts.revocation(version=5))
        assert slot(hospital)["version"] == 5
        assert_reverts(GRANT.perform(hospital, version=5), "VersionOutOfRange", current=5, version=5)

    def test_given_a_denial_it_adds_and_never_lifts(self, hospital: Hospital) -> None:
        must(hospital, "grant", drafts.grant(denyMask=VITALS))
        must(hospital, "revoke", drafts.revocation(denyMask=LABS))
        must(hospital, "revoke", drafts.revocation(denyMask=0, version=3))
        assert slot(hospital)["denyMask"] == VITALS | LABS

    def test_given_years_went_by_it_still_takes_effect(self, hospital: Hospital) -> None:
        signed = hospital.calldata(REGISTRY, "revoke", drafts.revocation(), ALICE.key)
        hospital.evm.advance(20 * YEAR)
        assert hospital.evm.transact(hospital.addresses[REGISTRY], signed).status == 1


class TestRevokeAll:
    def test_given_the_patient_is_unknown_it_reverts(self, hospital: Hospital) -> None:
        receipt = say(hospital, "revokeAll", drafts.total_revocation(NOBODY), NOBODY.key)
        assert_reverts(receipt, "PatientUnknown", patientId=NOBODY.id)

    def test_when_the_epoch_is_not_the_next_it_reverts(self, hospital: Hospital) -> None:
        for epoch in (0, 2, 2**24 - 1):
            receipt = say(hospital, "revokeAll", drafts.total_revocation(epoch=epoch))
            assert_reverts(receipt, "VersionOutOfRange", current=0, version=epoch)
        must(hospital, "revokeAll", drafts.total_revocation())
        replay = say(hospital, "revokeAll", drafts.total_revocation())
        assert_reverts(replay, "VersionOutOfRange", current=1, version=1)

    def test_when_the_controller_did_not_sign_it_reverts(self, hospital: Hospital) -> None:
        # A delegate too: ending everything is the patient's.
        must(hospital, "delegate", drafts.delegation(address_of(CARER)))
        statement = id_of("revokeAll", drafts.total_revocation())
        for somebody in (STRANGER, CARER, BOB.key):
            receipt = say(hospital, "revokeAll", drafts.total_revocation(), somebody)
            assert_reverts(receipt, "SignatureInvalid", statement=statement, signer=ALICE.address)

    def test_when_the_controller_signed_it_takes_effect(self, hospital: Hospital) -> None:
        receipt = say(hospital, "revokeAll", drafts.total_revocation())
        assert hospital.read(REGISTRY, "patientState", ALICE.id)["epoch"] == 1
        assert_told(receipt, "EpochAdvanced", "revokeAll", drafts.total_revocation(), "patientId", "epoch")

    def test_given_grants_and_delegations_it_voids_them(self, hospital: Hospital) -> None:
        must(hospital, "grant", drafts.grant())
        must(hospital, "grant", drafts.grant(grantee=organisation_grantee(LAKESIDE), purpose=int(Purpose.HPAYMT)))
        must(hospital, "delegate", drafts.delegation(address_of(CARER)))
        must(hospital, "grant", drafts.grant(to=DOCTOR, signer=address_of(CARER)), CARER)
        assert may(hospital)
        assert may(hospital, DOCTOR)
        assert may(hospital, DOCTOR, purpose=Purpose.HPAYMT)
        must(hospital, "revokeAll", drafts.total_revocation())
        assert not may(hospital)
        assert not may(hospital, DOCTOR)
        assert not may(hospital, DOCTOR, purpose=Purpose.HPAYMT)
        after = say(hospital, "grant", drafts.grant(version=2, epoch=1, signer=address_of(CARER)), CARER)
        assert_reverts(after, "SignerNotEntitled", patientId=ALICE.id, signer=address_of(CARER))

    def test_given_statements_that_were_not_used_yet_it_voids_them(self, hospital: Hospital) -> None:
        delegation = drafts.delegation(address_of(CARER))
        unused = [
            hospital.calldata(REGISTRY, "grant", drafts.grant(), ALICE.key),
            hospital.calldata(REGISTRY, "delegate", delegation, ALICE.key),
        ]
        must(hospital, "revokeAll", drafts.total_revocation())
        for calldata in unused:
            receipt = hospital.evm.transact(hospital.addresses[REGISTRY], calldata)
            assert_reverts(receipt, "EpochStale", current=1, epoch=0)

    def test_given_a_denial_it_stays(self, hospital: Hospital) -> None:
        must(hospital, "revoke", drafts.revocation(denyMask=VITALS))
        must(hospital, "revokeAll", drafts.total_revocation())
        must(hospital, "grant", drafts.grant(epoch=1, grantee=organisation_grantee(LAKESIDE)))
        assert slot(hospital)["denyMask"] == VITALS
        assert not may(hospital)
        assert may(hospital, category=MEDICATIONS)

    def test_given_an_emergency_refusal_it_stays(self, hospital: Hospital) -> None:
        must(hospital, "setEmergencyPreference", drafts.emergency_preference())
        must(hospital, "revokeAll", drafts.total_revocation())
        refused = say(hospital, "openEmergency", drafts.emergency(), DOCTOR.key)
        assert_reverts(refused, "EmergencyRefused", patientId=ALICE.id, level=int(EmergencyLevel.NEVER))

    def test_given_an_open_emergency_it_stays(self, hospital: Hospital) -> None:
        # Closing it is the preference's: a patient who starts anew has not said that they would rather die.
        must(hospital, "openEmergency", drafts.emergency(), DOCTOR.key)
        must(hospital, "revokeAll", drafts.total_revocation())
        assert may(hospital, DOCTOR, purpose=Purpose.ETREAT)

    def test_given_a_grant_in_the_new_epoch_it_permits_again(self, hospital: Hospital) -> None:
        must(hospital, "grant", drafts.grant())
        must(hospital, "revokeAll", drafts.total_revocation())
        must(hospital, "grant", drafts.grant(version=2, epoch=1, readMask=KNOWN_CATEGORIES))
        assert may(hospital)
        assert slot(hospital)["writeMask"] == ALL_CATEGORIES
