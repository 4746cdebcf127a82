"""``handshaker log``: what the audit log says, entry by entry."""

from __future__ import annotations

from typing import Any

import click
from rich.markup import escape
from rich.table import Table

from handshaker.audit_log import KINDS, LARGEST_PAGE, LogLine
from handshaker.cli.output import console, failing, json_option, opened, print_json, short
from handshaker.vocabulary import AccessReason, ActCode, categories_of


@click.command("log", short_help="Read the audit log.")
@click.option("--kind", type=click.Choice(KINDS), help="Only entries of this kind.")
@click.option("--before", type=int, metavar="POSITION", help="Only entries before this position.")
@click.option("--limit", default=40, show_default=True, type=click.IntRange(1, LARGEST_PAGE), help="How many at most.")
@json_option
@failing
def log(kind: str | None, before: int | None, limit: int, as_json: bool) -> None:
    """Read the audit log: acknowledgements, who read what, and what was done off the chain.

    Prints the newest entries, the last one at the bottom. An entry holds random ids, codes and hashes only; names of
    staff are looked up beside it.
    """
    with opened() as handshaker:
        lines = handshaker.audit_log.lines(limit, before, kind or "")[::-1]
    if as_json:
        print_json([_json(line) for line in lines])
    elif lines:
        console.print(_table(lines))
    else:
        console.print("There are no such entries.")


def _json(line: LogLine) -> dict[str, Any]:
    return {
        "position": line.position,
        "kind": line.kind,
        "at": line.at.isoformat(),
        "who": line.actor_name,
        "says": _what(line),
        "entry": dict(line.said),
    }


def _table(lines: list[LogLine]) -> Table:
    table = Table(header_style="bold", show_lines=True)
    for column in ("position", "when (UTC)", "kind\nwho"):
        table.add_column(column, no_wrap=column != "kind\nwho")
    table.add_column("what", overflow="fold")
    for line in lines:
        who = line.actor_name or short(str(line.said.get("actor") or ""))
        table.add_row(
            str(line.position),
            line.at.strftime("%Y-%m-%d\n%H:%M:%S"),
            f"{line.kind}\n[dim]{escape(who)}[/]",
            escape(_what(line)),
        )
    return table


def _what(line: LogLine) -> str:
    """Return an entry as a sentence; of one that was damaged, that it was."""
    try:
        return _SENTENCES[line.kind](line.said)
    except (KeyError, ValueError, TypeError):
        return "This entry is not of the form that it should have: run `handshaker verify`."


def _acknowledgement(said: Any) -> str:
    about = f" about {short(said['patient'])}" if said["patient"] else ""
    return f"{said['template']}{about}: {said['verdict']}, {said['code']} (TI {said['ti'][:8]})"


def _contradiction(said: Any) -> str:
    return f"A fork took the evidence of TI {said['ti'][:8]} away, in block {said['block']}."


def _access(said: Any) -> str:
    whom = short(said["patient"]) if said["patient"] else f"{said['patients']} patients"
    shown, asked = _categories(said["granted"]), _categories(said["asked"])
    kept = "" if shown == asked else f" Asked for: {asked}."
    return f"{said['view']} of {whom}: {shown}.{kept} {AccessReason(said['reason']).sentence}"


def _act(said: Any) -> str:
    return f"{ActCode(said['act']).sentence} ({_named(said['subject'])})"


def _erasure(said: Any) -> str:
    return f"The key of {_named(said['owner'])} is destroyed: {said['reason']}."


def _lost(said: Any) -> str:
    return f"An entry that a restored backup does not know; the chain anchors {said['anchoredSize']} entries."


def _restore(said: Any) -> str:
    return f"The log goes on from a backup with {said['kept']} entries; the chain anchors {said['anchoredSize']}."


def _named(subject: str) -> str:
    """Return an id as its beginning, and a name, as templates and quarantines have one, as it is."""
    return short(subject) if subject.startswith("0x") else subject


def _categories(mask: str) -> str:
    return ", ".join(category.code for category in categories_of(int(mask, 16))) or "nothing"


_SENTENCES = {
    "acknowledgement": _acknowledgement,
    "contradiction": _contradiction,
    "access": _access,
    "act": _act,
    "erasure": _erasure,
    "lost": _lost,
    "restore": _restore,
}
