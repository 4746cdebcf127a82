"""The tree is the one of RFC 9162, whatever its size, and reads little of the log."""

from __future__ import annotations

from hashlib import sha256
from itertools import islice

import pytest
from hypothesis import given
from hypothesis import strategies as st

from handshaker.audit import check_proof, merkle
from handshaker.audit.check_proof import check_consistency, node_hash, root_from_inclusion
from handshaker.audit.merkle import CompactRange, TiledTree, new_tiles, subtree_root
from tests.handshaker.audit import rfc9162
from tests.handshaker.audit.kept import Kept, leaves

LEAVES = leaves(3_000)
SMALL = 70
AT_BORDERS = (255, 256, 257, 511, 512, 513, 1_024, 2_047, 2_815, 2_816, 2_817)
sizes = st.one_of(st.integers(0, 3_000), st.sampled_from(AT_BORDERS))

KNOWN_LEAVES = ["", "00", "10", "2021", "3031", "40414243", "5051525354555657", "606162636465666768696a6b6c6d6e6f"]
KNOWN_ROOTS = [
    "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
    "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
    "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125",
    "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77",
    "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
    "4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4",
    "76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef",
    "ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c",
    "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328",
]
"""The leaves that the tests of Certificate Transparency use, and the roots over the first 0 to 8 of them."""


@pytest.fixture(scope="module")
def tiled() -> TiledTree:
    """The tree over ``LEAVES`` with all its tiles kept."""
    kept = Kept(LEAVES)
    kept.keep(new_tiles({}, len(LEAVES), kept))
    return TiledTree(kept)


def test_the_roots_are_those_of_certificate_transparency() -> None:
    known = [bytes.fromhex(leaf) for leaf in KNOWN_LEAVES]
    tree, streamed = TiledTree(Kept(known)), CompactRange()
    for size, root in enumerate(KNOWN_ROOTS):
        assert tree.root(size).hex() == streamed.root().hex() == root == rfc9162.mth(known[:size]).hex()
        streamed.extend(check_proof.leaf_hash(leaf) for leaf in known[size : size + 1])


def test_the_paths_are_those_of_certificate_transparency() -> None:
    tree = TiledTree(Kept(bytes.fromhex(leaf) for leaf in KNOWN_LEAVES))
    assert [node.hex()[:16] for node in tree.inclusion_path(5, 8)] == [
        "bc1a0643b12e4d2d",
        "ca854ea128ed050b",
        "d37ee418976dd957",
    ]
    assert [node.hex()[:16] for node in tree.consistency_path(6, 8)] == [
        "0ebc5d3437fbe2db",
        "ca854ea128ed050b",
        "d37ee418976dd957",
    ]


def test_every_path_of_every_small_log_is_the_one_of_the_standard(tiled: TiledTree) -> None:
    for size in range(1, SMALL + 1):
        log = LEAVES[:size]
        root = rfc9162.mth(log)
        assert tiled.root(size) == root
        for position in range(size):
            path = tiled.inclusion_path(position, size)
            assert path == rfc9162.path(position, log)
            assert root_from_inclusion(position, size, check_proof.leaf_hash(log[position]), path) == root
        for first in range(1, size + 1):
            path = tiled.consistency_path(first, size)
            assert path == rfc9162.proof(first, log)
            check_consistency(first, rfc9162.mth(log[:first]), size, root, path)


@given(sizes.filter(bool), st.data())
def test_paths_across_tiles_are_those_of_the_standard(tiled: TiledTree, size: int, data: st.DataObject) -> None:
    log, root = LEAVES[:size], rfc9162.mth(LEAVES[:size])
    position = data.draw(st.integers(0, size - 1))
    path = tiled.inclusion_path(position, size)
    assert path == rfc9162.path(position, log)
    assert root_from_inclusion(position, size, check_proof.leaf_hash(log[position]), path) == root
    first = data.draw(st.integers(1, size))
    growth = tiled.consistency_path(first, size)
    assert growth == rfc9162.proof(first, log)
    check_consistency(first, rfc9162.mth(log[:first]), size, root, growth)


@given(sizes, sizes)
def test_every_log_has_grown_from_the_empty_one_and_none_from_a_larger_one(
    tiled: TiledTree, one: int, other: int
) -> None:
    first, second = sorted((one, other))
    assert tiled.consistency_path(0, second) == tiled.consistency_path(second, second) == []
    check_consistency(0, rfc9162.mth([]), second, tiled.root(second), [])
    if first < second:
        with pytest.raises(ValueError, match="does not become"):
            tiled.consistency_path(second, first)


@given(sizes)
def test_a_position_that_the_log_does_not_have_has_no_path(tiled: TiledTree, size: int) -> None:
    for position in (-1, size, size + 1):
        with pytest.raises(ValueError, match="no position"):
            tiled.inclusion_path(position, size)


