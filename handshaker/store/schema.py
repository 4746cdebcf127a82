"""The tables, with what each is for. ``APPEND_ONLY`` names the ones that only ever grow.

Nothing readable about a patient is in here except as ciphertext (``*_nonce``, ``*_ciphertext``, ``*_wrapped_key``).
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import sqlalchemy as sa

metadata = sa.MetaData()


class UtcDateTime(sa.types.TypeDecorator[datetime]):
    """An aware UTC datetime. SQLite keeps no time zone: it is taken off on the way in and put back on the way out."""

    impl = sa.DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Any) -> datetime | None:
        """Refuse a naive datetime: it is a mistake wherever it comes from."""
        if value is None:
            return None
        if value.tzinfo is None:
            raise ValueError("a datetime without a time zone cannot be stored")
        value = value.astimezone(UTC)
        return value.replace(tzinfo=None) if dialect.name == "sqlite" else value

    def process_result_value(self, value: datetime | None, dialect: Any) -> datetime | None:
        """Return an aware datetime."""
        if value is None:
            return None
        return value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)


_Sequence = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
"""SQLite counts up by itself only in a column of exactly this type."""


def _sealed(prefix: str, *, nullable: bool) -> list[sa.Column[Any]]:
    return [
        sa.Column(f"{prefix}_owner", sa.String(80), nullable=nullable),
        sa.Column(f"{prefix}_nonce", sa.LargeBinary, nullable=nullable),
        sa.Column(f"{prefix}_ciphertext", sa.LargeBinary, nullable=nullable),
        sa.Column(f"{prefix}_wrapped_key", sa.LargeBinary, nullable=nullable),
    ]


# ---- who and where -------------------------------------------------------------------------------------------------

deployments = sa.Table(
    "deployments",
    metadata,
    sa.Column("deployment_id", _Sequence, primary_key=True, autoincrement=True),
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

organisations = sa.Table(
    "organisations",
    metadata,
    sa.Column("organisation_id", sa.Integer, primary_key=True),
    sa.Column("name", sa.Text, nullable=False),
    sa.Column("active", sa.Boolean, nullable=False),
    sa.Column("version", sa.BigInteger, nullable=False),
)
"""A copy of the directory on chain, with names."""

actors = sa.Table(
    "actors",
    metadata,
    sa.Column("actor_id", sa.String(66), primary_key=True),
    sa.Column("kind", sa.String(16), nullable=False),
    sa.Column("role", sa.String(16), nullable=False),
    sa.Column("address", sa.String(42), nullable=False),
    sa.Column("name", sa.Text, nullable=False),
    sa.Column("organisation_id", sa.Integer),
    sa.Column("licence_until", UtcDateTime),
    sa.Column("active", sa.Boolean, nullable=False),
    sa.Column("custodial", sa.Boolean, nullable=False),
    sa.Column("version", sa.BigInteger, nullable=False),
)
"""Everybody who signs; a copy of the directory on chain, with names of practitioners (never of patients)."""

patients = sa.Table(
    "patients",
    metadata,
    sa.Column("patient_id", sa.String(66), primary_key=True),
    sa.Column("identifier_index", sa.String(64), unique=True),
    sa.Column("registered_at", UtcDateTime, nullable=False),
    *_sealed("demographics", nullable=True),
)
"""Pseudonyms; ``identifier_index`` is a keyed hash of the identifier that the patient came with."""

tokens = sa.Table(
    "tokens",
    metadata,
    sa.Column("token_id", sa.String(32), primary_key=True),
    sa.Column("actor_id", sa.String(66), nullable=False, index=True),
    sa.Column("secret_hash", sa.LargeBinary, nullable=False),
    sa.Column("scopes", sa.JSON, nullable=False),
    sa.Column("issued_at", UtcDateTime, nullable=False),
    sa.Column("expires_at", UtcDateTime, nullable=False),
    sa.Column("revoked_at", UtcDateTime),
)

consent_requests = sa.Table(
    "consent_requests",
    metadata,
    sa.Column("request_id", sa.String(36), primary_key=True),
    sa.Column("patient_id", sa.String(66), nullable=False, index=True),
    sa.Column("grantee", sa.String(80), nullable=False),
    sa.Column("purpose", sa.Integer, nullable=False),
    sa.Column("read_mask", sa.BigInteger, nullable=False),
    sa.Column("write_mask", sa.BigInteger, nullable=False),
    sa.Column("requested_by", sa.String(66), nullable=False),
    sa.Column("requested_at", UtcDateTime, nullable=False),
    sa.UniqueConstraint("patient_id", "grantee", "purpose", "read_mask", "write_mask"),
)
"""What an organisation would like a patient to allow."""

# ---- from TI to the queue ------------------------------------------------------------------------------------------

transactions = sa.Table(
    "transactions",
    metadata,
    sa.Column("ti_id", sa.String(36), primary_key=True),
    sa.Column("origin", sa.String(8), nullable=False),
    sa.Column("template", sa.String(80), nullable=False),
    sa.Column("template_version", sa.Integer, nullable=False),
    sa.Column("actor_id", sa.String(66), nullable=False, index=True),
    sa.Column("patient_id", sa.String(66), index=True),
    sa.Column("idempotency_key", sa.String(64), nullable=False),
    sa.Column("received_at", UtcDateTime, nullable=False),
    *_sealed("payload", nullable=True),
    sa.UniqueConstraint("actor_id", "idempotency_key"),
)
"""The initial transactions. The payload's ciphertext also holds the salt of its commitment and the sentence signed;
``idempotency_key`` is a keyed hash, for clients put patients' numbers into their keys."""

