"""The state of the network, for the page that shows it: the node, our accounts on it, and what waits."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from handshaker.ethereum.nodes import ChainProfile
from handshaker.health.facts import DEPLOYER
from handshaker.messages import Block


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


def relayer(name: str, address: str, node: Mapping[str, Any] | None) -> Relayer:
    """Return a relayer as the node knows it."""
    if node is None:
        return Relayer(name, address, None, None, is_low=False)
    balance, nonce = node["accounts"][address]
    return Relayer(name, address, balance, nonce, is_low=name != DEPLOYER and balance < node["batch_price"])


def finality(profile: ChainProfile) -> str:
    """Return how a block becomes final, in words."""
    if profile.finality_tag is not None:
        return f"when the node calls the block {profile.finality_tag}"
    if profile.finality_depth == 0:
        return "at once"
    return f"with {profile.finality_depth} blocks on top"
