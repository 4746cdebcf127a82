"""Crash points: each stands in one place of the code, does nothing until it is armed, and then kills for good."""

from __future__ import annotations

import ast
import re
import signal
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest

from handshaker import crash_points
from handshaker.crash_points import CRASH_POINTS, arm, crash_point, parse
from handshaker.errors import SettingsInvalid
from handshaker.settings import read_settings

ROOT = Path(__file__).resolve().parents[2]
OWN = ROOT / "handshaker" / "crash_points.py"


@pytest.fixture(autouse=True)
def disarmed() -> Iterator[None]:
    yield
    arm("")


def placed() -> list[str]:
    """Every call of `crash_point` in the library and the web application, by its name."""
    found = []
    for path in (*(ROOT / "handshaker").rglob("*.py"), *(ROOT / "webapp").rglob("*.py")):
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.Call) and ast.unparse(node.func).endswith("crash_point") and path != OWN:
                (name,) = node.args
                assert isinstance(name, ast.Constant), f"{path}:{node.lineno} names its point in the call"
                found.append(str(name.value))
    return found


def test_every_point_is_placed_once_and_every_place_is_a_point() -> None:
    assert Counter(placed()) == Counter(CRASH_POINTS.keys())


def test_every_point_says_what_is_done_and_what_is_not() -> None:
    assert len(set(CRASH_POINTS.values())) >= len(CRASH_POINTS) - 2, "two that send remember alike, and two that sign"
    for name, sentence in CRASH_POINTS.items():
        assert re.fullmatch(r"[a-z]+\.[a-z-]+", name)
        assert 10 < len(sentence) < 110
        assert not sentence.endswith(".")


def test_nothing_happens_at_a_point_that_is_not_armed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(crash_points, "_pass", lambda: pytest.fail("it is not armed"))
    for name in CRASH_POINTS:
        crash_point(name)
    arm("worker.sent")
    for name in CRASH_POINTS.keys() - {"worker.sent"}:
        crash_point(name)


def test_an_armed_process_dies_of_sigkill_at_the_passing_that_was_asked_for() -> None:
    program = (
        "from handshaker.crash_points import arm, crash_point\n"
        "arm('worker.sent:3')\n"
        "for turn in range(1, 9):\n"
        "    print(turn, flush=True)\n"
        "    crash_point('worker.sent')\n"
    )
    ended = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, cwd=ROOT, check=False)
    assert ended.returncode == -signal.SIGKILL
    assert ended.stdout.split() == ["1", "2", "3"]
    assert ended.stderr == "killed at worker.sent\n"


@pytest.mark.parametrize("where", ["worker", "worker.sent:0", "worker.sent:", "worker.sent:x", ":1", "worker.sent "])
def test_what_is_no_point_is_refused(where: str) -> None:
    with pytest.raises(ValueError, match="name of a crash point"):
        parse(where)
    with pytest.raises(SettingsInvalid, match="HANDSHAKER_CRASH_AT"):
        read_settings(crash_at=where)


def test_the_setting_takes_a_point_with_and_without_a_count() -> None:
    assert parse("worker.sent") == ("worker.sent", 1)
    assert parse("worker.sent:12") == ("worker.sent", 12)
    assert read_settings(crash_at="intake.accepted:2").crash_at == "intake.accepted:2"
    assert read_settings().crash_at == ""


def test_the_document_lists_the_points_as_they_are() -> None:
    rows = re.findall(r"^\| `([a-z.-]+)` \| (.+) \|$", (ROOT / "docs" / "kill-campaign.md").read_text(), re.M)
    assert rows == list(CRASH_POINTS.items())
