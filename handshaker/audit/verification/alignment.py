"""Where each entry belongs: what the seals still say when entries were removed, inserted, moved or written anew.

A seal ties a leaf hash to a position under a key of the vault, so whoever has the audit database alone makes none: he
can only leave the old ones where they are, move them with their rows, or take them away. Whatever he did, a leaf
*belongs* at a position exactly if its seal for that position is among all the seals that are left.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Collection, Iterable, Iterator

from handshaker.audit.verification.places import Misplaced, Row, is_alike, row_of
from handshaker.audit.verification.report import What
from handshaker.audit.verification.scan import Seal
from handshaker.audit.verification.sources import Placement

_NEAR = 64
"""Positions to both sides that are tried first."""
_SEARCHES = 24
"""Searches through the whole log; what is found after as many is told as the rest of what was found before."""
_FINDINGS = 20


class Alignment:
    """Follows the places in order and holds each against the entry that belongs there.

    ``covered``: the size of the largest head that was signed or anchored, below which no entry can be one too many.
    ``unsupported``: positions of entries that other rows do not know. ``is_short``: whether rows tell of missing ones.
    """

    def __init__(
        self,
        placements: Iterable[Placement],
        seal: Seal,
        sealed_from: int,
        covered: int,
        unsupported: Collection[int] = (),
        *,
        is_short: bool = False,
    ) -> None:
        rows = [row_of(placement) for placement in placements]
        self._rows = [row for row in rows if row.position is not None and row.position >= 0]
        self._elsewhere = [row for row in rows if row.position is None or row.position < 0]
        self._seals = {row.seal for row in rows if row.seal is not None}
        self._seal = seal
        self._sealed_from = sealed_from
        self._covered = covered
        self._unsupported = unsupported
        self._is_short = is_short or covered > len(self._rows)
        last = self._rows[-1].position if self._rows else -1
        self._limit = max(covered, len(rows), min(last or 0, 4 * len(rows) + covered)) + 2 * _NEAR
        self._displaced: dict[int, int] = {}
        """Entry's own position → where it stands; those are told already."""
        self._searches = _SEARCHES
        self._shift = 0
        """Own position of the entry that is expected next, minus the position that is looked at."""
        self._shifts: deque[int] = deque(maxlen=8)
        """What the shift was before, or could be from here on."""
        self._found: list[Misplaced] = []
        self._fitting = -1
        """The last row that belongs somewhere."""

    @property
    def extent(self) -> int:
        """How long the log was up to the last entry that is left of it; 0 before `misplaced` was asked."""
        return self._fitting + 1

    def misplaced(self) -> list[Misplaced]:
        """Return what happened, by position."""
        for row in self._elsewhere:
            self._stray(row)
        following = 0
        for number, row in enumerate(self._rows):
            position = row.position or 0
            if position > following and not self._jump(number, row, following, position):
                continue
            following = position + 1
            self._place(number, row, position)
            if len(self._found) > _FINDINGS or self._searches < 0:
                self._fitting = max(self._fitting, (self._rows[-1].position or 0) + self._shift)
                break
        return sorted(self._found, key=lambda found: found.position)

    # ---- one place ---------------------------------------------------------------------------------------------------

    def _place(self, number: int, row: Row, position: int) -> None:
        expected = position + self._shift
        if self._belongs(row, expected):
            self._fits(row, position, expected)
            return
        for shift in self._shifts:
            if self._belongs(row, position + shift):
                self._shifts.append(self._shift)
                self._shift = shift
                self._fits(row, position, position + shift)
                return
        if row.leaf_hash is None:
            self._fitting = max(self._fitting, expected)
            self._tell(Misplaced(What.REMOVED, position, 1, row.entry_id, is_entry_missing=True))
        elif expected < self._sealed_from:
            self._fitting = max(self._fitting, expected)
            self._tell(Misplaced(What.CHANGED, position, 1, row.entry_id, is_unsealed=True))
        elif not self._is_more_of_the_same(row, position):
            self._judge(number, row, position, expected)

    def _fits(self, row: Row, position: int, own: int) -> None:
        self._fitting = max(self._fitting, own)
        if self._shift or own < self._sealed_from or row.leaf_hash is None:
            return
        if not row.is_as_stored:
            self._tell(Misplaced(What.CHANGED, position, 1, row.entry_id, is_hash_alone=True))
        elif row.seal != self._seal(own, row.leaf_hash):
            self._tell(Misplaced(What.SEAL_CHANGED, position, 1, row.entry_id))

    def _judge(self, number: int, row: Row, position: int, expected: int) -> None:
        home = self._home(row, expected)
        if home is not None and home in self._displaced:
            return
        holder = self._holder(expected)
        is_copy = home is not None and (home < expected or self._is_twice(row))
        if home is not None and not is_copy and holder is not None:
            self._reorder(row, position, expected, home, holder)
        elif home is not None and not is_copy:
            self._close_up(number, row, position, expected, home)
        elif holder is not None and holder.position is not None and holder.position > position:
            self._tell(Misplaced(What.INSERTED, position, 1, row.entry_id, belongs=home))
            self._shifts.append(self._shift)
            self._shift -= 1
            if holder.position > position + 1:
                # Others may stand between; and if they are where they belong, it was only this entry that moved.
                self._displaced[expected] = holder.position
        elif self._lost_its_seal(position, expected):
            return
        elif self._moved_up_last(number, row):
            missing = max(1, self._covered - len(self._rows))
            self._tell(Misplaced(What.REMOVED, position, missing, None))
            self._shift += missing
            self._fitting = max(self._fitting, self._rows[-1].position or 0) + missing
        else:
            found = Misplaced(What.CHANGED, position, 1, row.entry_id, belongs=home)
            found.is_seal_missing = row.seal is None
            found.is_leaf_alone = row.stored is not None and row.seal == self._seal(expected, row.stored)
            if not found.is_leaf_alone and self._is_too_many(number, row, expected):
                found.what = What.INSERTED
            else:
                self._fitting = max(self._fitting, expected)
            self._tell(found)

    def _reorder(self, row: Row, position: int, expected: int, home: int, holder: Row) -> None:
        stands = holder.position
        self._tell(Misplaced(What.REORDERED, position, 1, row.entry_id, belongs=home, stands=stands))
        self._displaced[home] = position
        self._shifts.append(home - position)
        if stands is not None:
            self._displaced[expected] = stands
            self._shifts.append(expected - stands)
        self._fitting = max(self._fitting, home)

    def _close_up(self, number: int, row: Row, position: int, expected: int, home: int) -> None:
        """Tell of an expected entry that is nowhere: all others moved up to its place, or this one alone."""
        after = self._rows[number + 1] if number + 1 < len(self._rows) else None
        if after is not None and self._belongs(after, (after.position or 0) + self._shift):
            self._tell(Misplaced(What.REMOVED, position, 1, None, belongs=home))
            self._displaced[home] = position
            return
        self._tell(Misplaced(What.REMOVED, position, home - expected, None, belongs=home))
        self._shifts.append(self._shift)
        self._shift = home - position
        self._fitting = max(self._fitting, home)

    def _jump(self, number: int, row: Row, following: int, position: int) -> bool:
        """Positions ``following`` to ``position - 1`` are not there; ``False`` if this row says nothing of them."""
        expected = following + self._shift
        if self._belongs(row, position + self._shift) or self._goes_on(number, row, expected, position):
            missing = [own for own in range(expected, position + self._shift) if own not in self._displaced]
            held = self._holder(missing[0]) if missing and missing[0] >= self._sealed_from else None
            if held is not None and held.position is not None:
                self._displaced[missing[0]] = held.position
                self._tell(Misplaced(What.REORDERED, following, 1, held.entry_id, stands=held.position))
            elif missing:
                entry_id = None if held is None else held.entry_id
                self._tell(Misplaced(What.REMOVED, following, len(missing), entry_id, is_place_missing=True))
            return True
        if self._belongs(row, expected):
            self._tell(Misplaced(What.REORDERED, following, 1, row.entry_id, stands=position))
        elif row.leaf_hash is not None and self._home(row, expected) in self._displaced:
            return False
        self._shift = expected - position
        return True

    def _goes_on(self, number: int, row: Row, expected: int, position: int) -> bool:
        """Whether behind a gap and a row that nobody knows the log goes on as if nothing had been renumbered."""
        if self._belongs(row, expected) or self._home(row, expected) is not None:
            return False
        for after in self._rows[number + 1 : number + 1 + _NEAR]:
            there = after.position or 0
            if self._belongs(after, there + self._shift):
                return True
            if self._belongs(after, there + expected - position):
                return False
        return self._covered > position

    def _stray(self, row: Row) -> None:
        """Tell of a place before the first one."""
        if row.position is None:
            return
        home = self._home(row, 0)
        if home is None:
            self._tell(Misplaced(What.INSERTED, row.position, 1, row.entry_id))
            return
        self._displaced[home] = row.position
        self._tell(Misplaced(What.REORDERED, home, 1, row.entry_id, stands=row.position))

    # ---- asking the seals --------------------------------------------------------------------------------------------

    def _belongs(self, row: Row, position: int) -> bool:
        if row.leaf_hash is None or position < 0:
            return False
        if position < self._sealed_from:
            return row.is_as_stored and row.position == position
        return self._seal(position, row.leaf_hash) in self._seals

    def _home(self, row: Row, near: int) -> int | None:
        """Return where the leaf of a row belongs."""
        if row.leaf_hash is None:
            return None
        return next((position for position in self._candidates(near) if self._belongs(row, position)), None)

    def _holder(self, position: int) -> Row | None:
        """Return the row whose leaf belongs at a position."""
        if position < self._sealed_from:
            return None
        self._searches -= 1
        everywhere = (*self._rows, *self._elsewhere)
        return next((row for row in everywhere if self._belongs(row, position)), None)

    def _candidates(self, near: int) -> Iterator[int]:
        nearby = self._nearby(near)
        yield from nearby
        self._searches -= 1
        yield from range(self._sealed_from, min(nearby.start, self._limit))
        yield from range(nearby.stop, self._limit)

    def _nearby(self, position: int) -> range:
        return range(max(self._sealed_from, position - _NEAR), position + _NEAR)

    def _is_twice(self, row: Row) -> bool:
        return sum(other.leaf_hash == row.leaf_hash for other in self._rows) > 1

    def _is_too_many(self, number: int, row: Row, expected: int) -> bool:
        """Whether an unknown leaf is rather one that was put at the end than one that was written over."""
        if expected < self._covered or not self._seals:
            return False
        rest = self._rows[number + 1 :]
        if any(self._belongs(after, (after.position or 0) + self._shift) for after in rest):
            return False
        return row.seal is None or len(row.seal) != 32 or row.position in self._unsupported

    def _moved_up_last(self, number: int, row: Row) -> bool:
        """Whether from here on stand the last entries, moved up to places that kept their seals.

        Theirs went with the places that were last then; so it takes something else to say that entries are missing.
        """
        if not self._is_short or row.stored is None or row.stored != row.leaf_hash:
            return False
        rest = self._rows[number + 1 : number + 1 + _NEAR]
        return not any(self._belongs(after, own) for after in rest for own in self._nearby(after.position or 0))

    def _lost_its_seal(self, position: int, expected: int) -> bool:
        """Whether a row was moved up by a removal that took its seal's row away."""
        return self._shift > 0 and position + self._shift >= len(self._rows) and expected > position

    # ---- telling -----------------------------------------------------------------------------------------------------

    def _is_more_of_the_same(self, row: Row, position: int) -> bool:
        """Whether it is one more of many whose seals were taken away; nobody needs to search for each of them."""
        last = self._found[-1] if self._found else None
        if last is None or row.seal is not None or not last.is_seal_missing:
            return False
        if last.what is not What.CHANGED or last.position + last.count != position:
            return False
        last.count += 1
        self._fitting = max(self._fitting, position + self._shift)
        return True

    def _tell(self, found: Misplaced) -> None:
        last = self._found[-1] if self._found else None
        if last is not None and last.position + last.count == found.position and is_alike(last, found):
            last.count += found.count
        else:
            self._found.append(found)
