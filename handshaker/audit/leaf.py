"""Leaves of the audit log.

A leaf is the RFC 8785 canonical JSON of one entry and is hashed as RFC 9162 section 2.1.1 says:
``SHA-256(0x00 ‖ leaf)``. It holds random ids, codes, hashes and salted commitments only; the format is settled, a
change is a new ``v``.
"""

from __future__ import annotations

import hashlib
from datetime import UTC, datetime
from typing import Any

import rfc8785

from handshaker.messages import Acknowledgement

LEAF_VERSION = 1


def leaf_hash(leaf: bytes) -> bytes:
    """Return the hash of a leaf, RFC 9162 section 2.1.1."""
    return hashlib.sha256(b"\x00" + leaf).digest()


def acknowledgement_leaf(entry_id: str, acknowledgement: Acknowledgement, detail: bytes | None) -> bytes:
    """Return the leaf of an ACK. ``detail`` is the commitment to what its sealed detail says, if there is one."""
    return _canonical(
        {
            "v": LEAF_VERSION,
            "kind": "acknowledgement",
            "entry": entry_id,
            "ti": acknowledgement.ti_id,
            "verdict": str(acknowledgement.kind),
            "code": acknowledgement.code,
            "arguments": acknowledgement.arguments,
            "template": acknowledgement.template,
            "actor": acknowledgement.actor_id,
            "patient": acknowledgement.patient_id,
            "origin": str(acknowledgement.origin),
            "statement": _hex(acknowledgement.statement_hash),
            "block": acknowledgement.block_number,
            "blockHash": _hex(acknowledgement.block_hash),
            "transaction": _hex(acknowledgement.transaction_hash),
            "logIndex": acknowledgement.log_index,
            "at": _time(acknowledgement.acknowledged_at),
            "detail": _hex(detail),
        }
    )


def contradiction_leaf(entry_id: str, ti_id: str, acknowledged_entry: str, block: int, at: datetime) -> bytes:
    """Return the leaf that says that a fork deeper than the finality depth took an ACK's evidence away."""
    return _canonical(
        {
            "v": LEAF_VERSION,
            "kind": "contradiction",
            "entry": entry_id,
            "ti": ti_id,
            "contradicts": acknowledged_entry,
            "block": block,
            "at": _time(at),
        }
    )


def _canonical(entry: dict[str, Any]) -> bytes:
    return rfc8785.dumps(entry)


def _hex(value: bytes | None) -> str | None:
    return None if value is None else "0x" + value.hex()


def _time(moment: datetime) -> str:
    return moment.astimezone(UTC).isoformat(timespec="microseconds").replace("+00:00", "Z")
