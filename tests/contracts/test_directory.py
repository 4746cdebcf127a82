"""``Directory.tree``: the constructor, registrations and views. Recovery and officers have files of their own."""

from __future__ import annotations

from functools import partial
from typing import Any

import pytest
from eth_utils.crypto import keccak

from handshaker.ethereum.contracts import events
from handshaker.vocabulary import Duty, Role
from tests.contracts import drafts
from tests.contracts.acts import REGISTER_ORGANISATION, REGISTER_PATIENT, REGISTER_PRACTITIONER, ROTATE_CONTROLLER
from tests.contracts.branches import STRANGER, AdministratorsStatement, VersionedStatement
from tests.contracts.harness import START, Evm, assert_emitted, assert_reverts, creation_code, decoded_logs
from tests.contracts.hospital import Hospital, statement_id
from tests.contracts.people import (
    ADMINISTRATOR,
    ALICE,
    CO_ADMINISTRATOR,
    DOCTOR,
    LAKESIDE,
    NURSE,
    OPERATOR,
    RECOVERY_DELAY,
    VISITOR,
    YEAR,
    Practitioner,
    address_of,
    key_of,
)

FIRST, SECOND, THIRD = (address_of(key) for key in (ADMINISTRATOR, CO_ADMINISTRATOR, OPERATOR))
ZERO = "0x" + "00" * 20
UNKNOWN, INACTIVE, LICENCE_EXPIRED, ORGANISATION_INACTIVE, GOOD = range(5)


LAST_VERSION = 2**16 - 1
PRACTITIONERS = 3
"""The storage slot of the mapping, after the two strings of EIP712 and the organisations."""


def at_version(hospital: Hospital, who: Practitioner, version: int) -> tuple[int, int]:
    """Return the storage slot of a practitioner, and its word with another version (the topmost 16 bits)."""
    slot = int.from_bytes(keccak(who.id.ljust(32, b"\0") + PRACTITIONERS.to_bytes(32, "big")), "big")
    word = hospital.evm.storage(hospital.addresses["Directory"], slot)
    return slot, word & (1 << 240) - 1 | version << 240


class TestConstructor:
    def test_given_fewer_than_two_different_administrators_it_reverts(self, evm: Evm) -> None:
        for administrators, count in (([], 0), ([FIRST], 1), ([FIRST, FIRST], 1)):
            assert_reverts(
                partial(evm.deploy, "Directory", administrators, [THIRD], RECOVERY_DELAY),
                "LastAdministrators",
                remaining=count,
            )

    def test_given_the_zero_address_as_an_officer_it_reverts(self, evm: Evm) -> None:
        for administrators, operators in (([FIRST, ZERO], [THIRD]), ([FIRST, SECOND], [ZERO])):
            assert_reverts(partial(evm.deploy, "Directory", administrators, operators, RECOVERY_DELAY), "ZeroAddress")

    def test_given_two_administrators_and_an_operator_it_gives_each_their_duties(self, evm: Evm) -> None:
        administers = int(Duty.ADMINISTRATOR | Duty.CUSTODIAL)
        address, receipt = evm.create(creation_code("Directory", [FIRST, SECOND], [THIRD, SECOND], RECOVERY_DELAY))
        told = [arguments for _, _, arguments in decoded_logs(receipt, "Directory")]
        assert told == [
            {"statement": bytes(32), "officer": officer.lower(), "duties": duties, "version": 1}
            for officer, duties in (
                (FIRST, administers),
                (SECOND, administers),
                (THIRD, Duty.OPERATOR),
                (SECOND, administers | Duty.OPERATOR),
            )
        ]
        assert {events("Directory")[log.topics[0]].name for log in receipt.logs} == {"OfficerAppointed"}
        assert {log.address for log in receipt.logs} == {address}


class TestRegisterOrganisation(AdministratorsStatement, VersionedStatement):
    act = REGISTER_ORGANISATION

    def test_when_the_organisation_number_is_zero_it_reverts(self, hospital: Hospital) -> None:
        assert_reverts(self.act.perform(hospital, organisationId=0), "OrganisationUnknown", organisationId=0)

    def test_when_an_administrator_signed_it_registers_the_organisation(self, hospital: Hospital) -> None:
        for version, active, profile in ((1, True, b"\x01" * 32), (2, False, b"\x02" * 32)):
            receipt = self.act.perform(hospital, version=version, active=active, profile=profile)
            assert_emitted(
                receipt,
                "Directory",
                "OrganisationRegistered",
                address=hospital.addresses["Directory"],
                statement=self.act.id(version=version, active=active, profile=profile),
                organisationId=3,
                active=active,
                profile=profile,
                version=version,
            )
            stored = hospital.read("Directory", "organisation", 3)
            assert stored == {"profile": profile, "version": version, "active": active}


