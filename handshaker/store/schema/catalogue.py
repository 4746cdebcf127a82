"""Where the contracts are, and the templates."""

from __future__ import annotations

import sqlalchemy as sa

from handshaker.store.schema.columns import SEQUENCE, UtcDateTime, metadata

deployments = sa.Table(
    "deployments",
    metadata,
    sa.Column("deployment_id", SEQUENCE, primary_key=True, autoincrement=True),
    sa.Column("chain_id", sa.BigInteger, nullable=False),
    sa.Column("genesis", sa.LargeBinary, nullable=False),
    sa.Column("addresses", sa.JSON, nullable=False),
    sa.Column("block_number", sa.BigInteger, nullable=False),
    sa.Column("deployed_at", UtcDateTime, nullable=False),
)
"""Where the contracts are; the newest row counts."""

templates = sa.Table(
    "templates",
    metadata,
    sa.Column("name", sa.String(80), primary_key=True),
    sa.Column("version", sa.Integer, primary_key=True),
    sa.Column("digest", sa.String(64), nullable=False),
    sa.Column("document", sa.Text, nullable=False),
    sa.Column("added_by", sa.String(80), nullable=False),
    sa.Column("added_at", UtcDateTime, nullable=False),
)

template_proposals = sa.Table(
    "template_proposals",
    metadata,
    sa.Column("proposal_id", sa.String(36), primary_key=True),
    sa.Column("name", sa.String(80), nullable=False),
    sa.Column("version", sa.Integer, nullable=False),
    sa.Column("digest", sa.String(64), nullable=False),
    sa.Column("document", sa.Text, nullable=False),
    sa.Column("proposed_by", sa.String(66), nullable=False),
    sa.Column("proposed_at", UtcDateTime, nullable=False),
    sa.Column("decided_by", sa.String(66)),
    sa.Column("decided_at", UtcDateTime),
    sa.Column("decision", sa.String(12)),
    sa.Index("ix_template_proposals_open", "name", "version"),
)
"""Templates that one administrator wrote and a second one has to approve. ``decision`` once there is one:
``approved``, ``rejected`` or ``withdrawn``."""
