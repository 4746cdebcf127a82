#!/usr/bin/env python3
"""Check a proof from a Handshaker's audit log, trusting neither the hospital nor its software.

This file needs Python 3.9 or later and nothing else. Copy it anywhere and run, with any node of the chain:

    python3 -I check_proof.py proof.json --rpc https://node.example --contract 0x…
        the entry is in a log whose head an operator signed and anchored in that contract
    python3 -I check_proof.py proof.json --head head.json [--consistency consistency.json]
        the entry is in the log that a head known from elsewhere stands for
    python3 -I check_proof.py --consistency consistency.json [--rpc https://node.example]
        between two heads the log only grew

Exit code 0: all is well. 1: something is wrong. 2: it could not be checked. The tree is RFC 9162 section 2.1, the
signature of a head EIP-712, an address EIP-55. The Handshaker itself uses the functions below: each rule is here once.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from hashlib import sha256
from typing import Any, NamedTuple

HASH_BYTES = 32
EMPTY_ROOT = sha256(b"").digest()
LARGEST = 4 * 2**20
"""Bytes of a file or of a node's answer that are read."""
TIME_OUT = 20
"""Seconds that a node may keep silent."""

Ask = Callable[[str, list[Any]], Any]
"""``(method, params)`` → result of that JSON-RPC call; raises ``Refused`` and ``NoAnswer``."""


class Unusable(ValueError):
    """A file is not what it should be; the message says where."""


class NoAnswer(Exception):
    """The node did not answer, or not in a form that can be used."""


class Refused(NoAnswer):
    """The node answered with an error."""


class Check(NamedTuple):
    """One thing that was looked at."""

    name: str
    """A code: ``inclusion``, ``consistency``, ``signature``, ``contract``, ``chain``, ``block``, ``anchor``, …"""
    ok: bool | None
    """``None`` is a remark, or something that was not looked at."""
    words: str


# ---- the tree, RFC 9162 section 2.1 ----------------------------------------------------------------------------------


def leaf_hash(leaf: bytes) -> bytes:
    """Return the hash of a leaf, RFC 9162 section 2.1.1."""
    return sha256(b"\x00" + leaf).digest()


def node_hash(left: bytes, right: bytes) -> bytes:
    """Return the hash over two subtrees, RFC 9162 section 2.1.1."""
    return sha256(b"\x01" + left + right).digest()


def root_from_inclusion(position: int, size: int, leaf_hash: bytes, path: Sequence[bytes]) -> bytes:
    """Return the root that a path leads to, RFC 9162 section 2.1.3.2. Raises ``ValueError`` when it leads to none."""
    if not 0 <= position < size:
        raise ValueError(f"there is no position {position} in a log of {size} entries")
    node, last, root = position, size - 1, leaf_hash
    for sibling in path:
        if last == 0:
            raise ValueError("the path is too long")
        if node & 1 or node == last:
            root = node_hash(sibling, root)
            while not node & 1:  # a node without a right sibling moves up as it is
                node, last = node >> 1, last >> 1
        else:
            root = node_hash(root, sibling)
        node, last = node >> 1, last >> 1
    if last:
        raise ValueError("the path is too short")
    return root


def check_consistency(
    first_size: int, first_root: bytes, second_size: int, second_root: bytes, path: Sequence[bytes]
) -> None:
    """Hold the second head to be the first with entries appended, RFC 9162 section 2.1.4.2; else ``ValueError``."""
    if not 0 <= first_size <= second_size:
        raise ValueError(f"a log of {first_size} entries does not become one of {second_size}")
    if first_size in (0, second_size):
        if path:
            raise ValueError("the path is too long")
        if first_root != (second_root if first_size else EMPTY_ROOT) or (not second_size and second_root != EMPTY_ROOT):
            raise ValueError("one size has two roots")
        return
    nodes = list(path) if first_size & (first_size - 1) else [first_root, *path]
    if not nodes or not path:
        raise ValueError("the path is too short")
    node, last = first_size - 1, second_size - 1
    while node & 1:
        node, last = node >> 1, last >> 1
    old = new = nodes[0]
    for sibling in nodes[1:]:
        if last == 0:
            raise ValueError("the path is too long")
        if node & 1 or node == last:
            old, new = node_hash(sibling, old), node_hash(sibling, new)
            while node and not node & 1:
                node, last = node >> 1, last >> 1
        else:
            new = node_hash(new, sibling)
        node, last = node >> 1, last >> 1
    if last:
        raise ValueError("the path is too short")
    if old != first_root or new != second_root:
        raise ValueError("the path leads to other roots")


# ---- whose signature: Keccak-256, secp256k1 (SEC 1 section 4.1.6), EIP-712 -------------------------------------------


