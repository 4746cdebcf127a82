"""The first schema: people, templates, the pipeline, the wire, the chain's view, and the audit log.

Revision 0001.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from handshaker.store import append_only

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None

APPEND_ONLY = {
    "deployments": (("deployment_id",),),
    "templates": (("name", "version"),),
    "transactions": (("actor_id", "idempotency_key"), ("ti_id",)),
    "late_payloads": (("statement_hash",),),
    "statements": (("statement_hash",), ("ti_id",)),
    "events": (("event_id",),),
    "attempts": (("hash",),),
    "network_items": (("network_id", "position"),),
    "acknowledgements": (("entry_id",), ("ti_id",)),
    "audit_entries": (("entry_id",),),
    "audit_positions": (("entry_id",), ("position",)),
    "outbox": (("position",),),
}
"""Table → its unique keys."""


def upgrade() -> None:
    """Create the tables and guard the ones that only grow."""
    op.create_table(
        "actors",
        sa.Column("actor_id", sa.String(length=66), nullable=False),
        sa.Column("kind", sa.String(length=16), nullable=False),
        sa.Column("role", sa.String(length=16), nullable=False),
        sa.Column("address", sa.String(length=42), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("organisation_id", sa.Integer(), nullable=True),
        sa.Column("licence_until", sa.DateTime(timezone=True), nullable=True),
        sa.Column("active", sa.Boolean(), nullable=False),
        sa.Column("custodial", sa.Boolean(), nullable=False),
        sa.Column("version", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("actor_id"),
    )
    op.create_table(
        "audit_entries",
        sa.Column("entry_id", sa.String(length=36), nullable=False),
        sa.Column("kind", sa.String(length=24), nullable=False),
        sa.Column("leaf", sa.LargeBinary(), nullable=False),
        sa.Column("leaf_hash", sa.LargeBinary(), nullable=False),
        sa.Column("written_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("entry_id"),
    )
    op.create_table(
        "blocks",
        sa.Column("number", sa.BigInteger(), nullable=False),
        sa.Column("hash", sa.LargeBinary(), nullable=False),
        sa.Column("parent", sa.LargeBinary(), nullable=False),
        sa.Column("timestamp", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("number"),
    )
    op.create_table(
        "consent_requests",
        sa.Column("request_id", sa.String(length=36), nullable=False),
        sa.Column("patient_id", sa.String(length=66), nullable=False),
        sa.Column("grantee", sa.String(length=80), nullable=False),
        sa.Column("purpose", sa.Integer(), nullable=False),
        sa.Column("read_mask", sa.BigInteger(), nullable=False),
        sa.Column("write_mask", sa.BigInteger(), nullable=False),
        sa.Column("requested_by", sa.String(length=66), nullable=False),
        sa.Column("requested_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("request_id"),
        sa.UniqueConstraint("patient_id", "grantee", "purpose", "read_mask", "write_mask"),
    )
    op.create_index(op.f("ix_consent_requests_patient_id"), "consent_requests", ["patient_id"], unique=False)
    op.create_table(
        "deployments",
        sa.Column(
            "deployment_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), autoincrement=True, nullable=False
        ),
        sa.Column("chain_id", sa.BigInteger(), nullable=False),
        sa.Column("genesis", sa.LargeBinary(), nullable=False),
        sa.Column("addresses", sa.JSON(), nullable=False),
        sa.Column("block_number", sa.BigInteger(), nullable=False),
        sa.Column("deployed_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("deployment_id"),
    )
    op.create_table(
        "effects",
        sa.Column("block_hash", sa.LargeBinary(), nullable=False),
        sa.Column("log_index", sa.Integer(), nullable=False),
        sa.Column("block_number", sa.BigInteger(), nullable=False),
        sa.Column("statement_hash", sa.LargeBinary(), nullable=False),
        sa.Column("transaction_hash", sa.LargeBinary(), nullable=False),
        sa.Column("contract", sa.String(length=40), nullable=False),
        sa.Column("event", sa.String(length=40), nullable=False),
        sa.Column("arguments", sa.JSON(), nullable=False),
        sa.PrimaryKeyConstraint("block_hash", "log_index"),
    )
    op.create_index(op.f("ix_effects_block_number"), "effects", ["block_number"], unique=False)
    op.create_index(op.f("ix_effects_statement_hash"), "effects", ["statement_hash"], unique=False)
    op.create_table(
        "events",
        sa.Column("event_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), autoincrement=True, nullable=False),
        sa.Column("ti_id", sa.String(length=36), nullable=False),
        sa.Column("kind", sa.String(length=16), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("data", sa.JSON(), nullable=False),
        sa.PrimaryKeyConstraint("event_id"),
    )
    op.create_index(op.f("ix_events_ti_id"), "events", ["ti_id"], unique=False)
    op.create_table(
        "network_transactions",
        sa.Column(
            "network_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), autoincrement=True, nullable=False
        ),
        sa.Column("relayer", sa.String(length=42), nullable=False),
        sa.Column("nonce", sa.BigInteger(), nullable=False),
        sa.Column("gas", sa.BigInteger(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("settled_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("outcome", sa.String(length=12), nullable=True),
        sa.PrimaryKeyConstraint("network_id"),
        sa.UniqueConstraint("relayer", "nonce"),
    )
    op.create_index(op.f("ix_network_transactions_settled_at"), "network_transactions", ["settled_at"], unique=False)
    op.create_table(
        "organisations",
        sa.Column("organisation_id", sa.Integer(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("active", sa.Boolean(), nullable=False),
        sa.Column("version", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("organisation_id"),
    )
    op.create_table(
        "outbox",
        sa.Column(
            "position", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), autoincrement=False, nullable=False
        ),
        sa.Column("topic", sa.String(length=40), nullable=False),
        sa.Column("ti_id", sa.String(length=36), nullable=False),
        sa.PrimaryKeyConstraint("position"),
    )
    op.create_table(
        "patients",
        sa.Column("patient_id", sa.String(length=66), nullable=False),
        sa.Column("identifier_index", sa.String(length=64), nullable=True),
        sa.Column("registered_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("demographics_owner", sa.String(length=80), nullable=True),
        sa.Column("demographics_nonce", sa.LargeBinary(), nullable=True),
        sa.Column("demographics_ciphertext", sa.LargeBinary(), nullable=True),
        sa.Column("demographics_wrapped_key", sa.LargeBinary(), nullable=True),
        sa.PrimaryKeyConstraint("patient_id"),
        sa.UniqueConstraint("identifier_index"),
    )
    op.create_table(
        "templates",
        sa.Column("name", sa.String(length=80), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("digest", sa.String(length=64), nullable=False),
        sa.Column("document", sa.Text(), nullable=False),
        sa.Column("added_by", sa.String(length=80), nullable=False),
        sa.Column("added_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("name", "version"),
    )
    op.create_table(
        "tokens",
        sa.Column("token_id", sa.String(length=32), nullable=False),
        sa.Column("actor_id", sa.String(length=66), nullable=False),
        sa.Column("secret_hash", sa.LargeBinary(), nullable=False),
        sa.Column("scopes", sa.JSON(), nullable=False),
        sa.Column("issued_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("revoked_at", sa.DateTime(timezone=True), nullable=True),
        sa.PrimaryKeyConstraint("token_id"),
    )
    op.create_index(op.f("ix_tokens_actor_id"), "tokens", ["actor_id"], unique=False)
    op.create_table(
        "transactions",
        sa.Column("ti_id", sa.String(length=36), nullable=False),
        sa.Column("origin", sa.String(length=8), nullable=False),
        sa.Column("template", sa.String(length=80), nullable=False),
        sa.Column("template_version", sa.Integer(), nullable=False),
        sa.Column("actor_id", sa.String(length=66), nullable=False),
        sa.Column("patient_id", sa.String(length=66), nullable=True),
        sa.Column("idempotency_key", sa.String(length=64), nullable=False),
        sa.Column("received_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("payload_owner", sa.String(length=80), nullable=True),
        sa.Column("payload_nonce", sa.LargeBinary(), nullable=True),
        sa.Column("payload_ciphertext", sa.LargeBinary(), nullable=True),
        sa.Column("payload_wrapped_key", sa.LargeBinary(), nullable=True),
        sa.PrimaryKeyConstraint("ti_id"),
        sa.UniqueConstraint("actor_id", "idempotency_key"),
    )
    op.create_index(op.f("ix_transactions_actor_id"), "transactions", ["actor_id"], unique=False)
    op.create_index(op.f("ix_transactions_patient_id"), "transactions", ["patient_id"], unique=False)
    op.create_table(
        "acknowledgements",
        sa.Column("ti_id", sa.String(length=36), nullable=False),
        sa.Column("entry_id", sa.String(length=36), nullable=False),
        sa.Column("verdict", sa.String(length=8), nullable=False),
        sa.Column("code", sa.String(length=60), nullable=False),
        sa.Column("arguments", sa.JSON(), nullable=False),
        sa.Column("statement_hash", sa.LargeBinary(), nullable=True),
        sa.Column("block_number", sa.BigInteger(), nullable=True),
        sa.Column("block_hash", sa.LargeBinary(), nullable=True),
        sa.Column("transaction_hash", sa.LargeBinary(), nullable=True),
        sa.Column("log_index", sa.Integer(), nullable=True),
        sa.Column("acknowledged_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("detail_owner", sa.String(length=80), nullable=True),
        sa.Column("detail_nonce", sa.LargeBinary(), nullable=True),
        sa.Column("detail_ciphertext", sa.LargeBinary(), nullable=True),
        sa.Column("detail_wrapped_key", sa.LargeBinary(), nullable=True),
        sa.ForeignKeyConstraint(
            ["ti_id"],
            ["transactions.ti_id"],
        ),
        sa.PrimaryKeyConstraint("ti_id"),
        sa.UniqueConstraint("entry_id"),
    )
    op.create_table(
        "attempts",
        sa.Column("hash", sa.LargeBinary(), nullable=False),
        sa.Column("network_id", sa.BigInteger(), nullable=False),
        sa.Column("raw", sa.LargeBinary(), nullable=False),
        sa.Column("max_fee", sa.BigInteger(), nullable=False),
        sa.Column("priority_fee", sa.BigInteger(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["network_id"],
            ["network_transactions.network_id"],
        ),
        sa.PrimaryKeyConstraint("hash"),
    )
    op.create_index(op.f("ix_attempts_network_id"), "attempts", ["network_id"], unique=False)
    op.create_table(
        "audit_positions",
        sa.Column(
            "position", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), autoincrement=False, nullable=False
        ),
        sa.Column("entry_id", sa.String(length=36), nullable=False),
        sa.ForeignKeyConstraint(
            ["entry_id"],
            ["audit_entries.entry_id"],
        ),
        sa.PrimaryKeyConstraint("position"),
        sa.UniqueConstraint("entry_id"),
    )
    op.create_table(
        "network_items",
        sa.Column("network_id", sa.BigInteger(), nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("statement_hash", sa.LargeBinary(), nullable=False),
        sa.ForeignKeyConstraint(
            ["network_id"],
            ["network_transactions.network_id"],
        ),
        sa.PrimaryKeyConstraint("network_id", "position"),
    )
    op.create_index(op.f("ix_network_items_statement_hash"), "network_items", ["statement_hash"], unique=False)
    op.create_table(
        "queue",
        sa.Column("seq", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), autoincrement=True, nullable=False),
        sa.Column("ti_id", sa.String(length=36), nullable=False),
        sa.Column("statement_hash", sa.LargeBinary(), nullable=False),
        sa.Column("patient_id", sa.String(length=66), nullable=True),
        sa.Column("state", sa.String(length=12), nullable=False),
        sa.Column("urgency", sa.Integer(), nullable=False),
        sa.Column("available_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("lease_owner", sa.String(length=80), nullable=True),
        sa.Column("lease_until", sa.DateTime(timezone=True), nullable=True),
        sa.Column("network_id", sa.BigInteger(), nullable=True),
        sa.Column("alone", sa.Boolean(), nullable=False),
        sa.Column("sent", sa.Boolean(), nullable=False),
        sa.Column("refusal", sa.JSON(), nullable=True),
        sa.Column("checks", sa.Integer(), server_default="0", nullable=False),
        sa.ForeignKeyConstraint(
            ["ti_id"],
            ["transactions.ti_id"],
        ),
        sa.PrimaryKeyConstraint("seq"),
        sa.UniqueConstraint("statement_hash"),
        sa.UniqueConstraint("ti_id"),
    )
    op.create_index("ix_queue_order", "queue", ["state", "urgency", "seq"], unique=False)
    op.create_index(op.f("ix_queue_patient_id"), "queue", ["patient_id"], unique=False)
    op.create_table(
        "statements",
        sa.Column("statement_hash", sa.LargeBinary(), nullable=False),
        sa.Column("ti_id", sa.String(length=36), nullable=False),
        sa.Column("contract", sa.String(length=40), nullable=False),
        sa.Column("function", sa.String(length=40), nullable=False),
        sa.Column("words", sa.LargeBinary(), nullable=True),
        sa.Column("signer", sa.String(length=42), nullable=False),
        sa.Column("deadline", sa.BigInteger(), nullable=True),
        sa.Column("custodial", sa.Boolean(), nullable=False),
        sa.ForeignKeyConstraint(
            ["ti_id"],
            ["transactions.ti_id"],
        ),
        sa.PrimaryKeyConstraint("statement_hash"),
        sa.UniqueConstraint("ti_id"),
    )
    op.create_table(
        "late_payloads",
        sa.Column("statement_hash", sa.LargeBinary(), nullable=False),
        sa.Column("received_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("payload_owner", sa.String(length=80), nullable=False),
        sa.Column("payload_nonce", sa.LargeBinary(), nullable=False),
        sa.Column("payload_ciphertext", sa.LargeBinary(), nullable=False),
        sa.Column("payload_wrapped_key", sa.LargeBinary(), nullable=False),
        sa.ForeignKeyConstraint(
            ["statement_hash"],
            ["statements.statement_hash"],
        ),
        sa.PrimaryKeyConstraint("statement_hash"),
    )
    op.create_table(
        "signatures",
        sa.Column("statement_hash", sa.LargeBinary(), nullable=False),
        sa.Column("signature", sa.LargeBinary(), nullable=False),
        sa.ForeignKeyConstraint(
            ["statement_hash"],
            ["statements.statement_hash"],
        ),
        sa.PrimaryKeyConstraint("statement_hash"),
    )
    for statement in append_only.statements(op.get_bind().dialect.name, APPEND_ONLY):
        op.execute(statement)


def downgrade() -> None:
    """Refuse: an audit store is not unmade by a command."""
    raise RuntimeError("the first schema of an audit store cannot be taken back")