@given(sizes, sizes)
def test_a_streamed_log_has_its_root_at_any_time_and_goes_on(tiled: TiledTree, begun: int, more: int) -> None:
    begun, size = sorted((begun, more))
    streamed, hashes = CompactRange(), Kept(LEAVES[:size]).hashes
    streamed.extend(hashes[:begun])
    assert streamed.root() == streamed.root() == tiled.root(begun)
    resumed = tiled.range_at(begun)
    assert (resumed.size, resumed.root()) == (begun, tiled.root(begun))
    for each in (streamed, resumed):
        each.extend(hashes[begun:])
        assert (each.size, each.root()) == (size, rfc9162.mth(LEAVES[:size]))


@given(sizes)
def test_whole_tiles_can_be_streamed_too(tiled: TiledTree, size: int) -> None:
    streamed, hashes = CompactRange(), Kept(LEAVES[:size]).hashes
    for number in range(size >> 8):
        streamed.append_subtree(8, subtree_root(hashes[number << 8 : (number + 1) << 8]))
    streamed.extend(hashes[size & ~255 :])
    assert (streamed.size, streamed.root()) == (size, tiled.root(size))
    if size % 256:
        with pytest.raises(ValueError, match="begins at position"):
            streamed.append_subtree(8, bytes(32))


@pytest.mark.parametrize("count", [0, 3, 255])
def test_only_powers_of_two_make_a_complete_subtree(count: int) -> None:
    with pytest.raises(ValueError, match="complete subtree"):
        subtree_root([bytes(32)] * count)


@given(st.lists(sizes, min_size=1, max_size=4))
def test_tiles_are_made_as_the_log_grows_and_each_once(tiled: TiledTree, reached: list[int]) -> None:
    kept = Kept(LEAVES)
    for size in sorted(reached):
        made = list(new_tiles(kept.counts, size, kept))
        assert all(tile.hash == tiled.subtree(tile.level, tile.number) for tile in made)
        kept.keep(made)
        assert kept.counts.get(8, 0) == size >> 8
        assert list(new_tiles(kept.counts, size, kept)) == []


@given(st.integers(0, 11), sizes)
def test_tiles_that_are_not_kept_yet_are_worked_out(tiled: TiledTree, kept_ones: int, size: int) -> None:
    kept = Kept(LEAVES)
    kept.keep(islice(new_tiles({}, len(LEAVES), kept), kept_ones))
    assert TiledTree(kept).root(size) == tiled.root(size)


def test_a_log_that_lacks_leaves_has_no_root() -> None:
    tree = TiledTree(Kept(LEAVES[:300]))
    with pytest.raises(ValueError, match="the log has no position 300"):
        tree.root(301)
    with pytest.raises(ValueError, match="the log has no position 300"):
        tree.inclusion_path(7, 512)


def test_the_tree_goes_on_as_the_log_grows() -> None:
    kept = Kept(LEAVES[:300])
    tree = TiledTree(kept)
    assert tree.root(300) == rfc9162.mth(LEAVES[:300])
    kept.hashes = Kept(LEAVES[:700]).hashes
    assert tree.root(700) == rfc9162.mth(LEAVES[:700])
    assert tree.root(300) == rfc9162.mth(LEAVES[:300])


class Wide:
    """Twenty million leaves that are all the same, so that a subtree is told by its level; counts what is read."""

    SIZE = 20_000_000

    def __init__(self) -> None:
        self.by_level = [sha256(b"\x00").digest()]
        for _ in range(24):
            self.by_level.append(node_hash(self.by_level[-1], self.by_level[-1]))
        self.hashes_read = 0

    def leaf_hashes(self, first: int, last: int) -> list[bytes]:
        return self.tiles(0, first, last)

    def tiles(self, level: int, first: int, last: int) -> list[bytes]:
        found = [self.by_level[level]] * (min(last, self.SIZE >> level) - first)
        self.hashes_read += len(found)
        return found


@given(st.integers(1, Wide.SIZE), st.data())
def test_a_root_and_a_path_read_two_blocks_of_each_level_at_most(size: int, data: st.DataObject) -> None:
    wide = Wide()
    root = TiledTree(wide).root(size)
    assert wide.hashes_read <= 256 * 4
    position = data.draw(st.integers(0, size - 1))
    wide.hashes_read = 0
    path = TiledTree(wide).inclusion_path(position, size)
    assert wide.hashes_read <= 2 * 256 * 4
    assert root_from_inclusion(position, size, wide.by_level[0], path) == root
    first = data.draw(st.integers(1, size))
    wide.hashes_read = 0
    growth = TiledTree(wide).consistency_path(first, size)
    assert wide.hashes_read <= 2 * 256 * 4
    check_consistency(first, TiledTree(wide).root(first), size, root, growth)


def test_what_was_read_is_remembered_within_bounds(monkeypatch: pytest.MonkeyPatch) -> None:
    kept = Kept(LEAVES)
    kept.keep(new_tiles({}, len(LEAVES), kept))
    tree = TiledTree(kept)
    tree.inclusion_path(5, 3_000)
    before = kept.hashes_read
    tree.inclusion_path(9, 3_000)
    assert kept.hashes_read == before
    monkeypatch.setattr(merkle, "_CACHED_BLOCKS", 1)
    frugal = TiledTree(kept)
    for position in range(0, 3_000, 97):
        assert frugal.inclusion_path(position, 3_000) == tree.inclusion_path(position, 3_000)
