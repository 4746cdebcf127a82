"""Branches that several functions have, written once. A test class names its act and inherits them.

They are named as in the behaviour trees.
"""

from __future__ import annotations

from typing import ClassVar

from tests.contracts.acts import Act
from tests.contracts.harness import assert_reverts
from tests.contracts.hospital import Hospital
from tests.contracts.people import ADMINISTRATOR, CO_ADMINISTRATOR, address_of, key_of

STRANGER = key_of("stranger")


class TimelyStatement:
    """A statement with a deadline."""

    act: ClassVar[Act]

    def test_when_the_deadline_has_passed_it_reverts(self, hospital: Hospital) -> None:
        self.act.prepare(hospital)
        deadline = hospital.evm.timestamp
        hospital.evm.advance(1)
        receipt = self.act.perform(hospital, deadline=deadline)
        assert_reverts(receipt, "StatementExpired", statement=self.act.id(deadline=deadline), deadline=deadline)


class AdministratorsStatement(TimelyStatement):
    """A statement of one administrator."""

    def test_when_the_signer_named_is_not_an_administrator_it_reverts(self, hospital: Hospital) -> None:
        values = self.act.draft(administrator=address_of(STRANGER))
        receipt = hospital.submit(self.act.contract, self.act.function, values, STRANGER)
        assert_reverts(receipt, "NotAdministrator", account=address_of(STRANGER))

    def test_when_the_signature_is_not_the_administrators_it_reverts(self, hospital: Hospital) -> None:
        # Another administrator would do as well, if they were the one who is named.
        for key in (STRANGER, CO_ADMINISTRATOR):
            receipt = hospital.submit(self.act.contract, self.act.function, self.act.draft(), key)
            signer = address_of(ADMINISTRATOR)
            assert_reverts(receipt, "SignatureInvalid", statement=self.act.id(), signer=signer)


class VersionedStatement:
    """A statement whose version must be above the stored one, by at most a thousand."""

    act: ClassVar[Act]
    stored: ClassVar[int] = 0

    def test_when_the_version_is_not_newer_it_reverts(self, hospital: Hospital) -> None:
        for version in {self.stored, max(0, self.stored - 1)}:
            receipt = self.act.perform(hospital, version=version)
            assert_reverts(receipt, "VersionOutOfRange", current=self.stored, version=version)

    def test_when_the_version_jumps_too_far_it_reverts(self, hospital: Hospital) -> None:
        farthest = self.stored + 1000
        receipt = self.act.perform(hospital, version=farthest + 1)
        assert_reverts(receipt, "VersionOutOfRange", current=self.stored, version=farthest + 1)
        assert self.act.perform(hospital, version=farthest).status == 1
        assert_reverts(
            self.act.perform(hospital, version=self.stored + 1),
            "VersionOutOfRange",
            current=farthest,
            version=self.stored + 1,
        )


class StatementOfTwoAdministrators(TimelyStatement):
    """A statement that two different administrators sign."""

    def test_when_one_administrator_signs_twice_it_reverts(self, hospital: Hospital) -> None:
        both = address_of(ADMINISTRATOR)
        values = self.act.draft(coAdministrator=both)
        receipt = hospital.submit(self.act.contract, self.act.function, values, ADMINISTRATOR, ADMINISTRATOR)
        assert_reverts(receipt, "AdministratorsMustDiffer", administrator=both)

    def test_when_one_of_the_two_is_not_an_administrator_it_reverts(self, hospital: Hospital) -> None:
        for field, keys in (
            ("administrator", (STRANGER, CO_ADMINISTRATOR)),
            ("coAdministrator", (ADMINISTRATOR, STRANGER)),
        ):
            values = self.act.draft(**{field: address_of(STRANGER)})
            receipt = hospital.submit(self.act.contract, self.act.function, values, *keys)
            assert_reverts(receipt, "NotAdministrator", account=address_of(STRANGER))

    def test_when_one_of_the_two_signatures_is_wrong_it_reverts(self, hospital: Hospital) -> None:
        for keys, signer in (
            ((STRANGER, CO_ADMINISTRATOR), ADMINISTRATOR),
            ((ADMINISTRATOR, STRANGER), CO_ADMINISTRATOR),
            ((CO_ADMINISTRATOR, ADMINISTRATOR), ADMINISTRATOR),
        ):
            receipt = hospital.submit(self.act.contract, self.act.function, self.act.draft(), *keys)
            assert_reverts(receipt, "SignatureInvalid", statement=self.act.id(), signer=address_of(signer))
