"""The compiled contracts: their ABI, their functions and events, read once from ``handshaker/artifacts/``."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import Any

from eth_utils.crypto import keccak

CONTRACT_NAMES = ("Directory", "ConsentRegistry", "HealthRecords", "Relay", "AuditAnchor")
"""In the order in which they are deployed: each needs only the ones before it."""


@dataclass(frozen=True, slots=True)
class Artifact:
    """One compiled contract."""

    name: str
    abi: tuple[Mapping[str, Any], ...]
    bytecode: bytes
    """Creation code without constructor arguments."""


@dataclass(frozen=True, slots=True)
class AbiItem:
    """A function, event or error of the ABI with its canonical signature."""

    name: str
    signature: str
    """For example ``relay((address,uint32,bytes)[])``."""
    inputs: tuple[Mapping[str, Any], ...]
    outputs: tuple[Mapping[str, Any], ...]

    @property
    def input_types(self) -> tuple[str, ...]:
        """Canonical ABI types of the inputs."""
        return tuple(canonical_type(item) for item in self.inputs)

    @property
    def output_types(self) -> tuple[str, ...]:
        """Canonical ABI types of the outputs."""
        return tuple(canonical_type(item) for item in self.outputs)

    @property
    def selector(self) -> bytes:
        """The first four bytes of the signature's hash: a function's or an error's selector."""
        return _hash(self.signature)[:4]

    @property
    def topic(self) -> bytes:
        """The signature's hash: an event's first topic."""
        return _hash(self.signature)


@cache
def artifact(name: str) -> Artifact:
    """Return the artifact of contract ``name``; raises ``KeyError`` when there is none."""
    if name not in CONTRACT_NAMES:
        raise KeyError(name)
    raw = json.loads(files("handshaker.artifacts").joinpath(f"{name}.json").read_text())
    return Artifact(name=name, abi=tuple(raw["abi"]), bytecode=bytes.fromhex(raw["bytecode"][2:]))


@cache
def functions(contract: str) -> Mapping[str, AbiItem]:
    """Return the functions of ``contract`` by name (no contract overloads a name)."""
    return {item.name: item for item in _items(contract, "function")}


@cache
def events(contract: str) -> Mapping[bytes, AbiItem]:
    """Return the events of ``contract`` by their first topic."""
    return {item.topic: item for item in _items(contract, "event")}


@cache
def errors() -> Mapping[bytes, AbiItem]:
    """Return every custom error of every contract by selector."""
    return {item.selector: item for name in CONTRACT_NAMES for item in _items(name, "error")}


def canonical_type(item: Mapping[str, Any]) -> str:
    """Return the canonical ABI type of an input or output, tuples spelled out."""
    kind: str = item["type"]
    if not kind.startswith("tuple"):
        return kind
    inner = ",".join(canonical_type(part) for part in item["components"])
    return f"({inner}){kind.removeprefix('tuple')}"


def _items(contract: str, kind: str) -> list[AbiItem]:
    found = []
    for entry in artifact(contract).abi:
        if entry["type"] == kind:
            inputs = tuple(entry["inputs"])
            signature = f"{entry['name']}({','.join(canonical_type(item) for item in inputs)})"
            found.append(AbiItem(entry["name"], signature, inputs, tuple(entry.get("outputs", ()))))
    return found


@cache
def _hash(signature: str) -> bytes:
    return keccak(text=signature)
