"""The contracts of ``contracts/test``: compiled where a test needs them, never kept as artifacts."""

from __future__ import annotations

from enum import IntEnum
from functools import cache
from typing import Any

from eth_abi.abi import encode
from eth_utils.crypto import keccak

from handshaker.ethereum.contracts import canonical_type
from scripts.compile import TEST_SOURCES, compile_sources
from tests.contracts.harness import Evm


class TargetManner(IntEnum):
    """``HostileTarget.Manner``."""

    OBEYS = 0
    BURNS_GAS = 1
    RETURNS_BOMB = 2
    REVERTS_WITH_BOMB = 3
    REVERTS_EMPTY = 4
    TELLS_GAS = 5
    CALLS_BACK = 6


class AccountManner(IntEnum):
    """``HostileAccount.Manner``."""

    HONEST = 0
    BURNS_GAS = 1
    RETURNS_BOMB = 2
    REVERTS_EMPTY = 3
    ANSWERS_WRONGLY = 4
    CALLS_BACK = 5
    SLOW = 6


@cache
def compiled() -> dict[str, Any]:
    """Return ABI and bytecode by contract name; compiles once in each process (some seconds)."""
    output = compile_sources(TEST_SOURCES)["contracts"]
    return {path.stem: output[f"contracts/test/{path.name}"][path.stem] for path in sorted(TEST_SOURCES.glob("*.sol"))}


def deploy_test_contract(evm: Evm, name: str, *arguments: Any) -> str:
    """Deploy a contract of ``contracts/test``; return its address."""
    contract = compiled()[name]
    constructor = next((item for item in contract["abi"] if item["type"] == "constructor"), {"inputs": ()})
    types = [canonical_type(item) for item in constructor["inputs"]]
    return evm.deploy_code(bytes.fromhex(contract["evm"]["bytecode"]["object"]) + encode(types, arguments))


def arm(evm: Evm, hostile: str, relay: str, payload: bytes) -> None:
    """Tell a hostile contract that calls back what to call."""
    calldata = keccak(text="arm(address,bytes)")[:4] + encode(["address", "bytes"], [relay, payload])
    assert evm.transact(hostile, calldata).status == 1
