"""``Relay``: outcomes, isolation, gas, and what it refuses to call. The cases are in ``Relay.tree``."""

from __future__ import annotations

import sys

import pytest

from handshaker.ethereum.contracts import CONTRACT_NAMES, artifact, functions
from tests.contracts import drafts, test_relay_isolation
from tests.contracts.batches import Batch, rejections
from tests.contracts.drafts import Draft
from tests.contracts.harness import assert_emitted, assert_reverts, decode_revert
from tests.contracts.hospital import Hospital
from tests.contracts.people import ALICE, BOB, NURSE
from tests.contracts.trees import assert_tree_is_tested

STRANGER = "0x" + "57" * 20


def grant_item(hospital: Hospital, draft: Draft | None = None) -> tuple[str, bytes]:
    """A grant that Alice signs: a target and the data for it."""
    data = hospital.calldata("ConsentRegistry", "grant", draft or drafts.grant(), ALICE.key)
    return hospital.addresses["ConsentRegistry"], data


def record_item(hospital: Hospital) -> tuple[str, bytes]:
    """A record that the nurse signs."""
    return hospital.addresses["HealthRecords"], hospital.calldata("HealthRecords", "record", drafts.record(), NURSE.key)


def test_the_tree_names_the_tests() -> None:
    assert_tree_is_tested("Relay", sys.modules[__name__], test_relay_isolation)


def test_an_accepted_item_has_no_reason_and_leaves_its_own_event(hospital: Hospital) -> None:
    batch = Batch(hospital).add(*grant_item(hospital))
    assert batch.ask() == [(True, b"")]

    receipt = batch.carry()

    assert batch.outcomes(receipt) == [(True, b"")]
    assert [log.address for log in receipt.logs] == [hospital.addresses["ConsentRegistry"]]
    assert hospital.read("ConsentRegistry", "consent", ALICE.id, drafts.grant()["grantee"], 0)["version"] == 1


def test_a_grant_and_then_the_record_that_needs_it_are_both_accepted(hospital: Hospital) -> None:
    batch = Batch(hospital).add(*grant_item(hospital)).add(*record_item(hospital))

    receipt = batch.carry()

    assert batch.outcomes(receipt) == [(True, b""), (True, b"")]
    spoke = [hospital.addresses[name] for name in ("ConsentRegistry", "HealthRecords")]
    assert [log.address for log in receipt.logs] == spoke


def test_a_record_before_the_grant_that_it_needs_is_rejected(hospital: Hospital) -> None:
    batch = Batch(hospital).add(*record_item(hospital)).add(*grant_item(hospital))

    (refused, reason), accepted = batch.outcomes(batch.carry())

    assert not refused
    assert decode_revert(reason)[0] == "NotPermitted"
    assert accepted == (True, b"")


def test_the_same_statement_twice_in_one_batch_takes_effect_once(hospital: Hospital) -> None:
    batch = Batch(hospital).add(*grant_item(hospital)).add(*record_item(hospital)).add(*record_item(hospital))

    receipt = batch.carry()

    assert [ok for ok, _ in batch.outcomes(receipt)] == [True, True, False]
    name, arguments = decode_revert(batch.outcomes(receipt)[2][1])
    assert (name, list(arguments)) == ("AlreadyRecorded", ["recordId"])
    assert len([log for log in receipt.logs if log.address == hospital.addresses["HealthRecords"]]) == 1


def test_a_batch_of_nothing_changes_nothing(hospital: Hospital) -> None:
    receipt = Batch(hospital).carry()

    assert receipt.status == 1
    assert receipt.logs == ()
    assert Batch(hospital).outcomes(receipt) == []


def test_a_rejected_item_leaves_its_reason_in_the_outcome_and_in_the_event(hospital: Hospital) -> None:
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


