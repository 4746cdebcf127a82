"""``python -m tests.campaign``: the kill campaign."""

from __future__ import annotations

import itertools
import json
import signal
import sys
import threading
import time
from pathlib import Path

import click
from rich.console import Console

from handshaker.crash_points import CRASH_POINTS
from tests.campaign import plan
from tests.campaign.report import Report, total
from tests.campaign.running import Wish, run

DATABASES, CHAINS = ("sqlite", "postgresql"), ("ganache", "anvil")
COMBINATIONS = tuple(itertools.product(DATABASES, CHAINS))
_TURN = 60.0
"""Seconds that the turn through all points takes, about; what is left of the time is for kills at random."""
_LEAST = 5.0


@click.command()
@click.option("--minutes", type=click.FloatRange(min=0), default=30, show_default=True, help="For all combinations.")
@click.option("--seconds", type=click.FloatRange(min=0), help="Of random kills in each, instead of minutes for all.")
@click.option("--database", type=click.Choice(DATABASES), help="Only on this one.")
@click.option("--chain", type=click.Choice(CHAINS), help="Only on this one.")
@click.option("--point", "points", type=click.Choice(list(CRASH_POINTS)), multiple=True, help="Only this crash point.")
@click.option("--folder", type=click.Path(path_type=Path), help="Leave databases and logs there, to look at.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON document.")
def main(
    minutes: float,
    seconds: float | None,
    database: str | None,
    chain: str | None,
    points: tuple[str, ...],
    folder: Path | None,
    as_json: bool,
) -> None:
    """Kill the Handshaker's processes at every crash point and at random moments, and check that nothing is lost.

    Ctrl-C ends the killing; what was done until then is still judged. Exit code 1 when anything is lost, doubled or
    wrong, or a point was never reached.
    """
    stop = threading.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: stop.set())
    paper = Console(stderr=True, highlight=False)
    chosen = [(d, c) for d, c in COMBINATIONS if database in (None, d) and chain in (None, c)]
    share = seconds if seconds is not None else max(_LEAST, minutes * 60 / len(chosen) - _TURN)
    reports: list[Report] = []
    for each_database, each_chain in chosen:
        if stop.is_set():
            break
        name, began = f"{each_database}, {each_chain}", time.monotonic()

        def tell(what: str, name: str = name, began: float = began) -> None:
            paper.print(f"[dim]{name} {time.monotonic() - began:6.1f} s[/]  {what}")

        place = folder / f"{each_database}-{each_chain}" if folder else None
        report = run(Wish(each_database, each_chain, share, points or plan.ALL, place), stop, tell)
        reports.append(report)
        for fault in report.faults:
            paper.print(f"[bold red]fault[/] {fault}", soft_wrap=True)
        for point in report.unreached:
            paper.print(f"[bold red]never reached[/] {point}")
        if not as_json:
            print(report.line, flush=True)
    if as_json:
        print(json.dumps([report.to_json() for report in reports], indent=2))
    elif len(reports) > 1:
        print(total(reports).line, flush=True)
    # Cut short, points may be left over; what was done must be right all the same.
    sys.exit(0 if all(report.is_good for report in reports) else 1)


if __name__ == "__main__":
    main()
