"""Mined is not final: forks on a real Anvil, shallower and deeper than the finality depth."""

from __future__ import annotations

import json
import secrets
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
import sqlalchemy as sa

from handshaker.ethereum.deployer import fund
from handshaker.ethereum.nodes import ANVIL
from handshaker.messages import EventKind, SendOutcome
from handshaker.store import schema as s
from tests.databases import Databases
from tests.instances import ETHER, Instance, bare_instance, consent_payload, make_instance
from tests.nodes import Node, anvil, with_finality

pytestmark = pytest.mark.anvil

DEPTH = 2


@pytest.fixture
def forking_node() -> Iterator[Node]:
    """An Anvil of its own, which forgets states only after 300 blocks."""
    with anvil("300") as node:
        yield node


@pytest.fixture
def deep(
    databases: Databases, forking_node: Node, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Instance]:
    """A hospital where two blocks must lie on top; from now on the test makes the blocks that a worker would."""
    instance = make_instance(tmp_path, forking_node, profile=with_finality(ANVIL, DEPTH))
    monkeypatch.setattr(instance.handshaker.chain, "beat", lambda: False)
    yield instance
    instance.close()


def mine(instance: Instance, blocks: int) -> None:
    instance.node.ask("anvil_mine", hex(blocks))


def reorganise(instance: Instance, depth: int) -> None:
    """Replace the last ``depth`` blocks by empty ones."""
    instance.node.ask("anvil_reorg", depth, [])


def test_nothing_is_acknowledged_before_it_is_final(deep: Instance) -> None:
    submission = deep.measure()
    deep.steps(4)
    assert deep.kinds(submission) == ["received", "sent", "mined"]
    mine(deep, DEPTH - 1)
    deep.steps(3)
    assert deep.ack(submission) is None
    mine(deep, 1)
    deep.steps(2)
    ack = deep.ack(submission)
    assert ack is not None
    assert ack.code == "effect"
    assert ack.block_number == deep.handshaker.chain.head().number - DEPTH


def test_a_fork_above_finality_takes_nothing_away(deep: Instance) -> None:
    submission = deep.measure()
    deep.steps(3)
    mine(deep, 1)
    deep.steps(2)
    reorganise(deep, 2)
    deep.steps(2)
    assert deep.ack(submission) is None
    deep.clock.advance(6)
    deep.steps(2)
    mine(deep, DEPTH)
    deep.steps(3)
    ack = deep.ack(submission)
    assert ack is not None
    assert ack.code == "effect"
    block = deep.handshaker.chain.block(ack.block_number or 0)
    assert block is not None
    assert block.hash == ack.block_hash, "the evidence is on the chain that there is now"
    assert deep.kinds(submission)[-1] == "valid"
    assert EventKind.CONTRADICTED not in deep.kinds(submission)
    with deep.handshaker.store._database.read() as connection:
        query = "SELECT count(*) FROM attempts a JOIN network_items i USING (network_id) WHERE i.statement_hash = :hash"
        attempts = connection.execute(sa.text(query), {"hash": submission.statement_hash}).scalar_one()
    assert attempts == 1, "the same bytes went again"


def test_a_fork_below_finality_is_written_down_and_changes_no_acknowledgement(deep: Instance) -> None:
    submission = deep.measure()
    deep.steps(3)
    mine(deep, DEPTH)
    deep.steps(3)
    ack = deep.ack(submission)
    assert ack is not None
    size = len(deep.handshaker.store.log.entries(0, 10**9))
    reorganise(deep, DEPTH + 1)
    deep.steps(3)
    assert deep.ack(submission) == ack
    assert deep.kinds(submission)[-1] == "contradicted"
    leaves = deep.handshaker.store.log.entries(0, 10**9)
    assert [leaf.position for leaf in leaves] == list(range(size + 1))
    entry = json.loads(leaves[-1].leaf)
    assert (entry["kind"], entry["ti"], entry["block"]) == ("contradiction", submission.ti_id, ack.block_number)
    assert entry["contradicts"] == json.loads(leaves[-2].leaf)["entry"]
    deep.restart()
    deep.steps(3)
    assert len(deep.handshaker.store.log.entries(0, 10**9)) == size + 1, "once"


