"""What the databases and the node know, as figures for Prometheus."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from datetime import datetime

from prometheus_client.core import Metric

from handshaker import metrics
from handshaker.errors import HandshakerError
from handshaker.health.check import Check, State
from handshaker.health.network import NetworkStatus
from handshaker.ports import Clock
from handshaker.store.sql_store import SqlStore

_BADNESS = {State.OK: 0, State.DEGRADED: 1, State.ILL: 2}


def known(
    store: SqlStore, clock: Clock, checks: Iterable[Check], network: Callable[[], NetworkStatus]
) -> Iterator[Metric]:
    """Yield the figures; where the databases do not answer only the checks, and nothing that the node does not say."""
    yield metrics.CHECK.now(((check.name,), _BADNESS[check.state]) for check in checks)
    now = clock.now()
    try:
        status = network()
        found = [*_work(store, now), *_carrying(store), *_network(status), *_log(store, status, now)]
    except HandshakerError:
        return
    yield from found


def _work(store: SqlStore, now: datetime) -> Iterator[Metric]:
    yield metrics.ACKNOWLEDGEMENTS.now(sorted(store.audit.counts().items()))
    waiting = store.queue.counts()
    yield metrics.QUEUE.now(((state,), waiting.get(state, 0)) for state in ("waiting", "in-flight"))
    yield _one(metrics.OLDEST_OPEN, _age(store.explorer.oldest_open(), now))
    yield _one(metrics.OLDEST_DUE, _age(store.figures.oldest_due(now), now))


def _carrying(store: SqlStore) -> Iterator[Metric]:
    yield metrics.CARRIERS.now(sorted(store.figures.network_transactions().items()))
    yield metrics.GAS.now(((kind,), gas) for kind, gas in sorted(store.figures.gas_used().items()))
    yield _one(metrics.RETRIES, store.figures.retries())


def _network(network: NetworkStatus) -> Iterator[Metric]:
    yield _one(metrics.CHAIN_REACHABLE, network.is_reachable)
    if network.head is not None:
        yield _one(metrics.CHAIN_HEAD, network.head.number)
        yield _one(metrics.CHAIN_HEAD_TIME, network.head.timestamp)
    if network.walked is not None:
        yield _one(metrics.CHAIN_WALKED, network.walked.number)
    balances = [((each.name,), each.balance) for each in network.relayers if each.balance is not None]
    yield metrics.BALANCE.now(balances)


def _log(store: SqlStore, network: NetworkStatus, now: datetime) -> Iterator[Metric]:
    yield metrics.LOG_ENTRIES.now(((kind,), number) for kind, number in sorted(store.log.counts().items()))
    if network.final_number is not None:
        anchored = store.figures.anchored_size(network.final_number)
        yield _one(metrics.LOG_ANCHORED, anchored)
        yield _one(metrics.LOG_UNANCHORED, _age(store.log.written_at(anchored), now))
    yield _one(metrics.LOG_HELD, store.log.held() is not None)


def _one(figure: metrics.Figure, value: float) -> Metric:
    return figure.now([((), value)])


def _age(since: datetime | None, now: datetime) -> float:
    return max((now - since).total_seconds(), 0.0) if since else 0.0
