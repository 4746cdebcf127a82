"""The hospital on a node: the same chain as ``Evm``, run by Anvil, where ten thousand opcodes cost a millisecond."""

from __future__ import annotations

from typing import Any

from eth_typing import Hash32
from eth_utils.address import to_checksum_address

from tests.contracts.harness import GAS, SENDER, START, Evm, Log, Receipt, Reverted, Snapshot
from tests.nodes import Node

ANVIL_ARGUMENTS = ("--timestamp", str(START), "--auto-impersonate", "--base-fee", "0", "--gas-price", "0")
"""How an Anvil has to be started to be a ``NodeEvm``."""


class NodeEvm(Evm):
    """A chain whose clock stands still until it is advanced, and whose senders need no keys."""

    def __init__(self, node: Node) -> None:
        self._node = node
        self.chain_id = node.chain_id
        self._now = START
        self._snapshots: dict[Hash32, str] = {}
        node.ask("anvil_setBalance", SENDER, hex(10**24))
        node.ask("anvil_setBlockTimestampInterval", 0)
        node.ask("evm_setNextBlockTimestamp", self._now)

    @property
    def timestamp(self) -> int:
        """``block.timestamp`` of the next transaction."""
        return self._now

    def advance(self, seconds: int) -> None:
        """Move the clock forward."""
        self._now += seconds
        self._node.ask("evm_setNextBlockTimestamp", self._now)

    def snapshot(self) -> Snapshot:
        """Return the present state; it can be gone back to any number of times."""
        identity = str(self._node.ask("evm_snapshot"))
        root = Hash32(int(identity, 16).to_bytes(32, "big"))
        self._snapshots[root] = identity
        return Snapshot(root, self._now)

    def revert(self, snapshot: Snapshot) -> None:
        """Go back to ``snapshot``, clock included."""
        assert self._node.ask("evm_revert", self._snapshots[snapshot.root]) is True
        # A node forgets a snapshot that it went back to.
        self._snapshots[snapshot.root] = str(self._node.ask("evm_snapshot"))
        self._now = snapshot.timestamp
        self._node.ask("evm_setNextBlockTimestamp", self._now)

    def deploy_code(self, code: bytes, sender: str = SENDER) -> str:
        """Deploy creation code with its arguments appended; return the address. Raises ``Reverted``."""
        receipt = self._send({"from": sender, "data": "0x" + code.hex(), "gas": hex(GAS)})
        if receipt["status"] != "0x1":
            raise Reverted(b"")
        return to_checksum_address(receipt["contractAddress"])

    def ask(self, address: str, calldata: bytes, sender: str = SENDER, gas: int = GAS) -> bytes:
        """Like ``call`` with bare bytes on both sides."""
        call = {"from": sender, "to": address, "data": "0x" + calldata.hex(), "gas": hex(gas)}
        answer = self._node.request("eth_call", call, "latest")
        if "error" in answer:
            raise Reverted(bytes.fromhex(str(answer["error"].get("data", "0x"))[2:]))
        return bytes.fromhex(answer["result"][2:])

    def transact(self, address: str, calldata: bytes, sender: str | None = None, gas: int = GAS) -> Receipt:
        """Apply one transaction; a revert is a receipt with status 0, not an exception."""
        carrier = sender or SENDER
        found = self._send({"from": carrier, "to": address, "data": "0x" + calldata.hex(), "gas": hex(gas)})
        failed = found["status"] != "0x1"
        return Receipt(
            status=0 if failed else 1,
            gas_used=int(found["gasUsed"], 16),
            logs=tuple(
                Log(
                    to_checksum_address(log["address"]),
                    tuple(bytes.fromhex(topic[2:]) for topic in log["topics"]),
                    bytes.fromhex(log["data"][2:]),
                )
                for log in found["logs"]
            ),
            revert_data=self._reason(address, calldata, carrier) if failed else b"",
            output=b"",
        )

    def _reason(self, address: str, calldata: bytes, sender: str) -> bytes:
        # A receipt does not say why; nothing has changed since, so the same call fails for the same reason.
        try:
            self.ask(address, calldata, sender)
        except Reverted as refusal:
            return refusal.revert_data
        raise AssertionError("a transaction failed that succeeds as a call")

    def _send(self, transaction: dict[str, Any]) -> dict[str, Any]:
        # EIP-7966: the answer is the receipt, so nothing has to be waited for.
        receipt: dict[str, Any] = self._node.ask("eth_sendTransactionSync", transaction)
        return receipt
