"""A hospital on a node of its own: one nurse, and patients who consented. It leaves nothing behind."""

from __future__ import annotations

import json
import os
import select
import sqlite3
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from tenacity import retry, retry_if_exception_type, stop_after_attempt, wait_fixed

from handshaker.bootstrap import Handshaker, make_handshaker
from handshaker.errors import ChainError
from handshaker.ethereum.anvil import AnvilNode
from handshaker.ethereum.chain import EthereumChain, connect
from handshaker.ethereum.deployer import deploy, fund
from handshaker.ethereum.ganache import GanacheNode
from handshaker.messages import Json
from handshaker.settings import read_settings
from handshaker.tokens import Credential
from handshaker.worker_lock import working

NODES = ("ganache", "anvil")
PATIENCE = 90.0
"""Seconds that anything may take before the run is given up."""
_PAUSE = 0.002
_ETHER = 10**18
_CONSENT = {
    "grantee": "organisation/1",
    "purpose": "TREAT",
    "read": ["all"],
    "write": ["vital-signs"],
    "notAfter": "2100-01-01T00:00:00Z",
}


class BenchmarkFailed(Exception):
    """A run that cannot be finished; the message says why."""


@dataclass(frozen=True)
class Ward:
    """The hospital, with the token of the nurse who measures."""

    handshaker: Handshaker
    kind: str
    """``ganache`` or ``anvil``."""
    url: str
    node_key: bytes
    """Private key of an account with money."""
    nurse_token: str
    nurse: Credential
    patients: tuple[str, ...]
    """Pseudonyms of patients who allow the house to write vital signs."""

    def request(self, number: int, run: str) -> bytes:
        """Return the body of a request that records a blood pressure of the patient whose turn it is."""
        return json.dumps(
            {
                "template": "vital-signs",
                "patient": self.patients[number % len(self.patients)],
                "idempotencyKey": f"{run}/{number}",
                "payload": blood_pressure(100 + number % 60, 60 + number % 30),
            }
        ).encode()

    def wait_until_done(self) -> None:
        """Return when every TI has its ACK, which is when the queue is empty. Raises ``BenchmarkFailed``."""
        self._wait("SELECT NOT EXISTS (SELECT 1 FROM queue)")

    def wait_for(self, ti_id: str) -> None:
        """Return when this TI has its ACK. Raises ``BenchmarkFailed``."""
        self._wait("SELECT EXISTS (SELECT 1 FROM acknowledgements WHERE ti_id = ?)", ti_id)

    def _wait(self, query: str, *values: str) -> None:
        # Past the store, and with one connection: who waits must not take the cores from those who work.
        file = self.handshaker.settings.instance / "handshaker.db"
        until = time.monotonic() + PATIENCE
        with closing(sqlite3.connect(f"file:{file}?mode=ro", uri=True)) as connection:
            while not connection.execute(query, values).fetchone()[0]:
                if time.monotonic() > until:
                    raise BenchmarkFailed(f"Not all was acknowledged within {PATIENCE:.0f} seconds.")
                time.sleep(_PAUSE)

    def valid(self) -> int:
        """Return how many TIs were acknowledged as valid."""
        return sum(count for (verdict, _), count in self.handshaker.store.audit.counts().items() if verdict == "valid")


def blood_pressure(systolic: int, diastolic: int) -> dict[str, Json]:
    """Return a FHIR R4 Observation, values in mm[Hg]."""

    def part(code: str, value: int) -> dict[str, Json]:
        unit = {"value": value, "unit": "mmHg", "system": "http://unitsofmeasure.org", "code": "mm[Hg]"}
        return {"code": {"coding": [{"system": "http://loinc.org", "code": code}]}, "valueQuantity": unit}

    return {
        "resourceType": "Observation",
        "status": "final",
        "code": {"coding": [{"system": "http://loinc.org", "code": "85354-9"}]},
        "effectiveDateTime": "2026-11-21T08:30:00Z",
        "component": [part("8480-6", systolic), part("8462-4", diastolic)],
    }


