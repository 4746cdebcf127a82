"""The root key: 32 random bytes in a file of their own, never in a database or its backup.

The file is replaced in two steps (`stage`, `promote`), so that a crash between them and the database's commit loses
nothing: the database says by ``root_id`` which of the two files is the right one.
"""

from __future__ import annotations

import os
import re
import secrets
import stat
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Final

from handshaker.errors import RootKeyUnusable
from handshaker.vault.sealing import KEY_BYTES, derive, unwrap, wrap

_OURS: Final = re.compile(r"draft-[0-9a-f]{16}|[0-9a-f]{32}")
"""What `RootFile` puts behind the file's name; a copy that someone else laid beside it is not touched."""


class RootKey:
    """The key that wraps all others. Its bytes never show in a repr."""

    __slots__ = ("_key", "root_id")

    def __init__(self, key: bytes) -> None:
        self._key = key
        self.root_id = derive(key, b"", "root-id/v1")[:16].hex()
        """32 hex digits that tell root keys apart and say nothing about them."""

    def __repr__(self) -> str:
        return f"RootKey({self.root_id})"

    def wrap(self, plaintext: bytes, bound_to: bytes) -> bytes:
        """Return ``plaintext`` under the root key."""
        return wrap(self._key, plaintext, bound_to)

    def unwrap(self, wrapped: bytes, bound_to: bytes, *, owner: str) -> bytes:
        """Return what ``wrap`` was given. Raises ``CiphertextInvalid``."""
        return unwrap(self._key, wrapped, bound_to, owner=owner)


class RootFile:
    """The root key's file, mode 0600, and the key that was read from it last. Safe to share between threads."""

    def __init__(self, path: Path) -> None:
        # A link is followed once, so that a rotation replaces the file and not the link to it.
        self.path = Path(os.path.realpath(path))
        self._known: RootKey | None = None
        self._lock = threading.Lock()

    def exists(self) -> bool:
        """Return whether there is a file, usable or not."""
        return self.path.exists()

    def read(self) -> RootKey:
        """Return the key in the file. Raises ``RootKeyUnusable``: missing, open to others, or of a wrong size."""
        return _read(self.path)

    def create(self) -> RootKey:
        """Return a new key, after its file and folder are on the disk. Raises ``RootKeyUnusable``.

        The file appears under its name only when it is whole; if another process was first, its key is returned.
        """
        draft = self._beside(f"draft-{secrets.token_hex(8)}")
        with _file_errors(self.path):
            self.path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            try:
                _write_new(draft, secrets.token_bytes(KEY_BYTES))
                with suppress(FileExistsError):
                    os.link(draft, self.path)
            finally:
                draft.unlink(missing_ok=True)
            _sync_folder(self.path.parent)
        return self.read()

    def fitting(self, root_id: str) -> RootKey:
        """Return the key that ``root_id`` names. Raises ``RootKeyUnusable`` if no file here holds it."""
        with self._lock:
            if self._known is not None and self._known.root_id == root_id:
                return self._known
            # Another process may rename the staged file while we look: hence the first place once more at the end.
            for path in (self.path, self._beside(root_id), self.path):
                with suppress(RootKeyUnusable):
                    key = _read(path)
                    if key.root_id == root_id:
                        self._known = key
                        return key
        self.read()  # a missing file or a wrong mode has a better message of its own
        raise RootKeyUnusable(f"The key in {self.path} is not the one of this vault.", path=str(self.path))

    def stage(self) -> RootKey:
        """Return a new key that lies durably beside the old one, under its ``root_id``. Raises ``RootKeyUnusable``."""
        key = secrets.token_bytes(KEY_BYTES)
        root = RootKey(key)
        with _file_errors(self.path):
            _write_new(self._beside(root.root_id), key)
            _sync_folder(self.path.parent)
        return root

    def promote(self, root_id: str) -> None:
        """Put the staged key in the old one's place and overwrite the old one; nothing to do if that is done.

        The old key is overwritten through the handle that was opened before the rename: whoever comes second finds no
        staged file and overwrites nothing.
        """
        staged = self._beside(root_id)
        if not staged.exists():
            return
        with _file_errors(self.path):
            old = os.open(self.path, os.O_WRONLY) if self.path.exists() else None
            try:
                with suppress(FileNotFoundError):
                    os.replace(staged, self.path)
                    _sync_folder(self.path.parent)
                    if old is not None:
                        os.pwrite(old, bytes(KEY_BYTES), 0)
                        os.fsync(old)
            finally:
                if old is not None:
                    os.close(old)

    def discard_staged(self) -> None:
        """Remove keys that were staged by a rotation that never committed. Only under the database's write lock."""
        with _file_errors(self.path):
            for file in self.path.parent.iterdir():
                prefix, _, suffix = file.name.rpartition(".")
                if prefix == f".{self.path.name}" and _OURS.fullmatch(suffix):
                    file.unlink(missing_ok=True)

    def forget(self) -> None:
        """Drop the key from memory."""
        with self._lock:
            self._known = None

    def _beside(self, suffix: str) -> Path:
        return self.path.with_name(f".{self.path.name}.{suffix}")


def _read(path: Path) -> RootKey:
    with _file_errors(path):
        handle = os.open(path, os.O_RDONLY)
        try:
            status = os.fstat(handle)
            key = os.read(handle, KEY_BYTES + 1)
        finally:
            os.close(handle)
    if not stat.S_ISREG(status.st_mode) or status.st_mode & 0o077:
        raise RootKeyUnusable(f"The root key's file {path} is open to others: chmod 600 it.", path=str(path))
    if len(key) != KEY_BYTES:
        raise RootKeyUnusable(f"The root key's file {path} does not hold {KEY_BYTES} bytes.", path=str(path))
    return RootKey(key)


def _write_new(path: Path, content: bytes) -> None:
    handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    try:
        os.fchmod(handle, 0o600)  # whatever the umask
        os.write(handle, content)
        os.fsync(handle)
    finally:
        os.close(handle)


def _sync_folder(folder: Path) -> None:
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


@contextmanager
def _file_errors(path: Path) -> Iterator[None]:
    try:
        yield
    except FileNotFoundError:
        raise RootKeyUnusable(f"The root key's file {path} is missing.", path=str(path)) from None
    except OSError as error:
        problem = f"The root key's file {path} cannot be used: {error.strerror}."
        raise RootKeyUnusable(problem, path=str(path)) from error
