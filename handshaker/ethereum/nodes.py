"""How nodes and their chains differ, in one place: what is final, how much fits, what a node can do and what it says.

A profile is data: everything else asks its profile and never the name of a client. The figures were measured with
Ganache 7.9.2, Anvil 1.7.1 and eth-tester 0.14.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

from handshaker.errors import SettingsInvalid
from handshaker.ethereum.outcomes import outcome
from handshaker.messages import SendOutcome

GWEI = 10**9


@dataclass(frozen=True, slots=True)
class ChainProfile:
    """One kind of node and chain. Fees are wei for a unit of gas, times are seconds."""

    name: str
    """``ganache``, ``anvil``, ``eth-tester`` or ``ethereum``."""
    client: str
    """What ``web3_clientVersion`` starts with, in lower case; empty matches any."""
    finality_depth: int
    """Blocks that must lie on top before a block is final; means nothing where there is a tag."""
    ask_first: bool
    """Whether a batch is tried with ``eth_call`` before it is sent; never needed for correctness."""
    private_node: bool
    """Whether the node is the house's own, so that a question about a statement does not disclose its signature."""
    heartbeat: bool
    """Whether an idle chain makes no blocks, so that one must be asked for (``evm_mine``)."""
    batch_gas: int
    """Gas limit of one network transaction at most."""
    max_batch: int
    """Statements in one network transaction at most."""
    max_pending: int
    """Nonces of one relayer that may wait to be mined at once; 1: the next is refused until the last is mined."""
    parallel_senders: int
    """Requests that may be under way to the node at once."""
    poll_interval: float
    """Seconds between two questions for something new."""
    block_receipts: bool
    """Whether ``eth_getBlockReceipts`` exists; otherwise one request for each transaction."""
    max_fee_cap: int
    """No attempt pays more than this, whatever the base fee or the number of bumps."""
    priority_fee: int
    """The tip of a first attempt."""
    bump_after: float | None
    """How long an attempt may wait before a dearer one; ``None``: gas is free, so only the same bytes go again."""
    anchor_seconds: float
    """How long an entry of the audit log may wait to be anchored; short where blocks cost nothing."""
    bump_percent: int = 12
    """How much dearer: nodes replace from 10 % on, and rounding must not end below."""
    finality_tag: str | None = None
    """The block tag that says what is final."""
    chain_id: int | None = None
    """The only chain id that fits; ``None``: any."""
    checks_chain_id: bool = True
    """Whether it refuses a transaction that was signed for another chain."""
    replays_nonce_zero: bool = False
    """Whether it runs a known transaction with nonce 0 again: a relayer's first nonce must do no harm."""

    def bumped(self, max_fee: int, priority_fee: int) -> tuple[int, int] | None:
        """Return (max fee, priority fee) of the next attempt at the same nonce; ``None`` where the cap forbids it."""
        dearer = _grown(max_fee, self.bump_percent)
        if self.bump_after is None or dearer > self.max_fee_cap:
            return None
        return dearer, min(dearer, _grown(priority_fee, self.bump_percent))


GANACHE = ChainProfile(
    name="ganache",
    client="ganache",
    # One node makes all blocks and takes none back; its own tag `finalized` just means the newest.
    finality_depth=0,
    # It halves the rate of an interpreter that pays for every opcode, and is worth it: what would be refused gets its
    # ACK at once, and its signature never becomes public. A deployment that needs the rate turns it off.
    ask_first=True,
    private_node=True,
    heartbeat=True,
    batch_gas=28_000_000,
    # Larger batches are no faster there; they only make everybody wait for the last one in them.
    max_batch=25,
    max_pending=64,
    parallel_senders=8,
    poll_interval=0.02,
    block_receipts=False,
    max_fee_cap=1_000 * GWEI,
    priority_fee=GWEI,
    bump_after=None,
    anchor_seconds=1.5,
    replays_nonce_zero=True,
)

ANVIL = ChainProfile(
    name="anvil",
    client="anvil",
    finality_depth=0,
    ask_first=True,
    private_node=True,
    heartbeat=True,
    batch_gas=28_000_000,
    max_batch=100,
    max_pending=64,
    parallel_senders=8,
    poll_interval=0.02,
    block_receipts=True,
    max_fee_cap=1_000 * GWEI,
    priority_fee=GWEI,
    bump_after=None,
    anchor_seconds=1.5,
)

ETH_TESTER = ChainProfile(
    name="eth-tester",
    client="ethereumtester",
    finality_depth=0,
    ask_first=True,
    private_node=True,
    heartbeat=True,
    batch_gas=28_000_000,
    max_batch=25,
    max_pending=1,
    # It lives in the process and is not made for threads.
    parallel_senders=1,
    poll_interval=0.01,
    block_receipts=False,
    max_fee_cap=1_000 * GWEI,
    priority_fee=GWEI,
    bump_after=None,
    anchor_seconds=1.5,
    checks_chain_id=False,
)

ETHEREUM = ChainProfile(
    name="ethereum",
    client="",
    finality_depth=64,
    finality_tag="finalized",
    ask_first=True,
    private_node=False,
    heartbeat=False,
    # A transaction may have at most 2²⁴ gas (EIP-7825).
    batch_gas=15_000_000,
    max_batch=100,
    max_pending=16,
    parallel_senders=4,
    poll_interval=3.0,
    block_receipts=True,
    max_fee_cap=200 * GWEI,
    priority_fee=GWEI,
    # Three slots.
    bump_after=36.0,
    anchor_seconds=600.0,
)

PROFILES: Mapping[str, ChainProfile] = {profile.name: profile for profile in (GANACHE, ANVIL, ETH_TESTER, ETHEREUM)}


def named(name: str) -> ChainProfile:
    """Return the profile of that name. Raises ``SettingsInvalid`` naming those that exist."""
    if name not in PROFILES:
        raise SettingsInvalid(f"There is no chain profile {name!r}, only {', '.join(PROFILES)}.", setting="profile")
    return PROFILES[name]


def detect(client_version: str, chain_id: int) -> ChainProfile:
    """Return the profile for what ``web3_clientVersion`` and ``eth_chainId`` say, bound to that chain id.

    A client that nobody knows gets the careful profile of a public chain.
    """
    version = client_version.lower()
    known = next((p for p in PROFILES.values() if p.client and version.startswith(p.client)), ETHEREUM)
    return replace(known, chain_id=chain_id)


def classify_send(profile: ChainProfile, error_code: int | None, message: str) -> SendOutcome:
    """Say what an error in answer to raw bytes means; ``error_code`` is ``None`` where there is none.

    ``ACCEPTED`` means that the node has the bytes, or dearer ones of the same relayer and nonce. ``REJECTED`` says
    nothing about the nonce: an earlier attempt may have used it. Whatever the table does not know is ``UNKNOWN``.
    """
    return outcome(profile.name, error_code, message)


def _grown(fee: int, percent: int) -> int:
    """Return ``fee`` with ``percent`` on top, rounded up."""
    return -(-fee * (100 + percent) // 100)
