"""The audit log as a whole: seals, tiles, signed heads, anchors on the chain, and holds.

Revision 0003.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from handshaker.store.append_only import Keys, statements

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None

_APPEND_ONLY: dict[str, Keys] = {"audit_tiles": [("level", "number")], "audit_heads": [("size",)]}


def upgrade() -> None:
    """Create the tables; give positions a seal and network transactions a head and what they cost."""
    op.add_column("audit_positions", sa.Column("seal", sa.LargeBinary(), nullable=True))
    op.create_table(
        "audit_tiles",
        sa.Column("level", sa.Integer(), nullable=False),
        sa.Column("number", sa.BigInteger(), nullable=False),
        sa.Column("hash", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("level", "number"),
    )
    op.create_table(
        "audit_heads",
        sa.Column("size", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("root", sa.LargeBinary(), nullable=False),
        sa.Column("made_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("signer", sa.String(length=42), nullable=False),
        sa.Column("signature", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("size"),
    )
    op.create_table(
        "anchors",
        sa.Column("block_hash", sa.LargeBinary(), nullable=False),
        sa.Column("log_index", sa.Integer(), nullable=False),
        sa.Column("block_number", sa.BigInteger(), nullable=False),
        sa.Column("transaction_hash", sa.LargeBinary(), nullable=False),
        sa.Column("size", sa.BigInteger(), nullable=False),
        sa.Column("root", sa.LargeBinary(), nullable=False),
        sa.Column("operator", sa.String(length=42), nullable=False),
        sa.PrimaryKeyConstraint("block_hash", "log_index"),
    )
    op.create_index(op.f("ix_anchors_block_number"), "anchors", ["block_number"], unique=False)
    op.create_index(op.f("ix_anchors_size"), "anchors", ["size"], unique=False)
    op.create_table(
        "log_holds",
        sa.Column("hold_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), autoincrement=True, nullable=False),
        sa.Column("reason", sa.String(length=24), nullable=False),
        sa.Column("size", sa.BigInteger(), nullable=False),
        sa.Column("anchored_size", sa.BigInteger(), nullable=False),
        sa.Column("anchored_root", sa.LargeBinary(), nullable=False),
        sa.Column("held_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("lifted_at", sa.DateTime(timezone=True), nullable=True),
        sa.PrimaryKeyConstraint("hold_id"),
    )
    op.add_column("network_transactions", sa.Column("head_size", sa.BigInteger(), nullable=True))
    op.add_column("network_transactions", sa.Column("gas_used", sa.BigInteger(), nullable=True))
    for statement in statements(op.get_bind().dialect.name, _APPEND_ONLY):
        op.execute(statement)


def downgrade() -> None:
    """Refuse: an audit store is not unmade by a command."""
    raise RuntimeError("the schema of an audit store cannot be taken back")
