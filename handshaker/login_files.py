"""Logins of the demo hospital in files that only their owner can read. Nobody keeps real passwords this way."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, field
from pathlib import Path

from handshaker import private_files


@dataclass(frozen=True, slots=True)
class KeptLogin:
    """What a demo person logs in with."""

    username: str
    password: str = field(repr=False)
    totp_secret: str = field(default="", repr=False)
    """Base 32; empty for those without a second factor."""


class LoginFiles:
    """A folder with one ``NAME.json`` for each."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def keep(self, name: str, login: KeptLogin) -> None:
        """Write a login down, on the disk itself before anything is done with it."""
        private_files.keep(self._path(name), json.dumps(asdict(login), indent=1))

    def find(self, name: str) -> KeptLogin | None:
        """Return a login, if there is one of that name."""
        path = self._path(name)
        return KeptLogin(**json.loads(path.read_text())) if path.is_file() else None

    def password(self, name: str) -> str:
        """Return the password of a login, or nothing if there is none of that name."""
        login = self.find(name)
        return login.password if login else ""

    def names(self) -> list[str]:
        """Return the names of all logins."""
        return sorted(path.stem for path in self.folder.glob("*.json"))

    def _path(self, name: str) -> Path:
        return self.folder / f"{name}.json"