def keccak256(data: bytes) -> bytes:
    """Return the Keccak-256 of Ethereum: that of FIPS 202 with the padding of its draft."""
    block = 136
    padded = bytearray(data + b"\x01" + bytes(-(len(data) + 1) % block))
    padded[-1] |= 0x80
    lanes = [0] * 25
    for start in range(0, len(padded), block):
        for lane in range(block // 8):
            lanes[lane] ^= int.from_bytes(padded[start + 8 * lane : start + 8 * lane + 8], "little")
        lanes = _permute(lanes)
    return b"".join(lane.to_bytes(8, "little") for lane in lanes[:4])


def _permute(a: list[int]) -> list[int]:
    """Keccak-f[1600] of FIPS 202 section 3; the lane (x, y) is ``a[x + 5 * y]``."""
    register = 1
    for _ in range(24):
        column = [a[x] ^ a[x + 5] ^ a[x + 10] ^ a[x + 15] ^ a[x + 20] for x in range(5)]
        a = [a[i] ^ column[(i + 4) % 5] ^ _rotate(column[(i + 1) % 5], 1) for i in range(25)]
        x, y, moved = 1, 0, [a[0]] * 25
        for turn in range(1, 25):
            source, x, y = x + 5 * y, y, (2 * x + 3 * y) % 5
            moved[x + 5 * y] = _rotate(a[source], turn * (turn + 1) // 2)
        a = [moved[i] ^ (~moved[i - i % 5 + (i + 1) % 5] & moved[i - i % 5 + (i + 2) % 5]) for i in range(25)]
        for bit in range(7):
            a[0] ^= (register & 1) << ((1 << bit) - 1)
            register = (register << 1) ^ (0x171 if register & 0x80 else 0)
    return a


def _rotate(lane: int, by: int) -> int:
    return (lane << by % 64 | lane >> 64 - by % 64) & (2**64 - 1)


_P = 2**256 - 2**32 - 977
_N = 0xFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFEBAAEDCE6AF48A03BBFD25E8CD0364141
_G = (
    0x79BE667EF9DCBBAC55A06295CE870B07029BFCDB2DCE28D959F2815B16F81798,
    0x483ADA7726A3C4655DA4FBFC0E1108A8FD17B448A68554199C47D08FFB10D4B8,
)
_Point = Any  # (x, y), or None for infinity


def _add(a: _Point, b: _Point) -> _Point:
    if a is None or b is None:
        return b if a is None else a
    if a[0] == b[0] and (a[1] + b[1]) % _P == 0:
        return None
    rise, run = (3 * a[0] * a[0], 2 * a[1]) if a == b else (b[1] - a[1], b[0] - a[0])
    slope = rise * pow(run, -1, _P) % _P
    x = (slope * slope - a[0] - b[0]) % _P
    return x, (slope * (a[0] - x) - a[1]) % _P


def _times(factor: int, point: _Point) -> _Point:
    total = None
    for bit in bin(factor)[2:]:
        total = _add(total, total)
        if bit == "1":
            total = _add(total, point)
    return total


def signer_of(digest: bytes, signature: bytes) -> str:
    """Return the address (EIP-55) whose key signed ``digest`` with r ‖ s ‖ v; raises ``ValueError`` when it is none.

    v is 27 or 28; of the two forms of s only the lower is taken (EIP-2), as in the contracts.
    """
    if len(signature) != 65 or signature[64] not in (27, 28):
        raise ValueError("a signature has 65 bytes and ends with 27 or 28")
    r, s = int.from_bytes(signature[:32], "big"), int.from_bytes(signature[32:64], "big")
    if not 0 < r < _N or not 0 < s <= _N // 2:
        raise ValueError("a number of the signature is out of range")
    square = (r**3 + 7) % _P
    y = pow(square, (_P + 1) // 4, _P)
    if y * y % _P != square:
        raise ValueError("no key makes such a signature")
    if y % 2 != signature[64] - 27:
        y = _P - y
    inverse, message = pow(r, -1, _N), int.from_bytes(digest, "big")
    key = _add(_times(s * inverse % _N, (r, y)), _times(-message * inverse % _N, _G))
    if key is None:
        raise ValueError("no key makes such a signature")
    return _address(keccak256(key[0].to_bytes(32, "big") + key[1].to_bytes(32, "big"))[12:])


def _address(account: bytes) -> str:
    plain = account.hex()
    capital = keccak256(plain.encode()).hex()
    return "0x" + "".join(letter.upper() if capital[i] > "7" else letter for i, letter in enumerate(plain))


def head_digest(chain_id: int, contract: str, size: int, root: bytes, made_at: int) -> bytes:
    """Return what the signer of a head signs (EIP-712). ``contract``: the AuditAnchor; ``made_at``: seconds, UTC."""
    domain = keccak256(
        keccak256(b"EIP712Domain(string name,string version,uint256 chainId,address verifyingContract)")
        + keccak256(b"Blockchain Handshaker")
        + keccak256(b"1")
        + chain_id.to_bytes(32, "big")
        + bytes.fromhex(contract[2:]).rjust(32, b"\0")
    )
    head = keccak256(b"AuditHead(uint64 size,bytes32 root,uint64 madeAt)")
    head += size.to_bytes(32, "big") + root + made_at.to_bytes(32, "big")
    return keccak256(b"\x19\x01" + domain + keccak256(head))
