"""AES-256-GCM (NIST SP 800-38D) and HKDF-SHA-256 (RFC 5869), in the few forms that the vault uses.

A *wrapped* value is ``nonce₁₂ ‖ ciphertext ‖ tag₁₆`` in one byte string. A *binding* is associated data: it ties a
ciphertext to its purpose and its place, so that one row copied over another does not open.
"""

from __future__ import annotations

import secrets
from typing import Final

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from handshaker.errors import CiphertextInvalid
from handshaker.messages import Sealed

KEY_BYTES: Final = 32
SALT_BYTES: Final = 32
NONCE_BYTES: Final = 12
TAG_BYTES: Final = 16

_NAME: Final = b"blockchain-handshaker/"


def derive(key: bytes, salt: bytes, purpose: str) -> bytes:
    """Return 32 bytes by HKDF-SHA-256; ``purpose`` goes into ``info``, so one key never serves two purposes."""
    return HKDF(algorithm=SHA256(), length=KEY_BYTES, salt=salt, info=_NAME + purpose.encode()).derive(key)


def binding(purpose: str, *parts: bytes | str) -> bytes:
    """Return associated data of ``purpose`` and ``parts``; each part carries its length, so no two lists meet."""
    encoded = [part.encode() if isinstance(part, str) else part for part in (_NAME + purpose.encode(), *parts)]
    return b"".join(len(part).to_bytes(8, "big") + part for part in encoded)


def wrap(key: bytes, plaintext: bytes, bound_to: bytes) -> bytes:
    """Return ``plaintext`` under ``key`` with a fresh random nonce."""
    nonce = secrets.token_bytes(NONCE_BYTES)
    return nonce + AESGCM(key).encrypt(nonce, plaintext, bound_to)


def unwrap(key: bytes, wrapped: bytes, bound_to: bytes, *, owner: str) -> bytes:
    """Return what ``wrap`` was given. Raises ``CiphertextInvalid`` (naming ``owner``) if anything differs."""
    return _opened(key, wrapped[:NONCE_BYTES], wrapped[NONCE_BYTES:], bound_to, owner)


def seal_under(owner_key: bytes, owner: str, plaintext: bytes, context: bytes) -> Sealed:
    """Return ``plaintext`` under a data key of its own, the data key wrapped by ``owner_key``."""
    data_key = secrets.token_bytes(KEY_BYTES)
    nonce = secrets.token_bytes(NONCE_BYTES)
    return Sealed(
        owner=owner,
        nonce=nonce,
        ciphertext=AESGCM(data_key).encrypt(nonce, plaintext, binding("payload/v1", owner, context)),
        wrapped_key=wrap(owner_key, data_key, binding("data-key/v1", owner, context)),
    )


def unseal_under(owner_key: bytes, sealed: Sealed, context: bytes) -> bytes:
    """Return the plaintext. Raises ``CiphertextInvalid`` if a bit of it, its owner or its context differs."""
    owner = sealed.owner
    data_key = unwrap(owner_key, sealed.wrapped_key, binding("data-key/v1", owner, context), owner=owner)
    return _opened(data_key, sealed.nonce, sealed.ciphertext, binding("payload/v1", owner, context), owner)


def _opened(key: bytes, nonce: bytes, ciphertext: bytes, bound_to: bytes, owner: str) -> bytes:
    # A cut-off value is as altered as a flipped one; the library would raise ValueError for it.
    if len(nonce) == NONCE_BYTES and len(ciphertext) >= TAG_BYTES:
        try:
            return AESGCM(key).decrypt(nonce, ciphertext, bound_to)
        except InvalidTag:
            pass
    raise CiphertextInvalid("A ciphertext, its key or its place was altered.", owner=owner)
