"""The audit store."""

from __future__ import annotations

import sqlalchemy as sa

from handshaker.store.schema.columns import UtcDateTime, metadata, sealed

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
)
"""Their dense order from 0. Apart from the entries, because sequences are not commit order everywhere."""

outbox = sa.Table(
    "outbox",
    metadata,
    sa.Column("position", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), primary_key=True, autoincrement=False),
    sa.Column("topic", sa.String(40), nullable=False),
    sa.Column("ti_id", sa.String(36), nullable=False),
)
"""What is to be delivered, in the ACK's own transaction and in the log's order."""
