"""``ConsentRegistry.tree``: guardians and carers who speak in the patient's place."""

from __future__ import annotations

import pytest

from handshaker.vocabulary import ALL_CATEGORIES, Action
from tests.contracts import drafts
from tests.contracts.acts import CARER, DELEGATE, END_DELEGATION
from tests.contracts.branches import STRANGER, TimelyStatement, VersionedStatement
from tests.contracts.consent_desk import NOBODY, PSYCHIATRY, REGISTRY, assert_told, id_of, loan, may, must, say, slot
from tests.contracts.drafts import LABORATORY, MEDICATIONS, VITAL_SIGNS, Draft
from tests.contracts.harness import START, assert_reverts
from tests.contracts.hospital import Hospital
from tests.contracts.people import ALICE, BOB, DOCTOR, NURSE, YEAR, address_of, key_of

CARERS_ADDRESS = address_of(CARER)
GUARDIAN = key_of("guardian")
VITALS, LABS = 1 << VITAL_SIGNS, 1 << LABORATORY
UNTIL = START + 1_000


@pytest.fixture
def entrusted(hospital: Hospital) -> Hospital:
    """The carer may speak about vital signs and laboratory results, from now for a thousand seconds."""
    must(hospital, "delegate", drafts.delegation(CARERS_ADDRESS, scope=VITALS | LABS, notAfter=UNTIL))
    return hospital


def carers_grant(version: int = 1, notAfter: int = UNTIL, readMask: int = VITALS, denyMask: int = 0) -> Draft:  # noqa: N803
    return drafts.grant(
        signer=CARERS_ADDRESS, version=version, notAfter=notAfter, readMask=readMask, writeMask=0, denyMask=denyMask
    )


def carers_revocation(version: int = 2, denyMask: int = 0) -> Draft:  # noqa: N803
    return drafts.revocation(signer=CARERS_ADDRESS, version=version, denyMask=denyMask)


class TestDelegate(TimelyStatement, VersionedStatement):
    act = DELEGATE

    @pytest.mark.parametrize("bit", [14, 31, 37, 39])
    def test_when_a_category_bit_is_unknown_it_reverts(self, hospital: Hospital, bit: int) -> None:
        assert_reverts(DELEGATE.perform(hospital, scope=1 << bit), "CategoriesUnknown", categories=1 << bit)

    def test_when_the_window_ends_before_its_beginning_it_reverts(self, hospital: Hospital) -> None:
        receipt = DELEGATE.perform(hospital, notBefore=START + 2, notAfter=START + 1)
        assert_reverts(receipt, "WindowInvalid", notBefore=START + 2, notAfter=START + 1)

    def test_when_the_epoch_is_not_the_present_one_it_reverts(self, hospital: Hospital) -> None:
        assert_reverts(DELEGATE.perform(hospital, epoch=1), "EpochStale", current=0, epoch=1)

    def test_given_the_patient_is_unknown_it_reverts(self, hospital: Hospital) -> None:
        receipt = say(hospital, "delegate", drafts.delegation(CARERS_ADDRESS, NOBODY), NOBODY.key)
        assert_reverts(receipt, "PatientUnknown", patientId=NOBODY.id)

    def test_when_the_delegate_is_nobody_or_the_controller_it_reverts(self, hospital: Hospital) -> None:
        for somebody in ("0x" + "00" * 20, ALICE.address):
            assert_reverts(DELEGATE.perform(hospital, delegate=somebody), "DelegateInvalid", delegate=somebody)

    def test_when_a_delegate_delegates_it_reverts(self, entrusted: Hospital) -> None:
        draft = drafts.delegation(address_of(GUARDIAN), scope=VITALS)
        receipt = say(entrusted, "delegate", draft, CARER)
        assert_reverts(receipt, "SignatureInvalid", statement=id_of("delegate", draft), signer=ALICE.address)

    def test_when_the_controller_signed_it_takes_effect(self, hospital: Hospital) -> None:
        draft = drafts.delegation(CARERS_ADDRESS, scope=VITALS, notAfter=UNTIL, version=3)
        receipt = say(hospital, "delegate", draft)
        stored = {name: draft[name] for name in ("scope", "notBefore", "notAfter", "version", "epoch")}
        assert hospital.read(REGISTRY, "delegation", ALICE.id, CARERS_ADDRESS) == stored | {"series": 0}
        told = ("patientId", "delegate", "scope", "notBefore", "notAfter", "version")
        assert_told(receipt, "Delegated", "delegate", draft, *told)

    def test_given_a_wider_delegation_before_it_narrows_what_hangs_on_it(self, entrusted: Hospital) -> None:
        must(entrusted, "grant", carers_grant(readMask=VITALS | LABS), CARER)
        must(entrusted, "delegate", drafts.delegation(CARERS_ADDRESS, scope=LABS, notAfter=START + 10, version=2))
        assert not may(entrusted)
        assert may(entrusted, category=LABORATORY)
        assert not may(entrusted, category=LABORATORY, moment=START + 11)


