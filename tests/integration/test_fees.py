"""A transaction that no block takes gets dearer at the same nonce, within a cap: on a real Anvil that stops mining."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from web3 import Web3

from handshaker.ethereum.nodes import ANVIL, GWEI
from handshaker.intake import Submission
from handshaker.messages import Attempt
from tests.databases import Databases
from tests.handshaker.pipeline.test_kills import assert_every_nonce_is_accounted_for, assert_one_effect_and_one_ack
from tests.instances import Instance, make_instance
from tests.nodes import Node, anvil

pytestmark = pytest.mark.anvil

PATIENCE = 20.0


@pytest.fixture(scope="module")
def node() -> Iterator[Node]:
    with anvil("300") as found:
        yield found


@pytest.fixture
def slow(databases: Databases, node: Node, tmp_path: Path) -> Iterator[Instance]:
    """A hospital on a chain that makes no block by itself any more, with a market of fees."""
    profile = replace(ANVIL, bump_after=PATIENCE, heartbeat=False, max_fee_cap=50 * GWEI)
    instance = make_instance(tmp_path, node, profile=profile)
    node.ask("evm_setAutomine", False)
    yield instance
    node.ask("anvil_dropAllTransactions")
    node.ask("evm_setAutomine", True)
    instance.close()


def attempts(instance: Instance) -> list[Attempt]:
    (transaction,) = instance.handshaker.store.network.unsettled(instance.worker._validator.relayer)
    return list(transaction.attempts)


def assert_done(instance: Instance, submission: Submission) -> None:
    instance.acknowledged(submission)
    assert_one_effect_and_one_ack(instance, submission, "effect")
    assert_every_nonce_is_accounted_for(instance)


def test_the_same_bytes_go_again_until_patience_ends_and_then_dearer_ones(slow: Instance) -> None:
    submission = slow.measure()
    slow.steps(2)
    for _ in range(3):
        slow.clock.advance(6)
        slow.steps(2)
    (first,) = attempts(slow)
    slow.clock.advance(6)
    slow.steps(2)
    cheap, dear = attempts(slow)
    assert cheap == first
    assert dear.max_fee * 10 >= cheap.max_fee * 11
    assert dear.priority_fee * 10 >= cheap.priority_fee * 11
    slow.node.ask("evm_mine")
    assert_done(slow, submission)
    ack = slow.ack(submission)
    assert ack is not None
    assert ack.transaction_hash == dear.hash


def test_whichever_attempt_was_mined_is_found(slow: Instance) -> None:
    submission = slow.measure()
    slow.steps(2)
    with_drop = slow.handshaker.chain.send
    slow.clock.advance(PATIENCE + 6)
    slow.handshaker.chain.send = lambda raw: with_drop(b"\x02lost")  # type: ignore[method-assign]
    slow.steps(2)
    del slow.handshaker.chain.send
    cheap, _ = attempts(slow)
    slow.node.ask("evm_mine")
    assert_done(slow, submission)
    ack = slow.ack(submission)
    assert ack is not None
    assert ack.transaction_hash == cheap.hash, "the dearer one never arrived"


def test_a_base_fee_above_the_offer_is_followed_without_waiting(slow: Instance) -> None:
    submission = slow.measure()
    slow.steps(2)
    (first,) = attempts(slow)
    slow.node.ask("anvil_setNextBlockBaseFeePerGas", hex(first.max_fee * 2))
    slow.node.ask("evm_mine")
    assert slow.ack(submission) is None
    slow.clock.advance(6)
    slow.steps(2)
    assert attempts(slow)[-1].max_fee > first.max_fee * 2
    slow.node.ask("evm_mine")
    assert_done(slow, submission)


def test_no_attempt_bids_above_the_cap(slow: Instance) -> None:
    submission = slow.measure()
    slow.steps(2)
    for _ in range(40):
        slow.clock.advance(PATIENCE + 6)
        slow.steps(1)
    bids = [attempt.max_fee for attempt in attempts(slow)]
    assert bids == sorted(bids)
    assert 2 < len(bids) < 40
    assert bids[-1] <= 50 * GWEI < bids[-1] * 113 // 100
    assert len({Web3.keccak(attempt.raw) for attempt in attempts(slow)}) == len(bids)
    slow.node.ask("evm_mine")
    assert_done(slow, submission)
