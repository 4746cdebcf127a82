"""Backup and restore: consistent copies while everything runs, and a return to one that the chain is asked about.

The layer's rule: a copy is never taken for whole before it is, nothing that was there is deleted, and whatever the
chain remembers and the copy does not is said. What a backup holds, and what it must not, says `docs/backup.md`.
"""

from handshaker.backup.errors import (
    BackupForeign,
    BackupUnusable,
    FolderTaken,
    InstanceTaken,
    LossTooLarge,
    NothingToAccept,
)
from handshaker.backup.making import make_backup
from handshaker.backup.manifest import Manifest
from handshaker.backup.reconciling import Reconciliation, accept_loss, look, revoke_tokens
from handshaker.backup.restoring import Restored, restore

__all__ = [
    "BackupForeign",
    "BackupUnusable",
    "FolderTaken",
    "InstanceTaken",
    "LossTooLarge",
    "Manifest",
    "NothingToAccept",
    "Reconciliation",
    "Restored",
    "accept_loss",
    "look",
    "make_backup",
    "restore",
    "revoke_tokens",
]
