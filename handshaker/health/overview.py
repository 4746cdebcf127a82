"""Every check, and the state of the network. Always answers, and within seconds."""

from __future__ import annotations

import logging
from collections import Counter
from collections.abc import Iterable, Mapping
from concurrent.futures import Future, wait
from datetime import timedelta
from typing import Any
from urllib.parse import urlsplit

from prometheus_client.core import Metric

from handshaker.errors import ChainError, ChainMismatch, HandshakerError, RootKeyUnusable, StoreUnavailable
from handshaker.ethereum.chain import EthereumChain
from handshaker.health import judging, network
from handshaker.health.asking import Asking, outcome
from handshaker.health.check import NAMES, Check, State, unsaid, well
from handshaker.health.facts import Facts, Node, Stored, Together
from handshaker.health.known import known
from handshaker.health.network import NetworkStatus
from handshaker.ports import Clock
from handshaker.settings import Settings
from handshaker.store.claims import key_of
from handshaker.store.sql_store import SqlStore
from handshaker.vault.sql_vault import SqlVault

PATIENCE = 4.0
"""Seconds after which what was asked counts as not answering."""

_SILENT_NODE = "the node does not answer"
_SILENT_STORE = "the audit database does not answer"

log = logging.getLogger(__name__)


class Health:
    """Looks; changes nothing."""

    def __init__(
        self, settings: Settings, store: SqlStore, vault: SqlVault, chain: EthereumChain, clock: Clock
    ) -> None:
        self._settings = settings
        self._store = store
        self._vault = vault
        self._clock = clock
        self._facts = Facts(settings, store, vault, chain, clock)
        self._asking = Asking()

    def ready(self) -> list[Check]:
        """Return every check, in the order of ``NAMES``. Takes a few seconds at most."""
        ask, facts = self._asking.ask, self._facts
        asked = {"store": ask("store", facts.stored), "vault": ask("vault", facts.relayers)}
        asked["chain"] = ask("chain", facts.node)
        wait(asked.values(), PATIENCE)
        stored, store_error = _said("store", asked["store"])
        relayers, vault_error = _said("vault", asked["vault"])
        node, chain_error = _said("chain", asked["chain"])
        found = [
            _store(store_error),
            _vault(vault_error),
            *_chain(node, chain_error),
            *self._of_store(stored, store_error),
            *self._of_both(stored, relayers, node, chain_error or store_error or vault_error),
            self._worker(stored, relayers),
        ]
        return sorted(found, key=lambda check: NAMES.index(check.name))

    def network(self) -> NetworkStatus:
        """Return the network's state; a node that does not answer is said to, never raised.

        Raises ``StoreUnavailable`` where the databases do not answer.
        """
        names = self._vault.relayers()
        asked = self._asking.ask("network", lambda: self._facts.accounts(names))
        wait([asked], PATIENCE)
        node, error = outcome(asked)
        if error is not None:
            log.warning("the node could not be asked: %s", type(error).__name__)
        deployment, counts = self._facts.deployment(), Counter[str]()
        for (verdict, _), count in self._store.audit.counts().items():
            counts[verdict] += count
        return NetworkStatus(
            is_reachable=node is not None,
            problem=_problem(error),
            host=urlsplit(self._settings.chain_url).hostname or "",
            client=node["client"] if node else "",
            profile=node["profile"].name if node else "",
            chain_id=node["chain_id"] if node else None,
            head=node["head"] if node else None,
            final_number=node["final_number"] if node else None,
            finality=network.finality(node["profile"]) if node else "",
            walked=self._store.chain_view.tip(),
            relayers=tuple(network.relayer(name, address, node) for name, address in names.items()),
            queue=self._store.queue.counts(),
            oldest_open=self._store.explorer.oldest_open(),
            contracts=deployment.addresses if deployment else {},
            verdicts=counts,
        )

    def figures(self) -> Iterable[Metric]:
        """Return what the databases and the node know, for Prometheus; what does not answer is left out."""
        return known(self._store, self._clock, self.ready(), self.network)

    # ---- what rests on what ------------------------------------------------------------------------------------------

    def _of_store(self, stored: Stored | None, error: BaseException | None) -> list[Check]:
        if stored is None:
            return [unsaid(name, _SILENT_STORE, _code("store", error)) for name in ("queue", "log")]
        limit = timedelta(seconds=self._settings.queue_late_seconds)
        return [judging.queue(stored, self._clock.now(), limit), judging.log(stored)]

    def _of_both(
        self,
        stored: Stored | None,
        relayers: Mapping[str, str] | None,
        node: Node | None,
        error: BaseException | None,
    ) -> list[Check]:
        """Return the checks that rest on the node, and on what the databases say of it."""
        settings, now = self._settings, self._clock.now()
        if node is None:
            code = _code("chain", error)
            return [unsaid(name, _SILENT_NODE, code) for name in ("head", "walk", "relayer", "anchor")]
        found = [judging.head(node, stored, now, timedelta(seconds=settings.head_stale_seconds))]
        if stored is None or relayers is None:
            words = _SILENT_STORE if stored is None else "the vault does not answer"
            part = "store" if stored is None else "vault"
            return found + [unsaid(name, words, _code(part, error)) for name in ("walk", "relayer", "anchor")]
        if node.problem is not None:
            words = "the contracts are not there"
            return found + [unsaid(name, words, node.problem.code) for name in ("walk", "relayer", "anchor")]
        asked = self._asking.ask("together", lambda: self._facts.together(stored, node, relayers))
        wait([asked], PATIENCE)
        together: Together | None
        together, trouble = _said("together", asked)
        if together is None:
            code = _code("chain", trouble)
            words = _SILENT_STORE if isinstance(trouble, StoreUnavailable) else _SILENT_NODE
            return found + [unsaid(name, words, code) for name in ("walk", "relayer", "anchor")]
        return [
            *found,
            judging.walk(together, now, timedelta(seconds=settings.walk_late_seconds)),
            judging.relayer(together, node),
            judging.anchor(together, now, judging.anchor_limit(settings, node.profile)),
        ]

    def _worker(self, stored: Stored | None, relayers: Mapping[str, str] | None) -> Check:
        if self._facts.is_worker_here(relayers) or self._is_worked_elsewhere(stored, relayers):
            return well("worker", "A worker is at work.")
        return Check(
            "worker",
            State.ILL,
            "No worker is at work: what is submitted waits.",
            "worker-missing",
            "Start one: `handshaker work`.",
        )

    def _is_worked_elsewhere(self, stored: Stored | None, relayers: Mapping[str, str] | None) -> bool:
        """Whether a worker on another machine holds its name in the database."""
        names = {self._settings.worker, *(relayers or {})}
        return stored is not None and any(key_of(name) in stored.claims for name in names)


