"""How things look as JSON. Times are UTC with a Z, hashes 0x hex; what is not there is null."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from handshaker import (
    Acknowledgement,
    Check,
    ConsentRequest,
    Entry,
    Event,
    Identity,
    Status,
    Template,
    Token,
    reason_of,
)
from handshaker import TransactionRow as Row

Document = dict[str, Any]


def moment(value: datetime | None) -> str | None:
    """Return ``2026-11-21T08:30:00.123456Z``."""
    return None if value is None else value.astimezone(UTC).isoformat().replace("+00:00", "Z")


def hexadecimal(value: bytes | None) -> str | None:
    """Return 0x hex."""
    return None if value is None else "0x" + value.hex()


def transaction(row: Row, status: Status, acknowledged: Acknowledgement | None) -> Document:
    """Return how far a TI is."""
    reason = status.reason
    return {
        "id": row.ti_id,
        "status": str(status.status),
        "since": moment(status.at),
        "final": status.is_settled,
        "template": row.template,
        "actor": row.actor_id,
        "patient": row.patient_id,
        "receivedAt": moment(row.received_at),
        "reason": {"code": status.code, "sentence": reason.sentence, "nextStep": reason.next_step} if reason else None,
        "statement": hexadecimal(status.statement_hash),
        "evidence": _evidence(
            status.block_number,
            status.block_hash,
            status.transaction_hash,
            acknowledged.log_index if acknowledged else None,
        ),
        "position": status.position,
    }


def transaction_line(row: Row) -> Document:
    """Return a TI in a list."""
    return {
        "id": row.ti_id,
        "status": str(row.status),
        "code": row.code or None,
        "template": row.template,
        "actor": row.actor_id,
        "patient": row.patient_id,
        "receivedAt": moment(row.received_at),
        "acknowledgedAt": moment(row.acknowledged_at),
        "position": row.position,
    }


def event(number: int, found: Event) -> Document:
    """Return an entry of a history; ``number`` counts from 1."""
    return {"id": number, "kind": str(found.kind), "at": moment(found.at), "data": dict(found.data)}


def acknowledgement(found: Acknowledgement) -> Document:
    """Return an ACK."""
    reason = reason_of(found)
    return {
        "id": found.ti_id,
        "position": found.position,
        "verdict": str(found.kind),
        "code": found.code,
        "reason": reason.sentence,
        "nextStep": reason.next_step,
        "arguments": dict(found.arguments),
        "template": found.template,
        "actor": found.actor_id,
        "patient": found.patient_id,
        "origin": str(found.origin),
        "statement": hexadecimal(found.statement_hash),
        "evidence": _evidence(found.block_number, found.block_hash, found.transaction_hash, found.log_index),
        "acknowledgedAt": moment(found.acknowledged_at),
    }


def template_line(template: Template) -> Document:
    """Return a template in a list."""
    return {
        "name": template.name,
        "version": template.version,
        "title": template.title,
        "action": template.action,
        "category": template.category,
        "purpose": None if template.purpose is None else template.purpose.name,
        "roles": list(template.roles),
    }


def patient(identity: Identity) -> Document:
    """Return who a patient is."""
    return {
        "id": identity.patient_id,
        "family": identity.family,
        "given": identity.given,
        "born": identity.born.isoformat() if identity.born else None,
        "sex": identity.sex,
        "number": identity.number,
        "registered": identity.is_registered,
    }


def record(entry: Entry) -> Document:
    """Return a valid record."""
    return {
        "transaction": entry.ti_id,
        "record": entry.record_id,
        "category": entry.category,
        "title": entry.title,
        "at": moment(entry.at),
        "author": entry.author,
        "text": entry.text,
        "results": [
            {
                "code": result.code,
                "name": result.name,
                "value": result.value,
                "unit": result.unit,
                "low": result.low,
                "high": result.high,
                "flag": result.flag,
            }
            for result in entry.results
        ],
        "evidence": {"block": entry.block_number, "transaction": entry.transaction_hash},
        "supersededBy": entry.superseded_by,
        "problem": entry.problem,
    }


def consent_request(request: ConsentRequest) -> Document:
    """Return a request for consent."""
    return {
        "id": request.request_id,
        "patient": request.patient_id,
        "grantee": request.grantee,
        "purpose": request.purpose.name,
        "read": list(request.read),
        "write": list(request.write),
        "requestedBy": request.requested_by,
        "requestedAt": moment(request.requested_at),
        "state": request.state,
    }


def token(found: Token, current: str) -> Document:
    """Return a token without its secret."""
    return {
        "id": found.token_id,
        "label": found.label,
        "scopes": list(found.scopes),
        "issuedAt": moment(found.issued_at),
        "expiresAt": moment(found.expires_at),
        "current": found.token_id == current,
    }


def check(found: Check) -> Document:
    """Return a check of readiness; what mends it is for the operator, who has other ways to ask."""
    return {
        "name": found.name,
        "ok": found.is_ok,
        "state": str(found.state),
        "code": found.code,
        "detail": found.detail,
    }


def _evidence(
    block: int | None, block_hash: bytes | None, transaction_hash: bytes | None, log_index: int | None
) -> Document | None:
    if block is None and transaction_hash is None:
        return None
    return {
        "block": block,
        "blockHash": hexadecimal(block_hash),
        "transaction": hexadecimal(transaction_hash),
        "logIndex": log_index,
    }
