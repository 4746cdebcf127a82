"""Told to stop, a process finishes what it has begun, holds on to nothing, and ends with 0; told twice, at once."""

from __future__ import annotations

import json
import os
import secrets
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import requests
import sqlalchemy as sa

from tests.databases import Databases
from tests.instances import Instance, blood_pressure, make_instance
from tests.integration.services import ROOT, Service, call, wait_until, web, worker
from tests.nodes import Node, anvil

MANY = 100
UNANCHORED = {"anchor_seconds": "1e9", "anchor_entries": "1000000000"}


@pytest.fixture(scope="module")
def shared(databases: Databases, ganache_node: Node, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Instance]:
    found = make_instance(tmp_path_factory.mktemp("stopping"), ganache_node)
    yield found
    found.close()


@pytest.fixture
def instance(shared: Instance) -> Iterator[Instance]:
    """A hospital in which nothing waits."""
    yield shared
    shared.restart()
    shared.drain()


def acknowledgements(instance: Instance) -> int:
    return sum(instance.handshaker.store.audit.counts().values())


def leased(instance: Instance) -> int:
    return instance.handshaker.store.figures.leased(instance.clock.now())


@pytest.mark.ganache
@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_worker_under_load_gives_back_what_it_has_taken_and_loses_nothing(
    instance: Instance, number: signal.Signals
) -> None:
    before = acknowledgements(instance)
    tis = [instance.measure().ti_id for _ in range(MANY)]
    with worker(instance, **UNANCHORED) as first:
        wait_until(lambda: acknowledgements(instance) > before, first)
        assert first.stop(number) == 0
    assert acknowledgements(instance) < before + MANY, "it was stopped in the middle"
    assert leased(instance) == 0
    assert "has stopped" in first.text
    with worker(instance, **UNANCHORED) as second:
        wait_until(lambda: not instance.handshaker.store.queue.counts(), second)
        assert second.stop() == 0
    assert acknowledgements(instance) == before + MANY
    assert all(instance.handshaker.store.audit.acknowledgement(ti) is not None for ti in tis)


@pytest.mark.anvil
def test_a_second_signal_does_not_wait_for_a_node_that_does_not_answer(databases: Databases, tmp_path: Path) -> None:
    with anvil() as node:
        instance = make_instance(tmp_path, node)
        with worker(instance, "--metrics-port", "0", **UNANCHORED) as service:
            wait_until(lambda: passes(service) > 0, service)
            pid = listener(str(node.url_or_provider))
            os.kill(pid, signal.SIGSTOP)
            try:
                wait_until(lambda: stands(service))
                service.process.send_signal(signal.SIGTERM)
                with pytest.raises(subprocess.TimeoutExpired):
                    service.process.wait(1)
                service.process.send_signal(signal.SIGTERM)
                assert service.process.wait(5) == 128 + signal.SIGTERM
            finally:
                os.kill(pid, signal.SIGCONT)
        instance.close()


def passes(service: Service) -> int:
    text = requests.get(f"http://127.0.0.1:{service.said['metricsPort']}/metrics", timeout=10).text
    (line,) = [line for line in text.splitlines() if line.startswith("handshaker_passes_total ")]
    return int(float(line.split()[1]))


def stands(service: Service) -> bool:
    """Whether the worker waits in the middle of a pass."""
    before = passes(service)
    time.sleep(0.2)
    return passes(service) == before


def listener(url: str) -> int:
    """The process that listens on the port of a node."""
    port = int(url.rpartition(":")[2])
    inode = next(
        fields[9]
        for line in Path("/proc/net/tcp").read_text().splitlines()[1:]
        if (fields := line.split())[1].endswith(f":{port:04X}") and fields[3] == "0A"
    )
    for link in Path("/proc").glob("[0-9]*/fd/*"):
        try:
            if os.readlink(link) == f"socket:[{inode}]":
                return int(link.parts[2])
        except OSError:
            continue
    raise AssertionError(f"nobody listens on {port}")


HANGING = """
import os, signal, sys, threading
from handshaker import make_handshaker, read_settings
from handshaker.cli.stopping import bounded, stop_on_signals
stop = stop_on_signals()
handshaker = make_handshaker(read_settings())
worker = handshaker.worker()
with bounded(stop, worker.release, 0.2):
    taken = handshaker.store.queue.take(worker._lease, handshaker.clock.now(), 100)
    print(len(taken), flush=True)
    threading.Event().wait()
"""


