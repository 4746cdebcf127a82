"""``Relay`` among enemies: hostile targets, hostile smart accounts, and gas that is just too little."""

from __future__ import annotations

import pytest

from handshaker.ethereum.contracts import functions
from handshaker.vocabulary import practitioner_grantee
from tests.contracts import drafts
from tests.contracts.batches import Batch, rejections
from tests.contracts.harness import decode_revert
from tests.contracts.hospital import Hospital
from tests.contracts.hostiles import AccountManner, TargetManner, arm, deploy_test_contract
from tests.contracts.people import ALICE, BOB, NURSE, VISITOR

RECORD = functions("HealthRecords")["record"].selector
"""What a hostile contract in the place of ``HealthRecords`` may be called with."""
GAS_PROMISED = 400_000


def besieged(hospital: Hospital, manner: TargetManner, size: int = 0) -> tuple[Batch, str]:
    """A batch for a relay whose ``HealthRecords`` is hostile; its consents are the hospital's."""
    hostile = deploy_test_contract(hospital.evm, "HostileTarget", int(manner), size)
    addresses = hospital.addresses
    relay = hospital.evm.deploy("Relay", addresses["Directory"], addresses["ConsentRegistry"], hostile)
    return Batch(hospital, relay), hostile


def grant_to(hospital: Hospital, grantee: bytes) -> tuple[str, bytes]:
    data = hospital.calldata("ConsentRegistry", "grant", drafts.grant(grantee=grantee), ALICE.key)
    return hospital.addresses["ConsentRegistry"], data


def between_good_neighbours(hospital: Hospital, batch: Batch, target: str, data: bytes) -> Batch:
    batch.add(*grant_to(hospital, practitioner_grantee(NURSE.id)))
    batch.add(target, data)
    return batch.add(*grant_to(hospital, practitioner_grantee(VISITOR.id)))


def smart_patient(hospital: Hospital, manner: AccountManner) -> str:
    """Hand Bob's pseudonym to a smart account that he owns; return it."""
    account = deploy_test_contract(hospital.evm, "HostileAccount", BOB.address, int(manner))
    hospital.must("Directory", "rotateController", drafts.rotation(BOB, newController=account), BOB.key)
    return account


def smart_grant(hospital: Hospital, account: str) -> tuple[str, bytes]:
    data = hospital.calldata("ConsentRegistry", "grant", drafts.grant(BOB, signer=account), BOB.key)
    return hospital.addresses["ConsentRegistry"], data


