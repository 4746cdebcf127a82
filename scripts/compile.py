"""Compile the contracts into ``handshaker/artifacts/`` with the pinned compiler (``make compile``).

The artifacts are committed, so nobody needs a compiler to run the Handshaker; a test compiles again and compares
byte for byte.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import solcx

ROOT = Path(__file__).resolve().parent.parent
SOURCES = ROOT / "contracts"
TEST_SOURCES = SOURCES / "test"
ARTIFACTS = ROOT / "handshaker" / "artifacts"
COMPILER = ROOT / "scripts" / "solc.js"

CONTRACTS = ("AuditAnchor", "ConsentRegistry", "Directory", "HealthRecords", "Relay")

SETTINGS: dict[str, Any] = {
    # Ganache 7.9.2 ends at shanghai: later bytecode deploys there and dies where it runs.
    "evmVersion": "shanghai",
    "viaIR": True,
    "optimizer": {"enabled": True, "runs": 10_000},
    "metadata": {"bytecodeHash": "none", "appendCBOR": False},
    "outputSelection": {"*": {"*": ["abi", "evm.bytecode.object", "evm.methodIdentifiers"]}},
}


def compile_sources(folder: Path = SOURCES) -> dict[str, Any]:
    """Compile every ``.sol`` file below ``folder``; return the compiler's standard output.

    The contracts that only tests deploy are left out unless ``folder`` is ``TEST_SOURCES``: what is compiled along
    must never change the bytecode of what is deployed.

    Raises ``solcx.exceptions.SolcError`` with the compiler's messages.
    """
    sources = {
        str(path.relative_to(ROOT)): {"content": path.read_text()}
        for path in sorted(folder.rglob("*.sol"))
        if folder == TEST_SOURCES or TEST_SOURCES not in path.parents
    }
    request = {"language": "Solidity", "sources": sources, "settings": SETTINGS}
    output: dict[str, Any] = solcx.compile_standard(request, solc_binary=COMPILER, base_path=ROOT)
    return output


def artifacts() -> dict[str, str]:
    """Return the text of each artifact file by contract name."""
    output = compile_sources()
    texts = {}
    for name in CONTRACTS:
        compiled = output["contracts"][f"contracts/{name}.sol"][name]
        artifact = {
            "contractName": name,
            "compiler": "0.8.37",
            "evmVersion": SETTINGS["evmVersion"],
            "abi": compiled["abi"],
            "bytecode": "0x" + compiled["evm"]["bytecode"]["object"],
            "methodIdentifiers": compiled["evm"]["methodIdentifiers"],
        }
        texts[name] = json.dumps(artifact, indent=1, sort_keys=True) + "\n"
    return texts


def main() -> None:
    """Write the artifacts and say their sizes (EIP-170 allows 24,576 bytes of deployed code)."""
    ARTIFACTS.mkdir(exist_ok=True)
    for name, text in artifacts().items():
        (ARTIFACTS / f"{name}.json").write_text(text)
        print(f"{name}: {(len(json.loads(text)['bytecode']) - 2) // 2} bytes of creation code")


if __name__ == "__main__":
    main()
