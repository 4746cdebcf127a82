"""Commands as processes of their own: pipes that break, workers that meet, and an instance made by hand."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from tests.handshaker.cli.conftest import Shell
from tests.handshaker.fhir_import.making import Family, written
from tests.instances import Instance, blood_pressure
from tests.nodes import Node

ROOT = Path(__file__).resolve().parents[3]
COMMAND = (sys.executable, "-m", "handshaker")


def environment(**settings: str) -> dict[str, str]:
    plain = {name: value for name, value in os.environ.items() if not name.startswith("HANDSHAKER_")}
    return plain | {f"HANDSHAKER_{name.upper()}": value for name, value in settings.items()}


@contextmanager
def running(*words: str, **settings: str) -> Iterator[tuple[subprocess.Popen[str], Any]]:
    """A command that stays, and what it said first in JSON; Ctrl-C must end it well."""
    process = subprocess.Popen(
        [*COMMAND, *words, "--json"], env=environment(**settings), stdout=subprocess.PIPE, text=True, cwd=ROOT
    )
    try:
        assert process.stdout is not None
        text = ""
        for line in process.stdout:
            text += line
            if line == "}\n":
                break
        yield process, json.loads(text)
        process.send_signal(signal.SIGINT)
        assert process.wait(20) == 0
        assert process.stdout.read() == "", "one document, and no more"
    finally:
        if process.poll() is None:
            process.kill()
            process.wait()


@pytest.mark.parametrize(
    "words", ["ack list --limit 10000", "ack list --limit 10000 --json", "template show vital-signs"]
)
def test_a_reader_who_has_seen_enough_hears_no_complaint(ward: Shell, hospital: Instance, words: str) -> None:
    for _ in range(20):
        hospital.measure()
    hospital.drain()
    process = subprocess.Popen(
        [*COMMAND, *words.split()],
        env=environment(**ward.settings),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )
    assert process.stdout is not None
    # Closed before anything is written, so that the first write already fails.
    process.stdout.close()
    assert process.stderr is not None
    assert process.stderr.read() == b""
    assert process.wait(20) == 0


@pytest.mark.ganache
def test_an_instance_made_by_hand_works_as_the_readme_says(shell: Shell, tmp_path: Path) -> None:
    del shell.settings["chain_url"]
    shell.json("init")
    with running("chain", "start", "--port", "0", **shell.settings) as (_, node):
        shell.settings["chain_url"] = node["url"]
        shell.fails("work", code="not-deployed", says="`handshaker deploy`")
        first = shell.json("deploy")
        assert first["new"] is True
        assert shell.json("deploy") == first | {"new": False}
        assert "there already" in shell.run("deploy").stdout
        with running("work", **shell.settings) as (_, worker):
            assert worker["worker"] == "worker-1"
            shell.fails("work", code="worker-running", says="HANDSHAKER_WORKER")
            organisation = tmp_path / "organisation.json"
            organisation.write_text(json.dumps({"organisation": 1, "name": "Lakeside Hospital", "active": True}))
            words = ("submit", "register-organisation", organisation, "--as", "administrator", "--wait")
            assert shell.json(*words)["acknowledgement"]["verdict"] == "valid"
        organisation.write_text(json.dumps({"organisation": 2, "name": "Hillside Laboratory", "active": True}))
        waiting = shell.json(*words[:-1])
        # Another name is another account; on the local chain it needs nobody to fund it.
        with running("work", **shell.settings, worker="worker-2"):
            told = shell.json("status", waiting["ti"], "--watch", "--timeout", "30")
            assert told["acknowledgement"]["verdict"] == "valid"
        clashing = shell.run("chain", "start", "--port", node["url"].rpartition(":")[2])
        assert clashing.exit_code == 1
        assert "This instance's chain runs on port" in clashing.stderr
    shell.fails("work", code="chain-unreachable", says="`handshaker chain start`")


@pytest.mark.ganache
def test_bundles_are_imported_once(shell: Shell, tmp_path: Path) -> None:
    family = Family()
    (tmp_path / "bundles").mkdir()
    written(tmp_path / "bundles" / "one.json", [family.patient, *family.usual()[1:]])
    del shell.settings["chain_url"]
    with running("up", "--port", "0", "--web-port", "0", **shell.settings) as (_, demo):
        assert len(demo["patients"]) == 5
        shell.settings["chain_url"] = demo["chain"]
        first = shell.json("import", tmp_path / "bundles", "--demo")
        assert first["patients_new"] == 1
        assert first["valid"] == first["accepted"] > 0
        second = shell.json("import", tmp_path / "bundles", "--demo")
        assert second["patients_new"] == second["accepted"] == 0
        assert second["already_there"] == first["accepted"]
        for_people = shell.run("import", tmp_path / "bundles", "--demo").stdout
        assert "already there" in for_people
        shell.fails("import", tmp_path / "nowhere", code="input-invalid", says="does not exist")
        shell.fails("import", tmp_path / "bundles", "--as", "nobody", code="not-found", says="nurse-1")
        reading = tmp_path / "reading.json"
        reading.write_text(json.dumps(blood_pressure(120, 80)))
        shell.fails("import", reading, "--demo", code="input-invalid", says="cannot be imported")


@pytest.mark.anvil
def test_on_a_node_of_others_the_accounts_that_need_ether_are_named(shell: Shell, anvil_node: Node) -> None:
    shell.settings["chain_url"] = str(anvil_node.url_or_provider)
    shell.json("init")
    shell.fails("deploy", code="relayer-unfunded", says="Send ether")
    accounts = shell.json("deploy", exit_code=1)["error"]["data"]["addresses"]
    assert len(accounts) == 2
    for account in accounts:
        assert account in shell.run("deploy").stderr
        anvil_node.transfer(anvil_node.fund(), account, 10**19)
    assert shell.json("deploy")["new"] is True
