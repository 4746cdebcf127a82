"""Leaves of the audit log.

A leaf is the RFC 8785 canonical JSON of one entry and is hashed as RFC 9162 section 2.1.1 says:
``SHA-256(0x00 ‖ leaf)``. It holds random ids, codes, hashes and salted commitments only; the format is settled, a
change is a new ``v``.
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import rfc8785

from handshaker.audit.check_proof import leaf_hash as leaf_hash
from handshaker.messages import Access, Acknowledgement, Act, Head

LEAF_VERSION = 1


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


def access_leaf(entry_id: str, access: Access, at: datetime) -> bytes:
    """Return the leaf of a reading, or of the attempt. Categories are bits, as on the chain."""
    return _canonical(
        {
            "v": LEAF_VERSION,
            "kind": "access",
            "entry": entry_id,
            "actor": access.actor_id,
            "role": access.role,
            "organisation": access.organisation_id,
            "patient": access.patient_id,
            "patients": access.patients,
            "view": access.view,
            "purpose": access.purpose,
            "asked": hex(access.asked),
            "granted": hex(access.granted),
            "reason": str(access.reason),
            "at": _time(at),
        }
    )


def act_leaf(entry_id: str, act: Act, at: datetime) -> bytes:
    """Return the leaf of an administrative act."""
    return _canonical(
        {
            "v": LEAF_VERSION,
            "kind": "act",
            "entry": entry_id,
            "act": str(act.code),
            "actor": act.actor_id,
            "subject": act.subject,
            "details": act.details,
            "at": _time(at),
        }
    )


def erasure_leaf(entry_id: str, owner: str, reason: str, at: datetime) -> bytes:
    """Return the leaf that says that an owner's key is destroyed; ``owner`` is a pseudonym or a quarantine's name."""
    return _canonical(
        {"v": LEAF_VERSION, "kind": "erasure", "entry": entry_id, "owner": owner, "reason": reason, "at": _time(at)}
    )


def lost_leaf(entry_id: str, lost: Head, at: datetime) -> bytes:
    """Return the leaf that stands where an entry was that a restored backup does not know.

    ``lost`` is the head that the chain had anchored over it, so that no position is ever used for something else.
    """
    return _canonical(
        {
            "v": LEAF_VERSION,
            "kind": "lost",
            "entry": entry_id,
            "anchoredSize": lost.size,
            "anchoredRoot": _hex(lost.root),
            "at": _time(at),
        }
    )


def restore_leaf(entry_id: str, actor_id: str, common: int, kept: int, lost: Head, at: datetime) -> bytes:
    """Return the leaf that says openly that the log goes on from an older backup.

    The first ``common`` entries are the ones that an anchor proves; ``kept`` entries were in the backup; whatever was
    anchored beyond ``common``, up to the head ``lost``, belongs to a branch that nobody has any more.
    """
    return _canonical(
        {
            "v": LEAF_VERSION,
            "kind": "restore",
            "entry": entry_id,
            "actor": actor_id,
            "common": common,
            "kept": kept,
            "anchoredSize": lost.size,
            "anchoredRoot": _hex(lost.root),
            "at": _time(at),
        }
    )


def _canonical(entry: dict[str, Any]) -> bytes:
    return rfc8785.dumps(entry)


def _hex(value: bytes | None) -> str | None:
    return None if value is None else "0x" + value.hex()


def _time(moment: datetime) -> str:
    return moment.astimezone(UTC).isoformat(timespec="microseconds").replace("+00:00", "Z")
