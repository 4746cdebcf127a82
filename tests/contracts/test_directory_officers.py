"""``Directory.tree``: who administers, and that nobody takes it over."""

from __future__ import annotations

import pytest
from eth_abi.abi import encode
from eth_utils.crypto import keccak

from handshaker.ethereum.contracts import CONTRACT_NAMES, artifact
from handshaker.vocabulary import Duty
from tests.contracts import drafts
from tests.contracts.acts import APPOINT_OFFICER
from tests.contracts.branches import STRANGER, StatementOfTwoAdministrators, VersionedStatement
from tests.contracts.harness import SENDER, assert_emitted, assert_reverts
from tests.contracts.hospital import Hospital
from tests.contracts.people import ADMINISTRATOR, CO_ADMINISTRATOR, OPERATOR, address_of, key_of

ZERO = "0x" + "00" * 20
NEW_ADMINISTRATOR = key_of("new administrator")
ADMINISTERS = int(Duty.ADMINISTRATOR)


def appoint(hospital: Hospital, officer: str, duties: int, version: int = 1) -> None:
    values = drafts.appointment(officer, duties, version=version)
    hospital.must("Directory", "appointOfficer", values, ADMINISTRATOR, CO_ADMINISTRATOR)


class TestAppointOfficer(StatementOfTwoAdministrators, VersionedStatement):
    act = APPOINT_OFFICER

    def test_when_a_duty_is_unknown_it_reverts(self, hospital: Hospital) -> None:
        for duties in (4, 64, 255):
            assert_reverts(self.act.perform(hospital, duties=duties), "DutiesUnknown", duties=duties)

    def test_when_the_officer_is_zero_it_reverts(self, hospital: Hospital) -> None:
        assert_reverts(self.act.perform(hospital, officer=ZERO), "ZeroAddress")

    def test_when_fewer_than_two_administrators_would_remain_it_reverts(self, hospital: Hospital) -> None:
        for leaving in (ADMINISTRATOR, CO_ADMINISTRATOR):
            for duties in (0, int(Duty.OPERATOR), int(Duty.CUSTODIAL)):
                receipt = self.act.perform(hospital, officer=address_of(leaving), duties=duties, version=2)
                assert_reverts(receipt, "LastAdministrators", remaining=1)
        assert hospital.read("Directory", "officer", address_of(ADMINISTRATOR)) == (129, 1)

    def test_when_two_administrators_signed_it_gives_the_duties(self, hospital: Hospital) -> None:
        officer = str(self.act.draft()["officer"])
        for version, duties in enumerate((2, 1, 3, 129, 0), start=1):
            receipt = self.act.perform(hospital, duties=duties, version=version)
            assert_emitted(
                receipt,
                "Directory",
                "OfficerAppointed",
                statement=self.act.id(duties=duties, version=version),
                officer=officer,
                duties=duties,
                version=version,
            )
            assert hospital.read("Directory", "officer", officer) == (duties, version)
            assert hospital.read("Directory", "isOperator", officer) == bool(duties & Duty.OPERATOR)

    def test_given_an_administrator_is_replaced_it_leaves_the_old_one_without_a_say(self, hospital: Hospital) -> None:
        appoint(hospital, address_of(NEW_ADMINISTRATOR), ADMINISTERS)
        appoint(hospital, address_of(ADMINISTRATOR), 0, version=2)
        old = hospital.submit("Directory", "registerOrganisation", drafts.organisation(3), ADMINISTRATOR)
        assert_reverts(old, "NotAdministrator", account=address_of(ADMINISTRATOR))
        new = drafts.organisation(3, administrator=address_of(NEW_ADMINISTRATOR))
        assert hospital.submit("Directory", "registerOrganisation", new, NEW_ADMINISTRATOR).status == 1


def test_the_last_two_administrators_stay_until_a_third_is_there(hospital: Hospital) -> None:
    leaving = drafts.appointment(address_of(CO_ADMINISTRATOR), 0, version=2)
    both = (ADMINISTRATOR, CO_ADMINISTRATOR)
    assert_reverts(hospital.submit("Directory", "appointOfficer", leaving, *both), "LastAdministrators", remaining=1)
    appoint(hospital, address_of(NEW_ADMINISTRATOR), ADMINISTERS)
    # Appointing somebody who is there already counts once.
    appoint(hospital, address_of(NEW_ADMINISTRATOR), ADMINISTERS | int(Duty.OPERATOR), version=2)
    assert hospital.submit("Directory", "appointOfficer", leaving, *both).status == 1
    last = drafts.appointment(address_of(ADMINISTRATOR), 0, version=2, coAdministrator=address_of(NEW_ADMINISTRATOR))
    receipt = hospital.submit("Directory", "appointOfficer", last, ADMINISTRATOR, NEW_ADMINISTRATOR)
    assert_reverts(receipt, "LastAdministrators", remaining=1)


def test_an_appointment_that_was_taken_back_cannot_be_replayed(hospital: Hospital) -> None:
    officer = str(APPOINT_OFFICER.draft()["officer"])
    assert APPOINT_OFFICER.perform(hospital).status == 1
    assert APPOINT_OFFICER.perform(hospital, duties=0, version=2).status == 1
    assert_reverts(APPOINT_OFFICER.perform(hospital), "VersionOutOfRange", current=2, version=1)
    assert hospital.read("Directory", "officer", officer) == (0, 2)


@pytest.mark.parametrize("contract", CONTRACT_NAMES)
def test_no_function_resets_who_administers(contract: str) -> None:
    # Before Solidity had the word, a constructor was the function named like its contract: one slip of the name
    # and anybody could construct again. Nothing here may be named so, nor by the other names of taking over
    # (`Relay.relay` aside: that contract has no state).
    forbidden = {name.lower() for name in CONTRACT_NAMES if name != "Relay"} | {
        "constructor",
        "init",
        "initialize",
        "initialise",
        "reinitialize",
        "setowner",
        "transferownership",
        "renounceownership",
        "upgradeto",
        "upgradetoandcall",
        "kill",
        "destroy",
    }
    changing = [item for item in artifact(contract).abi if item.get("stateMutability") in ("nonpayable", "payable")]
    names = {item["name"].lower() for item in changing if item["type"] == "function"}
    assert not names & forbidden


def test_constructing_again_is_impossible(hospital: Hospital) -> None:
    stranger = address_of(STRANGER)
    before = [hospital.read("Directory", "officer", address_of(key)) for key in (ADMINISTRATOR, OPERATOR, STRANGER)]
    arguments = encode(("address[]", "address[]", "uint40"), ([stranger, address_of(OPERATOR)], [stranger], 0))
    for name in ("Directory", "directory", "constructor", "initialize", "init"):
        calldata = keccak(text=f"{name}(address[],address[],uint40)")[:4] + arguments
        assert hospital.evm.transact(hospital.addresses["Directory"], calldata, stranger).status == 0
    assert hospital.evm.transact(hospital.addresses["Directory"], arguments, stranger).status == 0
    assert hospital.evm.transact(hospital.addresses["Directory"], b"", stranger).status == 0
    after = [hospital.read("Directory", "officer", address_of(key)) for key in (ADMINISTRATOR, OPERATOR, STRANGER)]
    assert after == before


def test_the_deployer_has_no_right(hospital: Hospital) -> None:
    assert hospital.read("Directory", "officer", SENDER) == (0, 0)
