"""What a log is made of: leaves, and their hashes in memory as a source; any JSON, where a proof should be."""

from __future__ import annotations

from collections.abc import Iterable

from hypothesis import strategies as st

from handshaker.audit.check_proof import leaf_hash
from handshaker.audit.merkle import Tile

json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=70),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=9), inner, max_size=3),
    max_leaves=5,
)
"""Small JSON of any kind."""


def leaves(size: int) -> list[bytes]:
    """Return ``size`` different leaves."""
    return [b'{"entry":%d}' % position for position in range(size)]


class Kept:
    """Keeps leaf hashes and tiles, and counts the hashes that were read."""

    def __init__(self, leaves: Iterable[bytes]) -> None:
        self.hashes = [leaf_hash(leaf) for leaf in leaves]
        self.by_level: dict[int, list[bytes]] = {}
        self.hashes_read = 0

    def leaf_hashes(self, first: int, last: int) -> list[bytes]:
        return self._read(self.hashes, first, last)

    def tiles(self, level: int, first: int, last: int) -> list[bytes]:
        return self._read(self.by_level.get(level, []), first, last)

    def keep(self, tiles: Iterable[Tile]) -> None:
        """Keep tiles, each in its place."""
        for level, number, hash_ in tiles:
            assert number == len(self.by_level.setdefault(level, []))
            self.by_level[level].append(hash_)

    @property
    def counts(self) -> dict[int, int]:
        return {level: len(tiles) for level, tiles in self.by_level.items()}

    def _read(self, hashes: list[bytes], first: int, last: int) -> list[bytes]:
        found = hashes[first:last]
        self.hashes_read += len(found)
        return found
