"""What the facts mean: pure functions, one for each check that has a threshold."""

from __future__ import annotations

from datetime import datetime, timedelta

from handshaker.audit.errors import LogHeld
from handshaker.errors import ChainMismatch, ChainUnreachable, NotDeployed, RelayerUnfunded
from handshaker.ethereum.nodes import ChainProfile
from handshaker.health.check import Check, State, well
from handshaker.health.facts import Node, Stored, Together
from handshaker.settings import Settings

SINGLE_GAS = 500_000
"""Gas that a network transaction with one ordinary statement is given at most; a test holds it against the Relay's."""
OUTAGE = 10
"""How many times as long as what is called late something must wait to be called ill."""
_ANCHORINGS = 4
"""Intervals of anchoring after which an entry is late, where no setting says when."""
_SHORTEST = timedelta(seconds=60)
START_NODE = ChainUnreachable.mend
_FUNDS = "Send ether to the accounts that `handshaker health --json` and the page Network name."


def contracts(node: Node) -> Check:
    """Whether the contracts are on the chain."""
    if node.problem is None:
        return well("contracts", "Every contract is on the chain.")
    words = {
        NotDeployed.code: "The contracts are not deployed yet.",
        ChainMismatch.code: "A contract is missing: the chain's data was rolled back.",
    }
    return Check("contracts", State.ILL, words[node.problem.code], node.problem.code, node.problem.mend)


def head(node: Node, stored: Stored | None, now: datetime, limit: timedelta) -> Check:
    """Whether the chain makes blocks.

    Where blocks are made only when they are asked for, an old head means nothing unless something waits for one.
    """
    age = _since(datetime.fromtimestamp(node.head.timestamp, now.tzinfo), now)
    if node.profile.heartbeat:
        waiting = stored.oldest_unsettled if stored else None
        age = min(age, _since(waiting, now)) if waiting else timedelta()
    if age <= limit:
        return well("head", "Blocks come when they are needed.")
    return Check(
        "head",
        State.ILL,
        f"No block has come for {spoken(age)}.",
        "head-stale",
        "Look at the node's own log and its peers; what was submitted waits, and the worker goes on by itself.",
    )


def walk(together: Together, now: datetime, limit: timedelta) -> Check:
    """Whether the indexer keeps up with the chain."""
    unread = together.unread
    age = _since(datetime.fromtimestamp(unread.timestamp, now.tzinfo), now) if unread else timedelta()
    if age <= limit:
        return well("walk", "New blocks are read at once.")
    return Check(
        "walk",
        State.DEGRADED,
        f"A block has waited {spoken(age)} to be read.",
        "walk-behind",
        "See what the workers log; acknowledgements come late until the chain is read up to its head.",
    )


def relayer(together: Together, node: Node) -> Check:
    """Whether the workers' accounts can pay for gas: for a full batch, or at least for one statement."""
    balances = together.balances.values()
    if all(balance >= node.profile.batch_gas * node.max_fee for balance in balances):
        return well("relayer", "The workers' accounts can pay for gas.")
    if any(balance >= SINGLE_GAS * node.max_fee for balance in balances):
        words = "A worker's account holds less than a full batch may cost."
        return Check("relayer", State.DEGRADED, words, "relayer-low", _FUNDS)
    words = "No worker's account can pay for a transaction."
    return Check("relayer", State.ILL, words, RelayerUnfunded.code, _FUNDS)


def queue(stored: Stored, now: datetime, limit: timedelta) -> Check:
    """Whether what could be taken is taken soon."""
    age = _since(stored.oldest_due, now) if stored.oldest_due else timedelta()
    if age <= limit:
        return well("queue", "What is submitted is taken soon.")
    return Check(
        "queue",
        State.ILL if age > OUTAGE * limit else State.DEGRADED,
        f"A transaction has waited {spoken(age)} for a worker.",
        "queue-old",
        "See what the workers log; where they are busy, start another one under another name.",
    )


def anchor(together: Together, now: datetime, limit: timedelta) -> Check:
    """Whether the audit log's head is anchored in time, and there is somebody who may."""
    since = together.unanchored_since
    age = _since(since, now) if since else timedelta()
    if not together.has_operator:
        return Check(
            "anchor",
            State.DEGRADED,
            "No worker's account here may anchor the audit log.",
            "no-operator",
            "Two administrators make a worker's account an operator of the Directory.",
        )
    if age <= limit:
        return well("anchor", "The audit log is anchored in time.")
    return Check(
        "anchor",
        State.DEGRADED,
        f"An entry of the audit log has waited {spoken(age)} to be anchored.",
        "anchor-late",
        "See what the worker logs that may anchor; entries are safe, but nobody outside can prove them yet.",
    )


def log(stored: Stored) -> Check:
    """Whether the audit log takes entries."""
    if stored.held is None:
        return well("log", "The audit log takes entries.")
    words = {
        "behind": "The audit log is held: the chain has anchored more of it than there is.",
        "different": "The audit log is held: the chain has anchored something else.",
    }
    return Check("log", State.ILL, words[stored.held[0]], LogHeld.code, LogHeld.mend)


def anchor_limit(settings: Settings, profile: ChainProfile) -> timedelta:
    """Return after how long an entry without an anchor is late."""
    if settings.anchor_late_seconds is not None:
        return timedelta(seconds=settings.anchor_late_seconds)
    interval = settings.anchor_seconds or profile.anchor_seconds
    return max(_SHORTEST, timedelta(seconds=_ANCHORINGS * interval))


def spoken(age: timedelta) -> str:
    """Return an age in words, in the largest unit of which there are two."""
    for unit, name in ((86_400, "days"), (3_600, "hours"), (60, "minutes")):
        if age.total_seconds() >= 2 * unit:
            return f"{int(age.total_seconds() // unit)} {name}"
    return f"{int(age.total_seconds())} seconds"


def _since(moment: datetime, now: datetime) -> timedelta:
    return max(now - moment, timedelta())
