"""Somebody copies an old database into its place by hand: the log is held by itself, and the same command mends it."""

from __future__ import annotations

import shutil
import threading
from pathlib import Path

import pytest

from handshaker.audit.errors import LogHeld
from handshaker.audit.merkle import CompactRange
from handshaker.backup import look
from handshaker.ethereum.chain import EthereumChain, connect
from tests.handshaker.backup.drill import Drill, anchor_elsewhere
from tests.instances import Instance

pytestmark = pytest.mark.sqlite


def files(instance: Instance) -> list[Path]:
    return [instance.handshaker.settings.instance / name for name in ("handshaker.db", "vault.db")]


def put_by_hand(drill: Drill, folder: Path) -> None:
    """Copy a backup's files over the present ones, as somebody does who knows of no command."""
    drill.stop()
    for path, name in zip(files(drill.instance), ("audit.db", "vault.db"), strict=True):
        for left in (path, path.with_name(path.name + "-wal"), path.with_name(path.name + "-shm")):
            left.unlink(missing_ok=True)
        shutil.copy(folder / name, path)
    drill.start()


def worked_on(drill: Drill) -> Path:
    drill.anchor()
    folder, _ = drill.back_up()
    drill.instance.acknowledged(drill.instance.measure())
    drill.instance.acknowledged(drill.instance.measure())
    drill.anchor()
    return folder


def test_a_worker_notices_it_before_it_does_anything(drill: Drill) -> None:
    put_by_hand(drill, worked_on(drill))
    relayer = drill.instance.handshaker.vault.create_relayer("worker-1")
    before, leaves = drill.instance.handshaker.chain.nonce(relayer), drill.leaves()
    for _ in range(3):
        with pytest.raises(LogHeld) as refused:
            drill.instance.worker.step()
        assert refused.value.data["reason"] == "behind"
    assert drill.instance.handshaker.chain.nonce(relayer) == before
    assert drill.leaves() == leaves
    found = drill.accept()
    assert found.declared_at == drill.instance.handshaker.chain.anchored().size
    drill.instance.acknowledged(drill.instance.measure())
    drill.anchor()


def test_the_web_application_notices_it_when_it_starts(drill: Drill) -> None:
    put_by_hand(drill, worked_on(drill))
    drill.instance.handshaker.keep_checking(threading.Event())
    with pytest.raises(LogHeld):
        drill.instance.measure()


def test_the_web_application_asks_again_while_no_node_answers(drill: Drill) -> None:
    put_by_hand(drill, worked_on(drill))
    handshaker = drill.instance.handshaker
    there, handshaker.chain = handshaker.chain, EthereumChain(connect("http://127.0.0.1:1"))
    handshaker.chain.deployment = there.deployment

    class Stop(threading.Event):
        waited = 0

        def wait(self, timeout: float | None = None) -> bool:
            self.waited += 1
            if self.waited == 2:
                handshaker.chain = there
            return False

    stop = Stop()
    handshaker.keep_checking(stop)
    assert stop.waited == 2
    assert handshaker.store.log.held() is not None


def test_looking_changes_nothing_but_the_hold(drill: Drill) -> None:
    put_by_hand(drill, worked_on(drill))
    leaves = drill.leaves()
    assert look(drill.instance.handshaker) == look(drill.instance.handshaker)
    assert drill.leaves() == leaves
    assert drill.rows("SELECT count(*) FROM log_holds") == [(1,)]


def written_over(drill: Drill) -> int:
    """Let somebody work on an old copy for so long that it is longer than what is anchored; return the common size."""
    first = drill.anchor()
    folder, manifest = drill.back_up()
    drill.instance.acknowledged(drill.instance.measure())
    anchored = drill.anchor()
    put_by_hand(drill, folder)
    # Nobody checks: intake alone writes refusals, and the web application was never started anew.
    log = drill.instance.handshaker.store.log
    while log.size() < anchored.size + 3:
        drill.instance.measure(payload={"resourceType": "Observation"})
    assert manifest.log_size < log.size()
    return first.size


def test_a_log_that_somebody_wrote_on_is_held_as_different(drill: Drill) -> None:
    common = written_over(drill)
    with pytest.raises(LogHeld) as refused:
        drill.instance.worker.step()
    assert refused.value.data["reason"] == "different"
    found = look(drill.instance.handshaker)
    assert (found.log.state, found.log.common, found.log.missing) == ("different", common, 0)
    assert found.log.kept == drill.instance.handshaker.store.log.size()


def test_a_log_that_somebody_wrote_on_goes_on_with_all_that_it_has(drill: Drill) -> None:
    common = written_over(drill)
    with pytest.raises(LogHeld):
        drill.instance.worker.step()
    leaves, lost = drill.leaves(), drill.instance.handshaker.chain.anchored()
    found = drill.accept()
    assert (found.log.common, found.log.kept, found.declared_at) == (common, len(leaves), len(leaves))
    assert drill.leaves()[: len(leaves)] == leaves
    assert drill.kinds(len(leaves))[0] == "restore"
    assert found.log.common < lost.size < found.log.kept
    drill.instance.acknowledged(drill.instance.measure())
    anchored = drill.anchor()
    tree = CompactRange()
    tree.extend(drill.leaves())
    assert anchored.root == tree.root()


def test_two_copies_that_work_at_once_hold_each_other_up(drill: Drill) -> None:
    put_by_hand(drill, worked_on(drill))
    with pytest.raises(LogHeld):
        drill.instance.worker.step()
    drill.accept()
    drill.instance.worker.step()
    # What was thought to be lost works on elsewhere, and anchors what this log does not have.
    chain, vault = drill.instance.handshaker.chain, drill.instance.handshaker.vault
    relayer = vault.create_relayer("worker-1")
    elsewhere = chain.anchored().size + 50
    anchor_elsewhere(drill, relayer, elsewhere)
    drill.instance.clock.advance(61)
    with pytest.raises(LogHeld) as refused:
        drill.instance.steps(5)
    assert refused.value.data["anchored_size"] == elsewhere
    found = drill.accept()
    assert found.declared_at == elsewhere
    drill.instance.steps(5)
