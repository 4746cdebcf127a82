"""Erasures: keys of data owners are destroyed, the root key is replaced, and the audit log says so first."""

from __future__ import annotations

from handshaker.messages import Act
from handshaker.ports import Clock
from handshaker.store.sql_store import SqlStore
from handshaker.vault.sql_vault import SqlVault
from handshaker.vocabulary import ActCode

EXPIRED = "expired"
"""Why: the time is over for which a body was kept for which no patient is known."""


class Erasures:
    """Destroys keys. Killed between the entry and the destruction, the next call destroys without a second entry."""

    def __init__(self, store: SqlStore, vault: SqlVault, clock: Clock) -> None:
        self._store = store
        self._vault = vault
        self._clock = clock

    def erase(self, owner: str, reason: str) -> None:
        """Destroy the key of ``owner``; safe to repeat. Raises ``StoreUnavailable`` and ``LogHeld``."""
        self._store.log.add_erasure(owner, reason, self._clock.now())
        self._vault.destroy_owner(owner)

    def erase_expired(self) -> list[str]:
        """Destroy the keys whose time is over and return their owners; raises ``StoreUnavailable`` and ``LogHeld``."""
        expired = self._vault.expired_owners()
        for owner in expired:
            self._store.log.add_erasure(owner, EXPIRED, self._clock.now())
        return self._vault.destroy_expired_owners(expired) if expired else []

    def rotate_root(self, actor_id: str) -> None:
        """Replace the vault's root key at the word of ``actor_id``: old backups open nothing of the erased any more.

        Raises ``StoreUnavailable``, ``LogHeld`` and what the vault raises.
        """
        self._store.log.add_act(Act(ActCode.ROOT_KEY_ROTATED, actor_id, "vault"), self._clock.now())
        self._vault.rotate_root()
