"""The rules of the house that no linter knows, held over every file that git tracks."""

from __future__ import annotations

import ast
import json
import re
import subprocess
import sys
import tomllib
from fnmatch import fnmatch
from importlib.metadata import packages_distributions
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
LINES = 350
LONGER = {
    "handshaker/messages.py": 570,  # the vocabulary of what flows is one list, read like a glossary
    "handshaker/ethereum/chain.py": 400,  # one adapter for one port
    "handshaker/audit/check_proof.py": 560,  # whoever checks a hospital copies one file, curve and hash included
    "contracts/ConsentRegistry.sol": 400,  # the rule stands beside the acts that it judges
}

TRACKED = [
    ROOT / name
    for name in subprocess.run(
        ["git", "ls-files", "-z", "--cached"], cwd=ROOT, check=True, capture_output=True, text=True
    ).stdout.split("\0")
    if name and (ROOT / name).is_file()
]
TEXTS = {path: text for path in TRACKED if (text := path.read_bytes()).find(b"\0") == -1}
VENDORED = "webapp/static/vendor/*"

REGISTRIES = re.compile(
    rb"registry\.(?:npmjs|yarnpkg)\.\w+/|(?:files\.pythonhosted|pypi|test\.pypi)\.org/|index-url|\"resolved\"\s*:", re.I
)
SECRETS = {
    "a private key in PEM": re.compile(rb"-----BEGIN (?:[A-Z]+ )?PRIVATE KEY-----"),
    "a private key in hex": re.compile(rb"(?i)(?:private|secret|root|signing)_?key\W{1,6}(?:0x)?[0-9a-f]{64}\b"),
    "a mnemonic": re.compile(rb"(?i)mnemonic\W{1,6}(?:[a-z]{3,8} ){11}[a-z]{3,8}\b"),
    "a cloud access key": re.compile(rb"\b(?:AKIA|ASIA)[0-9A-Z]{16}\b"),
    "a forge token": re.compile(rb"\bgh[pousr]_[0-9A-Za-z]{36}\b"),
}
MACHINE_PATHS = re.compile(rb"(?<![\w.])/(?:home|Users)/\w+/|(?<![\w.])/root/")


def named(path: Path) -> str:
    """Return ``path`` as git writes it."""
    return path.relative_to(ROOT).as_posix()


def own_files(*suffixes: str) -> list[Path]:
    """Return the tracked files with these suffixes that were written here."""
    return [path for path in TRACKED if path.suffix in suffixes and not fnmatch(named(path), VENDORED)]


def distribution_name(requirement: str) -> str:
    """Return the normalised name in ``requirement``."""
    return re.split(r"[\[<>=!~; ]", requirement)[0].lower().replace("_", "-")


