"""Anchoring: when a new head is due, what it is, and whether the log still is what the chain remembers of it."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any, Protocol

from handshaker.audit.check_proof import head_digest
from handshaker.audit.errors import LogHeld
from handshaker.audit.merkle import TiledTree, new_tiles
from handshaker.crash_points import crash_point
from handshaker.messages import Head, SignedHead
from handshaker.ports import Chain, Clock


class Log(Protocol):
    """The log's tables, as far as anchoring needs them."""

    def size(self) -> int:
        """Return how many entries there are."""
        ...

    def anchored_size(self) -> int:
        """Return the largest size of the anchors that were walked."""
        ...

    def is_anchoring(self) -> bool:
        """Tell whether an anchor is on its way."""
        ...

    def written_at(self, position: int) -> datetime | None:
        """Return when an entry was written."""
        ...

    def entries(self, first: int, last: int, kind: str | None = None) -> Sequence[Any]:
        """Return the entries of a range, each with its ``leaf``."""
        ...

    def leaf_hashes(self, first: int, last: int) -> list[bytes]:
        """Return the leaf hashes of a range."""
        ...

    def tiles(self, level: int, first: int, last: int) -> list[bytes]:
        """Return stored tiles of a level."""
        ...

    def tile_counts(self) -> dict[int, int]:
        """Return how many tiles are stored by level."""
        ...

    def add_tiles(self, tiles: Sequence[tuple[int, int, bytes]]) -> None:
        """Store tiles."""
        ...

    def hold(self, reason: str, size: int, anchored: Head, at: datetime) -> None:
        """Let nothing be appended from here on."""
        ...

    def held(self) -> tuple[str, int, Head] | None:
        """Return why the log is held."""
        ...


class Anchoring:
    """Makes signed heads for one operator."""

    def __init__(
        self,
        log: Log,
        chain: Chain,
        clock: Clock,
        operator: str,
        sign: Callable[[bytes], bytes],
        *,
        after: timedelta,
        entries: int,
    ) -> None:
        self._log = log
        self._chain = chain
        self._clock = clock
        self._operator = operator
        self._sign = sign
        self._after = after
        self._entries = entries
        self._next_try: datetime | None = None

    def check(self) -> None:
        """Raise ``LogHeld`` unless the log begins with what the chain has anchored; from then on it is held."""
        self.refuse_if_held()
        anchored = self._chain.anchored()
        size = self._log.size()
        if anchored.size > size:
            self._log.hold("behind", size, anchored, self._clock.now())
        elif (
            anchored.size
            and self._tree(anchored.size).root(anchored.size) != anchored.root
            and not self._is_declared_lost(anchored, size)
        ):
            self._log.hold("different", size, anchored, self._clock.now())
        self.refuse_if_held()

    def next(self) -> SignedHead | None:
        """Return the head that is to be anchored now, signed; ``None`` while none is due, or another is on its way.

        Raises ``LogHeld`` as `check` does.
        """
        if not self._is_due() or self._log.is_anchoring():
            return None
        # Not at every pass again where there is a reason why it does not go.
        self._next_try = self._clock.now() + min(self._after, timedelta(seconds=10))
        (is_operator,) = self._chain.view("Directory", "isOperator", self._operator)
        if not is_operator:
            return None
        self.check()
        size = self._log.size()
        if size <= self._chain.anchored().size:
            return None
        tree = self._tree(size)
        crash_point("anchoring.tiled")
        return self._signed(Head(size, tree.root(size)))

    def _is_declared_lost(self, anchored: Head, size: int) -> bool:
        """Whether the log says openly, behind the positions that the head covers, that this branch is lost."""
        leaves = [json.loads(entry.leaf) for entry in self._log.entries(anchored.size, size, "restore")]
        lost = {"anchoredSize": anchored.size, "anchoredRoot": "0x" + anchored.root.hex()}
        return any(lost.items() <= leaf.items() for leaf in leaves)

    def _is_due(self) -> bool:
        if self._next_try is not None and self._clock.now() < self._next_try:
            return False
        anchored = self._log.anchored_size()
        waiting_since = self._log.written_at(anchored)
        if waiting_since is None:
            if anchored > self._log.size():
                # Somebody has anchored more than there is: another copy of this log works elsewhere.
                self.check()
            return False
        is_late = self._clock.now() - waiting_since >= self._after
        return is_late or self._log.written_at(anchored + self._entries - 1) is not None

    def _signed(self, head: Head) -> SignedHead:
        made_at = datetime.fromtimestamp(int(self._clock.now().timestamp()), UTC)
        contract, chain_id = self._chain.address("AuditAnchor"), self._chain.identity().chain_id
        signature = self._sign(head_digest(chain_id, contract, head.size, head.root, int(made_at.timestamp())))
        return SignedHead(head, made_at, self._operator, signature[:64] + bytes([signature[64] + 27]))

    def _tree(self, size: int) -> TiledTree:
        """Return the tree over the first ``size`` entries at least, after storing the tiles that became complete."""
        self._log.add_tiles(list(new_tiles(self._log.tile_counts(), size, self._log)))
        return TiledTree(self._log)

    def refuse_if_held(self) -> None:
        """Raise ``LogHeld`` while the log is held."""
        held = self._log.held()
        if held is not None:
            reason, size, anchored = held
            raise LogHeld(
                f"The audit log is held: it has {size} entries, and the chain anchors {anchored.size}.",
                reason=reason,
                size=size,
                anchored_size=anchored.size,
                anchored_root="0x" + anchored.root.hex(),
            )
