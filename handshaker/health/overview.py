"""Is this instance ready, and what state is the network in? Always answers, and within seconds."""

from __future__ import annotations

import logging
import threading
from collections import Counter
from collections.abc import Callable, Mapping
from concurrent.futures import Future, wait
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from urllib.parse import urlsplit

from handshaker.errors import ChainError, ChainMismatch, HandshakerError, NotDeployed, RootKeyUnusable
from handshaker.ethereum.chain import EthereumChain
from handshaker.ethereum.nodes import ChainProfile
from handshaker.file_lock import is_held
from handshaker.messages import Block
from handshaker.ports import Clock
from handshaker.settings import Settings
from handshaker.store.sql_store import SqlStore
from handshaker.vault.sql_vault import SqlVault

__all__ = ["Check", "Health", "NetworkStatus", "Relayer"]

PATIENCE = 4.0
"""Seconds after which what was asked counts as not answering."""
UNTOUCHED = timedelta(seconds=60)
"""How long something may wait untouched where workers elsewhere, whose locks nobody here sees, share the database."""

_DEPLOYER = "deployer"
"""The relayer that paid for the contracts, and needs nothing any more."""

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Check:
    """One thing that must be so. No part names a machine, a path or an address."""

    name: str
    """``store``, ``vault``, ``chain``, ``contracts`` or ``worker``."""
    is_ok: bool
    detail: str
    """A plain sentence."""
    code: str = "ok"
    """``ok``, or the machine code of what is wrong."""


@dataclass(frozen=True, slots=True)
class Relayer:
    """An account of ours that pays for gas. What the node was not asked or did not say is ``None``."""

    name: str
    address: str
    balance: int | None
    """In wei."""
    nonce: int | None
    """Transactions of it in the chain."""
    is_low: bool
    """Whether it could not pay for a full batch at the present fees."""


@dataclass(frozen=True, slots=True)
class NetworkStatus:
    """The chain, our accounts on it, and what waits for it."""

    is_reachable: bool
    problem: str
    """A plain sentence where something is wrong with the node; else empty."""
    host: str
    """Of the node's address, without scheme, port, path or password."""
    client: str
    profile: str
    chain_id: int | None
    head: Block | None
    final_number: int | None
    """The highest final block; negative while there is none."""
    finality: str
    """How a block becomes final here, in words."""
    walked: Block | None
    """The highest block that the indexer has walked."""
    relayers: tuple[Relayer, ...]
    queue: Mapping[str, int]
    """Rows by state: ``waiting``, ``in-flight``."""
    oldest_open: datetime | None
    """When the oldest TI without an ACK was received."""
    contracts: Mapping[str, str]
    """Contract → checksummed address."""
    verdicts: Mapping[str, int]
    """ACKs by verdict: ``valid``, ``invalid``."""


@dataclass(frozen=True, slots=True)
class _Node:
    """What the node said."""

    client: str
    chain_id: int
    head: Block
    final_number: int
    profile: ChainProfile
    accounts: Mapping[str, tuple[int, int]]
    """Address → balance and nonce."""
    batch_price: int


