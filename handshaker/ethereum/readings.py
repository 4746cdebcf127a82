"""What a node's raw answers say: events of our contracts, and receipts."""

from __future__ import annotations

from typing import Any

from eth_abi.abi import decode
from eth_utils.address import to_checksum_address

from handshaker.ethereum.contracts import events
from handshaker.ethereum.refusals import decode_refusal, named
from handshaker.messages import Anchor, Effect, Head, Receipt


def receipt_of(transaction_hash: bytes, found: Any, relay: str | None) -> Receipt:
    """Return a receipt with what the Relay at ``relay`` rejected."""
    rejections = {}
    for log in found["logs"]:
        if relay is not None and log["address"] == relay:
            item = events("Relay").get(bytes(log["topics"][0]))
            if item is not None:
                (reason,) = decode(("bytes",), bytes(log["data"]))
                rejections[int.from_bytes(log["topics"][1], "big")] = decode_refusal(reason)
    return Receipt(
        transaction_hash=transaction_hash,
        block_number=found["blockNumber"],
        block_hash=bytes(found["blockHash"]),
        succeeded=found["status"] == 1,
        gas_used=found["gasUsed"],
        rejections=rejections,
    )


def told(contract: str, log: Any) -> Effect | Anchor | None:
    """Return what an event of one of our contracts tells; ``None`` for those that tell nothing of a statement."""
    if contract != "AuditAnchor":
        return _effect(contract, log)
    _, size, root, operator = (bytes(topic) for topic in log["topics"])
    return Anchor(
        head=Head(int.from_bytes(size, "big"), root),
        operator=to_checksum_address(operator[-20:]),
        block_number=log["blockNumber"],
        block_hash=bytes(log["blockHash"]),
        transaction_hash=bytes(log["transactionHash"]),
        log_index=log["logIndex"],
    )


def _effect(contract: str, log: Any) -> Effect | None:
    item = events(contract).get(bytes(log["topics"][0])) if log["topics"] else None
    if item is None or not item.inputs or item.inputs[0]["name"] != "statement":
        return None
    indexed = [part for part in item.inputs if part["indexed"]]
    rest = tuple(part for part in item.inputs if not part["indexed"])
    topics = tuple(
        decode((part["type"],), bytes(topic))[0] for part, topic in zip(indexed, log["topics"][1:], strict=True)
    )
    arguments = named(tuple(indexed), topics) | named(
        rest, decode(tuple(part["type"] for part in rest), bytes(log["data"]))
    )
    return Effect(
        statement_hash=bytes(log["topics"][1]),
        contract=contract,
        event=item.name,
        arguments=arguments,
        block_number=log["blockNumber"],
        block_hash=bytes(log["blockHash"]),
        transaction_hash=bytes(log["transactionHash"]),
        log_index=log["logIndex"],
    )
