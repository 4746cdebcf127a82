"""``handshaker up`` as people run it: a process of its own, stopped and killed, on a real Ganache."""

from __future__ import annotations

import base64
import contextlib
import json
import os
import signal
import sqlite3
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest

from handshaker.demo import PATIENTS

pytestmark = [pytest.mark.ganache, pytest.mark.sqlite]

ROOT = Path(__file__).resolve().parents[2]
PATIENCE = 60.0


@dataclass
class Up:
    """One run of ``handshaker up`` on an instance in ``folder``."""

    folder: Path
    process: subprocess.Popen[bytes]
    out: Path
    err: Path

    @property
    def answer(self) -> Any:
        """What it printed, waited for."""
        self.wait_until(lambda: self.out.read_bytes().endswith(b"}\n"))
        return json.loads(self.out.read_text())

    def wait_until(self, seen: Any) -> None:
        """Wait until something can be seen; the process must live."""
        deadline = time.monotonic() + PATIENCE
        while not seen():
            assert self.process.poll() is None, self.err.read_text()
            assert time.monotonic() < deadline, self.err.read_text()
            time.sleep(0.01)

    def end(self, number: signal.Signals) -> int:
        """Send a signal to the process alone and return its exit code, once nothing of it is left."""
        self.process.send_signal(number)
        code = self.process.wait(30)
        deadline = time.monotonic() + 20
        while processes_of(self.folder):
            assert time.monotonic() < deadline, f"left behind: {processes_of(self.folder)}"
            time.sleep(0.02)
        return code


def processes_of(folder: Path) -> list[str]:
    """Return the processes that have a file of the instance open, or its name in their settings."""
    found = []
    mark = str(folder).encode()
    for path in Path("/proc").iterdir():
        if not path.name.isdigit() or int(path.name) == os.getpid():
            continue
        # A process may end while it is looked at.
        with contextlib.suppress(OSError):
            named = f"HANDSHAKER_INSTANCE={folder}".encode() in (path / "environ").read_bytes().split(b"\0")
            opened = [os.fsencode(os.readlink(link)) for link in (path / "fd").iterdir()]
            if named or any(name.startswith(mark) for name in opened):
                found.append((path / "cmdline").read_bytes().replace(b"\0", b" ").decode())
    return found


@contextmanager
def up(folder: Path, *words: str) -> Iterator[Up]:
    """``handshaker up`` in a process, ended by force if the test did not end it."""
    instance = folder / "instance"
    turn = len(list(folder.glob("*.out")))
    out, err = folder / f"{turn}.out", folder / f"{turn}.err"
    environment = {name: value for name, value in os.environ.items() if not name.startswith("HANDSHAKER_")}
    with out.open("wb") as stdout, err.open("wb") as stderr:
        process = subprocess.Popen(
            [sys.executable, "-m", "handshaker", "up", "--port", "0", "--web-port", "0", *words],
            env=environment | {"HANDSHAKER_INSTANCE": str(instance)},
            stdout=stdout,
            stderr=stderr,
            cwd=ROOT,
        )
    run = Up(instance, process, out, err)
    try:
        yield run
    finally:
        if process.poll() is None:
            process.kill()
            process.wait()


def rows(instance: Path, query: str) -> list[Any]:
    """Ask the audit database, if it is there already."""
    path = instance / "handshaker.db"
    if not path.exists():
        return []
    with contextlib.closing(sqlite3.connect(f"file:{path}?mode=ro", uri=True)) as connection:
        try:
            return connection.execute(query).fetchall()
        except sqlite3.OperationalError:
            return []


def acknowledgements(instance: Path) -> int:
    return len(rows(instance, "SELECT 1 FROM acknowledgements"))


def deployed(instance: Path) -> list[Any]:
    return rows(instance, "SELECT addresses FROM deployments")


def test_run_after_run_keeps_everything_and_tells_no_name(tmp_path: Path) -> None:
    """Three runs: ended by Ctrl-C, by SIGTERM and by SIGKILL of the program alone; each leaves no process."""
    answers: list[Any] = []
    for number, expected in ((signal.SIGINT, 0), (signal.SIGTERM, 0), (signal.SIGKILL, -signal.SIGKILL)):
        with up(tmp_path, "--json") as run:
            answers.append(run.answer | {"deployed": deployed(run.folder), "count": acknowledgements(run.folder)})
            assert len(processes_of(run.folder)) >= 4, "the program, its chain, its worker and its web application"
            assert run.end(number) == expected, run.err.read_text()
    for answer in answers:
        assert_both_are_acknowledged(answer)
    assert_everything_was_kept(answers, tmp_path / "instance")
    assert_no_patients_name_was_written(tmp_path)
    assert_secrets_are_their_owners(tmp_path)


