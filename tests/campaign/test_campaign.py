"""A campaign of bounded length, as a part of all tests: each crash point in turn, and some moments at random."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest

from handshaker.crash_points import CRASH_POINTS

ROOT = Path(__file__).resolve().parents[2]
PATIENCE = 400
SHARES = 2
"""Each combination is two tests, so that they can run at once; the points that wait for each other go with both."""


def command(database: str, chain: str, *more: str) -> list[str]:
    return [sys.executable, "-m", "tests.campaign", "--database", database, "--chain", chain, "--json", *more]


def campaign(database: str, chain: str, points: list[str], seconds: int) -> dict[str, Any]:
    """Run one in a process of its own, and return its report."""
    chosen = [word for point in points for word in ("--point", point)]
    ended = subprocess.run(
        command(database, chain, "--seconds", str(seconds), *chosen),
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=PATIENCE,
        check=False,
    )
    assert ended.stdout, ended.stderr
    (report,) = json.loads(ended.stdout)
    assert ended.returncode == 0, (report, ended.stderr)
    return dict(report)


@pytest.mark.slow
@pytest.mark.parametrize("share", range(SHARES))
@pytest.mark.parametrize(
    ("database", "chain"),
    [
        pytest.param("sqlite", "ganache", marks=pytest.mark.ganache),
        pytest.param("postgresql", "anvil", marks=pytest.mark.anvil),
    ],
)
def test_whatever_is_killed_at_each_point_and_at_random_nothing_is_lost_or_doubled(
    database: str, chain: str, share: int
) -> None:
    points = list(CRASH_POINTS)[share::SHARES]
    report = campaign(database, chain, points, seconds=4)
    assert (report["lost"], report["doubled"], report["faults"], report["unreached"]) == (0, 0, [], [])
    assert report["accepted"] == report["valid"] + report["invalid"] > len(points)
    assert set(points) <= report["killedAt"].keys(), "every one was reached, and a process died there"
    assert sum(report["killedAt"].values()) + report["killedAnywhere"] <= report["lives"]


@pytest.mark.slow
@pytest.mark.anvil
def test_a_campaign_that_is_interrupted_stops_killing_and_judges_what_was_done() -> None:
    words = command("sqlite", "anvil", "--seconds", "600", "--point", "worker.started")
    with subprocess.Popen(words, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        assert process.stderr is not None
        for line in process.stderr:
            if "worker.started" in line:
                break
        began = time.monotonic()
        process.send_signal(signal.SIGINT)
        told, _ = process.communicate(timeout=PATIENCE)
    assert time.monotonic() - began < 200
    (report,) = json.loads(told)
    assert (report["lost"], report["doubled"], report["faults"]) == (0, 0, [])
    assert process.returncode == 0
