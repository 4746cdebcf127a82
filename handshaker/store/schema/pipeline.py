"""From the initial transaction to the queue."""

from __future__ import annotations

import sqlalchemy as sa

from handshaker.store.schema.columns import SEQUENCE, UtcDateTime, metadata, sealed

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
    *sealed("payload", nullable=True),
    sa.UniqueConstraint("actor_id", "idempotency_key"),
)
"""The initial transactions. The payload's ciphertext also holds the salt of its commitment and the sentence signed;
``idempotency_key`` is a keyed hash, for clients put patients' numbers into their keys."""

sa.Index("ix_transactions_received", transactions.c.received_at, transactions.c.ti_id)

closed_drafts = sa.Table(
    "closed_drafts",
    metadata,
    sa.Column("ti_id", sa.String(36), sa.ForeignKey("transactions.ti_id"), primary_key=True),
    sa.Column("successor", sa.String(36)),
    sa.Column("closed_at", UtcDateTime, nullable=False),
)
"""Refused readings that wait no more: signed again as ``successor``, or given up. What was refused for a reason that
can pass, and is not in here, is a draft of its author; its text rests sealed in ``transactions``."""

late_payloads = sa.Table(
    "late_payloads",
    metadata,
    sa.Column("statement_hash", sa.LargeBinary, sa.ForeignKey("statements.statement_hash"), primary_key=True),
    sa.Column("received_at", UtcDateTime, nullable=False),
    *sealed("payload", nullable=False),
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
    sa.Column("seq", SEQUENCE, primary_key=True, autoincrement=True),
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
    sa.Column("event_id", SEQUENCE, primary_key=True, autoincrement=True),
    sa.Column("ti_id", sa.String(36), nullable=False, index=True),
    sa.Column("kind", sa.String(16), nullable=False),
    sa.Column("at", UtcDateTime, nullable=False),
    sa.Column("data", sa.JSON, nullable=False),
)