def imported(path: Path) -> set[str]:
    """Return the top-level names that a Python file imports."""
    names = set()
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            names |= {alias.name.partition(".")[0] for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            names.add(node.module.partition(".")[0])
    return names


def test_a_file_can_be_read_in_one_sitting() -> None:
    lengths = {named(path): len(path.read_text().splitlines()) for path in own_files(".py", ".sol", ".js")}
    assert {name: length for name, length in lengths.items() if length > LONGER.get(name, LINES)} == {}


def test_no_file_is_a_drawer_for_everything() -> None:
    drawers = {"utils.py", "util.py", "helpers.py", "helper.py", "misc.py", "common.py"}
    assert [named(path) for path in TRACKED if path.name in drawers] == []


def test_no_registry_is_named_so_that_any_mirror_serves() -> None:
    assert [named(path) for path, text in TEXTS.items() if path != Path(__file__) and REGISTRIES.search(text)] == []


@pytest.mark.parametrize("kind", SECRETS)
def test_git_holds_no_secret(kind: str) -> None:
    assert [named(path) for path, text in TEXTS.items() if SECRETS[kind].search(text)] == []


def test_nothing_depends_on_where_it_was_written() -> None:
    assert [named(path) for path, text in TEXTS.items() if path != Path(__file__) and MACHINE_PATHS.search(text)] == []


def test_git_holds_no_data_of_an_instance() -> None:
    patterns = ("instance/*", "node_modules/*", ".venv/*", "*.db", "*.sqlite*", "*.key", "*.pem", ".env")
    assert [named(path) for path in TRACKED if any(fnmatch(named(path), pattern) for pattern in patterns)] == []


def test_the_licence_is_there_and_every_contract_names_it() -> None:
    assert "Apache License" in (ROOT / "LICENSE").read_text()
    assert tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["license"] == "Apache-2.0"
    contracts = own_files(".sol")
    assert contracts
    for path in contracts:
        assert path.read_text().startswith("// SPDX-License-Identifier: Apache-2.0\n"), named(path)


def test_the_python_lock_is_exact_and_without_addresses() -> None:
    lines = (ROOT / "requirements.lock").read_text().splitlines()
    for line in lines:
        assert line.startswith("#") or re.fullmatch(r"[a-z0-9.-]+==[A-Za-z0-9.+!-]+", line), line


def test_the_python_lock_covers_what_the_project_asks_for() -> None:
    locked = {line.partition("==")[0] for line in (ROOT / "requirements.lock").read_text().splitlines()}
    document = tomllib.loads((ROOT / "pyproject.toml").read_text())
    wanted = document["project"]["dependencies"] + document["project"]["optional-dependencies"]["dev"]
    assert {distribution_name(requirement) for requirement in wanted} - locked == set()


def test_the_project_asks_for_every_package_that_it_imports() -> None:
    document = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    run = {distribution_name(requirement) for requirement in document["dependencies"]}
    develop = run | {distribution_name(requirement) for requirement in document["optional-dependencies"]["dev"]}
    providers = packages_distributions()
    own = {path.parts[len(ROOT.parts)] for path in own_files(".py")}
    missing = set()
    for path in own_files(".py"):
        asked = run if path.relative_to(ROOT).parts[0] in {"handshaker", "webapp"} else develop
        # `_typeshed` is there for type checkers alone.
        for name in imported(path) - own - sys.stdlib_module_names - {"_typeshed"}:
            if not {distribution_name(provider) for provider in providers.get(name, [name])} & asked:
                missing.add(f"{named(path)}: {name}")
    assert missing == set()


def test_the_node_lock_is_exact_and_without_addresses() -> None:
    packages = json.loads((ROOT / "package-lock.json").read_text())["packages"]
    assert packages[""]["dependencies"] == json.loads((ROOT / "package.json").read_text())["dependencies"]
    for name, package in packages.items():
        assert "resolved" not in package, name
        # Packages of other platforms may be unknown to the registry that the lock was made with.
        assert not name or package.get("inBundle") or "os" in package or "integrity" in package, name


def test_pictures_are_shown_exist_and_are_small() -> None:
    shown = {
        (path.parent / name).resolve()
        for path in own_files(".md")
        for name in re.findall(r"!\[[^\]]+\]\(([^)]+\.png)\)", path.read_text())
    }
    assert shown == set((ROOT / "docs" / "screenshots").glob("*.png"))
    assert [named(path) for path in shown if path.stat().st_size > 200_000] == []


@pytest.mark.parametrize("package", ["handshaker", "webapp"])
def test_all_that_is_read_at_run_time_is_packaged(package: str) -> None:
    data = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["setuptools"]["package-data"][package]
    left_out = [
        named(path)
        for path in TRACKED
        if path.is_relative_to(ROOT / package)
        and path.suffix != ".py"
        and not any(fnmatch(path.relative_to(ROOT / package).as_posix(), pattern) for pattern in data)
    ]
    assert left_out == []


def vendored() -> list[Path]:
    """Return the folders of front-end files by others, each named ``PACKAGE@VERSION``."""
    return sorted({path.parent for path in TRACKED if fnmatch(named(path), VENDORED)})


@pytest.mark.parametrize("folder", vendored(), ids=lambda folder: folder.name)
def test_front_end_files_of_others_are_what_their_package_holds_with_its_licence(folder: Path) -> None:
    name, _, version = folder.name.rpartition("@")
    package = ROOT / "node_modules" / name
    asked = json.loads((ROOT / "package.json").read_text())["devDependencies"]
    assert asked[name] == version == json.loads((package / "package.json").read_text())["version"]
    assert "LICENSE" in {path.name for path in folder.iterdir()}
    for path in folder.iterdir():
        original = package / path.name if path.name == "LICENSE" else package / "dist" / path.name
        assert path.read_bytes() == original.read_bytes(), path.name


def test_front_end_files_of_others_stand_in_folders_that_name_their_version() -> None:
    assert vendored()
    assert all(re.fullmatch(r"[\w.-]+@\d+\.\d+\.\d+", folder.name) for folder in vendored())
