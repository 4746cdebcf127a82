"""Whoever wants to show how far an import is."""

from __future__ import annotations

from typing import Protocol


class Progress(Protocol):
    """Hears of an import's steps: one for each patient, one for each resource that a template covers."""

    def total(self, count: int) -> None:
        """Hear how many steps there are in all."""
        ...

    def advance(self, done: int, what: str) -> None:
        """Hear that ``done`` more are done, and in a few words what comes now; never a name or a value."""
        ...


class Silence:
    """Nobody listens."""

    def total(self, count: int) -> None:
        """Ignore it."""

    def advance(self, done: int, what: str) -> None:
        """Ignore it."""
