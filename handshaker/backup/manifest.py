"""The manifest: what a backup says of itself, in ``manifest.json``. A folder without one is no backup."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

from handshaker.backup.errors import BackupForeign, BackupUnusable

FILE = "manifest.json"
FORMAT = "handshaker-backup"
VERSION = 1
_BLOCK = 1 << 20
"""Bytes that are hashed between two words about it."""


@dataclass(frozen=True, slots=True)
class DatabaseCopy:
    """One database's file in a backup."""

    kind: str
    """``sqlite`` or ``postgresql``."""
    file: str
    size: int
    """Bytes."""
    sha256: str
    """64 hex digits."""
    revision: str
    """Of the schema."""


@dataclass(frozen=True, slots=True)
class ChainPlace:
    """Which chain the backup is of, and how far it had been walked. Hashes in hex with 0x."""

    chain_id: int
    genesis: str
    contracts: Mapping[str, str]
    deployment_block: int
    walked_number: int | None
    walked_hash: str | None


@dataclass(frozen=True, slots=True)
class RelayerPlace:
    """How far a relayer of ours had come."""

    address: str
    highest_nonce: int | None
    """Of its network transactions in the backup; ``None`` where it has none."""


@dataclass(frozen=True, slots=True)
class Manifest:
    """All that is known of a backup without opening it."""

    backup: str
    """A random id."""
    made_at: str
    """ISO 8601, UTC."""
    program: str
    """Version of the program that made it."""
    audit: DatabaseCopy
    vault: DatabaseCopy
    root_key: str
    """Which root key opens the vault; says nothing about the key."""
    log_size: int
    log_root: str
    """The log's head (RFC 9162 section 2.1.1) in hex with 0x."""
    held: bool
    """Whether the log was held."""
    chain: ChainPlace | None
    """Absent before the contracts were on a chain."""
    relayers: Mapping[str, RelayerPlace] = field(default_factory=dict)

    def to_json(self) -> dict[str, Any]:
        """Return what the file holds."""
        return {"format": FORMAT, "version": VERSION, **asdict(self)}

    @classmethod
    def read(cls, folder: Path) -> Manifest:
        """Return the manifest of a folder; raises ``BackupUnusable`` and ``BackupForeign``."""
        path = folder / FILE
        try:
            found = json.loads(path.read_bytes())
        except (OSError, ValueError):
            raise _unusable(path, "there is no manifest that can be read, so this is no complete backup") from None
        if not isinstance(found, dict) or found.get("format") != FORMAT:
            raise _unusable(path, "this is no manifest of a backup")
        if found.get("version") != VERSION:
            raise BackupForeign(
                f"The backup in {folder} has format {found.get('version')}, and this program reads {VERSION}.",
                path=str(folder),
                expected=VERSION,
                found=found.get("version"),
            )
        try:
            return cls._of(found)
        except (KeyError, TypeError):
            raise _unusable(path, "the manifest has not the members that it must have") from None

    @classmethod
    def _of(cls, found: dict[str, Any]) -> Manifest:
        rest = {name: value for name, value in found.items() if name not in ("format", "version")}
        for name in ("audit", "vault"):
            rest[name] = DatabaseCopy(**rest[name])
            if Path(rest[name].file).name != rest[name].file:
                raise TypeError("a file outside the folder")
        rest["chain"] = ChainPlace(**rest["chain"]) if rest["chain"] is not None else None
        rest["relayers"] = {name: RelayerPlace(**each) for name, each in rest["relayers"].items()}
        return cls(**rest)

    def check_files(self, folder: Path, hear: Callable[[str, int, int], None]) -> None:
        """Raise ``BackupUnusable`` unless both files are there and are what they were."""
        for copy in (self.audit, self.vault):
            path = folder / copy.file
            if not path.is_file() or path.stat().st_size != copy.size:
                raise _unusable(path, f"the file is missing or has not its {copy.size} bytes")
            if digest(path, partial(hear, f"checking {copy.file}")) != copy.sha256:
                raise _unusable(path, "the file is not what it was when the backup was made (SHA-256)")


def digest(path: Path, hear: Callable[[int, int], None]) -> str:
    """Return the SHA-256 of a file in hex."""
    total, done, found = path.stat().st_size, 0, hashlib.sha256()
    with path.open("rb") as file:
        while block := file.read(_BLOCK):
            found.update(block)
            done += len(block)
            hear(done, total)
    return found.hexdigest()


def _unusable(path: Path, problem: str) -> BackupUnusable:
    return BackupUnusable(f"{path}: {problem}.", path=str(path), problem=problem)
