"""What is sealed of a record: its payload, the salt of its commitment, and the request as it came."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass

from handshaker.commitments import SALT_SIZE, verify_commitment
from handshaker.errors import CiphertextInvalid, EnvelopeInvalid, KeyUnknown
from handshaker.messages import Json, Sealed
from handshaker.ports import Vault


@dataclass(frozen=True, slots=True)
class Body:
    """An opened body, or why there is none."""

    payload: Mapping[str, Json]
    patient_id: str | None = None
    """Of the request; refusals before the patient was looked up have no other."""
    supersedes: str | None = None
    salt: bytes = b""
    problem: str = ""
    """``absent``, ``erased``, ``altered``, ``unreadable``, or empty."""


def open_body(vault: Vault, ti_id: str, sealed: Sealed | None, commitment: str | None = None) -> Body:
    """Open what was sealed of a TI; with a ``commitment`` (``0x`` hex) it must be what the chain was told of."""
    if sealed is None:
        return Body({}, problem="absent")
    try:
        body = _body(json.loads(vault.unseal(sealed, ti_id.encode())))
        if commitment is not None and not _opens(commitment, body):
            return Body({}, problem="altered")
        return body
    except KeyUnknown:
        return Body({}, problem="erased")
    except CiphertextInvalid:
        return Body({}, problem="altered")
    except (ValueError, KeyError, TypeError, AttributeError, EnvelopeInvalid):
        return Body({}, problem="unreadable")


def _body(raw: Json) -> Body:
    payload = raw["payload"]
    if not isinstance(payload, Mapping):
        raise TypeError("a payload is an object")
    salt = bytes.fromhex(raw.get("salt", ""))
    return Body(payload, raw.get("request", {}).get("patient"), raw.get("supersedes"), salt)


def _opens(commitment: str, body: Body) -> bool:
    if len(body.salt) != SALT_SIZE:
        return False
    return verify_commitment(bytes.fromhex(commitment[2:]), body.payload, body.salt)
