"""The behaviour trees and the contract tests agree: every branch has its test, every refusal its branch."""

from __future__ import annotations

import importlib
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

HERE = Path(__file__).parent
SOURCES = HERE.parent.parent / "contracts"
MODULES = {
    "Directory": ("directory", "directory_recovery", "directory_officers"),
    "ConsentRegistry": ("consent_registry", "consent_delegates", "consent_emergencies", "consent_rule"),
    "HealthRecords": ("health_records",),
    "AuditAnchor": ("audit_anchor",),
    "Relay": ("relay", "relay_isolation"),
}
"""Where the tests of a contract are."""

every_contract = pytest.mark.parametrize("contract", MODULES)


def branches(contract: str) -> Iterator[tuple[str, str, tuple[str, ...]]]:
    """Yield function, branch and what it should do, in order."""
    function, branch, expected = "", "", []
    for line in (HERE / f"{contract}.tree").read_text().splitlines()[1:]:
        depth, text = line.index("── ") // 4, line.split("── ")[1]
        if text.startswith("it should "):
            expected.append(text.removeprefix("it should "))
            continue
        if expected:
            yield function, branch, tuple(expected)
            expected = []
        function, branch = (text, "") if depth == 0 else (function, text)
    yield function, branch, tuple(expected)


def named_branches(contract: str) -> set[tuple[str, str]]:
    """Return function and branch of every test that is named after a branch."""
    found = set()
    for name in MODULES[contract]:
        module = importlib.import_module(f"tests.contracts.test_{name}")
        for class_name in vars(module):
            if class_name.startswith("Test"):
                function = class_name[4].lower() + class_name[5:]
                names = [name for name in dir(getattr(module, class_name)) if name.startswith("test_")]
                found |= {(function, name.removeprefix("test_").split("_it_")[0].replace("_", " ")) for name in names}
    return found


@every_contract
def test_the_tree_and_the_tests_have_the_same_branches(contract: str) -> None:
    assert {(function, branch) for function, branch, _ in branches(contract)} == named_branches(contract)


@every_contract
def test_every_error_of_a_contract_is_in_its_tree(contract: str) -> None:
    source = (SOURCES / f"{contract}.sol").read_text()
    raised = set(re.findall(r"revert (\w+)\(", source))
    for inherited, error in (
        ("_requireInTime", "StatementExpired"),
        ("_requireSignedBy", "SignatureInvalid"),
        ("_requireNewer", "VersionOutOfRange"),
        ("_requireNext", "VersionOutOfRange"),
        ("directory.controllerOf(", "PatientUnknown"),
    ):
        if inherited in source:
            raised.add(error)
    told = {
        match[1]
        for _, _, expected in branches(contract)
        for line in expected
        if (match := re.fullmatch(r"revert with (\w+)", line))
    }
    assert told == raised


def test_every_error_and_event_that_is_declared_is_used() -> None:
    interfaces = "".join(path.read_text() for path in (SOURCES / "interfaces").glob("*.sol"))
    contracts = "".join(path.read_text() for path in SOURCES.glob("*.sol"))
    assert set(re.findall(r"\berror (\w+)\(", interfaces)) == set(re.findall(r"\brevert (\w+)\(", contracts))
    assert set(re.findall(r"\bevent (\w+)\(", interfaces)) == set(re.findall(r"\bemit (\w+)\(", contracts))
