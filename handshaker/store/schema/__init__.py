"""The tables, with what each is for. ``APPEND_ONLY`` names the ones that only ever grow.

Nothing readable about a patient is in here except as ciphertext (``*_nonce``, ``*_ciphertext``, ``*_wrapped_key``).
"""

from __future__ import annotations

from handshaker.store.schema.audit import acknowledgements, audit_entries, audit_positions, outbox
from handshaker.store.schema.catalogue import deployments, template_proposals, templates
from handshaker.store.schema.columns import UtcDateTime, metadata
from handshaker.store.schema.network import attempts, blocks, effects, network_items, network_transactions
from handshaker.store.schema.people import actors, consent_requests, logins, organisations, patients, sessions, tokens
from handshaker.store.schema.pipeline import (
    closed_drafts,
    events,
    late_payloads,
    queue,
    signatures,
    statements,
    transactions,
)

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

__all__ = [
    "APPEND_ONLY",
    "UtcDateTime",
    "acknowledgements",
    "actors",
    "attempts",
    "audit_entries",
    "audit_positions",
    "blocks",
    "closed_drafts",
    "consent_requests",
    "deployments",
    "effects",
    "events",
    "late_payloads",
    "logins",
    "metadata",
    "network_items",
    "network_transactions",
    "organisations",
    "outbox",
    "patients",
    "queue",
    "sessions",
    "signatures",
    "statements",
    "template_proposals",
    "templates",
    "tokens",
    "transactions",
]
