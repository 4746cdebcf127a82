"""Tokens in files that only their owner can read: how an instance's own people keep theirs."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from handshaker import private_files


class TokenFiles:
    """A folder with one ``NAME.token`` for each."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def keep(self, name: str, token: str) -> None:
        """Write a token down, on the disk itself before anything is done with it."""
        private_files.keep(self._path(name), token + "\n")

    def under(self, name: str) -> Callable[[str, str], None]:
        """Return what keeps somebody's first token under ``name``, whatever their id."""
        return lambda _, token: self.keep(name, token)

    def find(self, name: str) -> str | None:
        """Return a token, if there is one of that name."""
        path = self._path(name)
        return path.read_text().strip() if path.is_file() else None

    def forget(self, name: str) -> None:
        """Delete a token; safe to repeat."""
        self._path(name).unlink(missing_ok=True)

    def names(self) -> list[str]:
        """Return the names of all tokens."""
        return sorted(path.stem for path in self.folder.glob("*.token"))

    def _path(self, name: str) -> Path:
        return self.folder / f"{name}.token"
