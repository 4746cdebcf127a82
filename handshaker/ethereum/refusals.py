"""From revert data to a ``Refusal``: the custom errors of our contracts, Solidity's panics and its error strings."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from eth_abi.abi import decode
from eth_abi.exceptions import DecodingError
from eth_utils.address import to_checksum_address

from handshaker.ethereum.contracts import errors
from handshaker.messages import Refusal

_PANIC = bytes.fromhex("4e487b71")
"""``Panic(uint256)``, Solidity documentation, *Panic via assert and Error via require*."""
_ERROR = bytes.fromhex("08c379a0")
"""``Error(string)``, the same section."""

_PANIC_MEANINGS = {
    0x01: "an assertion failed",
    0x11: "a number went over its range",
    0x12: "a division by zero",
    0x21: "a number is not a value of its enumeration",
    0x22: "a storage byte array is wrongly encoded",
    0x31: "an empty array was shortened",
    0x32: "an index is out of range",
    0x41: "too much memory was asked for",
    0x51: "an empty function was called",
}


def decode_refusal(data: bytes) -> Refusal:
    """Return what revert ``data`` says; ``Unknown`` for empty data and for errors of strangers."""
    selector, arguments = data[:4], data[4:]
    try:
        if selector == _PANIC:
            (number,) = decode(("uint256",), arguments)
            return Refusal(
                "Panic", {"code": plain("uint256", number), "meaning": _PANIC_MEANINGS.get(number, "an internal error")}
            )
        if selector == _ERROR:
            return Refusal("Error", {"message": decode(("string",), arguments)[0]})
        item = errors().get(selector)
        if item is None:
            return Refusal("Unknown", {"data": "0x" + data[:36].hex()} if data else {})
        values = decode(item.input_types, arguments)
    except (DecodingError, UnicodeDecodeError):
        # The Relay keeps 256 bytes of a reason; what was cut off cannot be decoded, nor can what is no text.
        return Refusal("Unknown", {"data": "0x" + data[:36].hex()})
    return Refusal(item.name, named(item.inputs, values))


def named(inputs: tuple[Mapping[str, Any], ...], values: tuple[Any, ...]) -> dict[str, Any]:
    """Return ABI values as JSON by name: bytes as ``0x`` hex, addresses checksummed."""
    return {str(item["name"]): plain(str(item["type"]), value) for item, value in zip(inputs, values, strict=True)}


def plain(kind: str, value: Any) -> Any:
    """Return one ABI value as JSON; integers that JSON numbers cannot hold exactly become decimal text."""
    if isinstance(value, bytes):
        return "0x" + value.hex()
    if kind == "address":
        return to_checksum_address(value)
    if isinstance(value, int) and not isinstance(value, bool) and abs(value) > 2**53 - 1:
        return str(value)
    return value
