"""Network transactions as raw bytes: EIP-1559 (type 2) transactions, signed by the vault's relayer key."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import rlp
from eth_utils.address import to_canonical_address
from eth_utils.crypto import keccak

from handshaker.messages import Attempt, Fees, SignedCall

_TYPE = b"\x02"
"""EIP-1559: ``0x02 ‖ rlp([chain_id, nonce, tip, fee, gas, to, value, data, access_list, v, r, s])``."""

INTRINSIC_GAS = 21_000
CALLDATA_GAS = 16
"""EIP-2028, an upper bound: zero bytes cost 4."""


def sign_transaction(
    sign: Callable[[bytes], bytes],
    *,
    chain_id: int,
    nonce: int,
    to: str | None,
    data: bytes,
    gas: int,
    fees: Fees,
    value: int = 0,
) -> Attempt:
    """Return the signed bytes and their hash. ``sign`` takes 32 bytes and returns r ‖ s ‖ recovery id.

    ``to`` is ``None`` for a creation.
    """
    recipient = b"" if to is None else to_canonical_address(to)
    body = [chain_id, nonce, fees.priority_fee, fees.max_fee, gas, recipient, value, data, []]
    signature = sign(keccak(_TYPE + rlp.encode(body)))
    v, r, s = signature[64], int.from_bytes(signature[:32], "big"), int.from_bytes(signature[32:64], "big")
    raw = _TYPE + rlp.encode([*body, v, r, s])
    return Attempt(hash=keccak(raw), raw=raw, max_fee=fees.max_fee, priority_fee=fees.priority_fee)


def relay_size(calls: Sequence[SignedCall]) -> int:
    """Return how many bytes ``EthereumChain.relay_data`` has for a batch, without making them.

    A batch grows call by call, and its size is asked for each time.
    """
    # Selector, offset and length of the list; then for each item an offset, target, gas, the data's offset and length,
    # and the data: selector, the struct, offset and length of the signature, and the signature.
    return 4 + 64 + sum(32 + 128 + _padded(4 + len(call.words) + 64 + _padded(len(call.signature))) for call in calls)


def _padded(size: int) -> int:
    return -(-size // 32) * 32
