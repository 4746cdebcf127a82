"""Who signed a head of the audit log; the same rule as in ``audit/check_proof.py``, with the fast hashes."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime

from eth_utils.crypto import keccak

from handshaker.ethereum.signatures import recover
from handshaker.ethereum.statements import digest
from handshaker.messages import Deployment, Head

_TYPE = keccak(text="AuditHead(uint64 size,bytes32 root,uint64 madeAt)")


def head_digest(head: Head, made_at: int, chain_id: int, contract: str) -> bytes:
    """Return what the signer of a head signs (EIP-712); ``made_at`` in seconds since the epoch."""
    words = head.size.to_bytes(32, "big") + head.root + made_at.to_bytes(32, "big")
    return digest(keccak(_TYPE + words), chain_id, contract)


def signer_for(deployment: Deployment) -> Callable[[Head, str, bytes], str | None]:
    """Return what tells who signed a head for an AuditAnchor.

    That takes the head, when it was made (ISO 8601) and the signature; ``ValueError`` where the time is none.
    """
    chain_id, contract = deployment.identity.chain_id, deployment.addresses["AuditAnchor"]

    def signer(head: Head, made_at: str, signature: bytes) -> str | None:
        made = datetime.fromisoformat(made_at).astimezone(UTC).timestamp()
        if made < 0 or made != int(made):
            raise ValueError("a head is made at a whole second")
        return recover(head_digest(head, int(made), chain_id, contract), signature)

    return signer
