"""``ConsentRegistry.tree``: breaking the glass, and what the patient said about it beforehand."""

from __future__ import annotations

import pytest

from handshaker.vocabulary import ALL_CATEGORIES, Action, EmergencyLevel, Purpose
from tests.contracts import drafts
from tests.contracts.acts import OPEN_EMERGENCY, REGISTER_ORGANISATION, SET_EMERGENCY
from tests.contracts.branches import STRANGER, TimelyStatement, VersionedStatement
from tests.contracts.consent_desk import NOBODY, PSYCHIATRY, REGISTRY, assert_told, may, must, say
from tests.contracts.drafts import LABORATORY, VITAL_SIGNS
from tests.contracts.harness import START, Receipt, assert_reverts
from tests.contracts.hospital import Hospital
from tests.contracts.people import (
    ADMINISTRATOR,
    ALICE,
    DEADLINE,
    DOCTOR,
    LAKESIDE,
    NURSE,
    PATHOLOGIST,
    RESEARCHER,
    VISITOR,
    YEAR,
    Practitioner,
)

ALLOWED, LIFE_THREATENING_ONLY, NEVER = (int(level) for level in EmergencyLevel)
VITALS = 1 << VITAL_SIGNS
HOUR = 3_600


def prefer(hospital: Hospital, level: int, version: int, deadline: int = DEADLINE) -> Receipt:
    draft = drafts.emergency_preference(level=level, version=version, deadline=deadline)
    return say(hospital, "setEmergencyPreference", draft)


def open_emergency(hospital: Hospital, by: Practitioner = DOCTOR, **changes: int) -> Receipt:
    return say(hospital, "openEmergency", drafts.emergency(by) | changes, by.key)


def assert_not_entitled(receipt: Receipt, by: Practitioner = DOCTOR) -> None:
    assert_reverts(receipt, "EmergencyNotEntitled", practitionerId=by.id)


class TestSetEmergencyPreference(TimelyStatement, VersionedStatement):
    act = SET_EMERGENCY

    def test_when_the_level_is_unknown_it_reverts(self, hospital: Hospital) -> None:
        assert_reverts(prefer(hospital, 3, 1), "EmergencyLevelUnknown", level=3)

    def test_given_the_patient_is_unknown_it_reverts(self, hospital: Hospital) -> None:
        receipt = say(hospital, "setEmergencyPreference", drafts.emergency_preference(NOBODY), NOBODY.key)
        assert_reverts(receipt, "PatientUnknown", patientId=NOBODY.id)

    def test_when_the_controller_did_not_sign_it_reverts(self, hospital: Hospital) -> None:
        receipt = say(hospital, "setEmergencyPreference", SET_EMERGENCY.draft(), STRANGER)
        assert_reverts(receipt, "SignatureInvalid", statement=SET_EMERGENCY.id(), signer=ALICE.address)

    def test_when_the_level_rises_it_needs_no_deadline(self, hospital: Hospital) -> None:
        assert prefer(hospital, LIFE_THREATENING_ONLY, 1, deadline=0).status == 1
        assert prefer(hospital, NEVER, 2, deadline=0).status == 1
        assert prefer(hospital, NEVER, 3, deadline=0).status == 1

    @pytest.mark.parametrize("level", [ALLOWED, LIFE_THREATENING_ONLY])
    def test_when_the_level_falls_without_a_deadline_it_reverts(self, hospital: Hospital, level: int) -> None:
        assert prefer(hospital, NEVER, 1).status == 1
        assert_reverts(prefer(hospital, level, 2, deadline=0), "DeadlineRequired")

    def test_when_the_level_falls_with_a_deadline_it_takes_effect(self, hospital: Hospital) -> None:
        assert prefer(hospital, NEVER, 1).status == 1
        assert prefer(hospital, ALLOWED, 2).status == 1
        assert open_emergency(hospital).status == 1

    def test_when_the_controller_signed_it_takes_effect(self, hospital: Hospital) -> None:
        receipt = prefer(hospital, NEVER, 1)
        draft = SET_EMERGENCY.draft()
        assert_told(receipt, "EmergencyPreferenceSet", "setEmergencyPreference", draft, "patientId", "level", "version")
        found = hospital.read(REGISTRY, "patientState", ALICE.id)
        assert found == {"epoch": 0, "emergencyLevel": NEVER, "emergencyVersion": 1}


