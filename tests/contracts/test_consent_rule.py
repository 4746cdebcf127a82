"""``ConsentRegistry.tree``: who may do what, given what was said."""

from __future__ import annotations

import pytest

from handshaker.vocabulary import (
    ALL_CATEGORIES,
    CATEGORIES,
    Action,
    Purpose,
    organisation_grantee,
    practitioner_grantee,
)
from tests.contracts import drafts
from tests.contracts.consent_desk import NOBODY, PSYCHIATRY, may, must
from tests.contracts.drafts import LABORATORY, VITAL_SIGNS
from tests.contracts.harness import START
from tests.contracts.hospital import Hospital
from tests.contracts.people import (
    ADMINISTRATOR,
    ALICE,
    BOB,
    DOCTOR,
    LAKESIDE,
    NURSE,
    RIVERSIDE,
    VISITOR,
    YEAR,
    Practitioner,
)

VITALS = 1 << VITAL_SIGNS
LAKESIDE_GRANTEE = organisation_grantee(LAKESIDE)


class TestIsPermitted:
    def test_given_nothing_was_said_it_denies(self, hospital: Hospital) -> None:
        for action in Action:
            for category in CATEGORIES:
                assert not may(hospital, NURSE, action, category.bit)

    def test_given_a_permit_it_permits_what_it_names(self, hospital: Hospital) -> None:
        must(hospital, "grant", drafts.grant(readMask=VITALS, writeMask=VITALS))
        for action in Action:
            assert may(hospital, NURSE, action)
            assert not may(hospital, NURSE, action, LABORATORY)
            assert not may(hospital, DOCTOR, action)
            assert not may(hospital, NURSE, action, about=BOB)
            for purpose in set(Purpose) - {Purpose.TREAT}:
                assert not may(hospital, NURSE, action, purpose=purpose)

    def test_given_a_permit_to_read_it_denies_to_write(self, hospital: Hospital) -> None:
        must(hospital, "grant", drafts.grant(writeMask=0))
        assert may(hospital, action=Action.READ)
        assert not may(hospital, action=Action.WRITE)

    def test_given_a_permit_to_write_it_denies_to_read(self, hospital: Hospital) -> None:
        must(hospital, "grant", drafts.grant(readMask=0))
        assert may(hospital, action=Action.WRITE)
        assert not may(hospital, action=Action.READ)

    def test_given_an_expired_permit_it_denies(self, hospital: Hospital) -> None:
        must(hospital, "grant", drafts.grant(notAfter=START + 10))
        assert may(hospital, moment=START + 10)
        assert not may(hospital, moment=START + 11)
        hospital.evm.advance(11)
        assert not may(hospital)

    def test_given_a_permit_that_is_not_valid_yet_it_denies(self, hospital: Hospital) -> None:
        must(hospital, "grant", drafts.grant(notBefore=START + 10))
        assert not may(hospital)
        assert not may(hospital, moment=START + 9)
        assert may(hospital, moment=START + 10)

    def test_given_a_permit_for_an_organisation_it_permits_its_members(self, hospital: Hospital) -> None:
        must(hospital, "grant", drafts.grant(grantee=LAKESIDE_GRANTEE))
        assert may(hospital, NURSE)
        assert may(hospital, DOCTOR)
        assert not may(hospital, VISITOR)

    def test_given_a_member_who_left_it_denies(self, hospital: Hospital) -> None:
        must(hospital, "grant", drafts.grant(grantee=LAKESIDE_GRANTEE))
        moved = drafts.practitioner(NURSE, organisationId=RIVERSIDE, version=2)
        hospital.must("Directory", "registerPractitioner", moved, ADMINISTRATOR)
        assert not may(hospital, NURSE)

    def test_given_a_denial_for_a_member_it_overrides_the_organisation(self, hospital: Hospital) -> None:
        must(hospital, "grant", drafts.grant(grantee=LAKESIDE_GRANTEE))
        must(hospital, "revoke", drafts.revocation(denyMask=VITALS))
        assert not may(hospital, NURSE)
        assert may(hospital, NURSE, category=LABORATORY)
        assert may(hospital, DOCTOR)

    def test_given_a_denial_for_an_organisation_it_overrides_the_member(self, hospital: Hospital) -> None:
        must(hospital, "grant", drafts.grant())
        must(hospital, "revoke", drafts.revocation(grantee=LAKESIDE_GRANTEE, denyMask=VITALS))
        assert not may(hospital, NURSE)
        assert may(hospital, NURSE, category=LABORATORY)

    def test_given_a_denial_in_the_permit_itself_it_overrides(self, hospital: Hospital) -> None:
        must(hospital, "grant", drafts.grant(denyMask=VITALS))
        for action in Action:
            assert not may(hospital, NURSE, action)

    def test_given_a_denial_outside_its_window_it_still_overrides(self, hospital: Hospital) -> None:
        must(hospital, "grant", drafts.grant(grantee=LAKESIDE_GRANTEE))
        must(hospital, "grant", drafts.grant(readMask=0, writeMask=0, denyMask=VITALS, notAfter=START))
        assert not may(hospital, moment=START + 100)

    def test_given_a_later_grant_without_the_denial_it_is_lifted(self, hospital: Hospital) -> None:
        must(hospital, "grant", drafts.grant(denyMask=VITALS))
        must(hospital, "grant", drafts.grant(version=2))
        assert may(hospital)

    def test_given_a_permit_for_all_categories_it_denies_the_sensitive_ones(self, hospital: Hospital) -> None:
        must(hospital, "grant", drafts.grant(readMask=ALL_CATEGORIES))
        for category in CATEGORIES:
            assert may(hospital, category=category.bit) is not category.is_sensitive

    def test_given_a_permit_that_names_a_sensitive_category_it_permits(self, hospital: Hospital) -> None:
        must(hospital, "grant", drafts.grant(readMask=1 << PSYCHIATRY))
        assert may(hospital, category=PSYCHIATRY)
        assert not may(hospital, category=PSYCHIATRY + 1)

    @pytest.mark.parametrize("category", [14, 31, 37, 40, 255])
    def test_when_the_category_is_unknown_it_denies(self, hospital: Hospital, category: int) -> None:
        must(hospital, "grant", drafts.grant())
        assert not may(hospital, category=category)

    @pytest.mark.parametrize("action", [2, 255])
    def test_when_the_action_is_unknown_it_denies(self, hospital: Hospital, action: int) -> None:
        must(hospital, "grant", drafts.grant())
        assert not may(hospital, action=action)

    def test_when_the_purpose_is_unknown_it_denies(self, hospital: Hospital) -> None:
        must(hospital, "grant", drafts.grant())
        for purpose in (len(Purpose), 255):
            assert not may(hospital, purpose=purpose)

    def test_when_the_patient_is_unknown_it_denies(self, hospital: Hospital) -> None:
        assert not may(hospital, about=NOBODY)

    def test_given_the_requester_is_not_in_good_standing_it_denies(self, hospital: Hospital) -> None:
        must(hospital, "grant", drafts.grant(notAfter=START + 2 * YEAR))
        assert may(hospital, moment=START + YEAR)
        assert not may(hospital, moment=START + YEAR + 1)
        unknown = Practitioner("nobody", LAKESIDE, NURSE.role)
        must(hospital, "grant", drafts.grant(grantee=practitioner_grantee(unknown.id)))
        assert not may(hospital, unknown)
        opened = hospital.evm.snapshot()
        suspended = drafts.practitioner(NURSE, active=False, version=2)
        hospital.must("Directory", "registerPractitioner", suspended, ADMINISTRATOR)
        assert not may(hospital)
        hospital.evm.revert(opened)
        closed = drafts.organisation(LAKESIDE, active=False, version=2)
        hospital.must("Directory", "registerOrganisation", closed, ADMINISTRATOR)
        assert not may(hospital)

    def test_given_a_new_controller_it_keeps_what_was_granted(self, hospital: Hospital) -> None:
        must(hospital, "grant", drafts.grant())
        hospital.must("Directory", "rotateController", drafts.rotation(ALICE), ALICE.key)
        assert may(hospital)
