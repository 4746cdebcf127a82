"""One run: every measurement, as one JSON document."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from typing import Any

from benchmarks.gas import measure_gas
from benchmarks.machine import commit, machine, versions
from benchmarks.parts import measure_parts
from benchmarks.pipeline import PATIENTS, Step, measure_node
from benchmarks.verification import measure_verification
from benchmarks.ward import NODES

FORMAT = 1
Result = dict[str, Any]
"""``{"format", "date", "commit", "machine", "versions", "throughput", "latency", "gas", "parts", "verification"}``."""


@dataclass(frozen=True, slots=True)
class Size:
    """How much is measured."""

    name: str
    records: dict[str, int]
    """Records of a round, by node."""
    rounds: int
    requests: int
    """Requests whose latency is measured."""
    part_seconds: float
    entries: int
    """Of the audit log that is verified."""
    patients: int = PATIENTS

    def steps(self, nodes: Sequence[str]) -> int:
        """Return how often a run of this size on ``nodes`` tells its ``step``."""
        return len(nodes) * (2 * self.rounds + 2) + 3


WHOLE = Size("whole", {"ganache": 100, "anvil": 200}, rounds=3, requests=200, part_seconds=1.0, entries=200_000)
QUICK = Size("quick", {"ganache": 20, "anvil": 50}, rounds=1, requests=20, part_seconds=0.1, entries=10_000)


def run(size: Size, step: Step, nodes: Sequence[str] = NODES) -> Result:
    """Measure all; ``step`` hears of each part that is done. Raises ``BenchmarkFailed`` and ``HandshakerError``."""
    throughput, latency = [], []
    gas = measure_gas()
    step("gas of each operation")
    parts = measure_parts(size.part_seconds)
    step("rates of the parts")
    verification = measure_verification(size.entries, size.rounds)
    step("verification of the audit log")
    for kind in nodes:
        rates, seconds = measure_node(
            kind, size.records[kind], size.rounds, size.requests, step, patients=size.patients
        )
        throughput += rates
        latency.append(seconds)
    return {
        "format": FORMAT,
        "size": size.name,
        "date": datetime.now(UTC).isoformat(timespec="seconds"),
        "commit": commit(),
        "machine": machine(),
        "versions": versions(),
        "throughput": [asdict(item) for item in throughput],
        "latency": [asdict(item) for item in latency],
        "gas": [asdict(item) for item in gas],
        "parts": [asdict(item) for item in parts],
        "verification": asdict(verification),
    }
