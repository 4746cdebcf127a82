"""The way from an entry up to the root as a picture: places in a drawing whose unit is a pixel on a phone."""

from __future__ import annotations

from dataclasses import dataclass

from handshaker import Examination

WIDTH = 344
CENTRE = WIDTH // 2
ROW = 58
BOX = (108, 30)
"""Width and height of a hash."""
WIDE = (190, 40)
"""Those of the entry, the root and the block."""
_SIDE = 56
"""How far the middle of a sibling stands from the edge."""
_TOP = 26


@dataclass(frozen=True, slots=True)
class Step:
    """A rung: the hash that was reached, and the sibling that is needed to get above it."""

    y: int
    """Middle of the row, from the top."""
    reached: bytes
    sibling: bytes
    sibling_x: int
    is_left: bool


@dataclass(frozen=True, slots=True)
class Picture:
    """Where everything stands."""

    steps: tuple[Step, ...]
    """From the entry upwards."""
    block_y: int
    root_y: int
    entry_y: int
    height: int


def picture(examined: Examination) -> Picture:
    """Return the picture of a proof of an entry."""
    rungs = examined.rungs
    root_y = _TOP + ROW + 14
    entry_y = root_y + ROW * (len(rungs) + 1)
    reached, steps = examined.leaf_hash, []
    for number, rung in enumerate(rungs):
        x = _SIDE if rung.is_left else WIDTH - _SIDE
        steps.append(Step(entry_y - ROW * (number + 1), reached, rung.sibling, x, rung.is_left))
        reached = rung.reached
    return Picture(tuple(steps), _TOP, root_y, entry_y, entry_y + _TOP)