class TestEndDelegation(VersionedStatement):
    act = END_DELEGATION

    def test_given_the_patient_is_unknown_it_reverts(self, hospital: Hospital) -> None:
        receipt = say(hospital, "endDelegation", drafts.delegation_end(CARERS_ADDRESS, NOBODY), NOBODY.key)
        assert_reverts(receipt, "PatientUnknown", patientId=NOBODY.id)

    def test_when_the_controller_did_not_sign_it_reverts(self, entrusted: Hospital) -> None:
        for somebody in (STRANGER, CARER):
            receipt = say(entrusted, "endDelegation", END_DELEGATION.draft(), somebody)
            assert_reverts(receipt, "SignatureInvalid", statement=END_DELEGATION.id(), signer=ALICE.address)

    def test_given_a_delegation_it_ends_it_and_what_hangs_on_it(self, entrusted: Hospital) -> None:
        must(entrusted, "grant", carers_grant(), CARER)
        assert may(entrusted)
        receipt = END_DELEGATION.perform(entrusted)
        assert not may(entrusted)
        draft = END_DELEGATION.draft()
        assert_told(receipt, "DelegationEnded", "endDelegation", draft, "patientId", "delegate", "version")
        found = entrusted.read(REGISTRY, "delegation", ALICE.id, CARERS_ADDRESS)
        assert (found["scope"], found["version"], found["series"]) == (0, 2, 1)
        refused = say(entrusted, "grant", carers_grant(version=2), CARER)
        assert_reverts(refused, "SignerNotEntitled", patientId=ALICE.id, signer=CARERS_ADDRESS)

    def test_given_a_renewed_delegation_it_revives_nothing(self, entrusted: Hospital) -> None:
        must(entrusted, "grant", carers_grant(), CARER)
        must(entrusted, "endDelegation", drafts.delegation_end(CARERS_ADDRESS))
        must(entrusted, "delegate", drafts.delegation(CARERS_ADDRESS, version=3))
        assert not may(entrusted)
        must(entrusted, "grant", carers_grant(version=2), CARER)
        assert may(entrusted)

    def test_given_a_delegation_renewed_in_a_new_epoch_it_revives_nothing(self, entrusted: Hospital) -> None:
        must(entrusted, "grant", carers_grant(), CARER)
        must(entrusted, "revokeAll", drafts.total_revocation())
        must(entrusted, "delegate", drafts.delegation(CARERS_ADDRESS, epoch=1, version=2))
        assert not may(entrusted)
        must(entrusted, "grant", carers_grant(version=2) | {"epoch": 1}, CARER)
        assert may(entrusted)

    def test_given_nothing_was_ever_delegated_it_leaves_a_tombstone(self, hospital: Hospital) -> None:
        withheld = hospital.calldata(REGISTRY, "delegate", drafts.delegation(CARERS_ADDRESS), ALICE.key)
        must(hospital, "endDelegation", drafts.delegation_end(CARERS_ADDRESS))
        receipt = hospital.evm.transact(hospital.addresses[REGISTRY], withheld)
        assert_reverts(receipt, "VersionOutOfRange", current=2, version=1)

    def test_given_another_delegate_it_leaves_them_alone(self, entrusted: Hospital) -> None:
        must(entrusted, "delegate", drafts.delegation(address_of(GUARDIAN)))
        must(entrusted, "grant", drafts.grant(signer=address_of(GUARDIAN)), GUARDIAN)
        must(entrusted, "endDelegation", drafts.delegation_end(CARERS_ADDRESS))
        assert may(entrusted)


