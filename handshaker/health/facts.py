"""What health looks at: the databases, the node, and what only both together tell. Raises what they raise."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from handshaker.errors import ChainMismatch, HandshakerError, NotDeployed
from handshaker.ethereum.chain import EthereumChain
from handshaker.ethereum.nodes import ChainProfile
from handshaker.file_lock import is_held
from handshaker.messages import Block, Deployment, Head
from handshaker.ports import Clock
from handshaker.settings import Settings
from handshaker.store.claims import key_of
from handshaker.store.sql_store import SqlStore
from handshaker.vault.sql_vault import SqlVault

DEPLOYER = "deployer"
"""The relayer that paid for the contracts, and needs nothing any more."""


@dataclass(frozen=True, slots=True)
class Stored:
    """What the audit database says."""

    oldest_due: datetime | None
    """Since when a TI waits that a worker could take."""
    oldest_unsettled: datetime | None
    """Since when a network transaction is on the wire."""
    walked: int | None
    """The highest block that the indexer has read."""
    held: tuple[str, int, Head] | None
    """Why nothing may be appended to the log."""
    claims: frozenset[int] = frozenset()
    """Under which numbers workers hold their names, on whatever machine."""


@dataclass(frozen=True, slots=True)
class Node:
    """What the node says by itself."""

    head: Block
    profile: ChainProfile
    max_fee: int
    """What a unit of gas may cost now, in wei."""
    final_number: int
    problem: HandshakerError | None
    """``NotDeployed`` or ``ChainMismatch`` where the contracts are not there."""
    first_block: int


@dataclass(frozen=True, slots=True)
class Together:
    """What the node says about what the databases hold."""

    unread: Block | None
    """The oldest block that the indexer has not read, if there is one."""
    balances: Mapping[str, int]
    """Relayers at work by name → wei."""
    unanchored_since: datetime | None
    """When the oldest entry was written that no anchor in a final block covers."""
    has_operator: bool
    """Whether one of our relayers may anchor."""


class Facts:
    """Looks."""

    def __init__(
        self, settings: Settings, store: SqlStore, vault: SqlVault, chain: EthereumChain, clock: Clock
    ) -> None:
        self._settings = settings
        self._store = store
        self._vault = vault
        self._chain = chain
        self._clock = clock

    def relayers(self) -> dict[str, str]:
        """Return every relayer's address by name: the vault answers."""
        return self._vault.relayers()

    def stored(self) -> Stored:
        """Return what the audit database says."""
        figures, tip = self._store.figures, self._store.chain_view.tip()
        return Stored(
            oldest_due=figures.oldest_due(self._clock.now()),
            oldest_unsettled=figures.oldest_unsettled(),
            walked=tip.number if tip else None,
            held=self._store.log.held(),
            claims=self._store.claims(),
        )

    def node(self) -> Node:
        """Return what the node says by itself; raises ``ChainMismatch`` for another chain than ours."""
        deployment = self.deployment()
        head = self._chain.head()
        problem: HandshakerError | None = None
        try:
            self._chain.check_deployment()
        except NotDeployed as error:
            problem = error
        except ChainMismatch as error:
            if "contract" not in error.data["expected"]:
                raise
            problem = error
        return Node(
            head=head,
            profile=self._chain.profile,
            max_fee=self._chain.fees().max_fee,
            final_number=self._chain.final_number(head),
            problem=problem,
            first_block=deployment.block_number if deployment else 0,
        )

    def together(self, stored: Stored, node: Node, relayers: Mapping[str, str]) -> Together:
        """Return what the node says about what the databases hold; the contracts must be there."""
        unread = node.first_block if stored.walked is None else stored.walked + 1
        at_work = self.at_work(relayers, stored.claims)
        return Together(
            unread=self._chain.block(unread) if unread <= node.head.number else None,
            balances={name: self._chain.balance(relayers[name]) for name in at_work},
            unanchored_since=self._store.log.written_at(self._store.figures.anchored_size(node.final_number)),
            has_operator=any(self._is_operator(relayers[name]) for name in relayers if name != DEPLOYER),
        )

    def _is_operator(self, address: str) -> bool:
        (answer,) = self._chain.view("Directory", "isOperator", address)
        return bool(answer)

    def at_work(self, relayers: Mapping[str, str], claims: frozenset[int]) -> list[str]:
        """Return the relayers whose workers run, wherever; where none does, the one that the settings name."""
        folder, own = self._settings.instance, self._settings.worker
        found = [
            name
            for name in relayers
            if name != DEPLOYER and (key_of(name) in claims or is_held(folder / f"{name}.lock"))
        ]
        return found or [name for name in (own,) if name in relayers]

    def is_worker_here(self, relayers: Mapping[str, str] | None) -> bool:
        """Whether a worker runs on this machine."""
        names = {self._settings.worker, *(relayers or {})}
        return any(is_held(self._settings.instance / f"{name}.lock") for name in names)

    def deployment(self) -> Deployment | None:
        """Return where the contracts are, also where another process deployed them after this one started."""
        if self._chain.deployment is None:
            self._chain.deployment = self._store.catalogue.deployment()
        return self._chain.deployment

    def accounts(self, relayers: Mapping[str, str]) -> dict[str, Any]:
        """Return client, identity and every relayer's balance and nonce, for the page that shows the network."""
        head, profile = self._chain.head(), self._chain.profile
        return {
            "client": self._chain.client_version(),
            "chain_id": self._chain.identity().chain_id,
            "head": head,
            "final_number": self._chain.final_number(head),
            "profile": profile,
            "accounts": {a: (self._chain.balance(a), self._chain.nonce(a)) for a in relayers.values()},
            "batch_price": profile.batch_gas * self._chain.fees().max_fee,
        }
