"""The web application and workers as processes of their own over an instance of tests, and what they write."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import requests

from tests.instances import Instance

ROOT = Path(__file__).resolve().parents[2]
PATIENCE = 60.0


@dataclass
class Service:
    """One process; its log goes to a file."""

    process: subprocess.Popen[bytes]
    said: dict[str, Any]
    """Its first words: where it listens."""
    errors: Path

    @property
    def text(self) -> str:
        return self.errors.read_text()

    @property
    def lines(self) -> list[dict[str, Any]]:
        """Its log, where that is JSON: every line of it."""
        return [json.loads(line) for line in self.text.splitlines()]

    def stop(self, number: signal.Signals = signal.SIGTERM) -> int:
        self.process.send_signal(number)
        return self.process.wait(PATIENCE)


@contextmanager
def worker(instance: Instance, *words: str, **settings: str) -> Iterator[Service]:
    """A worker that carries."""
    with _service(instance, ["handshaker", "work", "--json", *words], settings) as found:
        yield found


@contextmanager
def web(instance: Instance, **settings: str) -> Iterator[Service]:
    """The web application on a free port."""
    with _service(instance, ["webapp", "--json"], {"web_port": "0", "web_rate_limits": "0"} | settings) as found:
        yield found


@contextmanager
def _service(instance: Instance, module: list[str], settings: dict[str, str]) -> Iterator[Service]:
    plain = {name: value for name, value in os.environ.items() if not name.startswith("HANDSHAKER_")}
    chain = {"chain_url": str(instance.node.url_or_provider)}
    ours = {f"HANDSHAKER_{name.upper()}": value for name, value in (chain | instance.places() | settings).items()}
    errors = instance.folder / f"{module[0]}-{time.monotonic_ns()}.log"
    with errors.open("wb") as log:
        process = subprocess.Popen(
            [sys.executable, "-m", *module], env=plain | ours, stdout=subprocess.PIPE, stderr=log, cwd=ROOT
        )
    try:
        yield Service(process, _first_words(process, errors), errors)
    finally:
        if process.poll() is None:
            process.kill()
        process.wait()


def _first_words(process: subprocess.Popen[bytes], errors: Path) -> dict[str, Any]:
    assert process.stdout is not None
    text = b""
    for line in process.stdout:
        text += line
        if line.rstrip().endswith(b"}"):
            break
    assert text, errors.read_text()
    found: dict[str, Any] = json.loads(text)
    return found


def wait_until(seen: Callable[[], Any], *services: Service) -> Any:
    """Return what is seen, waited for; the services must live."""
    deadline = time.monotonic() + PATIENCE
    while not (found := seen()):
        for service in services:
            assert service.process.poll() is None, service.text
        assert time.monotonic() < deadline, [service.text for service in services]
        time.sleep(0.02)
    return found


def call(service: Service, method: str, path: str, token: str = "", **more: Any) -> requests.Response:
    """Call the API of a web application."""
    headers = {"Authorization": f"Bearer {token}"} if token else {}
    headers |= more.pop("headers", {})
    return requests.request(method, f"{service.said['url']}/api/v1{path}", headers=headers, timeout=PATIENCE, **more)