class TestOpenEmergency(TimelyStatement):
    act = OPEN_EMERGENCY

    def test_when_no_category_is_named_it_reverts(self, hospital: Hospital) -> None:
        assert_reverts(open_emergency(hospital, categories=0), "CategoriesUnknown", categories=0)

    @pytest.mark.parametrize("bit", [14, PSYCHIATRY, 36, 39])
    def test_when_a_category_is_not_a_general_one_it_reverts(self, hospital: Hospital, bit: int) -> None:
        mask = VITALS | 1 << bit
        assert_reverts(open_emergency(hospital, categories=mask), "CategoriesUnknown", categories=mask)

    def test_given_the_patient_is_unknown_it_reverts(self, hospital: Hospital) -> None:
        receipt = say(hospital, "openEmergency", drafts.emergency(who=NOBODY), DOCTOR.key)
        assert_reverts(receipt, "PatientUnknown", patientId=NOBODY.id)

    def test_given_the_patient_refuses_every_emergency_it_reverts(self, hospital: Hospital) -> None:
        assert prefer(hospital, NEVER, 1).status == 1
        assert_reverts(open_emergency(hospital), "EmergencyRefused", patientId=ALICE.id, level=NEVER)

    def test_given_the_patient_allows_only_danger_to_life_it_asks_for_that(self, hospital: Hospital) -> None:
        assert prefer(hospital, LIFE_THREATENING_ONLY, 1).status == 1
        refused = open_emergency(hospital, lifeThreatening=False)
        assert_reverts(refused, "EmergencyRefused", patientId=ALICE.id, level=LIFE_THREATENING_ONLY)
        assert open_emergency(hospital, lifeThreatening=True).status == 1

    def test_when_the_end_is_past_it_reverts(self, hospital: Hospital) -> None:
        window = {"until": START - 1, "earliest": START, "latest": START + 4 * HOUR}
        assert_reverts(open_emergency(hospital, until=START - 1), "EmergencyWindowInvalid", **window)
        assert open_emergency(hospital, until=START).status == 1

    def test_when_the_end_is_more_than_four_hours_away_it_reverts(self, hospital: Hospital) -> None:
        latest = START + 4 * HOUR
        window = {"until": latest + 1, "earliest": START, "latest": latest}
        assert_reverts(open_emergency(hospital, until=latest + 1), "EmergencyWindowInvalid", **window)
        assert open_emergency(hospital, until=latest).status == 1

    def test_when_the_end_is_not_after_that_of_the_open_one_it_reverts(self, hospital: Hospital) -> None:
        assert open_emergency(hospital, until=START + HOUR).status == 1
        window = {"until": START + HOUR, "earliest": START + HOUR + 1, "latest": START + 4 * HOUR}
        assert_reverts(open_emergency(hospital, until=START + HOUR), "EmergencyWindowInvalid", **window)
        assert open_emergency(hospital, until=START + HOUR + 1, categories=VITALS).status == 1

    def test_when_replayed_after_its_end_it_reverts(self, hospital: Hospital) -> None:
        assert open_emergency(hospital).status == 1
        hospital.evm.advance(HOUR + 1)
        now = START + HOUR + 1
        window = {"until": START + HOUR, "earliest": now, "latest": now + 4 * HOUR}
        assert_reverts(open_emergency(hospital), "EmergencyWindowInvalid", **window)

    def test_when_the_opener_is_not_a_doctor_or_nurse_it_reverts(self, hospital: Hospital) -> None:
        for somebody in (PATHOLOGIST, RESEARCHER):
            assert_not_entitled(open_emergency(hospital, somebody), somebody)
        for clinician in (DOCTOR, NURSE):
            assert open_emergency(hospital, clinician).status == 1

    def test_given_the_opener_is_unknown_or_inactive_it_reverts(self, hospital: Hospital) -> None:
        unknown = Practitioner("nobody", LAKESIDE, DOCTOR.role)
        assert_not_entitled(open_emergency(hospital, unknown), unknown)
        inactive = drafts.practitioner(DOCTOR, version=2, active=False)
        hospital.must("Directory", "registerPractitioner", inactive, ADMINISTRATOR)
        assert_not_entitled(open_emergency(hospital))

    def test_given_the_licence_of_the_opener_has_expired_it_reverts(self, hospital: Hospital) -> None:
        hospital.evm.advance(YEAR + 1)
        now = hospital.evm.timestamp
        assert_not_entitled(open_emergency(hospital, until=now + HOUR, deadline=now))

    def test_given_the_organisation_of_the_opener_is_inactive_it_reverts(self, hospital: Hospital) -> None:
        inactive = REGISTER_ORGANISATION.draft(organisationId=LAKESIDE, active=False, version=2)
        hospital.must("Directory", "registerOrganisation", inactive, ADMINISTRATOR)
        assert_not_entitled(open_emergency(hospital))
        assert open_emergency(hospital, VISITOR).status == 1

    def test_when_the_opener_did_not_sign_it_reverts(self, hospital: Hospital) -> None:
        receipt = say(hospital, "openEmergency", drafts.emergency(), NURSE.key)
        assert_reverts(receipt, "SignatureInvalid", statement=OPEN_EMERGENCY.id(), signer=DOCTOR.address)

    def test_when_a_doctor_signed_it_takes_effect(self, hospital: Hospital) -> None:
        draft = drafts.emergency(categories=VITALS)
        receipt = say(hospital, "openEmergency", draft, DOCTOR.key)
        told = ("patientId", "practitionerId", "categories", "lifeThreatening", "reasonHash", "until")
        assert_told(receipt, "EmergencyOpened", "openEmergency", draft, *told)
        assert hospital.read(REGISTRY, "emergency", ALICE.id, DOCTOR.id) == {
            "categories": VITALS,
            "openedAt": START,
            "until": START + HOUR,
            "lifeThreatening": True,
        }

    def test_when_open_it_permits_only_what_it_names(self, hospital: Hospital) -> None:
        must(hospital, "openEmergency", drafts.emergency(categories=VITALS), DOCTOR.key)
        for action in Action:
            assert may(hospital, DOCTOR, action, purpose=Purpose.ETREAT)
            assert may(hospital, DOCTOR, action, purpose=Purpose.ETREAT, moment=START + HOUR)
            assert not may(hospital, DOCTOR, action, purpose=Purpose.ETREAT, moment=START - 1)
            assert not may(hospital, DOCTOR, action, purpose=Purpose.ETREAT, moment=START + HOUR + 1)
            assert not may(hospital, DOCTOR, action, LABORATORY, Purpose.ETREAT)
            assert not may(hospital, NURSE, action, purpose=Purpose.ETREAT)
            for purpose in set(Purpose) - {Purpose.ETREAT}:
                assert not may(hospital, DOCTOR, action, purpose=purpose)

    def test_given_a_refusal_after_the_opening_it_is_closed(self, hospital: Hospital) -> None:
        assert open_emergency(hospital, lifeThreatening=True).status == 1
        assert open_emergency(hospital, NURSE, lifeThreatening=False).status == 1
        assert prefer(hospital, LIFE_THREATENING_ONLY, 1).status == 1
        assert may(hospital, DOCTOR, purpose=Purpose.ETREAT)
        assert not may(hospital, NURSE, purpose=Purpose.ETREAT)
        assert prefer(hospital, NEVER, 2).status == 1
        assert not may(hospital, DOCTOR, purpose=Purpose.ETREAT)

    def test_given_a_denial_for_emergencies_it_overrides(self, hospital: Hospital) -> None:
        denial = drafts.revocation(to=DOCTOR, purpose=int(Purpose.ETREAT), denyMask=VITALS)
        must(hospital, "openEmergency", drafts.emergency(categories=ALL_CATEGORIES), DOCTOR.key)
        must(hospital, "revoke", denial)
        assert not may(hospital, DOCTOR, purpose=Purpose.ETREAT)
        assert may(hospital, DOCTOR, category=LABORATORY, purpose=Purpose.ETREAT)

    def test_given_a_denial_for_treatment_only_it_stays_open(self, hospital: Hospital) -> None:
        must(hospital, "openEmergency", drafts.emergency(), DOCTOR.key)
        must(hospital, "revoke", drafts.revocation(to=DOCTOR, denyMask=VITALS))
        assert may(hospital, DOCTOR, purpose=Purpose.ETREAT)