class TestRelay:
    @pytest.mark.parametrize("size", [0, 900])
    def test_given_a_target_that_burns_all_its_gas_it_reports_an_empty_reason(
        self, hospital: Hospital, size: int
    ) -> None:
        batch, hostile = besieged(hospital, TargetManner.BURNS_GAS)
        between_good_neighbours(hospital, batch, hostile, RECORD + bytes(size))

        receipt = batch.carry()

        assert batch.outcomes(receipt) == [(True, b""), (False, b""), (True, b"")]
        assert [(event["index"], event["reason"]) for event in rejections(receipt)] == [(1, b"")]

    def test_given_a_target_that_reverts_without_a_word_it_reports_an_empty_reason(self, hospital: Hospital) -> None:
        batch, hostile = besieged(hospital, TargetManner.REVERTS_EMPTY)

        receipt = between_good_neighbours(hospital, batch, hostile, RECORD).carry()

        assert batch.outcomes(receipt) == [(True, b""), (False, b""), (True, b"")]
        assert [(event["index"], event["reason"]) for event in rejections(receipt)] == [(1, b"")]

    def test_given_a_target_that_returns_a_bomb_it_does_not_copy(self, hospital: Hospital) -> None:
        batch, hostile = besieged(hospital, TargetManner.RETURNS_BOMB, size=200_000)

        receipt = between_good_neighbours(hospital, batch, hostile, RECORD).carry(gas=900_000)

        assert batch.outcomes(receipt) == [(True, b"")] * 3
        assert rejections(receipt) == []

    @pytest.mark.parametrize("size", [257, 288, 100_000])
    def test_given_a_reason_above_256_bytes_it_cuts(self, hospital: Hospital, size: int) -> None:
        batch, hostile = besieged(hospital, TargetManner.REVERTS_WITH_BOMB, size)

        receipt = between_good_neighbours(hospital, batch, hostile, RECORD).carry()

        assert batch.outcomes(receipt) == [(True, b""), (False, bytes(range(256))), (True, b"")]
        assert [event["reason"] for event in rejections(receipt)] == [bytes(range(256))]

    @pytest.mark.parametrize("size", [1, 31, 32, 33, 255, 256])
    def test_given_a_reason_of_up_to_256_bytes_it_copies_it_whole(self, hospital: Hospital, size: int) -> None:
        batch, hostile = besieged(hospital, TargetManner.REVERTS_WITH_BOMB, size)

        receipt = between_good_neighbours(hospital, batch, hostile, RECORD).carry()

        assert batch.outcomes(receipt) == [(True, b""), (False, bytes(range(size))), (True, b"")]

    def test_given_a_target_that_calls_back_it_does_what_anybody_could(self, hospital: Hospital) -> None:
        batch, hostile = besieged(hospital, TargetManner.CALLS_BACK)
        statement = grant_to(hospital, practitioner_grantee(VISITOR.id))
        smuggled = Batch(hospital, batch.relay).add(*statement, gas_limit=150_000)
        arm(hospital.evm, hostile, batch.relay, smuggled.calldata)

        receipt = between_good_neighbours(hospital, batch, hostile, RECORD).carry()

        # The smuggled statement took effect once, inside; carried again it is the replay that it is.
        outcomes = batch.outcomes(receipt)
        assert outcomes[:2] == [(True, b""), (True, b"")]
        assert decode_revert(outcomes[2][1]) == ("VersionOutOfRange", {"current": 1, "version": 1})

    def test_given_a_target_that_calls_back_without_end_it_fails_alone(self, hospital: Hospital) -> None:
        batch, hostile = besieged(hospital, TargetManner.CALLS_BACK)
        arm(hospital.evm, hostile, batch.relay, Batch(hospital).add(hostile, RECORD).calldata)

        receipt = between_good_neighbours(hospital, batch, hostile, RECORD).carry()

        (first, (ok, reason), last) = batch.outcomes(receipt)
        assert first == last == (True, b"")
        assert not ok
        assert decode_revert(reason)[0] == "GasInsufficient"

    def test_given_an_honest_smart_account_it_accepts(self, hospital: Hospital) -> None:
        account = smart_patient(hospital, AccountManner.HONEST)

        batch = Batch(hospital).add(*smart_grant(hospital, account))

        assert batch.outcomes(batch.carry()) == [(True, b"")]

    @pytest.mark.parametrize(
        "manner",
        [
            AccountManner.BURNS_GAS,
            AccountManner.RETURNS_BOMB,
            AccountManner.REVERTS_EMPTY,
            AccountManner.ANSWERS_WRONGLY,
        ],
    )
    def test_given_a_hostile_smart_account_it_spoils_its_own_item_only(
        self, hospital: Hospital, manner: AccountManner
    ) -> None:
        account = smart_patient(hospital, manner)
        batch = between_good_neighbours(hospital, Batch(hospital), *smart_grant(hospital, account))

        receipt = batch.carry()

        first, (ok, reason), last = batch.outcomes(receipt)
        assert first == last == (True, b"")
        assert not ok
        assert decode_revert(reason)[0] == "SignatureInvalid"
        assert hospital.read("ConsentRegistry", "consent", BOB.id, drafts.grant()["grantee"], 0)["version"] == 0

    def test_given_a_smart_account_that_calls_back_it_carries_nothing_more(self, hospital: Hospital) -> None:
        """An account is asked by a static call, so that nothing that it starts can change state or emit."""
        account = smart_patient(hospital, AccountManner.CALLS_BACK)
        _, data = grant_to(hospital, practitioner_grantee(VISITOR.id))
        inner = Batch(hospital).add(hospital.addresses["ConsentRegistry"], data, gas_limit=60_000)
        arm(hospital.evm, account, inner.relay, inner.calldata)
        batch = Batch(hospital).add(*smart_grant(hospital, account), gas_limit=600_000)

        receipt = batch.carry()

        assert batch.outcomes(receipt) == [(True, b"")]
        assert rejections(receipt) == []
        assert len(receipt.logs) == 1
        untouched = hospital.read("ConsentRegistry", "consent", ALICE.id, practitioner_grantee(VISITOR.id), 0)
        assert untouched["version"] == 0

    def test_given_a_smart_account_that_runs_out_of_gas_it_looks_like_a_wrong_signature(
        self, hospital: Hospital
    ) -> None:
        """Why smart accounts travel alone, and with ample gas: too little of it refuses without a word of gas."""
        account = smart_patient(hospital, AccountManner.SLOW)
        target, data = smart_grant(hospital, account)

        ((scarce, reason),) = Batch(hospital).add(target, data, gas_limit=270_000).ask()
        ample = Batch(hospital).add(target, data, gas_limit=600_000).ask()

        assert not scarce
        assert decode_revert(reason)[0] == "SignatureInvalid"
        assert ample == [(True, b"")]

    @pytest.mark.parametrize("size", [0, 700, 100_000])
    def test_given_any_amount_of_gas_it_gives_the_whole_limit_or_reverts(self, hospital: Hospital, size: int) -> None:
        """The target tells how much gas it got: with any gas for the whole, that is the promised amount or nothing."""
        batch, hostile = besieged(hospital, TargetManner.TELLS_GAS)
        batch.add(hostile, RECORD + bytes(size), gas_limit=GAS_PROMISED)
        promised = batch.ask()

        def refused(gas: int) -> bool:
            receipt = batch.carry(gas=gas)
            if receipt.status == 1:
                assert batch.outcomes(receipt) == promised
            else:
                assert decode_revert(receipt.revert_data)[0] == "GasInsufficient"
            return receipt.status == 0

        # EIP-2028: what a transaction pays for its calldata before the relay begins.
        before = 21_000 + sum(16 if byte else 4 for byte in batch.calldata)
        least, most = before + GAS_PROMISED, before + GAS_PROMISED * 2
        assert refused(least)
        assert not refused(most)
        while most - least > 1:
            middle = (least + most) // 2
            least, most = (middle, most) if refused(middle) else (least, middle)
        for gas in range(most - 20, most + 200):
            refused(gas)
        assert int.from_bytes(promised[0][1], "big") > GAS_PROMISED - 1_000
