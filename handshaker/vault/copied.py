"""What can be said of a vault's copy without opening a key: which root key it needs, and which schema it has."""

from __future__ import annotations

from pathlib import Path

from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, select

from handshaker.vault.database import MIGRATIONS
from handshaker.vault.root import RootFile
from handshaker.vault.rooted import MASTER_BINDING
from handshaker.vault.schema import metadata, vault

VERSION_TABLE = "vault_version"
TABLES = (*metadata.tables, VERSION_TABLE)
"""The vault's tables, where they share a database with others."""


def root_id_of(connection: Connection) -> str:
    """Return which root key opens the vault that ``connection`` reads; see ``RootKey.root_id``."""
    return str(connection.execute(select(vault.c.root_id).where(vault.c.id == 1)).scalar_one())


def require_root(path: Path, root_id: str) -> None:
    """Raise ``RootKeyUnusable`` unless the key in the file, or one staged beside it, is the one of that id."""
    RootFile(path).fitting(root_id)


def require_opens(connection: Connection, path: Path) -> None:
    """Raise ``RootKeyUnusable`` or ``CiphertextInvalid`` unless the key in the file opens the vault's master."""
    row = connection.execute(select(vault).where(vault.c.id == 1)).one()
    RootFile(path).fitting(row.root_id).unwrap(row.wrapped_master, MASTER_BINDING, owner="master")


def revision_of(connection: Connection) -> str:
    """Return the revision of the vault's schema; empty where it has none."""
    context = MigrationContext.configure(connection, opts={"version_table": VERSION_TABLE})
    return ",".join(context.get_current_heads())


def knows_revision(revision: str) -> bool:
    """Tell whether this program can bring a vault of that revision up to date."""
    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS).replace("%", "%%"))
    return revision in {script.revision for script in ScriptDirectory.from_config(config).walk_revisions()}
