"""Canonical JSON (RFC 8785) and the salted commitment to it that stands on the chain."""

from __future__ import annotations

import hmac
from collections.abc import Mapping
from datetime import datetime
from hashlib import sha256

import rfc8785

from handshaker.errors import EnvelopeInvalid
from handshaker.messages import Json
from handshaker.nesting import DEEPEST_DOCUMENT, is_too_deep

SALT_SIZE = 32


def canonical(value: Json) -> bytes:
    """Return the one form in which a JSON value is hashed and sealed (RFC 8785).

    Raises ``EnvelopeInvalid`` for what RFC 8785 has no form for: NaN, infinities, integers beyond ±(2⁵³ − 1), lone
    surrogates, keys that are no text, and nesting deeper than 200 levels.
    """
    if is_too_deep(value, DEEPEST_DOCUMENT):
        raise _without_form("it is nested too deeply")
    try:
        return rfc8785.dumps(value)
    except rfc8785.IntegerDomainError:
        problem = "it holds an integer beyond ±9007199254740991; send it as text"
    except rfc8785.FloatDomainError:
        problem = "it holds NaN or an infinity, which JSON does not know"
    except UnicodeError:
        problem = "it holds text that is not valid Unicode"
    except rfc8785.CanonicalizationError:
        problem = "it holds something that JSON does not know"
    raise _without_form(problem)


def _without_form(problem: str) -> EnvelopeInvalid:
    return EnvelopeInvalid(f"The payload has no canonical form: {problem}.", problem=problem)


def commitment(payload: Mapping[str, Json], salt: bytes) -> bytes:
    """Return ``SHA-256(salt ‖ canonical payload)``.

    ``salt`` is 32 random bytes; its fixed length keeps salt and payload apart (another one raises ``ValueError``).
    """
    if len(salt) != SALT_SIZE:
        raise ValueError(f"a salt has {SALT_SIZE} bytes, not {len(salt)}")
    return sha256(salt + canonical(payload)).digest()


def detail_context(ti_id: str) -> bytes:
    """Return where the sealed detail of a TI's acknowledgement belongs, for the vault."""
    return f"{ti_id}/detail".encode()


def quarantine_of(received_at: datetime) -> str:
    """Return the owner, one for each week, of what was received about no known patient."""
    year, week, _ = received_at.isocalendar()
    return f"quarantine/{year}-W{week:02d}"


def verify_commitment(expected: bytes, payload: Mapping[str, Json], salt: bytes) -> bool:
    """Tell whether ``expected`` opens to ``payload`` under ``salt``, in constant time."""
    return hmac.compare_digest(expected, commitment(payload, salt))
