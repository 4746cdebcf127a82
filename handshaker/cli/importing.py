"""``handshaker import``: FHIR bundles through the whole pipeline."""

from __future__ import annotations

from pathlib import Path

import click
from rich.progress import BarColumn, MofNCompleteColumn, Progress, SpinnerColumn, TextColumn, TimeRemainingColumn
from rich.table import Table

from handshaker.cli.output import complaints, console, credential, failing, json_option, opened, print_json
from handshaker.fhir_import import Importer, ImportSummary
from handshaker.worker_lock import working

_LONGEST = 12
"""Reasons that are shown to people."""


@click.command("import", short_help="Import FHIR R4 bundles.")
@click.argument("path", type=click.Path(path_type=Path))
@click.option("--as", "author", default="nurse-1", show_default=True, metavar="NAME", help="Who signs the records.")
@click.option(
    "--administrator", default="administrator", show_default=True, metavar="NAME", help="Who registers patients."
)
@click.option(
    "--demo/--no-demo", default=False, help="Sign the demo hospital's consent with the patients' vault-kept keys."
)
@json_option
@failing
def import_command(path: Path, author: str, administrator: str, demo: bool, as_json: bool) -> None:
    """Import FHIR R4 bundles: PATH is one file, or a folder of them.

    Registers each patient, and submits every Observation that a template covers. With --demo (or HANDSHAKER_DEMO) the
    demo hospital's consent is signed with the patient's vault-kept key; otherwise a request for consent is left for
    the patient. Safe to run twice: the second run adds nothing.
    """
    with opened(demo=demo or None) as handshaker, working(handshaker):
        bar = Progress(
            SpinnerColumn(),
            TextColumn("{task.description}"),
            BarColumn(),
            MofNCompleteColumn(),
            TimeRemainingColumn(),
            console=complaints,
            disable=as_json,
            transient=True,
        )
        with bar:
            summary = Importer(
                handshaker, credential(handshaker, administrator), credential(handshaker, author), _Bar(bar)
            ).run(path)
    if as_json:
        print_json(summary.to_json())
    else:
        _print(summary)


class _Bar:
    """The importer's progress as a bar."""

    def __init__(self, progress: Progress) -> None:
        self._progress = progress
        self._task = progress.add_task("reading", total=None)

    def total(self, count: int) -> None:
        """Hear how much there is to do."""
        self._progress.update(self._task, total=count)

    def advance(self, done: int, what: str) -> None:
        """Hear that ``done`` more are done."""
        self._progress.update(self._task, advance=done, description=what)


def _print(summary: ImportSummary) -> None:
    table = Table(show_header=False)
    table.add_column(style="bold")
    table.add_column()
    for name, value in summary.to_json().items():
        if isinstance(value, dict):
            lines = [f"{count:>6}  {reason}" for reason, count in value.items()]
            rest = sum(list(value.values())[_LONGEST:])
            more = [f"{rest:>6}  of {len(lines) - _LONGEST} more kinds (--json names them)"] if rest else []
            text = "\n".join([*lines[:_LONGEST], *more]) or "none"
        elif isinstance(value, list):
            text = "\n".join(str(item) for item in value) or "none"
        else:
            text = f"{value:.1f}" if isinstance(value, float) else str(value)
        table.add_row(name.replace("_", " "), text)
    console.print(table)
