"""How one text differs from another, line by line, in a time that is bounded whatever the texts are."""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import takewhile

_CONTEXT = 3
_COMPARED = 500
"""Lines of a text up to which every line is compared with every other; of thousands of equal ones that takes hours."""


@dataclass(frozen=True, slots=True)
class DiffLine:
    """A line of a difference: `` `` the same, ``+`` new, ``-`` gone, ``@`` lines left out. Numbers from 1."""

    kind: str
    old_no: int | None
    new_no: int | None
    text: str


def difference(before: Sequence[str], after: Sequence[str]) -> Iterator[DiffLine]:
    """Yield what turns the lines of one text into those of another."""
    reached = 0
    for group in _groups(before, after):
        if group[0][1] > reached:
            yield DiffLine("@", group[0][1] + 1, group[0][3] + 1, "")
        for tag, old_from, old_to, new_from, new_to in group:
            if tag == "equal":
                pairs = zip(range(old_from, old_to), range(new_from, new_to), strict=True)
                yield from (DiffLine(" ", old + 1, new + 1, before[old]) for old, new in pairs)
                continue
            yield from (DiffLine("-", old + 1, None, before[old]) for old in range(old_from, old_to))
            yield from (DiffLine("+", None, new + 1, after[new]) for new in range(new_from, new_to))
        reached = group[-1][2]
    if 0 < reached < len(before):
        yield DiffLine("@", reached + 1, None, "")


def _groups(before: Sequence[str], after: Sequence[str]) -> Iterable[Sequence[tuple[str, int, int, int, int]]]:
    """Return what differs, with a few lines around; of long texts all from the first to the last line that differs."""
    if max(len(before), len(after)) <= _COMPARED:
        return difflib.SequenceMatcher(None, before, after, autojunk=False).get_grouped_opcodes(_CONTEXT)
    if before == after:
        return []
    head = _common(before, after)
    tail = _common(before[head:][::-1], after[head:][::-1])
    old, new, above, below = len(before) - tail, len(after) - tail, min(_CONTEXT, head), min(_CONTEXT, tail)
    return [
        [
            ("equal", head - above, head, head - above, head),
            ("replace", head, old, head, new),
            ("equal", old, old + below, new, new + below),
        ]
    ]


def _common(one: Sequence[str], other: Sequence[str]) -> int:
    """Return how many lines both begin with."""
    return sum(1 for _ in takewhile(lambda pair: pair[0] == pair[1], zip(one, other, strict=False)))