@contextmanager
def ward(kind: str, patients: int) -> Iterator[Ward]:
    """Start a node of that kind, deploy, and register everybody through the pipeline itself."""
    with tempfile.TemporaryDirectory(prefix="handshaker-bench-") as name:
        folder = Path(name)
        with GanacheNode(folder, port=0) if kind == "ganache" else AnvilNode() as node:
            key = node.funding_key() if isinstance(node, GanacheNode) else node.fund()
            settings = read_settings(instance=folder, chain_url=node.url)
            handshaker = make_handshaker(settings, chain=EthereumChain(connect(node.url)))
            try:
                yield _opened(handshaker, kind, node.url, key, patients)
            finally:
                handshaker.close()


@contextmanager
def worker(of: Ward, *, ask_first: bool | None = None) -> Iterator[None]:
    """Run a worker in a process of its own; it ends with the block, or with this process however that dies.

    ``ask_first`` overrules the profile of the chain.
    """
    settings = of.handshaker.settings
    environment = {
        **{name: value for name, value in os.environ.items() if not name.startswith("HANDSHAKER_")},
        "HANDSHAKER_INSTANCE": str(settings.instance),
        "HANDSHAKER_CHAIN_URL": of.url,
        "HANDSHAKER_LOG_LEVEL": "ERROR",
        **({} if ask_first is None else {"HANDSHAKER_ASK_FIRST": str(ask_first)}),
    }
    process = subprocess.Popen(
        [sys.executable, "-m", "handshaker", "work", "--attached", "--json"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        env=environment,
    )
    assert process.stdin is not None
    assert process.stdout is not None
    try:
        if not select.select([process.stdout], [], [], PATIENCE)[0] or not process.stdout.readline():
            raise BenchmarkFailed("The worker did not start.")
        yield
    finally:
        process.stdin.close()
        try:
            process.wait(10)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
        process.stdout.close()


def _opened(handshaker: Handshaker, kind: str, url: str, node_key: bytes, patients: int) -> Ward:
    handshaker.templates.install_shipped()
    (first, token), (second, _) = (handshaker.registrar.enroll_administrator(f"Administrator {n}") for n in (1, 2))
    deployer, relayer = (handshaker.vault.create_relayer(name) for name in ("deployer", handshaker.settings.worker))
    for account in (deployer, relayer):
        fund(handshaker.chain, node_key, account, 1000 * _ETHER)
    handshaker.adopt(
        deploy(
            handshaker.chain,
            deployer,
            lambda digest: handshaker.vault.sign_as_relayer(deployer, digest),
            [first.address, second.address],
            [relayer],
        )
    )
    registrar, administrator = handshaker.registrar, handshaker.tokens.authenticate(token)
    registrar.register_organisation(administrator, 1, "Lakeside")
    licence = datetime(2100, 1, 1, tzinfo=UTC)
    nurse = registrar.register_practitioner(administrator, "Nurse", "nurse", 1, licence)
    people = [
        registrar.register_patient(
            administrator, {"resourceType": "Patient", "name": [{"family": f"Bench {n}"}]}, f"bench|{n}"
        )
        for n in range(patients)
    ]
    made = Ward(
        handshaker,
        kind,
        url,
        node_key,
        nurse.token or "",
        handshaker.tokens.authenticate(nurse.token or ""),
        tuple(person.actor_id for person in people),
    )
    with working(handshaker):
        made.wait_until_done()
        for person in people:
            _consent(handshaker, person.token or "")
        made.wait_until_done()
    if made.valid() != 2 + 2 * patients:
        raise BenchmarkFailed("The hospital could not be set up: not every registration and consent is valid.")
    return made


@retry(retry=retry_if_exception_type(ChainError), stop=stop_after_attempt(5), wait=wait_fixed(0.1), reraise=True)
def _consent(handshaker: Handshaker, token: str) -> None:
    """Submit a patient's consent; again where Anvil, while it mines, cannot say what its newest block holds."""
    request = {"template": "consent-grant", "idempotencyKey": "consent", "payload": _CONSENT}
    handshaker.intake.submit(request, handshaker.tokens.authenticate(token))
