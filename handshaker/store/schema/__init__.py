"""The tables, with what each is for. ``APPEND_ONLY`` names the ones that only ever grow.

Nothing readable about a patient is in here except as ciphertext (``*_nonce``, ``*_ciphertext``, ``*_wrapped_key``).
"""

from __future__ import annotations

from handshaker.store.schema.audit import (
    acknowledgements,
    audit_entries,
    audit_heads,
    audit_positions,
    audit_tiles,
    log_holds,
    outbox,
)
from handshaker.store.schema.catalogue import deployments, template_proposals, templates
from handshaker.store.schema.columns import UtcDateTime, metadata
from handshaker.store.schema.network import anchors, attempts, blocks, effects, network_items, network_transactions
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
    "audit_tiles",
    "audit_heads",
    "outbox",
)

__all__ = [
    "APPEND_ONLY",
    "UtcDateTime",
    "acknowledgements",
    "actors",
    "anchors",
    "attempts",
    "audit_entries",
    "audit_heads",
    "audit_positions",
    "audit_tiles",
    "blocks",
    "closed_drafts",
    "consent_requests",
    "deployments",
    "effects",
    "events",
    "late_payloads",
    "log_holds",
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
