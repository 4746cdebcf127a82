"""Commands about the audit store: ``ack list`` and ``ack show``."""

from __future__ import annotations

import click

from handshaker.cli.output import (
    acknowledgement_json,
    acknowledgement_table,
    console,
    event_json,
    failing,
    json_option,
    opened,
    patient_id,
    print_json,
)
from handshaker.errors import NotFound
from handshaker.messages import VerdictKind
from handshaker.reasons import reason_of


@click.group()
def ack() -> None:
    """Read the acknowledgements, valid and invalid, that the audit store keeps for ever."""


@ack.command("list")
@click.option("--verdict", type=click.Choice([str(kind) for kind in VerdictKind]), help="Only these.")
@click.option("--code", help="Only this reason, for example not-permitted.")
@click.option("--patient", metavar="PSEUDONYM", help="Only about this patient.")
@click.option("--actor", metavar="ID", help="Only by this person.")
@click.option("--template", metavar="NAME", help="Only of this template.")
@click.option("--after", type=int, metavar="POSITION", help="From the first one after this position, oldest first.")
@click.option("--limit", default=20, show_default=True, type=click.IntRange(1, 10_000), help="How many at most.")
@json_option
@failing
def ack_list(
    verdict: str | None,
    code: str | None,
    patient: str | None,
    actor: str | None,
    template: str | None,
    after: int | None,
    limit: int,
    as_json: bool,
) -> None:
    """List acknowledgements in the order of the audit log: the newest, or those after a position."""
    with opened() as handshaker:
        wanted = {
            "verdict": verdict,
            "code": code,
            "patient_id": patient_id(handshaker, patient) if patient else None,
            "actor_id": actor,
            "template": template,
        }
        audit = handshaker.store.audit
        found = audit.latest(limit, **wanted) if after is None else audit.acknowledgements(after, limit, **wanted)
    if as_json:
        print_json([acknowledgement_json(acknowledgement) for acknowledgement in found])
    elif found:
        console.print(acknowledgement_table(found))
    else:
        console.print("There are no such acknowledgements yet.")


@ack.command("show")
@click.argument("ti")
@json_option
@failing
def ack_show(ti: str, as_json: bool) -> None:
    """Show one acknowledgement with its evidence and history. The first digits of the TI are enough."""
    with opened() as handshaker:
        audit = handshaker.store.audit
        acknowledgement = audit.acknowledgement(ti) or audit.acknowledgement_like(ti)
        if acknowledgement is None:
            known = handshaker.store.intake.transaction(ti) is not None
            message = "is still on its way" if known else "is not here, or several begin so"
            raise NotFound(f"The acknowledgement of {ti[:60]} {message}.", what="acknowledgement", id=ti)
        events = audit.events(acknowledgement.ti_id)
        _, leaf, leaf_hash = audit.leaves((acknowledgement.position or 0) - 1, 1)[0]
    if as_json:
        print_json(
            {
                **acknowledgement_json(acknowledgement),
                "events": [event_json(event) for event in events],
                "leaf": leaf.decode(),
                "leafHash": "0x" + leaf_hash.hex(),
            }
        )
        return
    reason = reason_of(acknowledgement)
    rows = {
        "TI": acknowledgement.ti_id,
        "verdict": str(acknowledgement.kind),
        "reason": f"{reason.sentence} {reason.next_step}".strip(),
        "template": acknowledgement.template,
        "actor": acknowledgement.actor_id,
        "patient": acknowledgement.patient_id,
        "origin": str(acknowledgement.origin),
        "statement": _hex(acknowledgement.statement_hash),
        "block": acknowledgement.block_number,
        "block hash": _hex(acknowledgement.block_hash),
        "transaction": _hex(acknowledgement.transaction_hash),
        "log index": acknowledgement.log_index,
        "acknowledged": acknowledgement.acknowledged_at.isoformat(),
        "audit log": f"position {acknowledgement.position}, leaf hash 0x{leaf_hash.hex()}",
    }
    for name, value in rows.items():
        if value is not None:
            console.print(f"[bold]{name:>12}[/]  {value}", soft_wrap=True)
    for event in events:
        console.print(f"[dim]{event.at.isoformat(timespec='milliseconds')}  {event.kind}[/]", soft_wrap=True)


def _hex(value: bytes | None) -> str | None:
    return None if value is None else "0x" + value.hex()
