"""Alembic's entry: runs the steps on the connection, and inside the transaction, that the vault hands over."""

from __future__ import annotations

from alembic import context

from handshaker.vault.schema import metadata

context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=metadata,
    version_table="vault_version",  # not Alembic's default name: another schema may share a PostgreSQL database
    transactional_ddl=True,
)
with context.begin_transaction():
    context.run_migrations()