def _store(error: BaseException | None) -> Check:
    if error is None:
        return well("store", "The audit database answers.")
    return Check("store", State.ILL, "The audit database does not answer.", _code("store", error), _mend(error))


def _vault(error: BaseException | None) -> Check:
    if error is None:
        return well("vault", "The vault answers.")
    words = "The vault does not answer."
    if isinstance(error, RootKeyUnusable):
        words = "The vault's root key cannot be used."
    return Check("vault", State.ILL, words, _code("vault", error), _mend(error))


def _chain(node: Node | None, error: BaseException | None) -> list[Check]:
    if node is not None:
        return [well("chain", "The node answers, and has the right chain."), judging.contracts(node)]
    code, mend = _code("chain", error), _mend(error) or judging.START_NODE
    if isinstance(error, ChainMismatch):
        words = "The node has another chain than the one that holds the contracts."
        there = Check("contracts", State.ILL, "The contracts are on another chain.", code, mend)
        return [Check("chain", State.ILL, words, code, mend), there]
    unasked = Check("contracts", State.ILL, f"Nobody can say: {_SILENT_NODE}.", code)
    return [Check("chain", State.ILL, "No Ethereum node answers.", code, mend), unasked]


def _said(name: str, asked: Future[Any]) -> tuple[Any, BaseException | None]:
    answer, error = outcome(asked)
    if error is not None:
        log.warning("the check of the %s failed: %s", name, type(error).__name__)
    return answer, error


def _code(part: str, error: BaseException | None) -> str:
    return error.code if isinstance(error, HandshakerError) else f"{part}-unreachable"


def _mend(error: BaseException | None) -> str:
    return error.mend if isinstance(error, HandshakerError) else ""


def _problem(error: BaseException | None) -> str:
    if error is None:
        return ""
    usable = isinstance(error, ChainError) and error.code == "chain"
    return "The node gives no usable answer." if usable else "No Ethereum node answers."
