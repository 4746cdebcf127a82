"""The committed artifacts are what the sources compile to, byte for byte."""

from __future__ import annotations

import json
from collections.abc import Mapping

import pytest

from handshaker.ethereum.contracts import CONTRACT_NAMES
from scripts.compile import ARTIFACTS, CONTRACTS, artifacts

LARGEST_CODE = 24_576
"""EIP-170, in bytes."""
LARGEST_CREATION_CODE = 49_152
"""EIP-3860, in bytes."""


@pytest.fixture(scope="module")
def compiled() -> Mapping[str, str]:
    return artifacts()


@pytest.mark.parametrize("name", CONTRACTS)
def test_an_artifact_is_what_its_source_compiles_to(name: str, compiled: Mapping[str, str]) -> None:
    committed = (ARTIFACTS / f"{name}.json").read_bytes()
    # No diff of 40,000 digits: what to do is the message.
    assert committed == compiled[name].encode(), f"{name}: `make compile` and commit handshaker/artifacts"


def test_no_artifact_is_missing_or_left_over() -> None:
    assert {path.stem for path in ARTIFACTS.glob("*.json")} == set(CONTRACTS) == set(CONTRACT_NAMES)


@pytest.mark.parametrize("name", CONTRACTS)
def test_a_contract_fits_on_every_chain(name: str) -> None:
    bytecode = bytes.fromhex(json.loads((ARTIFACTS / f"{name}.json").read_text())["bytecode"][2:])
    assert len(bytecode) <= LARGEST_CODE < LARGEST_CREATION_CODE
