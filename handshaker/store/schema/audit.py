"""The audit store."""

from __future__ import annotations

import sqlalchemy as sa

from handshaker.store.schema.columns import SEQUENCE, UtcDateTime, metadata, sealed

acknowledgements = sa.Table(
    "acknowledgements",
    metadata,
    sa.Column("ti_id", sa.String(36), sa.ForeignKey("transactions.ti_id"), primary_key=True),
    sa.Column("entry_id", sa.String(36), nullable=False, unique=True),
    sa.Column("verdict", sa.String(8), nullable=False),
    sa.Column("code", sa.String(60), nullable=False),
    sa.Column("arguments", sa.JSON, nullable=False),
    sa.Column("statement_hash", sa.LargeBinary),
    sa.Column("block_number", sa.BigInteger),
    sa.Column("block_hash", sa.LargeBinary),
    sa.Column("transaction_hash", sa.LargeBinary),
    sa.Column("log_index", sa.Integer),
    sa.Column("acknowledged_at", UtcDateTime, nullable=False),
    *sealed("detail", nullable=True),
)

audit_entries = sa.Table(
    "audit_entries",
    metadata,
    sa.Column("entry_id", sa.String(36), primary_key=True),
    sa.Column("kind", sa.String(24), nullable=False),
    sa.Column("leaf", sa.LargeBinary, nullable=False),
    sa.Column("leaf_hash", sa.LargeBinary, nullable=False),
    sa.Column("written_at", UtcDateTime, nullable=False),
)
"""The leaves of the audit log (RFC 9162), see ``audit/leaf.py``."""

audit_positions = sa.Table(
    "audit_positions",
    metadata,
    sa.Column("position", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), primary_key=True, autoincrement=False),
    sa.Column("entry_id", sa.String(36), sa.ForeignKey("audit_entries.entry_id"), nullable=False, unique=True),
    sa.Column("seal", sa.LargeBinary),
)
"""Their dense order from 0. Apart from the entries, because sequences are not commit order everywhere. ``seal`` ties
an entry to its position under a key of the vault; entries that are older than seals have none."""

audit_tiles = sa.Table(
    "audit_tiles",
    metadata,
    sa.Column("level", sa.Integer, primary_key=True, autoincrement=False),
    sa.Column("number", sa.BigInteger, primary_key=True, autoincrement=False),
    sa.Column("hash", sa.LargeBinary, nullable=False),
)
"""Hashes of complete subtrees of 2^level leaves, ``number`` counting from 0: so that no root or path has to begin
with all leaves. Worth nothing as evidence."""

audit_heads = sa.Table(
    "audit_heads",
    metadata,
    sa.Column("size", sa.BigInteger, primary_key=True, autoincrement=False),
    sa.Column("root", sa.LargeBinary, nullable=False),
    sa.Column("made_at", UtcDateTime, nullable=False),
    sa.Column("signer", sa.String(42), nullable=False),
    sa.Column("signature", sa.LargeBinary, nullable=False),
)
"""What the log was at a size, signed by the operator who was about to anchor it."""

log_holds = sa.Table(
    "log_holds",
    metadata,
    sa.Column("hold_id", SEQUENCE, primary_key=True, autoincrement=True),
    sa.Column("reason", sa.String(24), nullable=False),
    sa.Column("size", sa.BigInteger, nullable=False),
    sa.Column("anchored_size", sa.BigInteger, nullable=False),
    sa.Column("anchored_root", sa.LargeBinary, nullable=False),
    sa.Column("held_at", UtcDateTime, nullable=False),
    sa.Column("lifted_at", UtcDateTime),
)
"""Why nothing may be appended: the chain has anchored more than is here, or something else."""

outbox = sa.Table(
    "outbox",
    metadata,
    sa.Column("position", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), primary_key=True, autoincrement=False),
    sa.Column("topic", sa.String(40), nullable=False),
    sa.Column("ti_id", sa.String(36), nullable=False),
)
"""What is to be delivered, in the ACK's own transaction and in the log's order."""
