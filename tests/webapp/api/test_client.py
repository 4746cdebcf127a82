"""The example client, as it stands in `examples/`, against the server that serves in earnest."""

from __future__ import annotations

import json
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
import requests
from waitress import wasyncore
from waitress.server import create_server

from tests.instances import Instance
from tests.webapp.api.conftest import make_api
from webapp.api.streams import Patience

EXAMPLES = Path(__file__).resolve().parents[3] / "examples"
CLIENT = EXAMPLES / "handshaker_client.py"


@pytest.fixture(scope="module")
def server(hospital: Instance) -> Iterator[str]:
    """The address of a server in this process."""
    app = make_api(hospital)
    app.extensions["api-patience"] = Patience(pause=0.01, heartbeat=0.05, longest=60)
    sockets: dict[int, Any] = {}
    listening: Any = create_server(app, host="127.0.0.1", port=0, threads=32, map=sockets)
    ended = threading.Event()

    def serve() -> None:
        while not ended.is_set():
            wasyncore.loop(timeout=0.1, map=sockets, count=1)
        listening.task_dispatcher.shutdown()
        wasyncore.close_all(sockets)

    thread = threading.Thread(target=serve)
    thread.start()
    yield f"http://127.0.0.1:{listening.effective_port}"
    ended.set()
    thread.join()


@pytest.fixture
def token_file(hospital: Instance, tmp_path: Path) -> Path:
    path = tmp_path / "nurse.token"
    path.write_text(hospital.tokens["nurse"] + "\n")
    return path


def ran(hospital: Instance, *arguments: object) -> tuple[int, str, str]:
    """Run the client, with a worker beside it, and return its exit code and what it said."""
    command = [sys.executable, str(CLIENT), *map(str, arguments)]
    with subprocess.Popen(command, text=True, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
        while process.poll() is None:
            hospital.worker.step()
            time.sleep(0.01)
        assert process.stdout is not None
        assert process.stderr is not None
        return process.returncode, process.stdout.read(), process.stderr.read()


def test_it_is_short_enough_to_be_read() -> None:
    assert len(CLIENT.read_text().splitlines()) <= 60


def test_it_hands_in_follows_and_lists(server: str, token_file: Path, hospital: Instance) -> None:
    patient, payload = hospital.consented.actor.actor_id, EXAMPLES / "blood-pressure.json"

    code, said, complained = ran(hospital, server, token_file, "vital-signs", payload, patient)

    assert (code, complained) == (0, "")
    lines = said.splitlines()
    assert lines[0] == "received"
    assert lines.index("valid") == lines.index("It took effect on the chain: Recorded.") - 1
    assert "valid vital-signs@1 It took effect on the chain: Recorded." in lines[-1]


def test_a_problem_becomes_an_exception(server: str, token_file: Path, hospital: Instance, tmp_path: Path) -> None:
    payload = tmp_path / "payload.json"
    payload.write_text(json.dumps({"resourceType": "Observation"}))

    code, _, complained = ran(hospital, server, token_file, "vital-signs", payload, hospital.consented.actor.actor_id)

    assert code == 1
    assert complained.splitlines()[-1].startswith("Problem: The entry does not have the form that is asked for: ")


def test_a_client_that_goes_away_frees_its_place(server: str, hospital: Instance) -> None:
    headers = {"Authorization": f"Bearer {hospital.tokens['nurse']}", "Accept": "text/event-stream"}
    ti_id = hospital.measure().ti_id
    address = f"{server}/api/v1/transactions/{ti_id}/events"
    with requests.Session() as session:
        opened = [session.get(address, headers=headers, stream=True, timeout=30) for _ in range(8)]
        assert {answer.status_code for answer in opened} == {200}
        refused = requests.get(address, headers=headers, timeout=30)
        assert (refused.status_code, refused.json()["code"]) == (503, "streams-exhausted")
        for answer in opened:
            answer.close()

    _until(lambda: requests.get(address, headers=headers, stream=True, timeout=30).status_code == 200)
    hospital.drain()


def _until(is_so: Callable[[], bool]) -> None:
    until = time.monotonic() + 20
    while not is_so():
        assert time.monotonic() < until
        time.sleep(0.02)


def test_slow_and_broken_requests_get_an_answer(server: str) -> None:
    host, port = server.removeprefix("http://").split(":")
    with closing(socket.create_connection((host, int(port)), timeout=30)) as connection:
        connection.sendall(b"POST /api/v1/transactions HTTP/1.1\r\nHost: localhost\r\nContent-Length: 2\r\n\r\n{}")
        assert connection.recv(64).startswith(b"HTTP/1.1 401")