def test_after_a_fork_below_finality_the_work_goes_on(deep: Instance) -> None:
    before = deep.measure()
    deep.steps(3)
    mine(deep, DEPTH)
    deep.steps(3)
    assert deep.ack(before) is not None
    reorganise(deep, DEPTH + 1)
    after = deep.measure()
    for _ in range(6):
        deep.clock.advance(6)
        deep.steps(2)
        mine(deep, 1)
    deep.steps(2)
    ack = deep.ack(after)
    assert ack is not None, "the nonces that the fork gave back are filled"
    assert ack.code == "effect"


def test_what_comes_too_late_after_a_fork_below_finality_stays_contradicted_and_has_no_effect(deep: Instance) -> None:
    """The same bytes go again, but another relayer has carried a revocation before: the log says so, the ACK cannot."""
    second = deep.handshaker.vault.create_relayer("second")
    fund(deep.handshaker.chain, deep.node.fund(), second, 10 * ETHER)
    other = deep.handshaker.worker("second")
    reading = deep.measure()
    deep.steps(3)
    mine(deep, DEPTH)
    deep.steps(3)
    ack = deep.ack(reading)
    assert ack is not None
    assert ack.code == "effect"
    reorganise(deep, DEPTH + 1)
    words = {name: value for name, value in consent_payload().items() if name in ("grantee", "purpose")}
    revocation = deep.submit(deep.consented, "consent-revoke", words)
    for _ in range(4):
        other.step()
    assert deep.kinds(revocation)[-1] in ("sent", "mined"), "before the first worker has noticed the fork"
    for _ in range(6):
        deep.clock.advance(6)
        deep.steps(2)
        other.step()
        mine(deep, 1)
    deep.steps(2)
    other.step()
    assert deep.acknowledged(revocation).code == "effect"
    assert deep.ack(reading) == ack, "it is never changed"
    assert deep.kinds(reading)[-1] == "contradicted"
    head = deep.handshaker.chain.head().number
    effects, _ = deep.handshaker.chain.told(0, head)
    assert reading.statement_hash not in {effect.statement_hash for effect in effects}
    assert deep.handshaker.store.queue.counts() == {}
    for worker in (deep.worker, other):
        assert deep.handshaker.store.network.unsettled(worker._validator.relayer) == []


def test_where_the_network_names_its_final_block_that_one_counts(
    databases: Databases, forking_node: Node, tmp_path: Path
) -> None:
    """Anvil calls a block safe when 32 are on top."""
    instance = bare_instance(forking_node, tmp_path, profile=replace(ANVIL, finality_tag="safe"))
    submission = instance.handshaker.registrar.register_organisation(instance.administrator, 1, "Lakeside")
    instance.steps(4)
    instance.node.ask("anvil_mine", hex(20))
    instance.steps(1)
    assert instance.ack(submission) is None
    ack = instance.acknowledged(submission)
    assert ack.block_number is not None
    assert instance.handshaker.chain.head().number - ack.block_number >= 32
    instance.close()


def test_what_is_in_a_block_is_not_sent_again_while_it_becomes_final(
    deep: Instance, monkeypatch: pytest.MonkeyPatch
) -> None:
    send, sent = deep.handshaker.chain.send, []

    def counted(raw: bytes) -> SendOutcome:
        sent.append(raw)
        return send(raw)

    monkeypatch.setattr(deep.handshaker.chain, "send", counted)
    deep.measure()
    for _ in range(4):
        deep.steps(2)
        deep.clock.advance(60)
    assert len(sent) == 1


def test_a_rolled_back_chain_is_walked_back(deep: Instance) -> None:
    submission = deep.measure()
    deep.steps(3)
    mine(deep, 1)
    deep.steps(2)
    deep.node.ask("anvil_rollback", 2)
    deep.steps(3)
    assert deep.ack(submission) is None
    deep.clock.advance(6)
    deep.steps(2)
    mine(deep, DEPTH)
    deep.steps(3)
    ack = deep.ack(submission)
    assert ack is not None
    assert ack.code == "effect"


def test_the_first_blocks_of_all_can_be_forked_away_too(
    databases: Databases, forking_node: Node, tmp_path: Path
) -> None:
    instance = bare_instance(forking_node, tmp_path, profile=with_finality(ANVIL, DEPTH))
    instance.steps(2)
    deployment = instance.handshaker.chain.deployment
    assert deployment is not None
    with instance.handshaker.store._database.write() as connection:
        connection.execute(sa.update(s.blocks).values(hash=secrets.token_bytes(32)))
    mine(instance, 1)
    instance.steps(3)
    tip = instance.handshaker.store.chain_view.tip()
    assert tip is not None
    assert tip.hash == instance.handshaker.chain.head().hash
    instance.close()