class TestRegisterPractitioner(AdministratorsStatement):
    act = REGISTER_PRACTITIONER

    def test_when_the_version_is_not_the_next_one_it_reverts(self, hospital: Hospital) -> None:
        for version in (0, 1, 3, 1001, 65535):
            receipt = self.act.perform(hospital, version=version)
            assert_reverts(receipt, "VersionOutOfRange", current=1, version=version)

    def test_given_the_last_version_there_can_be_it_ends_the_practitioner(self, hospital: Hospital) -> None:
        hospital.evm.store(hospital.addresses["Directory"], *at_version(hospital, NURSE, LAST_VERSION - 1))
        assert hospital.read("Directory", "practitioner", NURSE.id)["version"] == LAST_VERSION - 1
        receipt = self.act.perform(hospital, version=LAST_VERSION)
        assert_reverts(receipt, "VersionOutOfRange", current=LAST_VERSION - 1, version=LAST_VERSION)
        assert self.act.perform(hospital, version=LAST_VERSION, active=False).status == 1
        assert hospital.read("Directory", "standing", NURSE.id, START)[0] == INACTIVE

    def test_when_the_id_is_zero_it_reverts(self, hospital: Hospital) -> None:
        receipt = self.act.perform(hospital, practitionerId=bytes(16))
        assert_reverts(receipt, "PractitionerIdInvalid", practitionerId=bytes(16))

    def test_when_the_key_is_zero_it_reverts(self, hospital: Hospital) -> None:
        assert_reverts(self.act.perform(hospital, key=ZERO), "ZeroAddress")

    def test_when_the_role_is_unknown_it_reverts(self, hospital: Hospital) -> None:
        for role in (0, max(Role) + 1, 255):
            assert_reverts(self.act.perform(hospital, role=role), "RoleUnknown", role=role)

    def test_when_the_organisation_is_unknown_it_reverts(self, hospital: Hospital) -> None:
        for organisation_id in (0, 99):
            receipt = self.act.perform(hospital, organisationId=organisation_id)
            assert_reverts(receipt, "OrganisationUnknown", organisationId=organisation_id)

    @pytest.mark.parametrize("role", Role)
    @pytest.mark.parametrize(("active", "custodial"), [(True, False), (False, True)])
    def test_when_an_administrator_signed_it_registers_the_practitioner(
        self, role: Role, active: bool, custodial: bool, hospital: Hospital
    ) -> None:
        newcomer = Practitioner("newcomer", LAKESIDE, role)
        values = drafts.practitioner(newcomer, active=active, custodial=custodial)
        statement = statement_id("Directory", "registerPractitioner", values)
        receipt = hospital.submit("Directory", "registerPractitioner", values, ADMINISTRATOR)
        told: dict[str, Any] = {
            "practitionerId": newcomer.id,
            "key": newcomer.address,
            "organisationId": LAKESIDE,
            "role": int(role),
            "licenceUntil": START + YEAR,
            "version": 1,
        }
        assert_emitted(
            receipt,
            "Directory",
            "PractitionerRegistered",
            statement=statement,
            active=active,
            custodial=custodial,
            **told,
        )
        assert hospital.read("Directory", "practitioner", newcomer.id) == {
            "key": newcomer.address.lower(),
            "organisationId": LAKESIDE,
            "role": role,
            "licenceUntil": START + YEAR,
            "flags": active | custodial << 1,
            "version": 1,
        }

    def test_given_a_practitioner_who_is_registered_it_changes_the_key(self, hospital: Hospital) -> None:
        new_key = key_of("new key of the nurse")
        hospital.must("ConsentRegistry", "grant", drafts.grant(), ALICE.key)
        assert self.act.perform(hospital, key=address_of(new_key)).status == 1
        assert hospital.submit("HealthRecords", "record", drafts.record(), NURSE.key).status == 0
        assert hospital.submit("HealthRecords", "record", drafts.record(), new_key).status == 1


