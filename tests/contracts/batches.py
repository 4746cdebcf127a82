"""Batches for ``Relay``: put together, asked about, carried."""

from __future__ import annotations

from typing import Any

from eth_abi.abi import decode, encode

from handshaker.ethereum.contracts import functions
from tests.contracts.harness import GAS, SENDER, Receipt, decoded_logs
from tests.contracts.hospital import Hospital

GAS_LIMIT = 300_000
"""Enough for any single statement."""

Outcome = tuple[bool, bytes]


class Batch:
    """Items for one call of ``Relay.relay``."""

    def __init__(self, hospital: Hospital, relay: str | None = None) -> None:
        self.evm = hospital.evm
        self.relay = relay or hospital.addresses["Relay"]
        self._items: list[tuple[str, int, bytes]] = []

    def add(self, target: str, data: bytes, gas_limit: int = GAS_LIMIT) -> Batch:
        """Append one item; return the batch."""
        self._items.append((target, gas_limit, data))
        return self

    @property
    def calldata(self) -> bytes:
        """The call of the relay."""
        function = functions("Relay")["relay"]
        return function.selector + encode(function.input_types, [self._items])

    def carry(self, sender: str = SENDER, gas: int = GAS) -> Receipt:
        """Send the batch."""
        return self.evm.transact(self.relay, self.calldata, sender=sender, gas=gas)

    def ask(self, gas: int = GAS) -> list[Outcome]:
        """Ask about the batch without sending it (``eth_call``)."""
        return _outcomes(self.evm.ask(self.relay, self.calldata, gas=gas))

    def outcomes(self, receipt: Receipt) -> list[Outcome]:
        """Return what became of each item: ``(ok, reason)``."""
        assert receipt.status == 1, f"the whole batch was refused: 0x{receipt.revert_data.hex()}"
        return _outcomes(receipt.output)


def rejections(receipt: Receipt) -> list[dict[str, Any]]:
    """Return the arguments of each ``StatementRejected`` of the receipt, in order."""
    return [arguments for _, name, arguments in decoded_logs(receipt, "Relay") if name == "StatementRejected"]


def _outcomes(output: bytes) -> list[Outcome]:
    (found,) = decode(functions("Relay")["relay"].output_types, output)
    return [(ok, reason) for ok, reason in found]
