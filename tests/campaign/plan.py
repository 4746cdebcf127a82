"""How each crash point is reached: which process dies there, and what has to happen so that it comes by."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from handshaker.crash_points import CRASH_POINTS

WEB, WORKER = "web", "worker"

FIRST = ("worker.first-nonce", "log.tiles-written")
"""Reached only while a relayer is new, or when the next 256 entries are complete: at once, by one worker alone."""
FORKED = (
    "indexer.fork-found",
    "indexer.contradicted",
    "indexer.forgetting",
    "indexer.rolled-back",
    "worker.reopened",
)
"""In the order in which one lost branch leads past them, for each life before the last leaves it as it was."""

LEAVING = ("worker.disclosed", "network.requeueing")
"""After which signatures have left the house of what nobody permits: that waits for its deadline, hours from now."""

_SETTINGS: Mapping[str, Mapping[str, str]] = {
    # A house that shares its node with others writes down what a question to it gives away.
    "worker.disclosed": {"HANDSHAKER_PRIVATE_NODE": "false"},
    # Where nobody asks first, what the contracts refuse is refused in the Relay, and its row comes back.
    "network.requeueing": {"HANDSHAKER_ASK_FIRST": "false"},
}
SLOW_BLOCKS = frozenset({"network.noting-mined"})
"""Reached where a block comes between the walk and the receipts: sooner when blocks come by time."""
_AFTER = {"worker.signing-again": "worker.allocated"}
"""Point → where the life before has to die."""


@dataclass(frozen=True)
class Step:
    """One crash point, and what its process needs to come by."""

    point: str
    settings: Mapping[str, str] = field(default_factory=dict)
    after: str = ""

    @property
    def kind(self) -> str:
        return WEB if self.point.startswith("intake.") else WORKER


def step(point: str) -> Step:
    return Step(point, _SETTINGS.get(point, {}), _AFTER.get(point, ""))


def steps(points: Sequence[str], kind: str, lanes: int = 1) -> list[list[Step]]:
    """Share the points of one kind of process among ``lanes`` that go at once, leaving out those of their own times."""
    found = [step(point) for point in points if point not in FIRST + FORKED + LEAVING]
    mine = [each for each in found if each.kind == kind]
    return [mine[lane::lanes] for lane in range(lanes)]


ALL = tuple(CRASH_POINTS)
