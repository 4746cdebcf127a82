"""Where an instance has its two databases, as places that can be copied and exchanged."""

from __future__ import annotations

from dataclasses import dataclass

from handshaker.errors import SettingsInvalid
from handshaker.settings import Settings
from handshaker.store.copies import Copies, SqliteCopies, sqlite_path
from handshaker.store.postgresql_copies import PostgresCopies
from handshaker.vault.copied import TABLES


@dataclass(frozen=True, slots=True)
class Places:
    """The audit database and the vault."""

    audit: Copies
    vault: Copies

    @classmethod
    def of(cls, settings: Settings) -> Places:
        """Return the places that the settings name; raises ``SettingsInvalid`` where both are the same file."""
        tools = settings.postgresql_tools
        audit, vault = sqlite_path(settings.store), sqlite_path(settings.vault)
        if audit is not None and audit == vault:
            raise SettingsInvalid(
                "The vault has the audit database's file: it needs one of its own.", setting="HANDSHAKER_VAULT_URL"
            )
        owner = settings.store_owner_url or settings.store
        return cls(
            # Both may share a database of a server, each with its own tables.
            SqliteCopies(audit) if audit else PostgresCopies(owner, tools, but=TABLES),
            SqliteCopies(vault) if vault else PostgresCopies(settings.vault, tools, only=TABLES),
        )