class TestRegisterPatient(AdministratorsStatement):
    act = REGISTER_PATIENT

    def test_when_the_controller_is_zero_it_reverts(self, hospital: Hospital) -> None:
        assert_reverts(self.act.perform(hospital, controller=ZERO), "ZeroAddress")

    def test_given_the_pseudonym_is_taken_it_reverts(self, hospital: Hospital) -> None:
        receipt = self.act.perform(hospital, patientId=ALICE.id, controller=address_of(STRANGER))
        assert_reverts(receipt, "PatientAlreadyRegistered", patientId=ALICE.id)
        assert hospital.read("Directory", "controllerOf", ALICE.id) == ALICE.address.lower()

    @pytest.mark.parametrize("custodial", [True, False])
    def test_when_an_administrator_signed_it_registers_the_patient(self, custodial: bool, hospital: Hospital) -> None:
        new_id = b"\x77" * 32
        receipt = self.act.perform(hospital, patientId=new_id, custodial=custodial)
        assert_emitted(
            receipt,
            "Directory",
            "PatientRegistered",
            statement=self.act.id(patientId=new_id, custodial=custodial),
            patientId=new_id,
            controller=ALICE.address,
            custodial=custodial,
        )
        stored = hospital.read("Directory", "patient", new_id)
        assert stored == {"controller": ALICE.address.lower(), "custodial": custodial, "version": 1}


class TestControllerOf:
    def test_given_the_patient_is_unknown_it_reverts(self, hospital: Hospital) -> None:
        nobody = b"\x99" * 32
        assert_reverts(lambda: hospital.read("Directory", "controllerOf", nobody), "PatientUnknown", patientId=nobody)

    def test_given_the_patient_is_registered_it_returns_the_controller(self, hospital: Hospital) -> None:
        assert hospital.read("Directory", "controllerOf", ALICE.id) == ALICE.address.lower()
        assert ROTATE_CONTROLLER.perform(hospital).status == 1
        new = ROTATE_CONTROLLER.draft()["newController"]
        assert hospital.read("Directory", "controllerOf", ALICE.id) == str(new).lower()


class TestStanding:
    def test_given_the_practitioner_is_unknown_it_returns_unknown(self, hospital: Hospital) -> None:
        assert hospital.read("Directory", "standing", b"\x99" * 16, START) == (UNKNOWN, ZERO, 0, 0)

    def test_given_the_practitioner_is_inactive_it_returns_inactive(self, hospital: Hospital) -> None:
        assert REGISTER_PRACTITIONER.perform(hospital, active=False).status == 1
        assert hospital.read("Directory", "standing", NURSE.id, START)[0] == INACTIVE

    def test_when_the_licence_has_expired_at_the_moment_it_returns_licence_expired(self, hospital: Hospital) -> None:
        for moment, state in ((0, GOOD), (START + YEAR, GOOD), (START + YEAR + 1, LICENCE_EXPIRED)):
            assert hospital.read("Directory", "standing", NURSE.id, moment)[0] == state

    def test_given_the_organisation_is_inactive_it_returns_organisation_inactive(self, hospital: Hospital) -> None:
        closed = drafts.organisation(LAKESIDE, version=2, active=False)
        hospital.must("Directory", "registerOrganisation", closed, ADMINISTRATOR)
        assert hospital.read("Directory", "standing", NURSE.id, START)[0] == ORGANISATION_INACTIVE
        assert hospital.read("Directory", "standing", VISITOR.id, START)[0] == GOOD

    def test_given_all_is_well_it_returns_everything_about_an_author(self, hospital: Hospital) -> None:
        answer = hospital.read("Directory", "standing", DOCTOR.id, START)
        assert answer == (GOOD, DOCTOR.address.lower(), LAKESIDE, Role.DOCTOR)


class TestIsOperator:
    def test_given_an_operator_it_returns_true(self, hospital: Hospital) -> None:
        assert hospital.read("Directory", "isOperator", address_of(OPERATOR))

    def test_given_anybody_else_it_returns_false(self, hospital: Hospital) -> None:
        for key in (ADMINISTRATOR, STRANGER):
            assert not hospital.read("Directory", "isOperator", address_of(key))
