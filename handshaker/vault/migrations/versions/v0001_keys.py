"""The first tables: master, owners, signing keys and their secrets, relayers."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Create the tables."""
    op.create_table(
        "vault",
        sa.Column("id", sa.Integer, primary_key=True, autoincrement=False, comment="always 1"),
        sa.Column("root_id", sa.String, nullable=False, comment="which root key wraps the rows of this database"),
        sa.Column("wrapped_master", sa.LargeBinary, nullable=False, comment="32 bytes under the root key"),
    )
    op.create_table(
        "owners",
        sa.Column("owner", sa.String, primary_key=True, comment="a patient's pseudonym or quarantine/<ISO week>"),
        sa.Column(
            "wrapped_salt",
            sa.LargeBinary,
            nullable=False,
            comment="32 bytes under the root key; erasure deletes the row",
        ),
        sa.Column("expires_at", sa.BigInteger, comment="seconds since the epoch; null is never"),
    )
    op.create_index("ix_owners_expires_at", "owners", ["expires_at"])
    op.create_table(
        "signing_keys",
        sa.Column("owner", sa.String, primary_key=True),
        sa.Column("address", sa.String, nullable=False, unique=True, comment="EIP-55 checksummed"),
    )
    op.create_table(
        "signing_key_secrets",
        sa.Column("owner", sa.String, sa.ForeignKey("signing_keys.owner", ondelete="CASCADE"), primary_key=True),
        sa.Column(
            "secret_id",
            sa.String,
            primary_key=True,
            comment="names the session or token, says nothing about its secret",
        ),
        sa.Column(
            "locator",
            sa.LargeBinary,
            nullable=False,
            comment="finds the row by the owner's secret; needs the master",
        ),
        sa.Column(
            "salt", sa.LargeBinary, nullable=False, comment="32 bytes for the key that is derived from the secret"
        ),
        sa.Column("wrapped", sa.LargeBinary, nullable=False, comment="root key over secret's key over the private key"),
        sa.UniqueConstraint("owner", "locator"),
    )
    op.create_table(
        "relayers",
        sa.Column("name", sa.String, primary_key=True),
        sa.Column("address", sa.String, nullable=False, unique=True, comment="EIP-55 checksummed"),
        sa.Column("wrapped", sa.LargeBinary, nullable=False, comment="the private key under the root key"),
    )


def downgrade() -> None:
    """Refuse: dropping these tables would destroy keys."""
    raise NotImplementedError("The vault's first step is never undone; it would destroy keys.")
