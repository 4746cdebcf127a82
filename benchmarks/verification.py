"""How fast the audit log is verified: the recomputation from the database, with seals and every row, but no chain."""

from __future__ import annotations

import resource
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

from benchmarks.log import write_log
from benchmarks.ward import BenchmarkFailed
from handshaker.clock import SystemClock
from handshaker.settings import read_settings
from handshaker.store.sequencer import Sequencer
from handshaker.store.sql_store import SqlStore
from handshaker.vault.sql_vault import SqlVault
from handshaker.verifying import verifier

GOAL = 20_000
"""Entries a second that a verification is to recompute."""


@dataclass(frozen=True, slots=True)
class Verification:
    """Entries a second, one figure a round."""

    entries: int
    rates: list[float]
    core_rates: list[float]
    """The same for a second of one core's time: what the machine's other users do does not count."""
    memory_mib: int
    """The most that the whole process ever had; a log is never in it as a whole."""
    goal: int = GOAL


def measure_verification(entries: int, rounds: int) -> Verification:
    """Write a log on SQLite, and verify it some times. Raises ``BenchmarkFailed`` if it does not verify."""
    with tempfile.TemporaryDirectory(prefix="handshaker-bench-") as name:
        settings = read_settings(instance=Path(name) / "instance")
        vault = SqlVault.open(settings.vault, settings.root_key_path, clock=SystemClock())
        store = SqlStore.open(settings.store, vault.seal_entry)
        try:
            vault.sealed_from(0)
            write_log(store._database, Sequencer(vault.seal_entry), entries)
        finally:
            store.close()
            vault.close()
        rates, core_rates = [], []
        for _ in range(rounds):
            with verifier(settings, offline=True) as found:
                started = time.process_time()
                report = found.verify()
                core_rates.append(report.entries / (time.process_time() - started))
            if not report.is_proven:
                raise BenchmarkFailed("The log that was just written does not verify.")
            rates.append(report.rate)
        memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024
        return Verification(report.entries, rates, core_rates, memory)
