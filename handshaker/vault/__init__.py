"""The vault: a separate store of keys, and the only place that opens them.

Nothing here speaks HTTP or Ethereum's RPC, and nothing outside sees a key: callers hand in plaintext, digests and the
owner's secret, and get ciphertext, signatures and addresses. Three things must come together before anything opens:
the vault's database, the root key's file, and for a person's signing key that person's own secret.
"""

from __future__ import annotations

from handshaker.vault.sql_vault import SqlVault

__all__ = ["SqlVault"]