class Health:
    """Looks; changes nothing."""

    def __init__(
        self, settings: Settings, store: SqlStore, vault: SqlVault, chain: EthereumChain, clock: Clock
    ) -> None:
        self._settings = settings
        self._store = store
        self._vault = vault
        self._chain = chain
        self._clock = clock
        self._pending: dict[str, Future[Any]] = {}
        self._guard = threading.Lock()

    def ready(self) -> list[Check]:
        """Return every check; the instance is ready when all are ok. Takes a few seconds at most."""
        questions = {"store": self._check_store, "vault": self._check_vault, "chain": self._check_chain}
        asked = {name: self._ask(name, question) for name, question in (questions | {"worker": self._worker}).items()}
        wait(asked.values(), PATIENCE)
        return [check for name, future in asked.items() for check in _answer(name, future)]

    def network(self) -> NetworkStatus:
        """Return the network's state; a node that does not answer is said to, never raised.

        Raises ``StoreUnavailable`` where the databases do not answer.
        """
        names = self._vault.relayers()
        asked = self._ask("network", lambda: self._node(list(names.values())))
        wait([asked], PATIENCE)
        node, problem = _said(asked)
        deployment, counts = self._deployment(), Counter[str]()
        for (verdict, _), count in self._store.audit.counts().items():
            counts[verdict] += count
        return NetworkStatus(
            is_reachable=node is not None,
            problem=problem,
            host=urlsplit(self._settings.chain_url).hostname or "",
            client=node.client if node else "",
            profile=node.profile.name if node else "",
            chain_id=node.chain_id if node else None,
            head=node.head if node else None,
            final_number=node.final_number if node else None,
            finality=_finality(node.profile) if node else "",
            walked=self._store.chain_view.tip(),
            relayers=tuple(_relayer(name, address, node) for name, address in names.items()),
            queue=self._store.queue.counts(),
            oldest_open=self._store.explorer.oldest_open(),
            contracts=deployment.addresses if deployment else {},
            verdicts=counts,
        )

    # ---- the checks --------------------------------------------------------------------------------------------------

    def _check_store(self) -> list[Check]:
        self._store.queue.counts()
        return [Check("store", True, "The audit database answers.")]

    def _check_vault(self) -> list[Check]:
        self._vault.relayer_address(self._settings.worker)
        return [Check("vault", True, "The vault answers.")]

    def _check_chain(self) -> list[Check]:
        self._deployment()
        self._chain.head()
        reachable = Check("chain", True, "The node answers, and has the right chain.")
        try:
            self._chain.check_deployment()
        except NotDeployed as error:
            return [reachable, Check("contracts", False, "The contracts are not deployed yet.", error.code)]
        except ChainMismatch as error:
            return _mismatch(reachable, error)
        return [reachable, Check("contracts", True, "Every contract is on the chain.")]

    def _worker(self) -> list[Check]:
        if is_held(self._settings.instance / f"{self._settings.worker}.lock") or self._is_worked_elsewhere():
            return [Check("worker", True, "A worker is at work.")]
        return [Check("worker", False, "No worker is at work: what is submitted waits.", "worker-missing")]

    def _is_worked_elsewhere(self) -> bool:
        """Whether workers on other machines, or under other names, keep the queue short."""
        others = (path for path in self._settings.instance.glob("*.lock") if path.stem in self._vault.relayers())
        if any(is_held(path) for path in others):
            return True
        if self._settings.store.startswith("sqlite"):
            return False
        oldest = self._store.queue.oldest_due()
        return oldest is None or self._clock.now() - oldest < UNTOUCHED

    # ---- asking ------------------------------------------------------------------------------------------------------

    def _deployment(self) -> Any:
        """Return where the contracts are, also where another process deployed them after this one started."""
        if self._chain.deployment is None:
            self._chain.deployment = self._store.catalogue.deployment()
        return self._chain.deployment

    def _node(self, accounts: list[str]) -> _Node:
        head, profile = self._chain.head(), self._chain.profile
        return _Node(
            client=self._chain.client_version(),
            chain_id=self._chain.identity().chain_id,
            head=head,
            final_number=self._chain.final_number(head),
            profile=profile,
            accounts={each: (self._chain.balance(each), self._chain.nonce(each)) for each in accounts},
            batch_price=profile.batch_gas * self._chain.fees().max_fee,
        )

    def _ask(self, name: str, question: Callable[[], Any]) -> Future[Any]:
        """Ask in a thread; while an earlier one still waits for the same, that one's answer counts for both."""
        with self._guard:
            pending = self._pending.get(name)
            if pending is None or pending.done():
                pending = self._pending[name] = Future()
                threading.Thread(target=_fulfil, args=(pending, question), name=f"health-{name}", daemon=True).start()
            return pending


def _fulfil(future: Future[Any], question: Callable[[], Any]) -> None:
    try:
        future.set_result(question())
    except Exception as error:
        future.set_exception(error)


def _answer(name: str, future: Future[Any]) -> list[Check]:
    """Return the checks of an answer, or what its absence means."""
    error = future.exception() if future.done() else TimeoutError()
    if error is None:
        checks: list[Check] = future.result()
        return checks
    log.warning("the check of the %s failed: %s", name, type(error).__name__)
    code = error.code if isinstance(error, HandshakerError) else f"{name}-unreachable"
    if name == "chain":
        unasked = Check("contracts", False, "Nobody can say: the node does not answer.", code)
        return [Check("chain", False, "No Ethereum node answers.", code), unasked]
    if isinstance(error, RootKeyUnusable):
        return [Check(name, False, "The vault's root key cannot be used.", code)]
    words = {"store": "The audit database does not answer.", "vault": "The vault does not answer."}
    return [Check(name, False, words.get(name, "Nobody can say whether a worker is at work."), code)]


def _mismatch(reachable: Check, error: ChainMismatch) -> list[Check]:
    if "contract" in error.data["expected"]:
        words = "A contract is missing: the chain's data was rolled back."
        return [reachable, Check("contracts", False, words, error.code)]
    words = "The node has another chain than the one that holds the contracts."
    return [
        Check("chain", False, words, error.code),
        Check("contracts", False, "The contracts are on another chain.", error.code),
    ]


def _said(future: Future[Any]) -> tuple[_Node | None, str]:
    error = future.exception() if future.done() else TimeoutError()
    if error is None:
        return future.result(), ""
    log.warning("the node could not be asked: %s", type(error).__name__)
    usable = isinstance(error, ChainError) and error.code == "chain"
    return None, "The node gives no usable answer." if usable else "No Ethereum node answers."


def _relayer(name: str, address: str, node: _Node | None) -> Relayer:
    if node is None:
        return Relayer(name, address, None, None, is_low=False)
    balance, nonce = node.accounts[address]
    return Relayer(name, address, balance, nonce, is_low=name != _DEPLOYER and balance < node.batch_price)


def _finality(profile: ChainProfile) -> str:
    if profile.finality_tag is not None:
        return f"when the node calls the block {profile.finality_tag}"
    if profile.finality_depth == 0:
        return "at once"
    return f"with {profile.finality_depth} blocks on top"