late_payloads = sa.Table(
    "late_payloads",
    metadata,
    sa.Column("statement_hash", sa.LargeBinary, sa.ForeignKey("statements.statement_hash"), primary_key=True),
    sa.Column("received_at", UtcDateTime, nullable=False),
    *_sealed("payload", nullable=False),
)
"""Payloads of statements that came straight from the chain before their signer handed the payload in."""

statements = sa.Table(
    "statements",
    metadata,
    sa.Column("statement_hash", sa.LargeBinary, primary_key=True),
    sa.Column("ti_id", sa.String(36), sa.ForeignKey("transactions.ti_id"), nullable=False, unique=True),
    sa.Column("contract", sa.String(40), nullable=False),
    sa.Column("function", sa.String(40), nullable=False),
    sa.Column("words", sa.LargeBinary),
    sa.Column("signer", sa.String(42), nullable=False),
    sa.Column("deadline", sa.BigInteger),
    sa.Column("custodial", sa.Boolean, nullable=False),
)
"""What was signed. ``words`` is absent for a statement that was first seen on the chain."""

signatures = sa.Table(
    "signatures",
    metadata,
    sa.Column("statement_hash", sa.LargeBinary, sa.ForeignKey("statements.statement_hash"), primary_key=True),
    sa.Column("signature", sa.LargeBinary, nullable=False),
)
"""Apart from the statements, because a signature that was never sent is destroyed when its TI becomes invalid."""

queue = sa.Table(
    "queue",
    metadata,
    sa.Column("seq", _Sequence, primary_key=True, autoincrement=True),
    sa.Column("ti_id", sa.String(36), sa.ForeignKey("transactions.ti_id"), nullable=False, unique=True),
    sa.Column("statement_hash", sa.LargeBinary, nullable=False, unique=True),
    sa.Column("patient_id", sa.String(66), index=True),
    sa.Column("state", sa.String(12), nullable=False),
    sa.Column("urgency", sa.Integer, nullable=False),
    sa.Column("available_at", UtcDateTime, nullable=False),
    sa.Column("lease_owner", sa.String(80)),
    sa.Column("lease_until", UtcDateTime),
    sa.Column("network_id", sa.BigInteger),
    sa.Column("alone", sa.Boolean, nullable=False),
    sa.Column("sent", sa.Boolean, nullable=False),
    sa.Column("refusal", sa.JSON),
    sa.Column("checks", sa.Integer, nullable=False, server_default="0"),
    sa.Index("ix_queue_order", "state", "urgency", "seq"),
)
"""Open work: one row from acceptance to ACK. ``waiting`` for a worker, or ``in-flight`` in a network transaction."""

events = sa.Table(
    "events",
    metadata,
    sa.Column("event_id", _Sequence, primary_key=True, autoincrement=True),
    sa.Column("ti_id", sa.String(36), nullable=False, index=True),
    sa.Column("kind", sa.String(16), nullable=False),
    sa.Column("at", UtcDateTime, nullable=False),
    sa.Column("data", sa.JSON, nullable=False),
)

# ---- the wire ------------------------------------------------------------------------------------------------------

network_transactions = sa.Table(
    "network_transactions",
    metadata,
    sa.Column("network_id", _Sequence, primary_key=True, autoincrement=True),
    sa.Column("relayer", sa.String(42), nullable=False),
    sa.Column("nonce", sa.BigInteger, nullable=False),
    sa.Column("gas", sa.BigInteger, nullable=False),
    sa.Column("created_at", UtcDateTime, nullable=False),
    sa.Column("settled_at", UtcDateTime, index=True),
    sa.Column("outcome", sa.String(12)),
    sa.UniqueConstraint("relayer", "nonce"),
)
"""One row a nonce. ``outcome`` once settled: ``mined``, ``reverted``, or ``replaced`` by a foreign transaction."""

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

# ---- what the chain said -------------------------------------------------------------------------------------------

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

# ---- the audit store -----------------------------------------------------------------------------------------------

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
    *_sealed("detail", nullable=True),
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

APPEND_ONLY = (
    "deployments",
    "templates",
    "transactions",
    "late_payloads",
    "statements",
    "events",
    "attempts",
    "network_items",
    "acknowledgements",
    "audit_entries",
    "audit_positions",
    "outbox",
)
