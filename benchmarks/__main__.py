"""``python -m benchmarks``: measure, keep the result as JSON, and show it."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import click
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn
from rich.table import Table

from benchmarks import page
from benchmarks.machine import ROOT
from benchmarks.run import QUICK, WHOLE, Result, Size, run
from benchmarks.ward import NODES, BenchmarkFailed
from handshaker.errors import HandshakerError

RESULTS = Path(__file__).resolve().parent / "results"
_WIDTH = 130
"""Columns that the tables need; in a narrower terminal their lines wrap, but the figures stay whole."""
complaints = Console(stderr=True, highlight=False)


@click.command(context_settings={"help_option_names": ["-h", "--help"]})
@click.option("--quick", is_flag=True, help="Measure less: under a minute, and noisier.")
@click.option("--json", "as_json", is_flag=True, help="Print the result as JSON instead of tables.")
@click.option("--node", "nodes", type=click.Choice(NODES), multiple=True, help="Measure only this node (repeatable).")
@click.option(
    "--reference", is_flag=True, help="Keep the result as results/reference.json and write docs/benchmarks.md from it."
)
def main(quick: bool, as_json: bool, nodes: tuple[str, ...], reference: bool) -> None:
    """Measure throughput and latency from TI to ACK, gas, the rates of small parts, and of verifying the audit log.

    Starts its own Ganache and Anvil on free local ports and stops them. The result is kept under benchmarks/results/.
    """
    if reference and (quick or nodes):
        raise click.UsageError("The reference is a whole run on all nodes: leave out --quick and --node.")
    try:
        result = _measured(QUICK if quick else WHOLE, nodes or NODES)
    except (BenchmarkFailed, HandshakerError) as error:
        complaints.print(f"[bold red]The benchmark failed:[/] {error} {getattr(error, 'mend', '') or ''}")
        sys.exit(1)
    path = page.REFERENCE if reference else RESULTS / f"{result['date'].replace(':', '')[:17]}Z-{result['size']}.json"
    path.parent.mkdir(exist_ok=True)
    path.write_text(json.dumps(result, indent=1, ensure_ascii=False) + "\n")
    if reference:
        page.PAGE.write_text(page.page(result))
    if as_json:
        click.echo(json.dumps(result, indent=2, ensure_ascii=False))
    else:
        _show(result)
    complaints.print(f"[dim]Kept as {path.relative_to(ROOT)}[/]")


def _measured(size: Size, nodes: tuple[str, ...]) -> Result:
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    with Progress(*columns, console=complaints, transient=True) as progress:
        bar = progress.add_task("starting", total=size.steps(nodes))
        return run(size, lambda done: progress.update(bar, advance=1, description=done), nodes)


def _show(result: Result) -> None:
    console = Console(highlight=False)
    console.width = max(console.width, _WIDTH)
    for title, (headings, rows) in (
        ("TI → ACK, records a second", page.throughput_table(result)),
        ("TI → ACK, milliseconds", page.latency_table(result)),
        ("Gas", page.gas_table(result)),
        ("Parts, a second on one core", page.parts_table(result)),
        ("Verifying the audit log", page.verification_table(result)),
    ):
        table = Table(title=title, header_style="bold", title_justify="left")
        for heading in headings:
            table.add_column(heading.removeprefix("#"), justify="right" if heading.startswith("#") else "left")
        for row in rows:
            table.add_row(*row)
        console.print(table)


if __name__ == "__main__":
    main()
