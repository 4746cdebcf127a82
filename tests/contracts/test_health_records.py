"""``HealthRecords.tree``, branch by branch."""

from __future__ import annotations

from handshaker.ethereum.statements import FieldValue
from handshaker.vocabulary import ALL_CATEGORIES, CATEGORY_BY_BIT, WRITABLE, Category, Purpose, Role
from tests.contracts import drafts
from tests.contracts.acts import GRANT, RECORD, REGISTER_PRACTITIONER, RETRACT, REVOKE
from tests.contracts.branches import STRANGER, TimelyStatement
from tests.contracts.drafts import LABORATORY, VITAL_SIGNS
from tests.contracts.harness import Receipt, assert_emitted, assert_reverts
from tests.contracts.hospital import Hospital, statement_id
from tests.contracts.people import (
    ADMINISTRATOR,
    ALICE,
    BOB,
    DOCTOR,
    LAKESIDE,
    NURSE,
    PATHOLOGIST,
    RESEARCHER,
    RIVERSIDE,
    VISITOR,
    YEAR,
    Patient,
    Practitioner,
)

UNKNOWN, INACTIVE, LICENCE_EXPIRED, ORGANISATION_INACTIVE = range(4)
CURRENT, SUPERSEDED, ENTERED_IN_ERROR = 1, 2, 3
NOWHERE = {
    "author": bytes(16),
    "organisationId": 0,
    "recordedAt": 0,
    "category": 0,
    "status": 0,
    "patientTag": bytes(6),
}


def allow(hospital: Hospital, by: Patient, to: Practitioner, **changes: FieldValue) -> None:
    hospital.must("ConsentRegistry", "grant", drafts.grant(by, to, **changes), by.key)


def write(hospital: Hospital, by: Practitioner = NURSE, about: Patient = ALICE, **changes: FieldValue) -> Receipt:
    return hospital.submit("HealthRecords", "record", drafts.record(by, about, **changes), by.key)


def id_of(by: Practitioner = NURSE, about: Patient = ALICE, **changes: FieldValue) -> bytes:
    return statement_id("HealthRecords", "record", drafts.record(by, about, **changes))


def status(hospital: Hospital, record_id: bytes) -> int:
    return int(hospital.read("HealthRecords", "healthRecord", record_id)["status"])


def assert_not_permitted(receipt: Receipt, category: int = VITAL_SIGNS, purpose: int = Purpose.TREAT) -> None:
    assert_reverts(
        receipt, "NotPermitted", patientId=ALICE.id, author=NURSE.id, category=category, purpose=int(purpose)
    )


