"""The command that says which part is ill: ``health``."""

from __future__ import annotations

import sys
from contextlib import suppress

import click
from rich.table import Table

from handshaker.bootstrap import Handshaker
from handshaker.cli.output import console, failing, json_option, opened, print_json
from handshaker.errors import HandshakerError
from handshaker.health import Check, Relayer, State, overall

EXIT_CODES = {State.OK: 0, State.ILL: 1, State.DEGRADED: 2}
_SIGNS = {State.OK: "[green]✔ well[/]", State.DEGRADED: "[yellow]! degraded[/]", State.ILL: "[red]✘ ill[/]"}


@click.command(short_help="Say which part is ill, and what to do.")
@json_option
@failing
def health(as_json: bool) -> None:
    """Look at every part and say which is ill, which is late, and what to do about it.

    Ends with 0 where all is well, with 2 where something is late or will run out but new transactions are taken and
    carried, and with 1 otherwise.
    """
    with opened() as handshaker:
        checks, relayers = handshaker.health.ready(), _relayers(handshaker)
    state = overall(checks)
    if as_json:
        print_json(
            {
                "status": {State.OK: "ready", State.ILL: "not-ready"}.get(state, str(state)),
                "checks": [_check_json(check) for check in checks],
                "relayers": [_relayer_json(relayer) for relayer in relayers],
            }
        )
    else:
        console.print(_table(checks))
    sys.exit(EXIT_CODES[state])


def _relayers(handshaker: Handshaker) -> tuple[Relayer, ...]:
    with suppress(HandshakerError):
        return handshaker.health.network().relayers
    return ()


def _check_json(check: Check) -> dict[str, object]:
    return {
        "name": check.name,
        "state": str(check.state),
        "code": check.code,
        "detail": check.detail,
        "mend": check.mend,
    }


def _relayer_json(relayer: Relayer) -> dict[str, object]:
    return {
        "name": relayer.name,
        "address": relayer.address,
        "balance": None if relayer.balance is None else str(relayer.balance),
        "low": relayer.is_low,
    }


def _table(checks: list[Check]) -> Table:
    table = Table(header_style="bold", show_lines=False)
    table.add_column("part", no_wrap=True)
    table.add_column("state", no_wrap=True)
    table.add_column("what is known, and what to do", overflow="fold")
    for check in checks:
        words = check.detail if not check.mend else f"{check.detail}\n[dim]{check.mend}[/]"
        table.add_row(check.name, _SIGNS[check.state], words)
    return table
