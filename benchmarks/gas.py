"""Gas of each operation, beside its goal and its floor.

The floor is what no contract can go below: 21,000 for the transaction, its calldata (EIP-2028), and the storage that
the operation itself leaves (EIP-2929, EIP-3529: 22,100 a new slot, 5,000 a changed or cleared one, of which clearing
gives back 4,800, up to a fifth of the whole).
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any
from unittest.mock import patch

from eth.vm.forks.shanghai.state import ShanghaiState

from handshaker.ethereum.relayers import INTRINSIC_GAS
from tests.contracts.gas import BATCH, OPERATIONS
from tests.contracts.harness import Evm, Receipt
from tests.contracts.hospital import Hospital

NEW_SLOT = 22_100
CHANGED_SLOT = 5_000
CLEARED_REFUND = 4_800
LARGEST_REFUND = 5
"""One part in this many."""
ZERO_BYTE = 4
OTHER_BYTE = 16


@dataclass(frozen=True, slots=True)
class Cost:
    """What an operation costs; for batches, what one item does."""

    operation: str
    gas: int
    floor: int
    budget: int
    """What the tests hold it to."""
    goal: int | None


class _MeteredEvm(Evm):
    """Remembers the floor of the last transaction."""

    floor = 0

    def transact(self, address: str, calldata: bytes, sender: str | None = None, gas: int = 10_000_000) -> Receipt:
        with _writes() as written:
            receipt = super().transact(address, calldata, sender, gas)
        self.floor = _floor(calldata, [slot for slot in written.values() if slot[0] != slot[1]])
        return receipt


def measure_gas() -> list[Cost]:
    """Measure every operation of the contract tests' own table."""
    evm = _MeteredEvm()
    hospital = Hospital(evm)
    found = []
    for operation in OPERATIONS:
        gas = operation.measure(hospital.reopen())
        items = BATCH if "batch" in operation.name else 1
        found.append(Cost(operation.name, gas, -(-evm.floor // items), operation.budget, operation.goal))
    return found


def _floor(calldata: bytes, changes: list[tuple[int, int]]) -> int:
    gas = INTRINSIC_GAS + sum(OTHER_BYTE if byte else ZERO_BYTE for byte in calldata)
    gas += sum(CHANGED_SLOT if before else NEW_SLOT for before, _ in changes)
    return gas - min(sum(CLEARED_REFUND for _, after in changes if after == 0), gas // LARGEST_REFUND)


@contextmanager
def _writes() -> Iterator[dict[tuple[bytes, int], tuple[int, int]]]:
    """Watch storage: (contract, slot) → (value before, value after)."""
    written: dict[tuple[bytes, int], tuple[int, int]] = {}
    original = ShanghaiState.set_storage

    def noting(state: Any, address: bytes, slot: int, value: int) -> None:
        before = written.get((address, slot), (state.get_storage(address, slot), 0))[0]
        written[address, slot] = (before, value)
        original(state, address, slot, value)  # type: ignore[arg-type]

    with patch.object(ShanghaiState, "set_storage", noting):
        yield written
