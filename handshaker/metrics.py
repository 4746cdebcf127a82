"""Every figure that is offered to Prometheus, by name: what processes count, and what the databases know.

Labels are stages, outcomes, codes, kinds and names of workers: never an id, never anything about a person.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal

from prometheus_client import CollectorRegistry, Counter, Histogram, generate_latest
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric

MEDIA_TYPE = "text/plain; version=0.0.4; charset=utf-8"

_SOON = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10)
_LATE = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 15, 60, 300, 900, 3_600)
_BLOCKS = (1, 2, 4, 8, 16, 32, 64, 128)


@dataclass(frozen=True, slots=True)
class Figure:
    """One figure."""

    name: str
    kind: Literal["counter", "gauge", "histogram"]
    meaning: str
    labels: tuple[str, ...] = ()
    buckets: tuple[float, ...] = _SOON
    from_the_start: tuple[str, ...] = ()
    """Values of its label that are told as 0 before they happen, or nobody would see the first one as an increase."""

    @property
    def exposed(self) -> tuple[str, ...]:
        """The names that Prometheus sees."""
        if self.kind == "counter":
            return (f"{self.name}_total",)
        if self.kind == "histogram":
            return tuple(f"{self.name}_{part}" for part in ("bucket", "count", "sum"))
        return (self.name,)

    def now(self, values: Iterable[tuple[tuple[str, ...], float]]) -> Metric:
        """Return it with what was found at this moment: label values → number."""
        family = CounterMetricFamily if self.kind == "counter" else GaugeMetricFamily
        told = family(self.name, self.meaning, labels=self.labels)
        for labels, value in values:
            told.add_metric(list(labels), float(value))
        return told


# ---- counted by processes: each tells what it did itself ------------------------------------------------------------

STAGE = Figure(
    "handshaker_stage_seconds",
    "histogram",
    "Time from the stage before until a transaction was taken, sent, mined, final or acknowledged.",
    ("stage",),
    _LATE,
)
WHOLE = Figure(
    "handshaker_acknowledgement_seconds",
    "histogram",
    "Time from the receipt of a transaction to its acknowledgement.",
    ("verdict",),
    _LATE,
)
ACCEPTED = Figure("handshaker_accepted", "counter", "Transactions that passed every gate.", ("origin",))
REFUSALS = Figure(
    "handshaker_refusals",
    "counter",
    "Refusals by stage: at a gate, asked first, on the chain, or after the deadline.",
    ("stage", "code"),
)
ACKNOWLEDGED = Figure(
    "handshaker_acknowledged", "counter", "Acknowledgements that this process wrote.", ("verdict", "code")
)
SENDS = Figure(
    "handshaker_sends",
    "counter",
    "What the node said to raw transactions.",
    ("outcome",),
    from_the_start=("accepted", "rejected", "unknown"),
)
BUMPS = Figure("handshaker_fee_bumps", "counter", "Attempts at the same nonce with higher fees.")
SETTLED = Figure(
    "handshaker_settled",
    "counter",
    "Network transactions whose outcome is final.",
    ("outcome",),
    from_the_start=("mined", "reverted", "replaced"),
)
REQUEUED = Figure("handshaker_requeued", "counter", "Transactions that came back from the wire without an effect.")
FORKS = Figure(
    "handshaker_fork_blocks", "histogram", "Blocks that were walked back at a fork; its count is forks.", (), _BLOCKS
)
CONTRADICTIONS = Figure(
    "handshaker_contradictions", "counter", "Acknowledgements whose evidence a fork below finality took away."
)
ANCHORS = Figure("handshaker_anchors", "counter", "Anchors of the audit log that were read in blocks.")
PASSES = Figure("handshaker_passes", "counter", "Passes of the worker.")
FAILED = Figure("handshaker_failed_passes", "counter", "Passes that failed, by the code of the error.", ("code",))
NODE = Figure("handshaker_node_seconds", "histogram", "Time until the node answered.", ("method",))
DATABASE = Figure(
    "handshaker_database_seconds", "histogram", "Time of a transaction with the audit database.", ("kind",)
)
REQUESTS = Figure(
    "handshaker_api_requests", "counter", "Requests of the API that were answered.", ("operation", "status")
)
REQUEST_SECONDS = Figure("handshaker_api_request_seconds", "histogram", "Time until the answer began.", ("operation",))

COUNTED = (
    STAGE,
    WHOLE,
    ACCEPTED,
    REFUSALS,
    ACKNOWLEDGED,
    SENDS,
    BUMPS,
    SETTLED,
    REQUEUED,
    FORKS,
    CONTRADICTIONS,
    ANCHORS,
    PASSES,
    FAILED,
    NODE,
    DATABASE,
    REQUESTS,
    REQUEST_SECONDS,
)

# ---- known to the databases and the node: the web application tells them --------------------------------------------

CHECK = Figure("handshaker_check", "gauge", "Health: 0 well, 1 degraded, 2 ill.", ("check",))
ACKNOWLEDGEMENTS = Figure(
    "handshaker_acknowledgements", "gauge", "Acknowledgements written so far.", ("verdict", "code")
)
QUEUE = Figure("handshaker_queue", "gauge", "Transactions without acknowledgement.", ("state",))
OLDEST_OPEN = Figure("handshaker_oldest_open_seconds", "gauge", "Age of the oldest one; 0 where there is none.")
OLDEST_DUE = Figure(
    "handshaker_oldest_due_seconds", "gauge", "How long the oldest waits that a worker could take; 0 where none does."
)
CHAIN_REACHABLE = Figure("handshaker_chain_reachable", "gauge", "1 where the node answers.")
CHAIN_HEAD = Figure("handshaker_chain_head", "gauge", "Number of the newest block.")
CHAIN_HEAD_TIME = Figure("handshaker_chain_head_timestamp_seconds", "gauge", "Its time.")
CHAIN_WALKED = Figure("handshaker_chain_walked", "gauge", "Number of the last block that was read.")
BALANCE = Figure("handshaker_relayer_balance_wei", "gauge", "What a relayer can pay with.", ("relayer",))
CARRIERS = Figure(
    "handshaker_network_transactions",
    "gauge",
    "Network transactions so far: statements, anchors and no-ops by outcome.",
    ("kind", "outcome"),
)
GAS = Figure("handshaker_gas_used", "counter", "Gas that final blocks used for statements, anchors, no-ops.", ("kind",))
RETRIES = Figure("handshaker_retries", "counter", "Attempts beyond the first of their network transaction.")
LOG_ENTRIES = Figure("handshaker_log_entries", "gauge", "Entries of the audit log.", ("kind",))
LOG_ANCHORED = Figure("handshaker_log_anchored", "gauge", "Entries that an anchor in a final block covers.")
LOG_UNANCHORED = Figure(
    "handshaker_log_unanchored_seconds", "gauge", "Age of the oldest entry that none covers; 0 where all are."
)
LOG_HELD = Figure("handshaker_log_held", "gauge", "1 where nothing may be appended to the audit log.")

KNOWN = (
    CHECK,
    ACKNOWLEDGEMENTS,
    QUEUE,
    OLDEST_OPEN,
    OLDEST_DUE,
    CHAIN_REACHABLE,
    CHAIN_HEAD,
    CHAIN_HEAD_TIME,
    CHAIN_WALKED,
    BALANCE,
    CARRIERS,
    GAS,
    RETRIES,
    LOG_ENTRIES,
    LOG_ANCHORED,
    LOG_UNANCHORED,
    LOG_HELD,
)

ALL = (*COUNTED, *KNOWN)


class Measures:
    """What one process has counted, in a registry of its own."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        self._counters = {f.name: self._counter(f) for f in COUNTED if f.kind == "counter"}
        self._histograms = {f.name: self._histogram(f) for f in COUNTED if f.kind == "histogram"}
        self._known: dict[tuple[str, ...], Counter | Histogram] = {}

    def count(self, figure: Figure, *labels: str, by: float = 1) -> None:
        """Add to a counter."""
        found = self._known.get((figure.name, *labels))
        if found is None:
            counter = self._counters[figure.name]
            found = self._known[(figure.name, *labels)] = counter.labels(*labels) if labels else counter
        assert isinstance(found, Counter)
        found.inc(by)

    def observe(self, figure: Figure, value: float, *labels: str) -> None:
        """Add a value to a histogram."""
        found = self._known.get((figure.name, *labels))
        if found is None:
            histogram = self._histograms[figure.name]
            found = self._known[(figure.name, *labels)] = histogram.labels(*labels) if labels else histogram
        assert isinstance(found, Histogram)
        found.observe(value)

    def node_answered(self, method: str, seconds: float) -> None:
        """Count a question to the node."""
        self.observe(NODE, seconds, method)

    def database_answered(self, kind: str, seconds: float) -> None:
        """Count a transaction with the audit database."""
        self.observe(DATABASE, seconds, kind)

    def told(self) -> bytes:
        """Return all of it in the text format of Prometheus."""
        return generate_latest(self.registry)

    def _counter(self, figure: Figure) -> Counter:
        counter = Counter(figure.name, figure.meaning, figure.labels, registry=self.registry)
        for value in figure.from_the_start:
            counter.labels(value)
        return counter

    def _histogram(self, figure: Figure) -> Histogram:
        return Histogram(figure.name, figure.meaning, figure.labels, buckets=figure.buckets, registry=self.registry)
