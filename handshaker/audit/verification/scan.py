"""The recomputation: every entry once, in order, with what rests on it; memory stays flat however long the log is."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from hashlib import sha256
from typing import Any

from handshaker.audit.merkle import TILE_WIDTH, CompactRange, subtree_root
from handshaker.audit.verification.agreement import Opened, disagreement, moment, told

KEPT = 1_000
"""Oddities of a kind that are kept; after as many it is clear that more of them say nothing new."""

Seal = Callable[[int, bytes], bytes]


class Odd(StrEnum):
    """What can be seen of one place without looking for the others."""

    GAP = "gap"
    MISSING = "missing"
    """A position points to an entry that is not there."""
    HASH = "hash"
    SEAL = "seal"
    ROW = "row"
    """A row that rests on the entry says otherwise."""
    ROW_MISSING = "row-missing"
    ROW_TOO_MANY = "row-too-many"
    MESSAGE = "message"
    """The row of the outbox says otherwise."""
    MESSAGE_MISSING = "message-missing"
    MESSAGE_TOO_MANY = "message-too-many"


@dataclass(frozen=True, slots=True)
class Oddity:
    """Something that was seen at a position."""

    odd: Odd
    position: int
    entry_id: str | None
    ti_id: str | None
    words: str


@dataclass(frozen=True, slots=True)
class Restore:
    """What a ``restore`` leaf declares."""

    position: int
    actor: str
    common: int
    kept: int
    size: int
    root: str


@dataclass(slots=True)
class Scanned:
    """What the pass over the log has found."""

    rows: int = 0
    extent: int = 0
    """One more than the largest position."""
    acknowledgements: int = 0
    """Rows of acknowledgements that belong to an entry of the log; likewise entries and messages of the outbox."""
    entries: int = 0
    messages: int = 0
    roots: dict[int, bytes] = field(default_factory=dict)
    """Size → root, of the sizes that were asked for, as far as the log has no gap."""
    tiles: dict[tuple[int, int], bytes] = field(default_factory=dict)
    """``(level, number)`` → hash: one for every 256 entries."""
    oddities: dict[Odd, list[Oddity]] = field(default_factory=dict)
    contradicted: dict[str, int] = field(default_factory=dict)
    """Entry of an acknowledgement → position of the entry that contradicts it."""
    lost: dict[int, tuple[int, str]] = field(default_factory=dict)
    """Position of a ``lost`` leaf → size and root that it names."""
    restores: list[Restore] = field(default_factory=list)
    adopted: list[tuple[int, str | None, str, Any]] = field(default_factory=list)
    """Position, entry, AuditAnchor and details of each deployment that the log tells of."""
    written_at: str | None = None
    """When the last entry was written."""

    def all(self, *kinds: Odd) -> list[Oddity]:
        """Return what was seen of some kinds, by position."""
        found = [oddity for kind in kinds for oddity in self.oddities.get(kind, [])]
        return sorted(found, key=lambda oddity: oddity.position)


class Scan:
    """One pass: pages in, a ``Scanned`` out."""

    def __init__(self, seal: Seal, sealed_from: int, sizes: Iterable[int], opened: Opened) -> None:
        self.found = Scanned()
        self._seal = seal
        self._sealed_from = sealed_from
        self._sizes = sorted({size for size in sizes if size > 0}, reverse=True)
        self._opened = opened
        self._range = CompactRange()
        self._leaves: list[bytes] = []
        self._middle: list[bytes] = []
        self._upper: list[bytes] = []
        self._is_dense = True
        self._last: int | None = None

    def page(self, rows: Sequence[Sequence[Any]]) -> None:
        """Take the next rows, of ``sources.ENTRY_COLUMNS``."""
        found, seal, sealed_from = self.found, self._seal, self._sealed_from
        for row in rows:
            position, place, stored_seal, entry_id, kind, leaf, leaf_hash, written_at, topic, told_ti, *rest = row
            if position != found.extent:
                if position == self._last:
                    words = "several rows claim this entry"
                    self._see(Odd.ROW_TOO_MANY, position, entry_id, told_ti, words)
                    continue
                self._gap(position)
            self._last = position
            found.extent = max(found.extent, position + 1)
            found.rows += 1
            if entry_id is None:
                self._is_dense = False
                self._see(Odd.MISSING, position, place, told_ti, "its row in audit_entries is gone")
                continue
            found.entries += 1
            if type(leaf) is not bytes:
                leaf = as_bytes(leaf)
                self._see(Odd.HASH, position, entry_id, told_ti, "its leaf is not even bytes any more")
            digest = sha256(b"\x00" + leaf).digest()
            if digest != leaf_hash:
                self._see(Odd.HASH, position, entry_id, told_ti, "its leaf does not have the hash that is stored")
            if position >= sealed_from and stored_seal != seal(position, digest):
                self._see(Odd.SEAL, position, entry_id, told_ti, "its seal is not that of this leaf at this place")
            if self._is_dense:
                self._leaves.append(digest)
                if len(self._leaves) == TILE_WIDTH:
                    self._flush()
            said = told(leaf)
            self._hold(position, entry_id, said, kind, written_at, topic, told_ti, rest)
            found.written_at = _text(moment(written_at))

    def finish(self) -> Scanned:
        """Return what was found."""
        self._flush()
        return self.found

    # ---- what rests on an entry --------------------------------------------------------------------------------------

    def _hold(
        self,
        position: int,
        entry_id: str,
        said: dict[str, Any],
        kind: Any,
        written_at: Any,
        topic: Any,
        told_ti: Any,
        rest: Sequence[Any],
    ) -> None:
        found = self.found
        if said.get("entry") != entry_id or said.get("kind") != kind or said.get("at") != moment(written_at):
            words = "its row in audit_entries has another id, kind or time than its leaf"
            self._see(Odd.ROW, position, entry_id, said.get("ti"), words)
            kind = said.get("kind", kind)
        has_row = rest[0] is not None
        found.acknowledgements += has_row
        found.messages += topic is not None
        if kind == "acknowledgement":
            if not has_row:
                self._see(Odd.ROW_MISSING, position, entry_id, said.get("ti"), "its row in acknowledgements is gone")
            elif (differs := disagreement(said, rest, self._opened)) is not None:
                self._see(Odd.ROW, position, entry_id, said.get("ti"), differs)
        elif has_row:
            words = f"a row in acknowledgements claims this entry, which is of the kind {kind}"
            self._see(Odd.ROW_TOO_MANY, position, entry_id, rest[0], words)
        if kind in ("acknowledgement", "contradiction"):
            self._message(position, entry_id, said, kind, topic, told_ti)
        elif topic is not None:
            words = "a row in the outbox tells of an acknowledgement here, and there is none"
            self._see(Odd.MESSAGE_TOO_MANY, position, entry_id, told_ti, words)
        if kind not in ("acknowledgement", "access"):
            self._remember(position, entry_id, said)

    def _message(self, position: int, entry_id: str, said: dict[str, Any], kind: str, topic: Any, told_ti: Any) -> None:
        if topic is None:
            self._see(Odd.MESSAGE_MISSING, position, entry_id, said.get("ti"), "its row in the outbox is gone")
        elif topic != kind or told_ti != said.get("ti"):
            words = f"the row in the outbox at this position tells of another thing ({topic} of TI {told_ti})"
            self._see(Odd.MESSAGE, position, entry_id, said.get("ti"), words)

    def _remember(self, position: int, entry_id: str | None, said: dict[str, Any]) -> None:
        """Keep what the judgement needs of the rare kinds of entries."""
        kind = said.get("kind")
        if kind == "contradiction":
            self.found.contradicted[str(said.get("contradicts"))] = position
        elif kind == "lost":
            self.found.lost[position] = (said.get("anchoredSize", 0), str(said.get("anchoredRoot")))
        elif kind == "restore":
            actor, root = str(said.get("actor")), str(said.get("anchoredRoot"))
            common, kept, size = (said.get(name) for name in ("common", "kept", "anchoredSize"))
            if isinstance(common, int) and isinstance(kept, int) and isinstance(size, int):
                self.found.restores.append(Restore(position, actor, common, kept, size, root))
        elif kind == "act" and said.get("act") == "deployment-adopted":
            self.found.adopted.append((position, entry_id, str(said.get("subject")), said.get("details")))

    # ---- the tree ----------------------------------------------------------------------------------------------------

    def _flush(self) -> None:
        """Append the leaves that are waiting to the tree, one by one where a root among them was asked for."""
        leaves, tree = self._leaves, self._range
        sizes = self._sizes
        while sizes and sizes[-1] <= tree.size:
            sizes.pop()
        if len(leaves) == TILE_WIDTH:
            tile = subtree_root(leaves)
            self._tile(tile)
            if not sizes or sizes[-1] > tree.size + TILE_WIDTH:
                tree.append_subtree(8, tile)
                self._leaves = []
                return
        for leaf_hash in leaves:
            tree.append(leaf_hash)
            if sizes and tree.size == sizes[-1]:
                self.found.roots[sizes.pop()] = tree.root()
        self._leaves = []

    def _tile(self, tile: bytes) -> None:
        found, middle, upper = self.found.tiles, self._middle, self._upper
        found[(8, self._range.size // TILE_WIDTH)] = tile
        middle.append(tile)
        if len(middle) == TILE_WIDTH:
            found[(16, self._range.size // TILE_WIDTH**2)] = subtree_root(middle)
            upper.append(found[(16, self._range.size // TILE_WIDTH**2)])
            middle.clear()
        if len(upper) == TILE_WIDTH:
            found[(24, self._range.size // TILE_WIDTH**3)] = subtree_root(upper)
            upper.clear()

    # ---- what is odd -------------------------------------------------------------------------------------------------

    def _gap(self, position: int) -> None:
        self._is_dense = False
        words = f"position {position} follows {self.found.extent - 1}"
        self._see(Odd.GAP, min(position, self.found.extent), None, None, words)

    def _see(self, odd: Odd, position: int, entry_id: Any, ti_id: Any, words: str) -> None:
        seen = self.found.oddities.setdefault(odd, [])
        if len(seen) < KEPT:
            seen.append(Oddity(odd, position, _text(entry_id), _text(ti_id), words))


def _text(value: Any) -> str | None:
    return None if value is None else str(value)


def as_bytes(value: Any) -> bytes:
    """Return the bytes of a leaf that somebody wrote as something else."""
    return value if isinstance(value, bytes) else str(value).encode()
