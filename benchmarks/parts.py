"""Rates of the small parts on one core: what a record costs before it reaches the node."""

from __future__ import annotations

import secrets
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from statistics import median

from benchmarks.ward import blood_pressure
from handshaker.clinical.gates import check_payload
from handshaker.clock import SystemClock
from handshaker.commitments import canonical
from handshaker.ethereum.signatures import recover
from handshaker.ethereum.statements import digest, statement_type
from handshaker.generator import TransactionGenerator
from handshaker.messages import InitialTransaction
from handshaker.template_context import sample_context
from handshaker.template_manager import TemplateManager, shipped_documents
from handshaker.vault import SqlVault
from handshaker.vocabulary import ActorKind

ROUNDS = 3


@dataclass(frozen=True, slots=True)
class Part:
    """Something small, and how often a second it can be done."""

    name: str
    rate: float


class _NoStore:
    """Templates that are only parsed need no place to rest."""

    def add_template(self, *row: object) -> None:
        raise NotImplementedError

    def template_documents(self) -> list[tuple[str, int, str, str]]:
        return []


def measure_parts(seconds: float) -> list[Part]:
    """Measure each part for about ``seconds``."""
    with tempfile.TemporaryDirectory(prefix="handshaker-bench-") as name:
        folder = Path(name)
        vault = SqlVault.open(f"sqlite:///{folder / 'vault.db'}", folder / "root.key", clock=SystemClock())
        try:
            return [Part(name, _rate(work, seconds)) for name, work in _parts(vault).items()]
        finally:
            vault.close()


def _parts(vault: SqlVault) -> dict[str, Callable[[], object]]:
    secret, context = secrets.token_bytes(32), b"where it belongs"
    vault.create_owner("patient")
    vault.create_signing_key("nurse", secret)
    relayer = vault.create_relayer("relayer")
    payload = blood_pressure(118, 76)
    plaintext = canonical(payload)
    sealed = vault.seal("patient", plaintext, context)
    document = next(found for found in shipped_documents() if found["name"] == "vital-signs")
    template = TemplateManager(_NoStore(), SystemClock()).parse(document)
    clock = SystemClock()
    ti = InitialTransaction(
        ti_id="ti",
        template=template.name,
        template_version=template.version,
        actor_id="nurse",
        patient_id=None,
        payload=payload,
        idempotency_key="key",
        received_at=clock.now(),
    )
    sample = replace(sample_context(ActorKind.PRACTITIONER, "nurse"), names={})
    generator = TransactionGenerator()
    words = generator.generate(ti, template, sample).words
    kind = statement_type("HealthRecords", "record")
    contract = "0x" + "11" * 20
    hashed = digest(kind.struct_hash(words), 1337, contract)
    signature = vault.sign("nurse", secret, hashed)
    return {
        f"seal a payload of {len(plaintext)} bytes": lambda: vault.seal("patient", plaintext, context),
        "unseal it": lambda: vault.unseal(sealed, context),
        "open a person's key and sign": lambda: vault.sign("nurse", secret, hashed),
        "open a relayer's key and sign": lambda: vault.sign_as_relayer(relayer, hashed),
        "hash a statement (EIP-712)": lambda: digest(kind.struct_hash(words), 1337, contract),
        "encode a statement's calldata": lambda: kind.calldata(words, signature),
        "recover a signer": lambda: recover(hashed, signature),
        "canonical form of the payload": lambda: canonical(payload),
        "schema, FHIR and plausibility gates": lambda: check_payload(payload, template),
        "generate the whole contract call": lambda: generator.generate(ti, template, sample),
    }


def _rate(work: Callable[[], object], seconds: float) -> float:
    """Return the median rate of a few rounds, a second."""
    work()
    rates = []
    for _ in range(ROUNDS):
        count, started = 0, time.perf_counter()
        while (elapsed := time.perf_counter() - started) < seconds / ROUNDS:
            work()
            count += 1
        rates.append(count / elapsed)
    return median(rates)