class TestRecord(TimelyStatement):
    act = RECORD

    def test_given_the_record_exists_it_reverts(self, hospital: Hospital) -> None:
        allow(hospital, ALICE, NURSE)
        assert write(hospital).status == 1
        assert_reverts(write(hospital), "AlreadyRecorded", recordId=id_of())
        hospital.must("HealthRecords", "retract", drafts.retraction(id_of()), NURSE.key)
        assert_reverts(write(hospital), "AlreadyRecorded", recordId=id_of())

    def test_given_the_author_is_unknown_it_reverts(self, hospital: Hospital) -> None:
        unknown = Practitioner("nobody", LAKESIDE, Role.NURSE)
        assert_reverts(write(hospital, unknown), "AuthorNotInGoodStanding", author=unknown.id, standing=UNKNOWN)

    def test_given_the_author_is_inactive_it_reverts(self, hospital: Hospital) -> None:
        allow(hospital, ALICE, NURSE)
        assert REGISTER_PRACTITIONER.perform(hospital, active=False).status == 1
        assert_reverts(write(hospital), "AuthorNotInGoodStanding", author=NURSE.id, standing=INACTIVE)

    def test_given_the_licence_of_the_author_has_expired_it_reverts(self, hospital: Hospital) -> None:
        allow(hospital, ALICE, NURSE, notAfter=2**40 - 1)
        hospital.evm.advance(YEAR)
        deadline = hospital.evm.timestamp + 60
        assert write(hospital, deadline=deadline).status == 1
        hospital.evm.advance(1)
        receipt = write(hospital, deadline=deadline + 1)
        assert_reverts(receipt, "AuthorNotInGoodStanding", author=NURSE.id, standing=LICENCE_EXPIRED)

    def test_given_the_organisation_of_the_author_is_inactive_it_reverts(self, hospital: Hospital) -> None:
        allow(hospital, ALICE, NURSE)
        closed = drafts.organisation(LAKESIDE, version=2, active=False)
        hospital.must("Directory", "registerOrganisation", closed, ADMINISTRATOR)
        assert_reverts(write(hospital), "AuthorNotInGoodStanding", author=NURSE.id, standing=ORGANISATION_INACTIVE)

    def test_when_the_category_is_unknown_it_reverts(self, hospital: Hospital) -> None:
        allow(hospital, ALICE, DOCTOR)
        for category in sorted(set(range(256)) - set(CATEGORY_BY_BIT)):
            assert_reverts(write(hospital, DOCTOR, category=category), "CategoryUnknown", category=category)

    def test_when_the_role_may_not_write_the_category_it_reverts(self, hospital: Hospital) -> None:
        for author in (DOCTOR, NURSE, PATHOLOGIST, RESEARCHER):
            allow(hospital, ALICE, author, writeMask=sum(category.mask for category in CATEGORY_BY_BIT.values()))
            for category in CATEGORY_BY_BIT.values():
                receipt = write(hospital, author, category=category.bit)
                if _may_write(author, category):
                    assert receipt.status == 1
                else:
                    refused = {"role": int(author.role), "category": category.bit}
                    assert_reverts(receipt, "RoleMayNotWrite", **refused)

    def test_when_the_author_did_not_sign_it_reverts(self, hospital: Hospital) -> None:
        allow(hospital, ALICE, NURSE)
        for key in (STRANGER, DOCTOR.key, ALICE.key):
            receipt = hospital.submit("HealthRecords", "record", drafts.record(), key)
            assert_reverts(receipt, "SignatureInvalid", statement=id_of(), signer=NURSE.address)

    def test_given_no_consent_for_the_purpose_it_reverts(self, hospital: Hospital) -> None:
        assert_not_permitted(write(hospital))
        allow(hospital, ALICE, NURSE, purpose=int(Purpose.HRESCH))
        allow(hospital, ALICE, DOCTOR)
        allow(hospital, BOB, NURSE)
        assert_not_permitted(write(hospital))
        assert_not_permitted(write(hospital, purpose=255), purpose=255)

    def test_given_a_consent_to_read_only_it_reverts(self, hospital: Hospital) -> None:
        allow(hospital, ALICE, NURSE, writeMask=ALL_CATEGORIES & ~(1 << VITAL_SIGNS))
        assert_not_permitted(write(hospital))

    def test_given_the_consent_was_taken_back_it_reverts(self, hospital: Hospital) -> None:
        allow(hospital, ALICE, NURSE)
        hospital.must("ConsentRegistry", "revoke", drafts.revocation(), ALICE.key)
        assert_not_permitted(write(hospital))

    def test_given_a_consent_for_the_purpose_it_stores_the_record(self, hospital: Hospital) -> None:
        allow(hospital, ALICE, NURSE)
        hospital.evm.advance(77)
        receipt = write(hospital)
        assert_emitted(
            receipt,
            "HealthRecords",
            "Recorded",
            address=hospital.addresses["HealthRecords"],
            statement=id_of(),
            patientId=ALICE.id,
            author=NURSE.id,
            category=VITAL_SIGNS,
            commitment=b"\xc0" * 32,
            supersedes=bytes(32),
        )
        assert hospital.read("HealthRecords", "healthRecord", id_of()) == {
            "author": NURSE.id,
            "organisationId": LAKESIDE,
            "recordedAt": hospital.evm.timestamp,
            "category": VITAL_SIGNS,
            "status": CURRENT,
            "patientTag": ALICE.id[:6],
        }

    def test_when_superseding_a_record_that_is_not_current_it_reverts(self, hospital: Hospital) -> None:
        allow(hospital, ALICE, NURSE)
        nothing = b"\x99" * 32
        receipt = write(hospital, supersedes=nothing)
        assert_reverts(receipt, "RecordNotCurrent", recordId=nothing, status=0)
        assert write(hospital).status == 1
        assert write(hospital, supersedes=id_of()).status == 1
        fork = write(hospital, supersedes=id_of(), commitment=b"\xc1" * 32)
        assert_reverts(fork, "RecordNotCurrent", recordId=id_of(), status=SUPERSEDED)
        later = id_of(supersedes=id_of())
        hospital.must("HealthRecords", "retract", drafts.retraction(later), NURSE.key)
        assert_reverts(write(hospital, supersedes=later), "RecordNotCurrent", recordId=later, status=ENTERED_IN_ERROR)

    def test_when_superseding_a_record_of_another_patient_it_reverts(self, hospital: Hospital) -> None:
        allow(hospital, ALICE, NURSE)
        allow(hospital, BOB, NURSE)
        assert write(hospital, about=BOB).status == 1
        receipt = write(hospital, supersedes=id_of(about=BOB))
        assert_reverts(receipt, "RecordMismatch", recordId=id_of(about=BOB))
        assert status(hospital, id_of(about=BOB)) == CURRENT

    def test_when_superseding_a_record_of_another_organisation_it_reverts(self, hospital: Hospital) -> None:
        allow(hospital, ALICE, NURSE)
        allow(hospital, ALICE, VISITOR)
        assert write(hospital).status == 1
        assert_reverts(write(hospital, VISITOR, supersedes=id_of()), "RecordMismatch", recordId=id_of())
        assert status(hospital, id_of()) == CURRENT

    def test_when_superseding_a_record_of_another_category_it_reverts(self, hospital: Hospital) -> None:
        allow(hospital, ALICE, DOCTOR)
        assert write(hospital, DOCTOR).status == 1
        receipt = write(hospital, DOCTOR, category=LABORATORY, supersedes=id_of(DOCTOR))
        assert_reverts(receipt, "RecordMismatch", recordId=id_of(DOCTOR))

    def test_when_superseding_a_current_record_it_keeps_both(self, hospital: Hospital) -> None:
        allow(hospital, ALICE, NURSE)
        allow(hospital, ALICE, DOCTOR)
        assert write(hospital).status == 1
        # A colleague of the same house may amend.
        later = id_of(DOCTOR, supersedes=id_of(), commitment=b"\xc1" * 32)
        assert_emitted(
            write(hospital, DOCTOR, supersedes=id_of(), commitment=b"\xc1" * 32),
            "HealthRecords",
            "Recorded",
            statement=later,
            patientId=ALICE.id,
            author=DOCTOR.id,
            category=VITAL_SIGNS,
            commitment=b"\xc1" * 32,
            supersedes=id_of(),
        )
        assert status(hospital, id_of()) == SUPERSEDED
        assert status(hospital, later) == CURRENT
        earlier = hospital.read("HealthRecords", "healthRecord", id_of())
        assert (earlier["author"], earlier["organisationId"]) == (NURSE.id, LAKESIDE)


