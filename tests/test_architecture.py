"""DESIGN's direction of imports, held by import-linter's contracts in ``.importlinter``."""

from __future__ import annotations

import ast
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
PACKAGE = ROOT / "handshaker"
LINTER = Path(sys.executable).with_name("lint-imports")

TRESPASSES = {
    "messages.py": ("import handshaker.ports", "Imports go one way"),
    "generator.py": ("import handshaker.store", "The three parts reach store, keys and nodes through ports only"),
    "clock.py": ("import web3", "Only handshaker.ethereum imports web3"),
    "ports.py": ("import sqlalchemy", "Only the store and the vault speak SQL"),
    "vocabulary.py": ("import coincurve", "Only the vault opens keys"),
    "errors.py": ("import flask", "The library knows no web framework"),
}
"""File → (import that it may not have, name of the contract that says so)."""


def lint_imports(folder: Path) -> subprocess.CompletedProcess[str]:
    """Hold the package in ``folder`` to the contracts."""
    command = [str(LINTER), "--no-logo", "--no-cache", "--config", str(ROOT / ".importlinter")]
    environment = os.environ | {"PYTHONPATH": str(folder), "COLUMNS": "200"}
    return subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True, check=False)


def test_imports_go_one_way() -> None:
    answer = lint_imports(ROOT)
    assert answer.returncode == 0, answer.stdout + answer.stderr


def test_every_contract_notices_a_trespass(tmp_path: Path) -> None:
    shutil.copytree(PACKAGE, tmp_path / "handshaker", ignore=shutil.ignore_patterns("__pycache__", "*.json"))
    for name, (statement, _) in TRESPASSES.items():
        with (tmp_path / "handshaker" / name).open("a") as file:
            file.write(f"\n{statement}\n")

    answer = lint_imports(tmp_path)

    broken = [line for line in answer.stdout.splitlines() if " BROKEN" in line]
    for _, contract in TRESPASSES.values():
        assert any(contract in line for line in broken), (contract, answer.stdout, answer.stderr)


@pytest.mark.parametrize(
    ("attribute", "only"),
    [
        ("os.environ", "settings.py"),
        ("os.getenv", "settings.py"),
        ("datetime.now", "clock.py"),
        ("time.time", "clock.py"),
    ],
)
def test_the_environment_and_the_time_are_each_read_in_one_place(attribute: str, only: str) -> None:
    readers = {
        str(path.relative_to(PACKAGE))
        for path in PACKAGE.rglob("*.py")
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.Attribute) and ast.unparse(node) == attribute
    }
    assert readers <= {only}
