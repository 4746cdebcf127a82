"""Blind index: find a patient by identifier without keeping the identifier."""

from __future__ import annotations

import hashlib
import hmac
import unicodedata

from handshaker.vault.sealing import binding


def normalised(value: str) -> str:
    """Return ``value`` as identifiers are compared: NFKC, without case and without any white space."""
    # Each of the three can make work for the others (a mark that followed a space joins the letter before it).
    while (folded := "".join(unicodedata.normalize("NFKC", value).casefold().split())) != value:
        value = folded
    return value


def blind(key: bytes, kind: str, value: str) -> str:
    """Return HMAC-SHA-256 of the kind and the normalised value, 64 hex digits."""
    return hmac.new(key, binding("blind-index/v1", kind, normalised(value)), hashlib.sha256).hexdigest()
