"""The drill of docs/backup.md with the commands themselves, on a real Ganache, while real workers work."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from handshaker.audit.merkle import CompactRange
from handshaker.bootstrap import make_handshaker
from handshaker.ethereum.chain import EthereumChain
from handshaker.token_files import TokenFiles
from tests.databases import Databases
from tests.instances import Instance, make_instance
from tests.nodes import Node
from tests.postgres import TOOLS

pytestmark = pytest.mark.ganache

PATIENCE = 90


@pytest.fixture
def lakeside(databases: Databases, ganache_node: Node, tmp_path: Path) -> Iterator[Instance]:
    instance = make_instance(tmp_path, ganache_node)
    tokens = TokenFiles(instance.handshaker.settings.instance / "tokens")
    for name, token in instance.tokens.items():
        tokens.keep(name, token)
    yield instance
    instance.close()


class Terminal:
    """The command line over one instance."""

    def __init__(self, instance: Instance) -> None:
        ours = {f"HANDSHAKER_{name.upper()}": value for name, value in instance.places().items()}
        foreign = {name: value for name, value in os.environ.items() if not name.startswith("HANDSHAKER_")}
        self.environment = foreign | ours
        self.environment |= {
            "HANDSHAKER_CHAIN_URL": str(instance.node.url_or_provider),
            "HANDSHAKER_ANCHOR_SECONDS": "0.5",
            "HANDSHAKER_POSTGRESQL_TOOLS": str(TOOLS),
        }

    def run(self, *words: object, exit_code: int = 0) -> Any:
        command = [sys.executable, "-m", "handshaker", *map(str, words), "--json"]
        answer = subprocess.run(
            command, env=self.environment, capture_output=True, text=True, timeout=PATIENCE, check=False
        )
        assert answer.returncode == exit_code, answer.stdout + answer.stderr
        return json.loads(answer.stdout)

    @contextmanager
    def worker(self) -> Iterator[None]:
        command = [sys.executable, "-m", "handshaker", "work", "--json"]
        process = subprocess.Popen(command, env=self.environment, stdout=subprocess.DEVNULL)
        try:
            yield
        finally:
            process.send_signal(signal.SIGTERM)
            assert process.wait(PATIENCE) in (0, -signal.SIGTERM)


def wait_until(condition: Any) -> None:
    until = time.monotonic() + PATIENCE
    while not condition():
        assert time.monotonic() < until
        time.sleep(0.05)


def reopened(instance: Instance) -> None:
    instance.handshaker = make_handshaker(
        instance.handshaker.settings, clock=instance.clock, chain=EthereumChain(instance.node.provider)
    )


def is_anchored(instance: Instance) -> bool:
    handshaker = instance.handshaker
    return not handshaker.store.queue.counts() and handshaker.chain.anchored().size == handshaker.store.log.size()


def test_the_drill(lakeside: Instance, tmp_path: Path) -> None:
    terminal, folder = Terminal(lakeside), tmp_path / "backup"
    before = [lakeside.measure() for _ in range(3)]
    with terminal.worker():
        made = terminal.run("backup", folder)
        wait_until(lambda: all(lakeside.ack(each) for each in before))
        later = [lakeside.measure() for _ in range(3)]
        wait_until(lambda: all(lakeside.ack(each) for each in later) and is_anchored(lakeside))
        lost_world = lakeside.handshaker.chain.anchored()
        assert terminal.run("restore", folder, exit_code=1)["error"]["code"] == "instance-in-use"
    lakeside.handshaker.close()
    assert terminal.run("restore", folder, exit_code=1)["error"]["code"] == "instance-taken"

    restored = terminal.run("restore", folder, "--replace")
    assert restored["held"]
    assert restored["log"]["kept"] == made["log_size"]
    assert restored["log"]["lost"] == {"first": made["log_size"], "last": lost_world.size - 1}
    assert restored["effects"]["unknown"] == {"HealthRecords.Recorded": 3}
    assert len(restored["aside"]) == 2

    reopened(lakeside)
    with terminal.worker():
        # It waits, and so does everybody: for as long as a dozen passes take.
        time.sleep(2)
        assert lakeside.handshaker.store.log.size() == made["log_size"]
        assert lakeside.handshaker.chain.anchored() == lost_world
        assert terminal.run("restore", "--accept-loss", "--as", "nurse", exit_code=1)["error"]["code"] == (
            "role-not-allowed"
        )
        accepted = terminal.run("restore", "--accept-loss", "--as", "administrator")
        assert accepted["log"]["declaredAt"] == lost_world.size
        fresh = lakeside.measure()
        wait_until(lambda: lakeside.ack(fresh) is not None and is_anchored(lakeside))
    for each in before:
        ack = lakeside.ack(each)
        assert ack is None or ack.code == "effect"
    anchored = lakeside.handshaker.chain.anchored()
    tree = CompactRange()
    tree.extend(lakeside.handshaker.store.log.leaf_hashes(0, anchored.size))
    assert anchored.root == tree.root()
    assert anchored.size > lost_world.size
    assert terminal.run("verify")["verified"]
