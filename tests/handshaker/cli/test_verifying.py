"""``handshaker verify`` as people and machines use it."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from handshaker.ethereum.chain import EthereumChain
from tests.handshaker.audit.watched import Case, copy_of, watched
from tests.handshaker.cli.conftest import NOWHERE, Shell
from tests.instances import Instance


@pytest.fixture(scope="module")
def log(pattern_hospital: Instance, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Instance]:
    with watched(pattern_hospital, tmp_path_factory.mktemp("watched")) as instance:
        yield instance


@pytest.fixture
def case(log: Instance, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Case:
    """A copy; whatever URL the command line is given, it reaches the chain in this process."""
    case = copy_of(log, tmp_path)
    known = log.handshaker.chain

    def reached(_provider: object, _profile: object) -> EthereumChain:
        chain = EthereumChain(log.node.provider, known.profile)
        chain.asker = known.asker
        return chain

    monkeypatch.setattr("handshaker.verifying.EthereumChain", reached)
    return case


def shell_of(case: Case) -> Shell:
    names = ("instance", "store_url", "store_owner_url", "vault_url")
    return Shell({name: str(getattr(case.settings, name)) for name in names} | {"chain_url": NOWHERE})


def test_a_proven_log_ends_with_0_and_says_how_far(case: Case) -> None:
    shell = shell_of(case)
    result = shell.run("verify")
    assert result.exit_code == 0, result.output
    assert "✔ The audit log is what it was." in result.stdout
    assert "are proven by the anchor in block" in result.stdout
    report = shell.json("verify")
    assert report["verified"] is True
    assert report["findings"] == []
    assert report["provenUpTo"]["size"] == report["entries"] - report["unanchored"]


def test_a_forged_log_ends_with_4_and_names_the_entry(case: Case) -> None:
    with case.forger() as forger:
        entry = forger.entry(20)["entry_id"]
        forger.rewrite(20, rehash=True, v=2)
    shell = shell_of(case)
    result = shell.run("verify")
    assert result.exit_code == 4
    assert "✘ The audit log does not verify." in result.stdout
    assert "changed at position 20" in result.stdout
    assert entry in result.stdout
    report = json.loads(shell.run("verify", "--json").stdout)
    assert report["verified"] is False
    assert report["findings"][0] == report["findings"][0] | {"what": "changed", "position": 20, "entry": entry}
    assert shell.run("verify", "--offline").exit_code == 4


def test_a_silent_chain_ends_with_1_and_the_way_without_it_is_named(
    case: Case, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.undo()
    shell = shell_of(case)
    shell.fails("verify", code="chain-unreachable", says="handshaker verify --offline")
    result = shell.run("verify", "--offline")
    assert result.exit_code == 0, result.output
    assert "no anchor proves anything" in result.stdout


def test_where_there_is_no_instance_nothing_is_made(shell: Shell) -> None:
    shell.fails("verify", code="input-invalid", says="handshaker init")
    assert not Path(shell.settings["instance"]).exists()
