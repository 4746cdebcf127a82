"""The vault's tables. All that is secret in them is wrapped; nothing in them opens anything without the root key."""

from __future__ import annotations

from typing import Final

from sqlalchemy import (
    BigInteger,
    Column,
    ForeignKey,
    Integer,
    LargeBinary,
    MetaData,
    String,
    Table,
    UniqueConstraint,
    select,
)

metadata: Final = MetaData()

vault: Final = Table(
    "vault",
    metadata,
    Column("id", Integer, primary_key=True, autoincrement=False, comment="always 1"),
    Column("root_id", String, nullable=False, comment="which root key wraps the rows of this database"),
    Column("wrapped_master", LargeBinary, nullable=False, comment="32 bytes under the root key"),
    Column("sealed_from", BigInteger, comment="position of the audit log's first entry that has a seal"),
)

owners: Final = Table(
    "owners",
    metadata,
    Column("owner", String, primary_key=True, comment="a patient's pseudonym or quarantine/<ISO week>"),
    Column("wrapped_salt", LargeBinary, nullable=False, comment="32 bytes under the root key; erasure deletes the row"),
    Column("expires_at", BigInteger, index=True, comment="seconds since the epoch; null is never"),
)

signing_keys: Final = Table(
    "signing_keys",
    metadata,
    Column("owner", String, primary_key=True),
    Column("address", String, nullable=False, unique=True, comment="EIP-55 checksummed"),
)

signing_key_secrets: Final = Table(
    "signing_key_secrets",
    metadata,
    Column("owner", String, ForeignKey("signing_keys.owner", ondelete="CASCADE"), primary_key=True),
    Column("secret_id", String, primary_key=True, comment="names the session or token, says nothing about its secret"),
    Column("locator", LargeBinary, nullable=False, comment="finds the row by the owner's secret; needs the master"),
    Column("salt", LargeBinary, nullable=False, comment="32 bytes for the key that is derived from the secret"),
    Column("wrapped", LargeBinary, nullable=False, comment="root key over secret's key over the private key"),
    UniqueConstraint("owner", "locator"),
)

relayers: Final = Table(
    "relayers",
    metadata,
    Column("name", String, primary_key=True),
    Column("address", String, nullable=False, unique=True, comment="EIP-55 checksummed"),
    Column("wrapped", LargeBinary, nullable=False, comment="the private key under the root key"),
)

ROOT_ID: Final = select(vault.c.root_id).where(vault.c.id == 1).scalar_subquery().label("root_id")
"""A column to read beside a wrapped one, so that both come from one moment even while the root key rotates."""
