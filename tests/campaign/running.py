"""One campaign from the founding of its hospital to the judgement."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Sequence
from contextlib import ExitStack, closing
from dataclasses import dataclass
from pathlib import Path

from tests.campaign import plan
from tests.campaign.checks import judge
from tests.campaign.database import Database, unfinished
from tests.campaign.evidence import anchored, gather
from tests.campaign.hospital import Hospital, hospital
from tests.campaign.killing import Killing
from tests.campaign.load import Load
from tests.campaign.processes import Nursery
from tests.campaign.report import Report, report_of

_DRAIN = 120.0
_WAIT_FOR_DEADLINES = 8.0
_DAY_AND_MORE = 100_000
"""Seconds: longer than any statement of the load may live."""


@dataclass(frozen=True)
class Wish:
    """What a campaign is asked for."""

    database: str
    chain: str
    seconds: float
    """Of random kills after the turn through the points."""
    points: Sequence[str] = plan.ALL
    folder: Path | None = None
    """Where everything is left behind; elsewhere it is removed."""
    pause: float = 0.02


def run(wish: Wish, stop: threading.Event, tell: Callable[[str], None]) -> Report:
    """Found, kill, restart, wait and judge; ``stop`` cuts the killing short, never the judgement."""
    with ExitStack() as stack:
        folder = wish.folder or Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="handshaker-campaign-")))
        tell("founding the hospital")
        return _campaign(stack.enter_context(hospital(wish.database, wish.chain, folder)), wish, stop, tell)


def _campaign(found: Hospital, wish: Wish, stop: threading.Event, tell: Callable[[str], None]) -> Report:
    logs = found.folder / "lives"
    logs.mkdir()
    known = {ti for (ti,) in Database(found).rows("SELECT ti_id FROM transactions")}
    load = Load(found, wish.pause)
    with closing(Nursery(logs, found.environment)) as nursery:
        killing = Killing(found, nursery, load, stop, tell)
        load.start()
        killing.turn(wish.points)
        killing.at_random(wish.seconds)
        tell("nobody is killed any more; everything is finished")
        killing.serve_all()
        load.finish(60)
        faults = [*load.failures, *_drained(found, load)]
        killing.end_all()
        tell("judging")
        evidence = gather(found, load, known, _verified(found))
    judged = judge(evidence)
    report = report_of(f"{wish.database}, {wish.chain}", evidence, judged)
    report.faults += [*faults, *killing.failures]
    report.lives, report.killed_anywhere = killing.lives, killing.killed_anywhere
    report.killed_at, report.nodes_killed = dict(killing.killed_at), killing.nodes_killed
    if not stop.is_set():
        report.unreached = [point for point in wish.points if point not in killing.killed_at]
    return report


def _drained(found: Hospital, load: Load) -> list[str]:
    """Wait until everything has its ACK and the whole log is anchored; say what did not come to that."""
    database, until = Database(found), time.monotonic() + _DRAIN
    for direct in load.directs:
        load.sent(direct)
    moved_at = time.monotonic() + _WAIT_FOR_DEADLINES
    while time.monotonic() < until:
        size = database.count("SELECT count(*) FROM audit_positions")
        if not unfinished(database) and anchored(found)[0] == size:
            return []
        if time.monotonic() > moved_at:
            # What was refused after its signature had left the house waits for the end of its deadline, on the chain.
            found.ask("evm_increaseTime", _DAY_AND_MORE)
            found.ask("evm_mine")
            load.let_all_be_looked_at()
            moved_at = until
        time.sleep(0.1)
    return [f"not finished after {_DRAIN:.0f} seconds"]


def _verified(found: Hospital) -> tuple[int, str]:
    """Ask `handshaker verify`, as an operator would."""
    environment = {name: value for name, value in os.environ.items() if not name.startswith("HANDSHAKER_")}
    ended = subprocess.run(
        [sys.executable, "-m", "handshaker", "verify", "--json"],
        env=environment | found.environment,
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    return ended.returncode, (ended.stdout + ended.stderr)[-500:]
