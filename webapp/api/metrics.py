"""Figures for Prometheus: what this process counted, and what the instance says when it is asked.

Labels are operations, statuses, verdicts, codes and states: never an id, never anything about a person.
"""

from __future__ import annotations

from collections.abc import Iterable

from prometheus_client import CollectorRegistry, Counter, Histogram, generate_latest
from prometheus_client.core import GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from handshaker import Handshaker

MEDIA_TYPE = "text/plain; version=0.0.4; charset=utf-8"

_COUNTED = CollectorRegistry()
_REQUESTS = Counter(
    "handshaker_api_requests", "Requests of the API that were answered.", ("operation", "status"), registry=_COUNTED
)
_SECONDS = Histogram(
    "handshaker_api_request_seconds",
    "Time until the answer began.",
    ("operation",),
    registry=_COUNTED,
    buckets=(0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10),
)


def count(operation: str, status: int, seconds: float) -> None:
    """Count an answer."""
    _REQUESTS.labels(operation, str(status)).inc()
    _SECONDS.labels(operation).observe(seconds)


def told(handshaker: Handshaker) -> bytes:
    """Return all figures in the text format of Prometheus."""
    asked = CollectorRegistry()
    asked.register(_State(handshaker))
    return generate_latest(_COUNTED) + generate_latest(asked)


class _State(Collector):
    """What the instance says at this moment."""

    def __init__(self, handshaker: Handshaker) -> None:
        self._handshaker = handshaker

    def describe(self) -> Iterable[Metric]:
        """Describe nothing beforehand, or the instance would be asked twice."""
        return []

    def collect(self) -> Iterable[Metric]:
        """Yield the figures."""
        network = self._handshaker.health.network()
        acknowledgements = GaugeMetricFamily(
            "handshaker_acknowledgements", "Acknowledgements written so far.", labels=("verdict", "code")
        )
        for (verdict, code), number in sorted(self._handshaker.following.counts().items()):
            acknowledgements.add_metric([verdict, code], number)
        yield acknowledgements
        queue = GaugeMetricFamily("handshaker_queue", "Transactions without acknowledgement.", labels=("state",))
        for state in ("waiting", "in-flight"):
            queue.add_metric([state], network.queue.get(state, 0))
        yield queue
        oldest = network.oldest_open
        waited = (self._handshaker.clock.now() - oldest).total_seconds() if oldest else 0
        yield _gauge("handshaker_oldest_open_seconds", "Age of the oldest one; 0 where there is none.", waited)
        yield _gauge("handshaker_chain_reachable", "1 where the node answers.", network.is_reachable)
        if network.head is not None:
            yield _gauge("handshaker_chain_head", "Number of the newest block.", network.head.number)
            yield _gauge("handshaker_chain_head_timestamp_seconds", "Its time.", network.head.timestamp)
        if network.walked is not None:
            yield _gauge("handshaker_chain_walked", "Number of the last block that was read.", network.walked.number)


def _gauge(name: str, documentation: str, value: float) -> Metric:
    return GaugeMetricFamily(name, documentation, value=float(value))
