"""``Relay.tree``, branch by branch: outcomes, and what it refuses to call."""

from __future__ import annotations

import pytest

from handshaker.ethereum.contracts import CONTRACT_NAMES, artifact, functions
from tests.contracts import drafts
from tests.contracts.batches import Batch, rejections
from tests.contracts.drafts import Draft
from tests.contracts.harness import assert_emitted, assert_reverts, decode_revert
from tests.contracts.hospital import Hospital
from tests.contracts.people import ALICE, BOB, NURSE

STRANGER = "0x" + "57" * 20


def grant_item(hospital: Hospital, draft: Draft | None = None) -> tuple[str, bytes]:
    """A grant that Alice signs: a target and the data for it."""
    data = hospital.calldata("ConsentRegistry", "grant", draft or drafts.grant(), ALICE.key)
    return hospital.addresses["ConsentRegistry"], data


def record_item(hospital: Hospital) -> tuple[str, bytes]:
    """A record that the nurse signs."""
    return hospital.addresses["HealthRecords"], hospital.calldata("HealthRecords", "record", drafts.record(), NURSE.key)


class TestRelay:
    def test_when_a_statement_is_accepted_it_reports_no_reason(self, hospital: Hospital) -> None:
        batch = Batch(hospital).add(*grant_item(hospital))
        assert batch.ask() == [(True, b"")]

        receipt = batch.carry()

        assert batch.outcomes(receipt) == [(True, b"")]
        assert [log.address for log in receipt.logs] == [hospital.addresses["ConsentRegistry"]]
        assert hospital.read("ConsentRegistry", "consent", ALICE.id, drafts.grant()["grantee"], 0)["version"] == 1

    def test_when_a_record_follows_its_grant_it_accepts_both(self, hospital: Hospital) -> None:
        batch = Batch(hospital).add(*grant_item(hospital)).add(*record_item(hospital))

        receipt = batch.carry()

        assert batch.outcomes(receipt) == [(True, b""), (True, b"")]
        spoke = [hospital.addresses[name] for name in ("ConsentRegistry", "HealthRecords")]
        assert [log.address for log in receipt.logs] == spoke

    def test_when_a_record_precedes_its_grant_it_rejects_the_record(self, hospital: Hospital) -> None:
        batch = Batch(hospital).add(*record_item(hospital)).add(*grant_item(hospital))

        (refused, reason), accepted = batch.outcomes(batch.carry())

        assert not refused
        assert decode_revert(reason)[0] == "NotPermitted"
        assert accepted == (True, b"")

    def test_when_a_statement_is_there_twice_it_takes_effect_once(self, hospital: Hospital) -> None:
        batch = Batch(hospital).add(*grant_item(hospital)).add(*record_item(hospital)).add(*record_item(hospital))

        receipt = batch.carry()

        assert [ok for ok, _ in batch.outcomes(receipt)] == [True, True, False]
        name, arguments = decode_revert(batch.outcomes(receipt)[2][1])
        assert (name, list(arguments)) == ("AlreadyRecorded", ["recordId"])
        assert len([log for log in receipt.logs if log.address == hospital.addresses["HealthRecords"]]) == 1

    def test_when_the_batch_is_empty_it_changes_nothing(self, hospital: Hospital) -> None:
        receipt = Batch(hospital).carry()

        assert receipt.status == 1
        assert receipt.logs == ()
        assert Batch(hospital).outcomes(receipt) == []

    def test_when_a_statement_is_rejected_it_tells_the_reason(self, hospital: Hospital) -> None:
        target, data = grant_item(hospital, drafts.grant(version=1001))
        batch = Batch(hospital).add(target, data)

        receipt = batch.carry()

        ((ok, reason),) = batch.outcomes(receipt)
        assert not ok
        assert decode_revert(reason) == ("VersionOutOfRange", {"current": 0, "version": 1001})
        assert_emitted(
            receipt,
            "Relay",
            "StatementRejected",
            address=batch.relay,
            index=0,
            target=target,
            selector=functions("ConsentRegistry")["grant"].selector,
            reason=reason,
        )

    def test_when_a_neighbour_is_rejected_it_carries_the_others(self, hospital: Hospital) -> None:
        batch = Batch(hospital).add(*grant_item(hospital)).add(*grant_item(hospital, drafts.grant(BOB)))
        batch.add(*record_item(hospital))

        receipt = batch.carry()

        assert [ok for ok, _ in batch.outcomes(receipt)] == [True, False, True]
        assert [event["index"] for event in rejections(receipt)] == [1]
        assert decode_revert(batch.outcomes(receipt)[1][1])[0] == "SignatureInvalid"

    def test_when_only_asked_it_changes_nothing(self, hospital: Hospital) -> None:
        batch = Batch(hospital).add(*grant_item(hospital)).add(*record_item(hospital)).add(*record_item(hospital))
        before = hospital.evm.snapshot()

        asked = batch.ask()

        assert hospital.evm.snapshot() == before
        assert asked == batch.outcomes(batch.carry())

    def test_given_too_little_gas_for_an_item_it_reverts(self, hospital: Hospital) -> None:
        batch = Batch(hospital).add(*grant_item(hospital), gas_limit=200_000)
        batch.add(*record_item(hospital), gas_limit=5_000_000)

        receipt = batch.carry(gas=1_000_000)

        assert receipt.status == 0
        name, arguments = decode_revert(receipt.revert_data)
        assert name == "GasInsufficient"
        assert (arguments["index"], arguments["needed"]) == (1, 5_000_000 * 64 // 63 + 10_000)
        assert arguments["available"] < arguments["needed"]
        assert hospital.read("ConsentRegistry", "consent", ALICE.id, drafts.grant()["grantee"], 0)["version"] == 0

    def test_given_an_item_that_needs_more_than_its_limit_it_fails_alone(self, hospital: Hospital) -> None:
        batch = Batch(hospital).add(*grant_item(hospital), gas_limit=20_000)
        batch.add(*grant_item(hospital, drafts.grant(grantee=b"\7" * 32)))

        assert batch.outcomes(batch.carry()) == [(False, b""), (True, b"")]

    def test_when_the_target_is_another_contract_it_reverts(self, hospital: Hospital) -> None:
        _, data = grant_item(hospital)
        for target in (STRANGER, hospital.addresses["Relay"], hospital.addresses["AuditAnchor"]):
            assert_reverts(Batch(hospital).add(target, data).carry(), "CallNotAllowed", 0, target, data[:4])

    @pytest.mark.parametrize(
        ("contract", "function"),
        [("ConsentRegistry", "isPermitted"), ("Directory", "standing"), ("HealthRecords", "healthRecord")],
    )
    def test_when_the_function_takes_no_statement_it_reverts(
        self, hospital: Hospital, contract: str, function: str
    ) -> None:
        target, selector = hospital.addresses[contract], functions(contract)[function].selector
        assert_reverts(Batch(hospital).add(target, selector + bytes(64)).carry(), "CallNotAllowed", 0, target, selector)

    def test_when_the_function_is_one_of_another_target_it_reverts(self, hospital: Hospital) -> None:
        _, data = grant_item(hospital)
        target = hospital.addresses["Directory"]
        assert_reverts(Batch(hospital).add(target, data).carry(), "CallNotAllowed", 0, target, data[:4])

    def test_when_the_data_are_too_short_for_a_selector_it_reverts(self, hospital: Hospital) -> None:
        target, data = grant_item(hospital)
        short = Batch(hospital).add(target, data[:3]).carry()
        assert_reverts(short, "CallNotAllowed", 0, target, data[:3] + b"\0")
        assert_reverts(Batch(hospital).add(target, b"").carry(), "CallNotAllowed", 0, target, bytes(4))

    def test_when_one_call_of_several_is_not_allowed_it_reverts(self, hospital: Hospital) -> None:
        target, data = grant_item(hospital)
        receipt = Batch(hospital).add(target, data).add(STRANGER, data).carry()

        assert_reverts(receipt, "CallNotAllowed", 1, STRANGER, data[:4])
        assert hospital.read("ConsentRegistry", "consent", ALICE.id, drafts.grant()["grantee"], 0)["version"] == 0

    def test_when_the_function_takes_a_statement_it_is_allowed(self, hospital: Hospital) -> None:
        """What changes state and is not for the operator alone travels through the relay, so nothing was forgotten."""
        for contract in set(CONTRACT_NAMES) - {"Relay", "AuditAnchor"}:
            changing = [
                entry["name"]
                for entry in artifact(contract).abi
                if entry["type"] == "function" and entry["stateMutability"] == "nonpayable"
            ]
            assert changing
            for name in changing:
                item = functions(contract)[name]
                batch = Batch(hospital).add(hospital.addresses[contract], item.selector)
                # The bare selector is no statement: the target refuses it, not the relay.
                assert batch.outcomes(batch.carry()) == [(False, b"")]

    def test_given_a_stranger_who_calls_it_emits_what_only_the_transaction_tells_from_ours(
        self, hospital: Hospital
    ) -> None:
        """Anybody can make the relay say that a good statement of ours was rejected.

        Here a stranger carries our statement a second time. Emitting contract, topics and data are those of our own
        rejection: only the transaction that the log belongs to tells them apart, so a rejection counts only when its
        transaction hash is one of ours.
        """
        batch = Batch(hospital).add(*grant_item(hospital))
        assert batch.outcomes(batch.carry()) == [(True, b"")]

        ours, foreign = batch.carry(), batch.carry(sender=STRANGER)

        assert len(rejections(foreign)) == 1
        assert foreign.logs == ours.logs
