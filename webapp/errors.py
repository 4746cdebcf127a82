"""One table: what kind of error becomes which HTTP status, for pages and for the API alike."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from handshaker import HandshakerError


@dataclass(frozen=True, slots=True)
class Problem:
    """An error as RFC 9457 tells it."""

    status: int
    code: str
    title: str
    detail: str
    mend: str
    data: dict[str, Any] = field(default_factory=dict)


def problem_of(error: HandshakerError) -> Problem:
    """Return how an expected failure is told over HTTP."""
    return Problem(400, error.code, error.code.replace("-", " ").capitalize(), error.message, error.mend, error.data)
