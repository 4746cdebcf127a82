"""How a secret that somebody carries is spelled, ``PREFIX_ID_SECRET``, and how it is told from a guess.

The store keeps only SHA-256 of the secret, which is 256 random bits, so no slow hash is needed.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac

SECRET_BYTES = 32


def spelled(prefix: str, identity: str, secret: bytes) -> str:
    """Return the text that its owner carries."""
    return f"{prefix}_{identity}_{base64.urlsafe_b64encode(secret).decode().rstrip('=')}"


def parsed(prefix: str, text: str) -> tuple[str, bytes] | None:
    """Return id and secret of a text with that prefix, or ``None`` if it is not one."""
    parts = text.strip().split("_", 2)
    if len(parts) != 3 or parts[0] != prefix:
        return None
    try:
        return parts[1], base64.urlsafe_b64decode(parts[2] + "=" * (-len(parts[2]) % 4))
    except (binascii.Error, ValueError):
        return None


def hashed(secret: bytes) -> bytes:
    """Return what the store keeps of a secret."""
    return hashlib.sha256(secret).digest()


def is_secret(secret: bytes, kept: bytes | None) -> bool:
    """Whether ``secret`` is the one of which ``kept`` is the hash; takes as long where nothing is kept."""
    return hmac.compare_digest(hashed(secret), kept or bytes(32)) and kept is not None
