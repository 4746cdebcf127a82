"""Several workers on one database, and workers that are killed for real: on a real Ganache."""

from __future__ import annotations

import logging
import os
import random
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator

import pytest

from handshaker.bootstrap import make_handshaker
from handshaker.errors import HandshakerError
from handshaker.ethereum.chain import EthereumChain
from handshaker.ethereum.deployer import fund
from tests.databases import Databases
from tests.handshaker.pipeline.test_kills import assert_every_nonce_is_accounted_for, assert_one_effect_and_one_ack
from tests.instances import ETHER, Instance, make_instance
from tests.nodes import Node

pytestmark = pytest.mark.ganache


@pytest.fixture(scope="module")
def lakeside(databases: Databases, ganache_node: Node, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Instance]:
    instance = make_instance(tmp_path_factory.mktemp("workers"), ganache_node)
    yield instance
    instance.close()


def test_two_workers_on_one_database_carry_everything_once(
    lakeside: Instance, caplog: pytest.LogCaptureFixture
) -> None:
    handshaker, names = lakeside.handshaker, ("worker-1", "worker-2")
    second = handshaker.vault.create_relayer("worker-2")
    fund(handshaker.chain, lakeside.node.fund(), second, 10 * ETHER)
    stop = threading.Event()
    # As two machines would: each with connections and caches of its own.
    machines = [make_handshaker(handshaker.settings, chain=EthereumChain(lakeside.node.provider)) for _ in names]
    workers = [machine.worker(name) for machine, name in zip(machines, names, strict=True)]
    threads = [threading.Thread(target=worker.run, args=(stop,)) for worker in workers]
    for thread in threads:
        thread.start()
    try:
        submissions = [
            (lakeside.measure(patient), code)
            for _ in range(20)
            for patient, code in ((lakeside.consented, "effect"), (lakeside.silent, "not-permitted"))
        ]
        deadline = time.monotonic() + 60
        while handshaker.store.queue.counts() and time.monotonic() < deadline:
            time.sleep(0.02)
    finally:
        stop.set()
        for thread in threads:
            thread.join()
    # An ACK comes from the walk, before its transaction is settled: the workers may have been stopped in between.
    network = handshaker.store.network
    while any(network.unsettled(worker._validator.relayer) for worker in workers) and time.monotonic() < deadline:
        for worker in workers:
            worker.step()
    for machine in machines:
        machine.close()
    assert [record.getMessage() for record in caplog.records if record.levelno > logging.INFO] == []
    for submission, code in submissions:
        assert_one_effect_and_one_ack(lakeside, submission, code)
    for name in names:
        assert_every_nonce_is_accounted_for(lakeside, name)


def test_a_worker_process_killed_at_random_moments_loses_and_doubles_nothing(lakeside: Instance) -> None:
    settings = lakeside.places() | {"chain_url": str(lakeside.node.url_or_provider)}
    environment = os.environ | {f"HANDSHAKER_{name.upper()}": value for name, value in settings.items()}
    # Through the shell's own words: the program that people start.
    command = [sys.executable, "-m", "handshaker", "work"]
    submissions = []
    chance = random.Random(7)
    for _ in range(4):
        submissions += [(lakeside.measure(), "effect") for _ in range(6)]
        submissions += [(lakeside.measure(lakeside.silent), "not-permitted") for _ in range(2)]
        before = len(lakeside.handshaker.store.log.entries(0, 10**9))
        with subprocess.Popen(
            command, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
        ) as process:
            deadline = time.monotonic() + 30
            while process.poll() is None and time.monotonic() < deadline:
                # The first sign of life in the database, and a moment more.
                if lakeside.handshaker.store.queue.counts().get("in-flight") or (
                    len(lakeside.handshaker.store.log.entries(0, 10**9)) > before
                ):
                    break
                time.sleep(0.002)
            time.sleep(chance.random() * 0.05)
            process.send_signal(signal.SIGKILL)
        assert process.returncode == -signal.SIGKILL
    lakeside.restart()
    for submission, code in submissions:
        lakeside.acknowledged(submission)
        assert_one_effect_and_one_ack(lakeside, submission, code)
    lakeside.steps(2)
    assert_every_nonce_is_accounted_for(lakeside)


def test_the_next_process_finds_the_lock_of_the_dead_one_free(lakeside: Instance) -> None:
    from handshaker.worker_lock import claim

    with claim(lakeside.handshaker.settings.instance, "worker-1", lakeside.handshaker.store):
        with (
            pytest.raises(HandshakerError, match="runs already"),
            claim(lakeside.handshaker.settings.instance, "worker-1", lakeside.handshaker.store),
        ):
            pass
        with claim(lakeside.handshaker.settings.instance, "worker-2", lakeside.handshaker.store):
            pass
