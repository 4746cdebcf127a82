"""What a check says, and what all of them together mean."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum

NAMES = (
    "store",
    "vault",
    "chain",
    "contracts",
    "head",
    "walk",
    "relayer",
    "queue",
    "anchor",
    "log",
    "worker",
)
"""Every check, in the order in which they are told; the document of the API and the runbook name the same."""


class State(StrEnum):
    """How a part is, from well to ill."""

    OK = "ok"
    DEGRADED = "degraded"
    """Requests are taken and will be carried, but something is late or will run out."""
    ILL = "ill"
    """New requests cannot be taken, or would not be carried."""


@dataclass(frozen=True, slots=True)
class Check:
    """One thing that must be so. No part but ``mend`` may name what only the operator knows."""

    name: str
    """One of ``NAMES``."""
    state: State
    detail: str
    """A plain sentence."""
    code: str = "ok"
    """``ok``, or the machine code of what is wrong."""
    mend: str = ""
    """What the operator can do; for those only who may know."""

    @property
    def is_ok(self) -> bool:
        """Whether nothing is wrong."""
        return self.state is State.OK


def well(name: str, detail: str) -> Check:
    """Return a check that found nothing wrong."""
    return Check(name, State.OK, detail)


def unsaid(name: str, because: str, code: str) -> Check:
    """Return a check that nobody could make: what it rests on does not answer, and says so itself."""
    return Check(name, State.DEGRADED, f"Nobody can say: {because}.", code)


def overall(checks: Iterable[Check]) -> State:
    """Return the worst state; an instance is ready unless that is ``ILL``."""
    states = {check.state for check in checks}
    return next((state for state in (State.ILL, State.DEGRADED) if state in states), State.OK)
