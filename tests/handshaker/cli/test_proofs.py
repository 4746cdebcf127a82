"""``ack proof``: a file that anybody can check, and the command that does it."""

from __future__ import annotations

import json
import shlex
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.anchored import SECONDS, acknowledged, anchor
from tests.databases import Databases
from tests.handshaker.cli.conftest import NOWHERE, Shell
from tests.instances import Instance, make_instance
from tests.nodes import Node


@pytest.fixture(scope="module")
def anchored(databases: Databases, ganache_node: Node, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Instance]:
    """A hospital on a node that other programs can ask."""
    folder = tmp_path_factory.mktemp("anchored")
    instance = make_instance(folder, ganache_node, anchor_seconds=SECONDS, anchor_entries=10_000)
    anchor(instance)
    yield instance
    instance.close()


@pytest.fixture
def shell(anchored: Instance, ganache_url: str) -> Shell:
    return Shell(anchored.places() | {"chain_url": ganache_url})


@pytest.mark.ganache
def test_a_proof_is_written_and_the_command_that_is_told_checks_it(
    shell: Shell, anchored: Instance, tmp_path: Path
) -> None:
    file = tmp_path / "a proof.json"
    one = acknowledged(anchored)[0]
    told = shell.run("ack", "proof", one.ti_id[:8], "--output", file)
    assert told.exit_code == 0, told.output
    command = shlex.split(told.stdout.splitlines()[-1])
    assert json.loads(file.read_text())["entry"]["position"] == one.position
    done = subprocess.run([sys.executable, *command[1:]], check=False, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr
    file.write_text(file.read_text().replace("effect", "defect"))
    assert subprocess.run([sys.executable, *command[1:]], check=False, capture_output=True).returncode == 1


@pytest.mark.ganache
def test_without_a_file_the_proof_is_printed_and_nothing_else_with_it(shell: Shell, anchored: Instance) -> None:
    ti_id = acknowledged(anchored)[-1].ti_id
    printed = shell.run("ack", "proof", ti_id)
    assert json.loads(printed.stdout) == shell.json("ack", "proof", ti_id)
    assert "check_proof.py" in printed.stderr


@pytest.mark.ganache
def test_what_has_no_proof_is_said_with_the_way_on(shell: Shell, anchored: Instance) -> None:
    shell.fails("ack", "proof", "00000000", code="not-found", says="ack list")
    shell.fails("ack", "proof", acknowledged(anchored)[0].ti_id, code="chain-unreachable", says="", chain_url=NOWHERE)
    submission = anchored.measure()
    anchored.drain()
    shell.fails("ack", "proof", submission.ti_id, code="not-anchored-yet", says="Ask again")