def test_a_rejected_item_harms_no_neighbour(hospital: Hospital) -> None:
    batch = Batch(hospital).add(*grant_item(hospital)).add(*grant_item(hospital, drafts.grant(BOB)))
    batch.add(*record_item(hospital))

    receipt = batch.carry()

    assert [ok for ok, _ in batch.outcomes(receipt)] == [True, False, True]
    assert [event["index"] for event in rejections(receipt)] == [1]
    assert decode_revert(batch.outcomes(receipt)[1][1])[0] == "SignatureInvalid"


def test_asking_first_returns_the_outcomes_and_changes_nothing(hospital: Hospital) -> None:
    batch = Batch(hospital).add(*grant_item(hospital)).add(*record_item(hospital)).add(*record_item(hospital))
    before = hospital.evm.snapshot()

    asked = batch.ask()

    assert hospital.evm.snapshot() == before
    assert asked == batch.outcomes(batch.carry())


def test_too_little_gas_refuses_the_whole_batch(hospital: Hospital) -> None:
    batch = Batch(hospital).add(*grant_item(hospital), gas_limit=200_000)
    batch.add(*record_item(hospital), gas_limit=5_000_000)

    receipt = batch.carry(gas=1_000_000)

    assert receipt.status == 0
    name, arguments = decode_revert(receipt.revert_data)
    assert name == "GasInsufficient"
    assert (arguments["index"], arguments["needed"]) == (1, 5_000_000 * 64 // 63 + 10_000)
    assert arguments["available"] < arguments["needed"]
    assert hospital.read("ConsentRegistry", "consent", ALICE.id, drafts.grant()["grantee"], 0)["version"] == 0


def test_an_item_that_needs_more_than_its_limit_fails_alone(hospital: Hospital) -> None:
    batch = Batch(hospital).add(*grant_item(hospital), gas_limit=20_000)
    batch.add(*grant_item(hospital, drafts.grant(grantee=b"\7" * 32)))

    assert batch.outcomes(batch.carry()) == [(False, b""), (True, b"")]


def test_a_target_of_somebody_else_is_refused(hospital: Hospital) -> None:
    _, data = grant_item(hospital)
    for target in (STRANGER, hospital.addresses["Relay"], hospital.addresses["AuditAnchor"]):
        assert_reverts(Batch(hospital).add(target, data).carry(), "CallNotAllowed", 0, target, data[:4])


@pytest.mark.parametrize(
    ("contract", "function"),
    [("ConsentRegistry", "isPermitted"), ("Directory", "standing"), ("HealthRecords", "healthRecord")],
)
def test_a_function_that_takes_no_statement_is_refused(hospital: Hospital, contract: str, function: str) -> None:
    target, selector = hospital.addresses[contract], functions(contract)[function].selector
    assert_reverts(Batch(hospital).add(target, selector + bytes(64)).carry(), "CallNotAllowed", 0, target, selector)


def test_a_function_of_another_target_is_refused(hospital: Hospital) -> None:
    _, data = grant_item(hospital)
    target = hospital.addresses["Directory"]
    assert_reverts(Batch(hospital).add(target, data).carry(), "CallNotAllowed", 0, target, data[:4])


def test_data_too_short_for_a_selector_are_refused(hospital: Hospital) -> None:
    target, data = grant_item(hospital)
    short = Batch(hospital).add(target, data[:3]).carry()
    assert_reverts(short, "CallNotAllowed", 0, target, data[:3] + b"\0")
    assert_reverts(Batch(hospital).add(target, b"").carry(), "CallNotAllowed", 0, target, bytes(4))


def test_a_batch_with_one_call_that_is_not_allowed_changes_nothing(hospital: Hospital) -> None:
    target, data = grant_item(hospital)
    receipt = Batch(hospital).add(target, data).add(STRANGER, data).carry()

    assert_reverts(receipt, "CallNotAllowed", 1, STRANGER, data[:4])
    assert hospital.read("ConsentRegistry", "consent", ALICE.id, drafts.grant()["grantee"], 0)["version"] == 0


def test_every_function_that_takes_a_statement_is_allowed(hospital: Hospital) -> None:
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


def test_a_foreign_rejection_differs_from_ours_only_in_its_transaction(hospital: Hospital) -> None:
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
