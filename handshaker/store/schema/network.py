"""What goes over the wire, and what the chain said."""

from __future__ import annotations

import sqlalchemy as sa

from handshaker.store.schema.columns import SEQUENCE, UtcDateTime, metadata

network_transactions = sa.Table(
    "network_transactions",
    metadata,
    sa.Column("network_id", SEQUENCE, primary_key=True, autoincrement=True),
    sa.Column("relayer", sa.String(42), nullable=False),
    sa.Column("nonce", sa.BigInteger, nullable=False),
    sa.Column("gas", sa.BigInteger, nullable=False),
    sa.Column("created_at", UtcDateTime, nullable=False),
    sa.Column("settled_at", UtcDateTime, index=True),
    sa.Column("outcome", sa.String(12)),
    sa.Column("head_size", sa.BigInteger),
    sa.Column("gas_used", sa.BigInteger),
    sa.UniqueConstraint("relayer", "nonce"),
)
"""One row a nonce: it carries statements, or anchors the head of ``head_size``, or does nothing. ``outcome`` once
settled: ``mined``, ``reverted``, or ``replaced`` by a foreign transaction."""

network_items = sa.Table(
    "network_items",
    metadata,
    sa.Column("network_id", sa.BigInteger, sa.ForeignKey("network_transactions.network_id"), primary_key=True),
    sa.Column("position", sa.Integer, primary_key=True),
    sa.Column("statement_hash", sa.LargeBinary, nullable=False, index=True),
)

attempts = sa.Table(
    "attempts",
    metadata,
    sa.Column("hash", sa.LargeBinary, primary_key=True),
    sa.Column(
        "network_id",
        sa.BigInteger,
        sa.ForeignKey("network_transactions.network_id"),
        nullable=False,
        index=True,
    ),
    sa.Column("raw", sa.LargeBinary, nullable=False),
    sa.Column("max_fee", sa.BigInteger, nullable=False),
    sa.Column("priority_fee", sa.BigInteger, nullable=False),
    sa.Column("created_at", UtcDateTime, nullable=False),
)
"""Every signed form of a network transaction, written before it is sent."""

blocks = sa.Table(
    "blocks",
    metadata,
    sa.Column("number", sa.BigInteger, primary_key=True),
    sa.Column("hash", sa.LargeBinary, nullable=False),
    sa.Column("parent", sa.LargeBinary, nullable=False),
    sa.Column("timestamp", sa.BigInteger, nullable=False),
)
"""The indexer's walk. A fork replaces the rows above the common ancestor."""

effects = sa.Table(
    "effects",
    metadata,
    sa.Column("block_hash", sa.LargeBinary, primary_key=True),
    sa.Column("log_index", sa.Integer, primary_key=True),
    sa.Column("block_number", sa.BigInteger, nullable=False, index=True),
    sa.Column("statement_hash", sa.LargeBinary, nullable=False, index=True),
    sa.Column("transaction_hash", sa.LargeBinary, nullable=False),
    sa.Column("contract", sa.String(40), nullable=False),
    sa.Column("event", sa.String(40), nullable=False),
    sa.Column("arguments", sa.JSON, nullable=False),
)

anchors = sa.Table(
    "anchors",
    metadata,
    sa.Column("block_hash", sa.LargeBinary, primary_key=True),
    sa.Column("log_index", sa.Integer, primary_key=True),
    sa.Column("block_number", sa.BigInteger, nullable=False, index=True),
    sa.Column("transaction_hash", sa.LargeBinary, nullable=False),
    sa.Column("size", sa.BigInteger, nullable=False, index=True),
    sa.Column("root", sa.LargeBinary, nullable=False),
    sa.Column("operator", sa.String(42), nullable=False),
)
"""The log's heads as the chain told them, in the blocks that were walked."""
