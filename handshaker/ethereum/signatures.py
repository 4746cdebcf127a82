"""Whose signature this is."""

from __future__ import annotations

from eth_keys.datatypes import Signature
from eth_keys.exceptions import BadSignature, ValidationError

_HALF_ORDER = 0x7FFFFFFFFFFFFFFFFFFFFFFFFFFFFFFF5D576E7357A4501DDFE92F46681B20A0
"""EIP-2: the other half of the signatures is the first half again, so it is refused (as the contracts do)."""


def recover(digest: bytes, signature: bytes) -> str | None:
    """Return the checksummed address that signed ``digest`` with r ‖ s ‖ v (v 27 or 28), or ``None``."""
    if len(signature) != 65 or signature[64] not in (27, 28):
        return None
    if int.from_bytes(signature[32:64], "big") > _HALF_ORDER:
        return None
    try:
        found = Signature(signature[:64] + bytes([signature[64] - 27]))
        return found.recover_public_key_from_msg_hash(digest).to_checksum_address()
    except (BadSignature, ValidationError):
        return None
