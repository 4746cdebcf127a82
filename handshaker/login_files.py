"""Logins of the demo hospital in files that only their owner can read. Nobody keeps real passwords this way."""

from __future__ import annotations

import json
import os
from dataclasses import asdict, dataclass, field
from pathlib import Path


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
        self.folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        draft = self._path(name).with_suffix(".draft")
        descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        with os.fdopen(descriptor, "w") as file:
            json.dump(asdict(login), file, indent=1)
            file.flush()
            os.fsync(file.fileno())
        draft.replace(self._path(name))

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
