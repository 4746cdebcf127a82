"""Keys and signatures on secp256k1 (SEC 2; signing after RFC 6979, so no randomness can fail)."""

from __future__ import annotations

import secrets
from typing import Final

from coincurve import PrivateKey
from eth_utils.address import to_checksum_address
from eth_utils.crypto import keccak

DIGEST_BYTES: Final = 32


def new_private_key() -> bytes:
    """Return 32 random bytes that are a valid private key."""
    while True:
        candidate = secrets.token_bytes(32)
        if is_private_key(candidate):
            return candidate


def is_private_key(candidate: bytes) -> bool:
    """Return whether ``candidate`` is 32 bytes, not zero and below the order of the curve."""
    if len(candidate) != 32:
        return False
    try:
        PrivateKey(candidate)
    except ValueError:
        return False
    return True


def address_of(private_key: bytes) -> str:
    """Return the Ethereum address, EIP-55 checksummed."""
    point = PrivateKey(private_key).public_key.format(compressed=False)
    return to_checksum_address(keccak(point[1:])[-20:])


def sign_digest(private_key: bytes, digest: bytes) -> bytes:
    """Return ``r₃₂ ‖ s₃₂ ‖ recovery id`` (0 or 1) with s in the lower half of the order (EIP-2)."""
    if len(digest) != DIGEST_BYTES:
        raise ValueError(f"A digest has {DIGEST_BYTES} bytes.")
    return PrivateKey(private_key).sign_recoverable(digest, hasher=None)
