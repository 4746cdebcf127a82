"""The Merkle tree of the audit log, RFC 9162 section 2.1, without ever holding all leaves.

Ranges are half open: ``first`` counts from 0 and belongs to it, ``last`` does not. The *subtree* ``(level, number)``
is the complete one over ``2^level`` leaves from position ``number · 2^level`` on. A *tile* is the hash of such a
subtree at level 8, 16 or 24 that is kept, so that a root or a path costs some hundred hashes, not all of them.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from hashlib import sha256
from typing import NamedTuple, Protocol

from handshaker.audit.check_proof import EMPTY_ROOT, node_hash

TILE_LEVELS = (8, 16, 24)
TILE_WIDTH = 256
"""Hashes of one level below that a tile stands for."""

_CACHED_BLOCKS = 256
"""Blocks of up to ``TILE_WIDTH`` hashes that a ``TiledTree`` remembers: some four megabytes."""

Subtree = Callable[[int, int], bytes]
"""``(level, number)`` → hash of that complete subtree."""


class Tile(NamedTuple):
    """The hash of the complete subtree ``number`` of level 8, 16 or 24."""

    level: int
    number: int
    hash: bytes


class HashSource(Protocol):
    """Where the hashes are kept."""

    def leaf_hashes(self, first: int, last: int) -> Sequence[bytes]:
        """Return the leaf hashes of the positions ``first`` to ``last - 1``; fewer where the log ends before."""

    def tiles(self, level: int, first: int, last: int) -> Sequence[bytes]:
        """Return the tiles ``first`` to ``last - 1`` of a level, in order; fewer where the others are not kept yet."""


class CompactRange:
    """The complete subtrees that all leaves so far fall into, at most 64: what an append and the root need."""

    __slots__ = ("_peaks", "_size")

    def __init__(self) -> None:
        self._size = 0
        self._peaks: list[bytes] = []

    @classmethod
    def at(cls, size: int, subtree: Subtree) -> CompactRange:
        """Return the range over the first ``size`` leaves, to be appended to."""
        found = cls()
        found._size, found._peaks = size, _peaks(0, size, subtree)
        return found

    @property
    def size(self) -> int:
        """How many leaves there are."""
        return self._size

    def append(self, leaf_hash: bytes) -> None:
        """Append one leaf by its hash, in constant time on average."""
        size, peaks = self._size, self._peaks
        while size & 1:
            leaf_hash = sha256(b"\x01" + peaks.pop() + leaf_hash).digest()
            size >>= 1
        peaks.append(leaf_hash)
        self._size += 1

    def extend(self, leaf_hashes: Iterable[bytes]) -> None:
        """Append leaves by their hashes."""
        for leaf_hash in leaf_hashes:
            self.append(leaf_hash)

    def append_subtree(self, level: int, subtree_hash: bytes) -> None:
        """Append 2^level leaves at once; raises ``ValueError`` unless that many make a subtree here."""
        if self._size % (1 << level):
            raise ValueError(f"no subtree of level {level} begins at position {self._size}")
        number, peaks = self._size >> level, self._peaks
        while number & 1:
            subtree_hash = node_hash(peaks.pop(), subtree_hash)
            number >>= 1
        peaks.append(subtree_hash)
        self._size += 1 << level

    def root(self) -> bytes:
        """Return the root over all leaves so far; further ones may be appended afterwards."""
        return _fold(self._peaks)


def subtree_root(hashes: Sequence[bytes]) -> bytes:
    """Return the root over 2^k hashes of one level; raises ``ValueError`` for any other number of them."""
    if not hashes or len(hashes) & (len(hashes) - 1):
        raise ValueError(f"{len(hashes)} hashes do not make a complete subtree")
    while len(hashes) > 1:
        hashes = [
            sha256(b"\x01" + hashes[each] + hashes[each + 1]).digest()  # node_hash, without the call
            for each in range(0, len(hashes), 2)
        ]
    return hashes[0]


def root_at(size: int, subtree: Subtree) -> bytes:
    """Return the root over the first ``size`` leaves, ``MTH`` of RFC 9162 section 2.1.1."""
    return _fold(_peaks(0, size, subtree))


def inclusion_path(position: int, size: int, subtree: Subtree) -> list[bytes]:
    """Return ``PATH(position, D[size])`` of RFC 9162 section 2.1.3.1, bottom up.

    Raises ``ValueError`` unless ``0 <= position < size``.
    """
    if not 0 <= position < size:
        raise ValueError(f"there is no position {position} in a log of {size}")
    path = []
    first, last = 0, size
    while last - first > 1:
        middle = first + _split(last - first)
        if position < middle:
            path.append(_range_root(middle, last, subtree))
            last = middle
        else:
            path.append(_range_root(first, middle, subtree))
            first = middle
    return path[::-1]


def consistency_path(first: int, second: int, subtree: Subtree) -> list[bytes]:
    """Return ``PROOF(first, D[second])`` of RFC 9162 section 2.1.4.1, bottom up.

    Empty for two equal sizes and for ``first`` 0, which every log has begun with. Raises ``ValueError`` unless
    ``0 <= first <= second``.
    """
    if not 0 <= first <= second:
        raise ValueError(f"a log of {first} does not become one of {second}")
    path: list[bytes] = []
    if first == 0:
        return path
    begin, end = 0, second
    while end != first:
        middle = begin + _split(end - begin)
        if first <= middle:
            path.append(_range_root(middle, end, subtree))
            end = middle
        else:
            path.append(_range_root(begin, middle, subtree))
            begin = middle
    if begin:  # otherwise it is the first root itself, which whoever checks has already
        path.append(_range_root(begin, end, subtree))
    return path[::-1]


class TiledTree:
    """Roots and paths at any size, out of kept leaf hashes and tiles; remembers what it read last.

    A tile that is not kept yet is worked out from what lies below. For logs that only grow: after a restore, make a new
    one. Methods raise ``ValueError`` where the source has fewer leaves than they need.
    """

    def __init__(self, source: HashSource) -> None:
        self._source = source
        self._blocks: OrderedDict[tuple[int, int], list[bytes]] = OrderedDict()

    def subtree(self, level: int, number: int) -> bytes:
        """Return the hash of a complete subtree."""
        if level >= TILE_LEVELS[-1] + 8:
            return node_hash(self.subtree(level - 1, 2 * number), self.subtree(level - 1, 2 * number + 1))
        below = level // 8 * 8
        width = 1 << (level - below)
        block, first = divmod(number * width, TILE_WIDTH)
        return subtree_root(self.block(below, block, first + width)[first : first + width])

    def root(self, size: int) -> bytes:
        """Return the root over the first ``size`` leaves."""
        return root_at(size, self.subtree)

    def range_at(self, size: int) -> CompactRange:
        """Return the first ``size`` leaves as a range to be appended to."""
        return CompactRange.at(size, self.subtree)

    def inclusion_path(self, position: int, size: int) -> list[bytes]:
        """See ``inclusion_path``."""
        return inclusion_path(position, size, self.subtree)

    def consistency_path(self, first: int, second: int) -> list[bytes]:
        """See ``consistency_path``."""
        return consistency_path(first, second, self.subtree)

    def block(self, level: int, number: int, needed: int) -> list[bytes]:
        """Return at least the first ``needed`` hashes of the up to 256 that begin at ``number · 256`` of a level."""
        known = self._blocks.get((level, number), [])
        if len(known) < needed:
            known = self._read(level, number * TILE_WIDTH, needed)
            self._blocks[(level, number)] = known
            if len(self._blocks) > _CACHED_BLOCKS:
                self._blocks.popitem(last=False)
        return known

    def _read(self, level: int, first: int, needed: int) -> list[bytes]:
        if level == 0:
            found = list(self._source.leaf_hashes(first, first + TILE_WIDTH))
            if len(found) < needed:
                raise ValueError(f"the log has no position {first + len(found)}")
            return found
        found = list(self._source.tiles(level, first, first + TILE_WIDTH))
        while len(found) < needed:
            found.append(subtree_root(self.block(level - 8, first + len(found), TILE_WIDTH)))
        return found


def new_tiles(known: Mapping[int, int], size: int, source: HashSource) -> Iterator[Tile]:
    """Yield the tiles that a log of ``size`` has and that are not kept yet, each level from its first missing one on.

    ``known``: level → how many tiles of it are kept; a level that is missing has none. Each tile is yielded after those
    below it, so it does no harm to keep only the first few of them. Raises ``ValueError`` where leaves are missing.
    """
    made = _Made(source)
    tree = TiledTree(made)
    for level in TILE_LEVELS:
        for number in range(known.get(level, 0), size >> level):
            tile = Tile(level, number, subtree_root(tree.block(level - 8, number, TILE_WIDTH)))
            made.new[(level, number)] = tile.hash
            yield tile


class _Made:
    """A source that also knows the tiles that were made just now, whether they are kept already or not."""

    def __init__(self, source: HashSource) -> None:
        self.leaf_hashes = source.leaf_hashes
        self.new: dict[tuple[int, int], bytes] = {}
        self._kept = source.tiles

    def tiles(self, level: int, first: int, last: int) -> list[bytes]:
        found = list(self._kept(level, first, last))
        while first + len(found) < last and (level, first + len(found)) in self.new:
            found.append(self.new[(level, first + len(found))])
        return found


def _split(size: int) -> int:
    """Return the largest power of two smaller than ``size`` (2 or more)."""
    return 1 << ((size - 1).bit_length() - 1)


def _peaks(first: int, last: int, subtree: Subtree) -> list[bytes]:
    """Return the complete subtrees of a range, from left to right; it begins where a subtree of its width begins."""
    found = []
    for level in range((last - first).bit_length() - 1, -1, -1):
        if (last - first) >> level & 1:
            found.append((level, first >> level))
            first += 1 << level
    return [subtree(level, number) for level, number in found]


def _range_root(first: int, last: int, subtree: Subtree) -> bytes:
    return _fold(_peaks(first, last, subtree))


def _fold(peaks: Sequence[bytes]) -> bytes:
    if not peaks:
        return EMPTY_ROOT
    root = peaks[-1]
    for peak in reversed(peaks[:-1]):
        root = node_hash(peak, root)
    return root