@pytest.mark.ganache
def test_a_pass_that_does_not_end_is_left_to_the_next_life_and_its_leases_are_given_back(instance: Instance) -> None:
    for _ in range(3):
        instance.measure()
    ours = {f"HANDSHAKER_{name.upper()}": value for name, value in instance.places().items()}
    ours["HANDSHAKER_CHAIN_URL"] = str(instance.node.url_or_provider)
    process = subprocess.Popen(
        [sys.executable, "-c", HANGING], env=os.environ | ours, stdout=subprocess.PIPE, text=True, cwd=ROOT
    )
    try:
        assert process.stdout is not None
        assert process.stdout.readline() == "3\n"
        assert leased(instance) == 3
        process.send_signal(signal.SIGTERM)
        assert process.wait(20) == 0
    finally:
        process.kill()
        process.wait()
    assert leased(instance) == 0


class Client(threading.Thread):
    """Hands in one reading after the other, and keeps what it was told of each."""

    def __init__(self, service: Service, instance: Instance, stop: threading.Event) -> None:
        super().__init__()
        self._service, self._instance, self._enough = service, instance, stop
        self.answered: dict[str, str] = {}
        """Idempotency key → TI."""
        self.refused: list[str] = []
        """Keys whose request was never answered: the connection was refused or ended before."""
        self.odd: list[Any] = []

    def run(self) -> None:
        while not self._enough.is_set():
            key = secrets.token_hex(8)
            try:
                answer = self.hand_in(self._service, key)
            except requests.ConnectionError:
                self.refused.append(key)
                return
            if answer.status_code == 202:
                self.answered[key] = answer.json()["id"]
            else:
                self.odd.append(answer.text)

    def hand_in(self, service: Service, key: str) -> requests.Response:
        body = {
            "template": "vital-signs",
            "patient": self._instance.consented.actor.actor_id,
            "payload": blood_pressure(),
            "idempotencyKey": key,
        }
        return call(service, "POST", "/transactions", self._instance.tokens["nurse"], json=body)


@pytest.mark.ganache
def test_a_web_application_under_load_answers_who_has_asked_and_loses_nothing(instance: Instance) -> None:
    enough = threading.Event()
    with web(instance) as service:
        clients = [Client(service, instance, enough) for _ in range(6)]
        for client in clients:
            client.start()
        wait_until(lambda: all(len(client.answered) >= 3 for client in clients), service)
        assert service.stop() == 0
        enough.set()
        for client in clients:
            client.join(30)
            assert not client.is_alive()
    assert [client.odd for client in clients] == [[]] * len(clients)
    found = instance.handshaker.store.explorer
    for client in clients:
        assert all(found.row(ti) is not None for ti in client.answered.values())
    with web(instance) as again:
        for client in clients:
            for key in client.refused:
                assert client.hand_in(again, key).status_code == 202
        assert again.stop() == 0
    with instance.handshaker.store._database.read() as connection:
        query = sa.text("SELECT count(*) FROM queue")
        waiting = connection.execute(query).scalar_one()
    assert waiting == sum(len(client.answered) + len(client.refused) for client in clients), "each of them once"


@pytest.mark.ganache
def test_a_web_application_that_stops_ends_its_streams_properly(instance: Instance) -> None:
    submission = instance.measure()
    with web(instance) as service:
        path = f"/transactions/{submission.ti_id}/events"
        headers = {"Accept": "text/event-stream"}
        stream = call(service, "GET", path, instance.tokens["nurse"], headers=headers, stream=True)
        lines = stream.iter_lines()
        assert next(line for line in lines if line.startswith(b"data:"))
        service.process.send_signal(signal.SIGTERM)
        rest = list(lines)
        assert service.process.wait(20) == 0
    assert not [line for line in rest if line.startswith(b"data:")], "an end, and no broken chunk"
    assert "not answered" not in service.text


@pytest.mark.ganache
def test_who_starts_to_ask_after_the_signal_is_not_let_in(instance: Instance) -> None:
    with web(instance) as service:
        assert call(service, "GET", "/health/live").json() == {"status": "live"}
        assert service.stop() == 0
        with pytest.raises(requests.ConnectionError):
            call(service, "GET", "/health/live")
    assert json.loads(json.dumps(service.said))["url"].startswith("http://localhost:")
