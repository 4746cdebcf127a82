"""What the seals say of a small log, for every way of tampering with it at once: exhaustively, without a database."""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Sequence
from itertools import permutations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from handshaker.audit.verification.alignment import Alignment
from handshaker.audit.verification.places import Misplaced
from handshaker.audit.verification.report import What
from handshaker.audit.verification.sources import Placement

SIZE = 9
KEY = bytes(32)


def seal(position: int, leaf_hash: bytes) -> bytes:
    return hmac.digest(KEY, position.to_bytes(8, "big") + leaf_hash, "sha256")


def place(position: int, leaf: bytes, stored_seal: bytes | None) -> Placement:
    return Placement(position, f"entry of {leaf!r}", leaf, hashlib.sha256(b"\x00" + leaf).digest(), stored_seal)


def whole(size: int = SIZE) -> list[Placement]:
    found = []
    for position in range(size):
        leaf = b"leaf %d" % position
        found.append(place(position, leaf, seal(position, hashlib.sha256(b"\x00" + leaf).digest())))
    return found


def misplaced(rows: Sequence[Placement], covered: int = 0) -> list[Misplaced]:
    return Alignment(sorted(rows, key=lambda row: row.position or 0), seal, 0, covered).misplaced()


def renumbered(rows: Sequence[Placement], seals: Sequence[bytes | None] | None = None) -> list[Placement]:
    """The rows in this order, without a gap; with their own seals, or those of the places."""
    given = [row.seal for row in rows] if seals is None else [*seals, *(None for _ in rows)]
    return [row._replace(position=n, seal=given[n]) for n, row in enumerate(rows)]


def test_a_log_as_it_was_is_not_misplaced() -> None:
    assert misplaced(whole()) == []


@pytest.mark.parametrize("seals_stay", [False, True])
def test_every_pair_that_was_exchanged_is_one_finding(seals_stay: bool) -> None:
    for one in range(SIZE):
        for other in range(one + 1, SIZE):
            rows = whole()
            rows[one], rows[other] = rows[other], rows[one]
            (found,) = misplaced(renumbered(rows, [row.seal for row in whole()] if seals_stay else None))
            assert (found.what, found.position, found.belongs, found.stands) == (What.REORDERED, one, other, other)


@pytest.mark.parametrize("seals_stay", [False, True])
def test_every_entry_that_was_moved_is_one_finding(seals_stay: bool) -> None:
    for start in range(SIZE):
        for end in range(SIZE):
            rows = whole()
            rows.insert(end, rows.pop(start))
            found = misplaced(renumbered(rows, [row.seal for row in whole()] if seals_stay else None))
            expected = [(What.REORDERED, min(start, end))] if start != end else []
            assert [(each.what, each.position) for each in found] == expected, (start, end)


@pytest.mark.parametrize("seals_stay", [False, True])
@pytest.mark.parametrize("many", [1, 2, 3])
def test_every_removal_is_one_finding(seals_stay: bool, many: int) -> None:
    for first in range(SIZE - many):
        rows = whole()
        del rows[first : first + many]
        (gap,) = misplaced(rows)
        assert (gap.what, gap.position, gap.count) == (What.REMOVED, first, many)
        moved = renumbered(rows, [row.seal for row in whole()] if seals_stay else None)
        (found,) = misplaced(moved, covered=SIZE)
        assert (found.what, found.position, found.count) == (What.REMOVED, first, many)
        (found, *_) = misplaced(moved)
        assert found.position == first, "also where nothing says how long the log was"


@pytest.mark.parametrize("stored", [None, b"\x01" * 32])
@pytest.mark.parametrize("seals_stay", [False, True])
@pytest.mark.parametrize("many", [1, 2])
def test_every_insertion_is_one_finding(stored: bytes | None, seals_stay: bool, many: int) -> None:
    for first in range(SIZE + 1):
        rows = whole()
        rows[first:first] = [place(0, b"forged %d" % n, stored) for n in range(many)]
        seals = [*(row.seal for row in whole()), *(stored for _ in range(many))]
        (found,) = misplaced(renumbered(rows, seals if seals_stay else None))
        if first < SIZE or stored is None:
            assert (found.what, found.position, found.count) == (What.INSERTED, first, many)
        else:
            assert (found.what, found.position) == (What.CHANGED, first), "nothing shows that it was not there before"


@pytest.mark.parametrize("covered", [0, SIZE])
def test_every_change_is_one_finding(covered: int) -> None:
    for position in range(SIZE):
        rows = whole()
        rows[position] = place(position, b"forged", rows[position].seal)
        (found,) = misplaced(rows, covered)
        assert (found.what, found.position, found.count) == (What.CHANGED, position, 1)


def test_every_order_of_five_begins_to_differ_where_it_is_said() -> None:
    for order in permutations(range(5)):
        rows = [whole(5)[number] for number in order]
        first = next((n for n in range(5) if order[n] != n), None)
        found = misplaced(renumbered(rows))
        assert [(each.what, each.position) for each in found[:1]] == (
            [] if first is None else [(What.REORDERED, first)]
        ), order


@given(
    removed=st.sets(st.integers(0, 29), max_size=4),
    changed=st.sets(st.integers(0, 29), max_size=4),
    renumber=st.booleans(),
)
def test_several_removals_and_changes_are_each_told_where_they_are(
    removed: set[int], changed: set[int], renumber: bool
) -> None:
    rows = whole(30)
    for position in changed:
        rows[position] = place(position, b"forged %d" % position, rows[position].seal)
    kept = [row for row in rows if row.position not in removed]
    found = misplaced(renumbered(kept) if renumber else kept, covered=30)
    first = min((*removed, *changed), default=None)
    if first is None or (not changed and removed == set(range(30 - len(removed), 30))):
        assert found == [], "what was cut off is for the anchors to say"
    elif first in changed - removed:
        assert (found[0].what, found[0].position) == (What.CHANGED, first)
    elif found or not removed >= set(range(first, 30)):
        assert found[0].position == first