class TestRetract(TimelyStatement):
    act = RETRACT

    def test_given_the_record_is_not_current_it_reverts(self, hospital: Hospital) -> None:
        receipt = RETRACT.perform(hospital)
        assert_reverts(receipt, "RecordNotCurrent", recordId=id_of(), status=UNKNOWN)
        RETRACT.prepare(hospital)
        assert RETRACT.perform(hospital).status == 1
        assert_reverts(RETRACT.perform(hospital), "RecordNotCurrent", recordId=id_of(), status=ENTERED_IN_ERROR)

    def test_given_the_author_is_not_in_good_standing_it_reverts(self, hospital: Hospital) -> None:
        RETRACT.prepare(hospital)
        assert REGISTER_PRACTITIONER.perform(hospital, active=False).status == 1
        receipt = RETRACT.perform(hospital)
        assert_reverts(receipt, "AuthorNotInGoodStanding", author=NURSE.id, standing=INACTIVE)

    def test_given_the_role_may_not_write_the_category_it_reverts(self, hospital: Hospital) -> None:
        RETRACT.prepare(hospital)
        values = drafts.retraction(id_of(), PATHOLOGIST)
        receipt = hospital.submit("HealthRecords", "retract", values, PATHOLOGIST.key)
        assert_reverts(receipt, "RoleMayNotWrite", role=int(Role.PATHOLOGIST), category=VITAL_SIGNS)

    def test_when_the_author_did_not_sign_it_reverts(self, hospital: Hospital) -> None:
        RETRACT.prepare(hospital)
        receipt = hospital.submit("HealthRecords", "retract", RETRACT.draft(), STRANGER)
        assert_reverts(receipt, "SignatureInvalid", statement=RETRACT.id(), signer=NURSE.address)

    def test_given_the_record_is_of_another_organisation_it_reverts(self, hospital: Hospital) -> None:
        RETRACT.prepare(hospital)
        values = drafts.retraction(id_of(), VISITOR)
        receipt = hospital.submit("HealthRecords", "retract", values, VISITOR.key)
        assert_reverts(receipt, "RecordMismatch", recordId=id_of())
        # Nor may its author from a house they have gone to since.
        moved = drafts.practitioner(NURSE, organisationId=RIVERSIDE, version=2)
        hospital.must("Directory", "registerPractitioner", moved, ADMINISTRATOR)
        assert_reverts(RETRACT.perform(hospital), "RecordMismatch", recordId=id_of())

    def test_given_a_current_record_of_the_house_it_marks_the_record(self, hospital: Hospital) -> None:
        for author in (NURSE, DOCTOR):
            RETRACT.prepare(hospital)
            before = hospital.read("HealthRecords", "healthRecord", id_of())
            values = drafts.retraction(id_of(), author)
            assert_emitted(
                hospital.submit("HealthRecords", "retract", values, author.key),
                "HealthRecords",
                "Retracted",
                statement=statement_id("HealthRecords", "retract", values),
                recordId=id_of(),
                author=author.id,
                reasonHash=b"\xee" * 32,
            )
            after = hospital.read("HealthRecords", "healthRecord", id_of())
            assert after == before | {"status": ENTERED_IN_ERROR}

    def test_given_the_consent_was_taken_back_it_marks_the_record(self, hospital: Hospital) -> None:
        RETRACT.prepare(hospital)
        assert REVOKE.perform(hospital).status == 1
        assert RETRACT.perform(hospital).status == 1
        assert status(hospital, id_of()) == ENTERED_IN_ERROR


class TestHealthRecord:
    def test_given_the_record_is_unknown_it_returns_zeros(self, hospital: Hospital) -> None:
        assert hospital.read("HealthRecords", "healthRecord", b"\x99" * 32) == NOWHERE


def test_a_denial_ends_what_a_consent_of_the_house_allows(hospital: Hospital) -> None:
    house = LAKESIDE.to_bytes(32, "big")
    allow(hospital, ALICE, NURSE, grantee=house)
    assert write(hospital).status == 1
    denied = {"readMask": 0, "writeMask": 0, "denyMask": 1 << VITAL_SIGNS}
    hospital.must("ConsentRegistry", "grant", GRANT.draft(**denied), ALICE.key)
    assert_not_permitted(write(hospital, commitment=b"\xc1" * 32))


def _may_write(author: Practitioner, category: Category) -> bool:
    return bool(WRITABLE[author.role] & category.mask)