class TestGrant:
    def test_when_a_delegate_grants_within_scope_it_permits(self, entrusted: Hospital) -> None:
        draft = carers_grant()
        receipt = say(entrusted, "grant", draft, CARER)
        assert may(entrusted)
        assert not may(entrusted, action=Action.WRITE)
        assert slot(entrusted)["version"] == 0
        stored = ("readMask", "writeMask", "notBefore", "notAfter", "version", "epoch")
        found = loan(entrusted)
        assert found.pop("delegate") == CARERS_ADDRESS.lower()
        assert found == {name: draft[name] for name in stored} | {"series": 0}
        told = ("patientId", "grantee", "purpose", "readMask", "writeMask", "denyMask", "notBefore", "notAfter")
        assert_told(receipt, "ConsentGranted", "grant", draft, *told, "version", "signer")

    def test_when_a_delegate_grants_beyond_their_scope_it_reverts(self, entrusted: Hospital) -> None:
        for mask in (1 << MEDICATIONS, VITALS | 1 << PSYCHIATRY):
            receipt = say(entrusted, "grant", carers_grant(readMask=mask), CARER)
            assert_reverts(receipt, "ScopeExceeded", scope=VITALS | LABS, categories=mask)

    def test_when_a_delegate_grants_a_denial_it_reverts(self, entrusted: Hospital) -> None:
        assert_reverts(say(entrusted, "grant", carers_grant(denyMask=LABS), CARER), "DelegateMayNotDeny")

    def test_when_a_delegate_grants_beyond_their_own_expiry_it_reverts(self, entrusted: Hospital) -> None:
        receipt = say(entrusted, "grant", carers_grant(notAfter=UNTIL + 1), CARER)
        assert_reverts(receipt, "ExpiryExceeded", limit=UNTIL, notAfter=UNTIL + 1)

    def test_when_a_delegates_version_is_not_above_every_word_it_reverts(self, entrusted: Hospital) -> None:
        must(entrusted, "grant", drafts.grant(version=5))
        receipt = say(entrusted, "grant", carers_grant(version=5), CARER)
        assert_reverts(receipt, "VersionOutOfRange", current=5, version=5)
        must(entrusted, "grant", carers_grant(version=6), CARER)
        for version in (6, 1007):
            receipt = say(entrusted, "grant", carers_grant(version=version), CARER)
            assert_reverts(receipt, "VersionOutOfRange", current=6, version=version)

    def test_when_the_delegate_did_not_sign_it_reverts(self, entrusted: Hospital) -> None:
        # The patient neither: they would sign in their own name.
        for somebody in (STRANGER, ALICE.key):
            receipt = say(entrusted, "grant", carers_grant(), somebody)
            assert_reverts(receipt, "SignatureInvalid", statement=id_of("grant", carers_grant()), signer=CARERS_ADDRESS)

    def test_given_the_delegation_has_not_begun_it_reverts(self, hospital: Hospital) -> None:
        must(hospital, "delegate", drafts.delegation(CARERS_ADDRESS, notBefore=START + 10))
        receipt = say(hospital, "grant", carers_grant(), CARER)
        assert_reverts(receipt, "SignerNotEntitled", patientId=ALICE.id, signer=CARERS_ADDRESS)
        hospital.evm.advance(10)
        assert say(hospital, "grant", carers_grant(), CARER).status == 1

    def test_given_the_delegation_has_expired_it_reverts(self, entrusted: Hospital) -> None:
        entrusted.evm.advance(1_000)
        assert say(entrusted, "grant", carers_grant(), CARER).status == 1
        entrusted.evm.advance(1)
        receipt = say(entrusted, "grant", carers_grant(version=2), CARER)
        assert_reverts(receipt, "SignerNotEntitled", patientId=ALICE.id, signer=CARERS_ADDRESS)

    def test_given_a_delegation_over_nothing_it_reverts(self, hospital: Hospital) -> None:
        must(hospital, "delegate", drafts.delegation(CARERS_ADDRESS, scope=0))
        receipt = say(hospital, "grant", carers_grant(readMask=0), CARER)
        assert_reverts(receipt, "SignerNotEntitled", patientId=ALICE.id, signer=CARERS_ADDRESS)

    def test_given_the_delegation_is_another_patients_it_reverts(self, entrusted: Hospital) -> None:
        receipt = say(entrusted, "grant", drafts.grant(BOB, signer=CARERS_ADDRESS), CARER)
        assert_reverts(receipt, "SignerNotEntitled", patientId=BOB.id, signer=CARERS_ADDRESS)

    def test_given_a_denial_of_the_patient_it_permits_nothing_of_it(self, entrusted: Hospital) -> None:
        must(entrusted, "revoke", drafts.revocation(denyMask=VITALS))
        must(entrusted, "grant", carers_grant(version=3, readMask=VITALS | LABS), CARER)
        assert not may(entrusted)
        assert may(entrusted, category=LABORATORY)

    def test_given_the_patient_speaks_later_with_a_lower_version_it_permits_nothing(self, entrusted: Hospital) -> None:
        """A patient who does not know of the carer's grant signs the next number of their own."""
        for function, draft in (
            ("revoke", drafts.revocation(version=1)),
            ("grant", drafts.grant(version=1, readMask=LABS)),
        ):
            entrusted.reopen()
            must(entrusted, "delegate", drafts.delegation(CARERS_ADDRESS, scope=VITALS | LABS, notAfter=UNTIL))
            must(entrusted, "grant", carers_grant(version=900), CARER)
            assert may(entrusted)
            must(entrusted, function, draft)
            assert not may(entrusted)
            replay = say(entrusted, function, draft)
            assert_reverts(replay, "VersionOutOfRange", current=900, version=1)


