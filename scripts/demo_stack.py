"""``handshaker up`` over an instance of its own, for what looks at the web application from outside."""

from __future__ import annotations

import json
import os
import secrets
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import Any

from handshaker import Handshaker, make_handshaker, read_settings
from handshaker.demo import SHARED
from handshaker.login_files import KeptLogin, LoginFiles
from handshaker.token_files import TokenFiles
from handshaker.tokens import Credential
from handshaker.totp import STEP, code_at
from handshaker.waiting import wait_for

ROOT = Path(__file__).resolve().parent.parent
_PATIENCE = 120
_GRACE = 30


@dataclass
class DemoStack:
    """A demo hospital that runs: chain, worker and web application."""

    url: str
    instance: Path
    patients: dict[str, str]
    """Label → pseudonym, as in ``handshaker.demo``."""
    practitioners: dict[str, str]
    handshaker: Handshaker = field(repr=False)
    """The same instance, in this process."""
    _steps: dict[str, int] = field(default_factory=dict, repr=False)

    def login(self, label: str) -> KeptLogin:
        """Return with what a demo person logs in."""
        found = LoginFiles(self.instance / "logins").find(label)
        assert found is not None, label
        return found

    def code(self, label: str) -> str:
        """Return a one-time password that was not used yet; waits for the next one if need be."""
        secret = self.login(label).totp_secret
        if not secret:
            return ""
        # A code serves once, and may be a step early.
        while (step := max(self._step(), self._steps.get(label, 0) + 1)) > self._step() + 1:
            time.sleep(0.2)
        self._steps[label] = step
        now = self.handshaker.clock.now()
        return code_at(secret, now.fromtimestamp(step * STEP, now.tzinfo))

    def token(self, label: str) -> str:
        """Return a demo person's bearer token."""
        found = TokenFiles(self.instance / "tokens").find(label)
        assert found is not None, label
        return found

    def credential(self, label: str) -> Credential:
        """Return a demo person as the library knows them."""
        return self.handshaker.tokens.authenticate(self.token(label))

    def consent(self, label: str, organisation: int = 1) -> None:
        """Let a demo patient allow an organisation what the demo's patients allow; returns when that is valid."""
        payload = {
            "grantee": f"organisation/{organisation}",
            "purpose": "TREAT",
            "read": SHARED,
            "write": SHARED,
            "notAfter": (self.handshaker.clock.now() + timedelta(days=300)).strftime("%Y-%m-%dT00:00:00Z"),
        }
        request = {"template": "consent-grant", "idempotencyKey": secrets.token_hex(8), "payload": payload}
        ti_id = self.handshaker.intake.submit(request, self.credential(label)).ti_id
        found = wait_for(self.handshaker.store, [ti_id], _PATIENCE)
        assert str(found[ti_id].kind) == "valid"

    def _step(self) -> int:
        return int(self.handshaker.clock.now().timestamp()) // STEP


@contextmanager
def demo_stack(folder: Path, **settings: str) -> Iterator[DemoStack]:
    """Start everything on free ports over ``folder``/instance, and stop it whatever happens.

    ``settings`` are those of the environment without their prefix. Raises ``RuntimeError`` with what was said when it
    does not come up.
    """
    instance = folder / "instance"
    own = {f"HANDSHAKER_{name.upper()}": value for name, value in settings.items()}
    environment = {name: value for name, value in os.environ.items() if not name.startswith("HANDSHAKER_")}
    with (folder / "up.out").open("wb") as out, (folder / "up.err").open("wb") as err:
        process = subprocess.Popen(
            [sys.executable, "-m", "handshaker", "up", "--port", "0", "--web-port", "0", "--json"],
            env=environment | own | {"HANDSHAKER_INSTANCE": str(instance)},
            stdout=out,
            stderr=err,
            cwd=ROOT,
        )
    try:
        answer = _answer(process, folder)
        places = {name: settings[name] for name in ("store_url", "vault_url") if name in settings}
        handshaker = make_handshaker(read_settings(instance=instance, chain_url=answer["chain"], demo=True, **places))
        try:
            yield DemoStack(answer["web"], instance, answer["patients"], answer["practitioners"], handshaker)
        finally:
            handshaker.close()
    finally:
        _stop(process)


def _answer(process: subprocess.Popen[bytes], folder: Path) -> dict[str, Any]:
    until = time.monotonic() + _PATIENCE
    while not (said := (folder / "up.out").read_bytes()).endswith(b"}\n"):
        if process.poll() is not None or time.monotonic() > until:
            raise RuntimeError(f"handshaker up did not come up:\n{(folder / 'up.err').read_text()}")
        time.sleep(0.05)
    answer: dict[str, Any] = json.loads(said)
    return answer


def _stop(process: subprocess.Popen[bytes]) -> None:
    process.send_signal(signal.SIGTERM)
    try:
        process.wait(_GRACE)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
