"""TI → ACK: how many a second, and how long one takes."""

from __future__ import annotations

import random
import time
from collections.abc import Callable
from dataclasses import dataclass
from statistics import median

from benchmarks.bare import BareNode
from benchmarks.ward import BenchmarkFailed, Ward, ward, worker

PATIENTS = 10
Step = Callable[[str], None]
"""Hears what was just measured."""


@dataclass(frozen=True, slots=True)
class Throughput:
    """Records a second, one figure a round; rounds with the pipeline and with the bare node take turns."""

    node: str
    asks_first: bool
    records: int
    """Of a round."""
    patients: int
    acknowledged: list[float]
    """From the first intake to the last ACK written."""
    intake: list[float]
    """From the first intake to the last, while the worker works."""
    bare: list[float]
    ratio: float
    """Median acknowledged : median bare."""


@dataclass(frozen=True, slots=True)
class Latency:
    """Seconds from the request to its ACK, one request at a time."""

    node: str
    requests: int
    pause: float
    """Mean seconds between an ACK and the next request."""
    p50: float
    p99: float
    worst: float


def measure_node(
    kind: str, records: int, rounds: int, requests: int, step: Step, patients: int = PATIENTS, pause: float = 0.05
) -> tuple[list[Throughput], Latency]:
    """Measure a node of that kind with and without asking first.

    The bare node is another process of the same kind, so that the worker does not follow its blocks.
    """
    with ward(kind, patients) as busy, ward(kind, patients) as other:
        step(f"{kind}: two hospitals")
        bare = BareNode(other)
        found = []
        for asks_first in (True, False):
            with worker(busy, ask_first=asks_first):
                _rates(busy, max(2, records // 10), f"warm-up/{asks_first}")
                bare.rate(max(2, records // 10))
                acknowledged, intake, alone = [], [], []
                for number in range(rounds):
                    together = _rates(busy, records, f"{asks_first}/{number}")
                    acknowledged.append(together[0])
                    intake.append(together[1])
                    alone.append(bare.rate(records))
                    step(f"{kind}: round {number + 1}, asking first: {'yes' if asks_first else 'no'}")
                if asks_first:
                    latency = _latency(busy, kind, requests, pause)
                    step(f"{kind}: latency")
            ratio = median(acknowledged) / median(alone)
            found.append(Throughput(kind, asks_first, records, patients, acknowledged, intake, alone, ratio))
        return found, latency


def _rates(busy: Ward, records: int, run: str) -> tuple[float, float]:
    """Return records a second from first intake to last ACK, and from first to last intake."""
    before = busy.valid()
    requests = [busy.request(number, run) for number in range(records)]
    started = time.perf_counter()
    for request in requests:
        _submit(busy, request)
    taken = time.perf_counter()
    busy.wait_until_done()
    done = time.perf_counter()
    if busy.valid() - before != records:
        raise BenchmarkFailed("Not every record was acknowledged as valid.")
    return records / (done - started), records / (taken - started)


def _latency(busy: Ward, kind: str, requests: int, pause: float) -> Latency:
    seconds = []
    for number in range(requests):
        # A pause of random length, or each request would meet the worker at the same point of its pass.
        time.sleep(random.uniform(0, 2 * pause))
        request = busy.request(number, "latency")
        started = time.perf_counter()
        ti_id = _submit(busy, request)
        busy.wait_for(ti_id)
        seconds.append(time.perf_counter() - started)
    seconds.sort()
    return Latency(kind, requests, pause, median(seconds), seconds[-(-requests * 99 // 100) - 1], seconds[-1])


def _submit(busy: Ward, request: bytes) -> str:
    """Do what a web request does: read the token, then pass intake."""
    submission = busy.handshaker.intake.submit(request, busy.handshaker.tokens.authenticate(busy.nurse_token))
    if submission.refusal is not None:
        raise BenchmarkFailed(f"A record was refused: {submission.refusal.code}.")
    return submission.ti_id