class TestRevoke:
    def test_when_a_delegate_revokes_it_takes_back_within_their_scope(self, entrusted: Hospital) -> None:
        must(entrusted, "grant", drafts.grant())
        must(entrusted, "revoke", carers_revocation(), CARER)
        assert slot(entrusted)["readMask"] == slot(entrusted)["writeMask"] == ALL_CATEGORIES & ~(VITALS | LABS)
        assert not may(entrusted)
        assert may(entrusted, category=MEDICATIONS)

    def test_when_a_delegate_revokes_what_a_delegate_gave_it_ends(self, entrusted: Hospital) -> None:
        must(entrusted, "grant", carers_grant(), CARER)
        must(entrusted, "revoke", carers_revocation(), CARER)
        assert not may(entrusted)

    def test_when_a_delegate_denies_within_their_scope_it_denies(self, entrusted: Hospital) -> None:
        must(entrusted, "grant", drafts.grant(to=DOCTOR))
        must(entrusted, "revoke", drafts.revocation(to=DOCTOR, signer=CARERS_ADDRESS, denyMask=LABS), CARER)
        assert slot(entrusted, DOCTOR)["denyMask"] == LABS

    def test_when_a_delegate_denies_beyond_their_scope_it_reverts(self, entrusted: Hospital) -> None:
        mask = 1 << MEDICATIONS
        receipt = say(entrusted, "revoke", carers_revocation(denyMask=mask), CARER)
        assert_reverts(receipt, "ScopeExceeded", scope=VITALS | LABS, categories=mask)

    def test_when_a_delegates_version_is_not_above_every_word_it_reverts(self, entrusted: Hospital) -> None:
        must(entrusted, "grant", carers_grant(version=4), CARER)
        receipt = say(entrusted, "revoke", carers_revocation(version=4), CARER)
        assert_reverts(receipt, "VersionOutOfRange", current=4, version=4)

    def test_given_the_delegation_has_expired_it_reverts(self, entrusted: Hospital) -> None:
        entrusted.evm.advance(YEAR)
        receipt = say(entrusted, "revoke", carers_revocation(), CARER)
        assert_reverts(receipt, "SignerNotEntitled", patientId=ALICE.id, signer=CARERS_ADDRESS)

    def test_when_the_delegate_did_not_sign_it_reverts(self, entrusted: Hospital) -> None:
        receipt = say(entrusted, "revoke", carers_revocation(), NURSE.key)
        statement = id_of("revoke", carers_revocation())
        assert_reverts(receipt, "SignatureInvalid", statement=statement, signer=CARERS_ADDRESS)