def assert_both_are_acknowledged(answer: Any) -> None:
    valid, invalid = answer["acknowledgements"]
    assert valid["verdict"] == "valid"
    assert valid["patient"] == answer["patients"]["patient-1"]
    assert valid["block"] > 0
    assert len(valid["transaction"]) == 66
    assert invalid["verdict"] == "invalid"
    assert invalid["code"] == "not-permitted"
    assert invalid["patient"] == answer["patients"]["patient-4"]
    assert invalid["transaction"] is None
    assert invalid["nextStep"]


def assert_everything_was_kept(answers: list[Any], instance: Path) -> None:
    for before, after in pairwise(answers):
        assert after["count"] == before["count"] + 2
        for name in ("deployed", "patients", "practitioners"):
            assert after[name] == before[name]
        assert len(after["deployed"]) == 1
    hashes = {each["statement"] for answer in answers for each in answer["acknowledgements"]}
    assert len(hashes) == 2 * len(answers), "each run submits its own"
    assert rows(instance, "SELECT count(*) FROM patients") == [(len(PATIENTS),)]
    assert rows(instance, "SELECT count(*) FROM actors WHERE kind = 'practitioner'") == [(5,)]


def assert_no_patients_name_was_written(folder: Path) -> None:
    files = {path: path.read_bytes() for path in folder.rglob("*") if path.is_file()}
    assert any(path.suffix == ".err" for path in files)
    assert any(path.name == "handshaker.db" for path in files)
    for _, given, family, _, born, _ in PATIENTS:
        for word in (given, family, born):
            plain = word.encode()
            for spelling in (plain, plain.lower(), word.encode("utf-16-le"), plain.hex().encode()):
                assert [str(path) for path, content in files.items() if spelling in content] == []
            encoded = base64.b64encode(plain).rstrip(b"=")[:-1]
            assert [str(path) for path, content in files.items() if len(encoded) > 6 and encoded in content] == []


def assert_secrets_are_their_owners(folder: Path) -> None:
    instance = folder / "instance"
    assert instance.stat().st_mode & 0o077 == 0
    for path in (*instance.glob("tokens/*"), *instance.glob("keys/*"), *instance.glob("*.db")):
        assert path.stat().st_mode & 0o077 == 0, path
    tokens = [path.read_text().strip() for path in instance.glob("tokens/*.token")]
    assert len(tokens) == 2 + 5 + len(PATIENTS)
    for said in (*folder.glob("*.out"), *folder.glob("*.err")):
        assert not any(token in said.read_text() for token in tokens)


MOMENTS = {
    "the contracts": deployed,
    "some people": lambda instance: acknowledgements(instance) >= 4,
    "the consents": lambda instance: acknowledgements(instance) >= 13,
}


def test_killed_at_any_moment_of_its_making_the_next_run_goes_on(tmp_path: Path) -> None:
    for seen in MOMENTS.values():
        with up(tmp_path, "--json") as run:
            run.wait_until(lambda seen=seen, run=run: seen(run.folder))
            assert run.end(signal.SIGKILL) == -signal.SIGKILL
    instance = tmp_path / "instance"
    with up(tmp_path, "--json", "--once") as run:
        answer = run.answer
        assert run.process.wait(30) == 0
    assert [each["code"] for each in answer["acknowledgements"]] == ["effect", "not-permitted"]
    assert len(deployed(instance)) == 1
    assert rows(instance, "SELECT count(*) FROM patients") == [(len(PATIENTS),)]
    assert set(answer["patients"]) == {label for label, *_ in PATIENTS}
    refused = rows(instance, "SELECT code FROM acknowledgements WHERE verdict = 'invalid'")
    assert refused == [("not-permitted",)]


def test_ctrl_c_is_heard_while_the_hospital_is_made(tmp_path: Path) -> None:
    with up(tmp_path) as run:
        run.wait_until(lambda: acknowledgements(run.folder))
        begun = time.monotonic()
        assert run.end(signal.SIGINT) == 0, run.err.read_text()
        assert time.monotonic() - begun < 15
    assert "Stopped" in run.out.read_text()
    assert run.err.read_text() == ""
