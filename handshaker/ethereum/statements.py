"""EIP-712 statements, read off the ABI: each struct that a contract function takes is a statement type.

All structs are flat and static, so the ABI encoding of a struct is one 32-byte word a field, and the struct hash is
``keccak(typeHash ‖ words)`` (EIP-712, *Definition of hashStruct*). The one difference between what is signed and what
is sent is ``terms``: signed as a string, sent as its hash.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any

from eth_abi.abi import decode, encode
from eth_utils.address import to_checksum_address
from eth_utils.crypto import keccak

from handshaker.ethereum.contracts import AbiItem, functions

DOMAIN_NAME = "Blockchain Handshaker"
DOMAIN_VERSION = "1"

_DOMAIN_TYPE = keccak(text="EIP712Domain(string name,string version,uint256 chainId,address verifyingContract)")

FieldValue = int | bool | str | bytes
"""uintN as int, bool, address as checksummed hex, bytesN as bytes; ``terms`` as the sentence itself."""


@dataclass(frozen=True, slots=True)
class StatementType:
    """The EIP-712 struct that a contract function takes."""

    contract: str
    function: AbiItem
    name: str
    """The primary type, for example ``ConsentGrant``."""
    fields: tuple[tuple[str, str], ...]
    """Name and EIP-712 type of each field in order; ``terms`` is ``string``."""

    @property
    def encoded_type(self) -> str:
        """EIP-712 ``encodeType``."""
        return f"{self.name}({','.join(f'{kind} {name}' for name, kind in self.fields)})"

    @property
    def type_hash(self) -> bytes:
        """EIP-712 ``typeHash``."""
        return keccak(text=self.encoded_type)

    @property
    def abi_types(self) -> tuple[str, ...]:
        """What goes over the wire: the same types with ``terms`` as ``bytes32``."""
        return tuple("bytes32" if name == "terms" else kind for name, kind in self.fields)

    def words(self, values: Mapping[str, FieldValue]) -> bytes:
        """Return the struct's ABI encoding, 32 bytes a field.

        Raises ``KeyError`` for a missing field and ``eth_abi.exceptions.EncodingError`` for a value out of range.
        """
        wire = [keccak(text=str(values[name])) if name == "terms" else values[name] for name, _ in self.fields]
        return encode(self.abi_types, wire)

    def values(self, words: bytes, terms: str | None = None) -> dict[str, FieldValue]:
        """Return the field values of encoded ``words``; ``terms`` is the sentence that the hash stands for."""
        decoded = dict(zip((name for name, _ in self.fields), decode(self.abi_types, words), strict=True))
        for name, kind in self.fields:
            if kind == "address":
                decoded[name] = to_checksum_address(decoded[name])
        if "terms" in decoded:
            decoded["terms"] = terms if terms is not None else "0x" + decoded["terms"].hex()
        return decoded

    def struct_hash(self, words: bytes) -> bytes:
        """Return the statement's identity."""
        return keccak(self.type_hash + words)

    def typed_data(self, values: Mapping[str, FieldValue], chain_id: int, verifying_contract: str) -> dict[str, Any]:
        """Return the JSON that a wallet signs (``eth_signTypedData_v4``)."""
        return {
            "domain": {
                "name": DOMAIN_NAME,
                "version": DOMAIN_VERSION,
                "chainId": chain_id,
                "verifyingContract": verifying_contract,
            },
            "types": {
                "EIP712Domain": [
                    {"name": "name", "type": "string"},
                    {"name": "version", "type": "string"},
                    {"name": "chainId", "type": "uint256"},
                    {"name": "verifyingContract", "type": "address"},
                ],
                self.name: [{"name": name, "type": kind} for name, kind in self.fields],
            },
            "primaryType": self.name,
            "message": {name: _for_json(values[name]) for name, _ in self.fields},
        }

    def calldata(self, words: bytes, *signatures: bytes) -> bytes:
        """Return the call of the function with ``words`` and its signatures (one, or two where two must sign).

        Raises ``ValueError`` unless there are 32 bytes a field.
        """
        if len(words) != 32 * len(self.fields):
            raise ValueError(f"{self.name} has {len(self.fields)} words, not {len(words)} bytes")
        # A static struct is encoded in place: its words are the head, followed by an offset for each signature.
        head, tail = words, b""
        for signature in signatures:
            head += (len(words) + 32 * len(signatures) + len(tail)).to_bytes(32, "big")
            tail += len(signature).to_bytes(32, "big") + signature + bytes(-len(signature) % 32)
        return self.function.selector + head + tail


@cache
def statement_type(contract: str, function: str) -> StatementType:
    """Return the statement type that ``contract.function`` takes.

    Raises ``KeyError`` when there is no such function or when it takes no statement.
    """
    item = functions(contract)[function]
    if not item.inputs or item.inputs[0]["type"] != "tuple":
        raise KeyError(function)
    struct = item.inputs[0]
    name = str(struct["internalType"]).removeprefix("struct ").split(".")[-1]
    fields = tuple(
        ("terms", "string") if part["name"] == "termsHash" else (str(part["name"]), str(part["type"]))
        for part in struct["components"]
    )
    return StatementType(contract=contract, function=item, name=name, fields=fields)


@cache
def domain_separator(chain_id: int, verifying_contract: str) -> bytes:
    """Return the EIP-712 domain separator of a contract on a chain."""
    return keccak(
        _DOMAIN_TYPE
        + encode(
            ("bytes32", "bytes32", "uint256", "address"),
            (keccak(text=DOMAIN_NAME), keccak(text=DOMAIN_VERSION), chain_id, verifying_contract),
        )
    )


def digest(statement_hash: bytes, chain_id: int, verifying_contract: str) -> bytes:
    """Return the 32 bytes that are signed: ``keccak(0x1901 ‖ domainSeparator ‖ structHash)``."""
    return keccak(b"\x19\x01" + domain_separator(chain_id, verifying_contract) + statement_hash)


def _for_json(value: FieldValue) -> int | bool | str:
    return "0x" + value.hex() if isinstance(value, bytes) else value
