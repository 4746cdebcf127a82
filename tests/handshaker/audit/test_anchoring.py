"""The log's head goes to the chain in time, and a log that is not what the chain remembers is held."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
import sqlalchemy as sa

from handshaker.audit.check_proof import head_digest, signer_of
from handshaker.audit.errors import LogHeld
from handshaker.audit.merkle import CompactRange
from handshaker.messages import Act, Head
from handshaker.vocabulary import ActCode
from tests.instances import Instance, copied

SECONDS = 60.0


@pytest.fixture
def anchoring(pattern_hospital: Instance, tmp_path: Path) -> Iterator[Instance]:
    """A hospital whose entries wait a minute at most, or until there are twenty."""
    instance = copied(pattern_hospital, tmp_path, anchor_seconds=SECONDS, anchor_entries=20)
    anchor(instance)
    yield instance
    instance.close()


def anchor(instance: Instance) -> None:
    instance.clock.advance(SECONDS + 1)
    instance.steps(4)


def root_of(instance: Instance, size: int) -> bytes:
    tree = CompactRange()
    tree.extend(instance.handshaker.store.log.leaf_hashes(0, size))
    return tree.root()


def act(instance: Instance) -> None:
    instance.handshaker.store.log.add_act(Act(ActCode.BACKUP_MADE, "system", "nothing"), instance.clock.now())


def test_after_the_time_a_head_over_all_entries_is_on_the_chain(anchoring: Instance) -> None:
    log, chain = anchoring.handshaker.store.log, anchoring.handshaker.chain
    size = log.size()
    assert chain.anchored() == Head(size, root_of(anchoring, size))
    (anchored,) = log.anchors()
    assert anchored.head == chain.anchored()
    assert anchored.operator == anchoring.handshaker.vault.relayer_address("worker-1")
    assert log.anchor_over(size - 1, anchored.block_number) == anchored
    assert log.anchor_over(size, anchored.block_number) is None
    assert log.anchor_over(0, anchored.block_number - 1) is None, "not in a final block"


def test_a_head_is_signed_by_the_operator_who_anchors_it(anchoring: Instance) -> None:
    chain = anchoring.handshaker.chain
    signed = anchoring.handshaker.store.log.latest_head()
    assert signed is not None
    digest = head_digest(
        chain.identity().chain_id,
        chain.address("AuditAnchor"),
        signed.head.size,
        signed.head.root,
        int(signed.made_at.timestamp()),
    )
    assert signer_of(digest, signed.signature).lower() == signed.signer.lower()
    assert signed.signer == anchoring.handshaker.vault.relayer_address("worker-1")


def test_while_nothing_is_new_nothing_is_anchored(anchoring: Instance) -> None:
    anchored = anchoring.handshaker.chain.anchored()
    for _ in range(3):
        anchor(anchoring)
    assert anchoring.handshaker.chain.anchored() == anchored
    assert len(anchoring.handshaker.store.log.heads()) == 1


def test_a_full_load_is_anchored_before_the_time(anchoring: Instance) -> None:
    before = anchoring.handshaker.chain.anchored().size
    for _ in range(19):
        act(anchoring)
    anchoring.steps(3)
    assert anchoring.handshaker.chain.anchored().size == before
    act(anchoring)
    anchoring.clock.advance(11)
    anchoring.steps(3)
    assert anchoring.handshaker.chain.anchored().size == before + 20


def test_an_entry_that_is_younger_waits(anchoring: Instance) -> None:
    before = anchoring.handshaker.chain.anchored().size
    act(anchoring)
    anchoring.clock.advance(SECONDS / 2)
    anchoring.steps(3)
    assert anchoring.handshaker.chain.anchored().size == before
    anchoring.clock.advance(SECONDS)
    anchoring.steps(3)
    assert anchoring.handshaker.chain.anchored().size == before + 1


def test_a_worker_that_is_no_operator_leaves_anchoring_to_those_who_are(anchoring: Instance) -> None:
    before = anchoring.handshaker.chain.anchored()
    act(anchoring)
    anchoring.clock.advance(2 * SECONDS)
    stranger = anchoring.handshaker.vault.create_relayer("stranger")
    anchoring.node.transfer(anchoring.node.funded_private_key, stranger, 10**18)
    worker = anchoring.handshaker.worker("stranger")
    for _ in range(4):
        worker.step()
    assert anchoring.handshaker.chain.anchored() == before


def tampered(instance: Instance, *statements: str) -> None:
    engine = instance.handshaker.store._database.engine
    with engine.begin() as connection:
        triggers = connection.execute(sa.text("SELECT name FROM sqlite_master WHERE type = 'trigger'")).scalars().all()
        for trigger in triggers:
            connection.execute(sa.text(f"DROP TRIGGER {trigger}"))
        connection.execute(sa.text("PRAGMA defer_foreign_keys = ON"))
        for statement in statements:
            connection.execute(sa.text(statement))


def held_by(instance: Instance) -> LogHeld:
    instance.restart()
    with pytest.raises(LogHeld) as refused:
        instance.worker.step()
    return refused.value


@pytest.mark.sqlite
def test_a_log_that_is_shorter_than_its_anchor_is_held_and_refuses_every_writer(anchoring: Instance) -> None:
    anchored = anchoring.handshaker.chain.anchored()
    tampered(
        anchoring,
        f"DELETE FROM audit_positions WHERE position = {anchored.size - 1}",
        f"DELETE FROM outbox WHERE position = {anchored.size - 1}",
    )
    refused = held_by(anchoring)
    assert refused.data == {
        "reason": "behind",
        "size": anchored.size - 1,
        "anchored_size": anchored.size,
        "anchored_root": "0x" + anchored.root.hex(),
    }
    with pytest.raises(LogHeld):
        act(anchoring)
    with pytest.raises(LogHeld):
        anchoring.measure(payload={"resourceType": "Observation"})
    with pytest.raises(LogHeld):
        anchoring.measure()
    with pytest.raises(LogHeld):
        anchoring.worker.step()
    assert anchoring.handshaker.chain.anchored() == anchored
    assert anchoring.handshaker.store.log.size() == anchored.size - 1


@pytest.mark.sqlite
def test_a_log_that_differs_from_its_anchor_is_held(anchoring: Instance) -> None:
    tampered(anchoring, "UPDATE audit_entries SET leaf_hash = randomblob(32)")
    assert held_by(anchoring).data["reason"] == "different"
