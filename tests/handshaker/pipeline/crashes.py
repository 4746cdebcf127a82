"""A process that dies at a chosen call: stand-ins for store, vault and chain that raise where a kill would hit."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

from handshaker.bootstrap import Handshaker
from handshaker.intake import Intake

READS = {
    *("block", "head", "tip", "final_number", "unsettled", "earliest_deadline", "count", "gas", "fees", "balance"),
    *("size", "held", "anchored", "anchored_size", "is_anchoring", "written_at", "leaf_hashes", "tiles", "tile_counts"),
    *("view", "address", "identity", "anchor_gas"),
}
"""To die after one of these is to die before the next call."""


class Killed(BaseException):
    """No ``except Exception`` may swallow it: a killed process runs no handler."""


@dataclass
class Fuse:
    """Raises at the ``at``-th call, before it does anything or right after it did it."""

    at: int
    after: bool
    calls: int = 0
    armed: bool = False
    place: str = ""
    """The name of the call that it hit."""

    def around(self, name: str, call: Any, *arguments: Any, **named: Any) -> Any:
        if not self.armed or (self.after and name in READS):
            return call(*arguments, **named)
        self.calls += 1
        mine = self.calls == self.at
        if mine:
            self.place = name
        if mine and not self.after:
            raise Killed(name)
        answer = call(*arguments, **named)
        if mine:
            raise Killed(name)
        return answer


class Fused:
    """Stands for an object; each call of a method, its parts' methods included, passes the fuse."""

    _PARTS = ("people", "catalogue", "intake", "queue", "network", "chain_view", "audit", "log")

    def __init__(self, target: Any, fuse: Fuse) -> None:
        self.__dict__.update(_target=target, _fuse=fuse)

    def __getattr__(self, name: str) -> Any:
        found = getattr(self._target, name)
        if name in self._PARTS:
            return Fused(found, self._fuse)
        if not callable(found):
            return found
        fuse = self._fuse
        return lambda *arguments, **named: fuse.around(name, found, *arguments, **named)

    def __setattr__(self, name: str, value: Any) -> None:
        setattr(self._target, name, value)


def fused(handshaker: Handshaker, fuse: Fuse) -> Handshaker:
    """The same instance, with a fuse before each call to store, vault and chain."""
    store: Any = Fused(handshaker.store, fuse)
    vault: Any = Fused(handshaker.vault, fuse)
    chain: Any = Fused(handshaker.chain, fuse)
    intake = Intake(
        store,
        vault,
        lambda: chain,
        handshaker.templates,
        handshaker.generator,
        handshaker.clock,
        handshaker.settings.payload_limit,
        handshaker.journal,
    )
    return replace(handshaker, store=store, vault=vault, chain=chain, intake=intake)
