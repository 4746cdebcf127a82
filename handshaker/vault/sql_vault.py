"""The vault as the rest of the Handshaker sees it."""

from __future__ import annotations

import hmac
from collections.abc import Collection
from datetime import datetime
from pathlib import Path

from handshaker.messages import Sealed
from handshaker.ports import Clock
from handshaker.vault.blind import blind
from handshaker.vault.database import VaultDatabase
from handshaker.vault.owners import OwnerKeys
from handshaker.vault.relayers import RelayerKeys
from handshaker.vault.root import RootFile
from handshaker.vault.rooted import RootedDatabase
from handshaker.vault.sealing import derive, seal_under, unseal_under
from handshaker.vault.signing import SigningKeys


class SqlVault:
    """Keys in a database of their own, under a root key in a file. Safe to share between threads and processes.

    Make it with `open`, after a fork and not before. Any call may raise ``StoreUnavailable``.
    """

    def __init__(self, rooted: RootedDatabase, clock: Clock) -> None:
        self._rooted = rooted
        self._owners = OwnerKeys(rooted, clock)
        self._signing = SigningKeys(rooted)
        self._relayers = RelayerKeys(rooted)
        self._blind_key = derive(rooted.master, b"", "blind-index/v1")
        self._seal_key = derive(rooted.master, b"", "audit-seal/v1")

    @classmethod
    def open(cls, url: str, root_key_path: Path, *, clock: Clock) -> SqlVault:
        """Open the vault, or make it if both database and root key are new; brings the tables up to date.

        ``url`` is SQLAlchemy's (a SQLite file or PostgreSQL). Raises ``RootKeyUnusable``, ``StoreUnavailable``.
        """
        database = VaultDatabase(url)
        try:
            return cls(RootedDatabase.open(database, RootFile(root_key_path)), clock)
        except BaseException:
            database.close()
            raise

    def close(self) -> None:
        """Return the connections and drop what is cached."""
        self._owners.forget()
        self._rooted.roots.forget()
        self._rooted.database.close()

    # ---- payloads ----------------------------------------------------------------------------------------------------

    def create_owner(self, owner: str, expires_at: datetime | None = None) -> None:
        """Give ``owner`` a data key unless there is one; at ``expires_at`` (aware) it ceases to open anything."""
        self._owners.create(owner, expires_at)

    def destroy_owner(self, owner: str) -> None:
        """Erase: what was sealed for ``owner`` can never be read again. Safe to repeat.

        On SQLite the salt's bytes are gone from the files on return; raises ``StoreUnavailable`` if a long-running
        reader of the file prevents that: then repeat. Backups still hold the wrapped salt until `rotate_root`.
        """
        self._owners.destroy(owner)

    def expired_owners(self) -> list[str]:
        """Return every owner whose ``expires_at`` has come, in order."""
        return self._owners.expired()

    def destroy_expired_owners(self, among: Collection[str] | None = None) -> list[str]:
        """Destroy every owner whose ``expires_at`` has come, or those of ``among``; return them in order."""
        return self._owners.destroy_expired(among)

    def seal(self, owner: str, plaintext: bytes, context: bytes) -> Sealed:
        """Return ``plaintext`` under the owner's key, tied to ``context`` (where it belongs). Raises ``KeyUnknown``."""
        return seal_under(self._owners.key_of(owner), owner, plaintext, context)

    def unseal(self, sealed: Sealed, context: bytes) -> bytes:
        """Return the plaintext. Raises ``KeyUnknown`` (none, or destroyed) and ``CiphertextInvalid`` (altered)."""
        return unseal_under(self._owners.key_of(sealed.owner), sealed, context)

    # ---- people's signing keys ---------------------------------------------------------------------------------------

    def create_signing_key(self, owner: str, secret: bytes, secret_id: str = "first") -> str:  # noqa: S107 a name
        """Return the checksummed address of a new key that ``secret`` opens. Raises ``KeyAlreadyExists``.

        ``secret`` has at least 16 bytes (``ValueError``) of full entropy: a password goes through scrypt first.
        """
        return self._signing.create(owner, secret, secret_id)

    def signing_address(self, owner: str) -> str | None:
        """Return the address of the owner's signing key, or none."""
        return self._signing.address(owner)

    def add_secret(self, owner: str, secret: bytes, new_secret: bytes, secret_id: str) -> None:
        """Let ``new_secret`` open the key as ``secret`` does, until ``remove_secret(owner, secret_id)``.

        Raises ``KeyUnknown``, ``KeyLocked``, and ``KeyAlreadyExists`` if the name or the secret is in use.
        """
        self._signing.add_secret(owner, secret, new_secret, secret_id)

    def remove_secret(self, owner: str, secret_id: str) -> None:
        """Let that secret open nothing any more. Safe to repeat; without its last secret a key signs never again."""
        self._signing.remove_secret(owner, secret_id)

    def destroy_signing_key(self, owner: str) -> None:
        """Delete the owner's key with all its secrets. Safe to repeat."""
        self._signing.destroy(owner)

    def sign(self, owner: str, secret: bytes, digest: bytes) -> bytes:
        """Return 65 bytes ``r ‖ s ‖ v``, v in {27, 28}, low s, of a 32-byte ``digest``.

        Raises ``KeyUnknown``, ``KeyLocked``, ``CiphertextInvalid``.
        """
        return self._signing.sign(owner, secret, digest)

    # ---- relayers ----------------------------------------------------------------------------------------------------

    def create_relayer(self, name: str) -> str:
        """Return the checksummed address of the relayer ``name``; its key is made the first time."""
        return self._relayers.create(name)

    def import_relayer(self, name: str, private_key: bytes) -> str:
        """Keep ``private_key`` (32 bytes) under ``name`` and return its address. Safe to repeat.

        Raises ``KeyAlreadyExists`` if the name has another key, ``ValueError`` if it is no private key.
        """
        return self._relayers.take(name, private_key)

    def relayer_address(self, name: str) -> str | None:
        """Return the relayer's address, or none."""
        return self._relayers.address(name)

    def relayers(self) -> dict[str, str]:
        """Return every relayer's checksummed address by its name."""
        return self._relayers.all()

    def sign_as_relayer(self, address: str, digest: bytes) -> bytes:
        """Return 65 bytes ``r ‖ s ‖ recovery id`` (0 or 1), low s. Raises ``KeyUnknown``, ``CiphertextInvalid``."""
        return self._relayers.sign(address, digest)

    # ---- the rest ----------------------------------------------------------------------------------------------------

    def blind_index(self, kind: str, value: str) -> str:
        """Return 64 hex digits that are the same for the same identifier, and tell nothing without the vault."""
        return blind(self._blind_key, kind, value)

    def seal_entry(self, position: int, leaf_hash: bytes) -> bytes:
        """Return the seal of an entry of the audit log at its position: 32 bytes that nobody makes without the vault.

        HMAC-SHA-256 of the position (8 bytes, big endian) and the leaf hash; the key outlives rotations of the root.
        """
        return hmac.digest(self._seal_key, position.to_bytes(8, "big") + leaf_hash, "sha256")

    def sealed_from(self, size: int) -> int:
        """Return from which position on entries have seals: the log's ``size`` when this was first asked."""
        return self._rooted.sealed_from(size)

    def sealed_since(self) -> int | None:
        """Return the same position without remembering one; ``None`` where nobody has asked before."""
        return self._rooted.sealed_since()

    def rotate_root(self) -> None:
        """Replace the root key and overwrite the old one; all other keys, and so all payloads, stay as they are.

        After an erasure this makes the erased owner's salt in old backups unreadable too. Other processes follow by
        themselves. Raises ``RootKeyUnusable`` or ``CiphertextInvalid`` and changes nothing then.
        """
        self._rooted.rotate()
