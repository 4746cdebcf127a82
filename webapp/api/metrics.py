"""Figures for Prometheus: what this process counted, and what the instance says when it is asked."""

from __future__ import annotations

from collections.abc import Iterable

from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.core import Metric
from prometheus_client.registry import Collector

from handshaker import Handshaker, metrics

MEDIA_TYPE = metrics.MEDIA_TYPE


def count(handshaker: Handshaker, operation: str, status: int, seconds: float) -> None:
    """Count an answer."""
    measures = handshaker.journal.measures
    measures.count(metrics.REQUESTS, operation, str(status))
    measures.observe(metrics.REQUEST_SECONDS, seconds, operation)


def told(handshaker: Handshaker) -> bytes:
    """Return all figures in the text format of Prometheus."""
    asked = CollectorRegistry()
    asked.register(_State(handshaker))
    return handshaker.journal.measures.told() + generate_latest(asked)


class _State(Collector):
    """What the instance says at this moment."""

    def __init__(self, handshaker: Handshaker) -> None:
        self._handshaker = handshaker

    def describe(self) -> Iterable[Metric]:
        """Describe nothing beforehand, or the instance would be asked twice."""
        return []

    def collect(self) -> Iterable[Metric]:
        """Return the figures."""
        return self._handshaker.health.figures()
