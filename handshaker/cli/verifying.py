"""``handshaker verify``: is the audit log what it was, and if not, which entry is not."""

from __future__ import annotations

import sys

import click
from rich.progress import BarColumn, MofNCompleteColumn, Progress, SpinnerColumn, TextColumn, TimeRemainingColumn

from handshaker.audit.verification import Finding, Report
from handshaker.cli.output import (
    complaints,
    console,
    failing,
    json_option,
    print_json,
    require_instance,
    usable_settings,
)
from handshaker.errors import ChainError
from handshaker.verifying import verifier

_OFFLINE = "`handshaker verify --offline` verifies what can be verified without the chain."
_MOST = 10
"""Findings that are shown to people."""


@click.command(short_help="Verify the audit log; name the entry that is bad.")
@click.option("--offline", is_flag=True, help="Do not ask the chain: seals and signed heads only.")
@json_option
@failing
def verify(offline: bool, as_json: bool) -> None:
    """Verify the audit log, and name the first entry that is bad and what happened to it.

    Recomputes every entry, its seal and the tree's root from the database, holds the roots against the chain's anchors,
    and every acknowledgement's evidence against the chain's events. Writes nothing, and may run while a worker works.

    Exit code 0: all is proven; 4: the log does not verify; 1: it could not be verified.
    """
    settings = usable_settings()
    require_instance(settings)
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
    try:
        with verifier(settings, offline=offline) as found, bar:
            report = found.verify(_Bar(bar))
    except ChainError as error:
        error.mend = f"{error.mend} {_OFFLINE}".strip()  # type: ignore[misc]
        raise
    if as_json:
        print_json(report.to_json())
    else:
        _print(report)
    if not report.is_proven:
        sys.exit(4)


class _Bar:
    """The verification's progress as bars, one for the chain and one for the log."""

    def __init__(self, progress: Progress) -> None:
        self._progress = progress
        self._task = progress.add_task("opening", total=None)

    def begin(self, what: str, total: int) -> None:
        """Hear what comes now."""
        self._progress.update(self._task, visible=False)
        self._task = self._progress.add_task({"chain": "blocks of the chain", "log": "entries"}[what], total=total)

    def advance(self, steps: int) -> None:
        """Hear that so many more are done."""
        self._progress.update(self._task, advance=steps)


def _print(report: Report) -> None:
    if report.is_proven:
        sign = "[green]✔ The audit log is what it was.[/]"
    else:
        sign = "[bold red]✘ The audit log does not verify.[/]"
    console.print(sign)
    for number, finding in enumerate(report.findings[:_MOST]):
        _print_finding(finding, is_first=number == 0)
    if len(report.findings) > _MOST:
        console.print(f"  and {len(report.findings) - _MOST} more (--json names them)")
    console.print(_proven(report), soft_wrap=True)
    asked = "against the log alone" if report.offline else f"against {report.effects_checked} effects on the chain"
    speed = f"{report.rate:,.0f} entries a second"
    console.print(
        f"[dim]Checked: {report.entries} entries, {report.acknowledgements_checked} acknowledgements {asked}, "
        f"{report.anchors_checked} anchors, {report.heads_checked} signed heads; {speed}.[/]",
        soft_wrap=True,
    )
    if report.contract is not None and not report.offline:
        console.print(f"[dim]AuditAnchor: {report.contract}[/]", soft_wrap=True)
    for remark in report.remarks:
        console.print(f"[yellow]Remark:[/] {remark}", soft_wrap=True)


def _print_finding(finding: Finding, *, is_first: bool) -> None:
    where = "" if finding.position is None else f" at position {finding.position}"
    style = "bold red" if is_first else "red"
    console.print(f"  [{style}]{finding.what}[/]{where}: {finding.sentence}", soft_wrap=True)
    for name, value in (("entry", finding.entry_id), ("TI", finding.ti_id)):
        if value is not None:
            console.print(f"    [dim]{name} {value}[/]", soft_wrap=True)


def _proven(report: Report) -> str:
    if report.offline:
        return (
            "Without the chain no anchor proves anything: the seals of the vault and signed heads alone speak for it."
        )
    if report.proven_up_to is None:
        return "No anchor proves any entry yet."
    sentence = report.proven_up_to.sentence
    newer = ""
    if report.unanchored:
        state = "wait for the next anchor" if report.is_proven else "are not proven"
        newer = f" {report.unanchored} newer ones {state}."
    return f"{sentence[0].upper()}{sentence[1:]}.{newer}"
