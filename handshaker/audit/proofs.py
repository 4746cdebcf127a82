"""Proofs as documents: that an entry is under an anchored head, and that between two heads the log only grew.

The form is what ``check_proof`` reads, version 1. Sizes and positions are numbers of entries, times whole seconds UTC.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from handshaker.audit.check_proof import leaf_hash, node_hash
from handshaker.audit.leaf import acknowledgement_leaf
from handshaker.messages import Acknowledgement, Anchor, Deployment, Json, SignedHead

VERSION = 1
MEDIA_TYPE = "application/json"


@dataclass(frozen=True, slots=True)
class Rung:
    """One step of the way from an entry up to the root."""

    sibling: bytes
    """The hash that the proof names."""
    is_left: bool
    """Whether the sibling stands to the left of what was reached before."""
    reached: bytes
    """The hash over both."""


def proof_document(
    position: int, leaf: bytes, path: Sequence[bytes], signed: SignedHead, anchor: Anchor, deployment: Deployment
) -> dict[str, Json]:
    """Return the proof that the entry at ``position`` is under a signed and anchored head."""
    return {
        "v": VERSION,
        "kind": "audit-proof",
        "entry": {"position": position, "leaf": leaf.decode()},
        "inclusion": {"size": signed.head.size, "path": [_hex(each) for each in path]},
        "head": head_document(signed),
        "anchor": anchor_document(anchor, deployment),
    }


def growth_document(
    heads: tuple[SignedHead, SignedHead],
    anchors: tuple[Anchor, Anchor],
    path: Sequence[bytes],
    deployment: Deployment,
) -> dict[str, Json]:
    """Return the proof that the first head's log became the second one's by appending."""
    return {
        "v": VERSION,
        "kind": "audit-consistency",
        "first": head_document(heads[0]),
        "second": head_document(heads[1]),
        "path": [_hex(each) for each in path],
        "anchors": {
            "first": anchor_document(anchors[0], deployment),
            "second": anchor_document(anchors[1], deployment),
        },
    }


def head_document(signed: SignedHead) -> dict[str, Json]:
    """Return a head with its signature."""
    return {
        "size": signed.head.size,
        "root": _hex(signed.head.root),
        "madeAt": int(signed.made_at.timestamp()),
        "signer": signed.signer,
        "signature": _hex(signed.signature),
    }


def anchor_document(anchor: Anchor, deployment: Deployment) -> dict[str, Json]:
    """Return where the chain tells of a head."""
    return {
        "chainId": deployment.identity.chain_id,
        "genesis": _hex(deployment.identity.genesis),
        "contract": deployment.addresses["AuditAnchor"],
        "blockNumber": anchor.block_number,
        "blockHash": _hex(anchor.block_hash),
        "transactionHash": _hex(anchor.transaction_hash),
        "logIndex": anchor.log_index,
    }


def ladder(proof: Mapping[str, Any]) -> tuple[Rung, ...]:
    """Return the way that a proof of the right form takes from its entry upwards, RFC 9162 section 2.1.3.2.

    Ends where the path or the tree does; whether that is the root is for ``check`` to say.
    """
    path = [bytes.fromhex(each[2:]) for each in proof["inclusion"]["path"]]
    reached = leaf_hash(proof["entry"]["leaf"].encode())
    return tuple(_climb(proof["entry"]["position"], proof["inclusion"]["size"] - 1, reached, path))


def _climb(node: int, last: int, reached: bytes, path: Sequence[bytes]) -> Iterator[Rung]:
    for sibling in path:
        is_left = bool(node & 1) or node == last
        reached = node_hash(sibling, reached) if is_left else node_hash(reached, sibling)
        yield Rung(sibling, is_left, reached)
        while is_left and node and not node & 1:  # a node without a right sibling moves up as it is
            node, last = node >> 1, last >> 1
        node, last = node >> 1, last >> 1


def told(leaf: str | bytes) -> dict[str, Any]:
    """Return what a leaf says; empty where it is not the JSON of an entry, or has text that is not Unicode."""
    try:
        entry = json.loads(leaf)
        json.dumps(entry, ensure_ascii=False).encode()
    except (ValueError, RecursionError):
        return {}
    return entry if isinstance(entry, dict) else {}


def tells_of(leaf: bytes, entry_id: str, acknowledgement: Acknowledgement) -> bool:
    """Whether a leaf says what the acknowledgement's row says; its sealed detail aside, which is not opened here."""
    said, row = told(leaf), told(acknowledgement_leaf(entry_id, acknowledgement, None))
    return {**said, "detail": None} == row


def _hex(value: bytes) -> str:
    return "0x" + value.hex()
