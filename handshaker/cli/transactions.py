"""Commands about one TI: ``submit`` and ``status``."""

from __future__ import annotations

import sys
import time
import uuid
from pathlib import Path
from typing import Any

import click
from rich.live import Live
from rich.table import Table

from handshaker.bootstrap import Handshaker
from handshaker.cli.output import (
    acknowledgement_json,
    acknowledgement_table,
    as_option,
    complaints,
    console,
    credential,
    event_json,
    fail,
    failing,
    json_option,
    opened,
    patient_id,
    print_json,
)
from handshaker.envelope import parse_json
from handshaker.errors import InputInvalid, NotFound, PatientUnknown
from handshaker.messages import Acknowledgement, Event, EventKind
from handshaker.waiting import wait_for

_PAUSE = 0.1


@click.command(short_help="Hand in an initial transaction.")
@click.argument("template")
@click.argument("payload", type=click.Path(path_type=Path, allow_dash=True, dir_okay=False))
@click.option("--patient", metavar="PSEUDONYM", help="Whom it is about; the beginning of the pseudonym is enough.")
@click.option("--key", metavar="TEXT", help="Idempotency key: the same one again changes nothing. [default: random]")
@click.option("--supersedes", metavar="HASH", help="Record id that this one amends.")
@click.option("--wait/--no-wait", default=False, help="Wait for the acknowledgement.")
@click.option("--timeout", default=60.0, show_default=True, help="Seconds to wait at most.")
@as_option
@json_option
@failing
def submit(
    template: str,
    payload: Path,
    patient: str | None,
    key: str | None,
    supersedes: str | None,
    wait: bool,
    timeout: float,
    person: str | None,
    as_json: bool,
) -> None:
    """Hand in an initial transaction: TEMPLATE (name or name@version) with PAYLOAD (a JSON file, or - for stdin).

    \b
    Example:
      handshaker submit vital-signs examples/blood-pressure.json \\
        --patient 0x3f2a --as nurse-1 --wait

    It is signed with your vault-kept key, which only your token opens. Exit code 0: on its way (with --wait: valid);
    1: refused at a gate or failed; 3: acknowledged as invalid.
    """  # noqa: D301
    with opened() as handshaker:
        who = credential(handshaker, person)
        request = {
            "template": template,
            "payload": _read_payload(payload, handshaker.settings.payload_limit),
            "idempotencyKey": key or str(uuid.uuid4()),
            "patient": patient_id(handshaker, patient) if patient else None,
            "supersedes": supersedes,
        }
        submission = handshaker.intake.submit(request, who)
        if submission.refusal is not None:
            if not as_json:
                console.print(
                    f"TI {submission.ti_id}: refused at the gate of {submission.refusal.gate}, and acknowledged so.",
                    soft_wrap=True,
                )
                if patient is None and isinstance(submission.refusal, PatientUnknown):
                    complaints.print("Nobody was named with --patient.")
            fail(submission.refusal, as_json=as_json, ti=submission.ti_id)
        acknowledgement = submission.acknowledgement
        if wait and acknowledgement is None:
            acknowledgement = wait_for(handshaker.store, [submission.ti_id], timeout).get(submission.ti_id)
    answer: dict[str, Any] = {
        "ti": submission.ti_id,
        "statement": "0x" + submission.statement_hash.hex() if submission.statement_hash else None,
        "known": submission.known,
        "acknowledgement": acknowledgement_json(acknowledgement) if acknowledgement else None,
    }
    if as_json:
        print_json(answer)
    else:
        console.print(f"TI {submission.ti_id} {'was here before' if submission.known else 'accepted'}.", soft_wrap=True)
        if acknowledgement is not None:
            console.print(acknowledgement_table([acknowledgement]))
        elif wait:
            console.print(
                "No acknowledgement yet: are the chain and a worker running (`handshaker work`)? Nothing is lost.",
                soft_wrap=True,
            )
        else:
            console.print(
                f"See it become an acknowledgement: handshaker status {submission.ti_id} --watch", soft_wrap=True
            )
    if acknowledgement is not None and str(acknowledgement.kind) == "invalid":
        sys.exit(3)


@click.command(short_help="Show what has happened to a TI so far.")
@click.argument("ti")
@click.option("--watch", is_flag=True, help="Stay until the acknowledgement is there.")
@click.option("--timeout", default=600.0, show_default=True, help="Seconds to watch at most.")
@json_option
@failing
def status(ti: str, watch: bool, timeout: float, as_json: bool) -> None:
    """Show what has happened to a TI so far, and its acknowledgement once there is one.

    Once it is acknowledged, the first 8 digits of the TI are enough.
    """
    with opened() as handshaker:
        if handshaker.store.intake.transaction(ti) is None:
            meant = handshaker.store.audit.acknowledgement_like(ti)
            if meant is None:
                raise NotFound(
                    f"There is no TI {ti[:60]!r} here: `handshaker ack list` shows those that are acknowledged.",
                    what="transaction",
                    id=ti,
                )
            ti = meant.ti_id
        if watch and not as_json:
            _watch(handshaker, ti, timeout)
        elif watch:
            wait_for(handshaker.store, [ti], timeout)
        events = handshaker.store.audit.events(ti)
        acknowledgement = handshaker.store.audit.acknowledgement(ti)
    if as_json:
        print_json(
            {
                "ti": ti,
                "status": str(events[-1].kind),
                "events": [event_json(event) for event in events],
                "acknowledgement": acknowledgement_json(acknowledgement) if acknowledgement else None,
            }
        )
    elif not watch:
        console.print(_timeline(events, acknowledgement))
    if acknowledgement is not None and not as_json:
        console.print(acknowledgement_table([acknowledgement]))


def _watch(handshaker: Handshaker, ti: str, timeout: float) -> None:
    until = time.monotonic() + timeout
    with Live(console=console, refresh_per_second=10) as live:
        while True:
            acknowledgement = handshaker.store.audit.acknowledgement(ti)
            live.update(_timeline(handshaker.store.audit.events(ti), acknowledgement))
            if acknowledgement is not None or time.monotonic() > until:
                return
            time.sleep(_PAUSE)


def _timeline(events: list[Event], acknowledgement: Acknowledgement | None) -> Table:
    table = Table(header_style="bold")
    table.add_column("when (UTC)", no_wrap=True)
    table.add_column("what", no_wrap=True)
    table.add_column("with", overflow="fold")
    colours = {EventKind.VALID: "green", EventKind.INVALID: "red", EventKind.REFUSED: "red", EventKind.REJECTED: "red"}
    for event in events:
        colour = colours.get(event.kind, "default")
        data = ", ".join(f"{name} {value}" for name, value in event.data.items())
        table.add_row(event.at.strftime("%Y-%m-%d %H:%M:%S.%f")[:-3], f"[{colour}]{event.kind}[/]", data)
    if acknowledgement is None:
        table.add_row("", "[yellow]…[/]", "waiting for the acknowledgement")
    return table


def _read_payload(path: Path, limit: int) -> Any:
    try:
        raw = sys.stdin.buffer.read(2 * limit) if str(path) == "-" else path.read_bytes()
    except OSError as error:
        raise InputInvalid(
            f"{path} cannot be read: {error.strerror}.", path=str(path), problem=str(error.strerror)
        ) from error
    return parse_json(raw, "Standard input" if str(path) == "-" else str(path))
