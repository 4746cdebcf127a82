"""Commands about the audit store: ``ack list``, ``ack show`` and ``ack proof``."""

from __future__ import annotations

import json
import shlex
from pathlib import Path

import click

from handshaker.audit import check_proof
from handshaker.bootstrap import Handshaker
from handshaker.cli.output import (
    acknowledgement_json,
    acknowledgement_table,
    complaints,
    console,
    event_json,
    failing,
    json_option,
    opened,
    patient_id,
    print_json,
)
from handshaker.errors import NotFound
from handshaker.messages import Acknowledgement, VerdictKind
from handshaker.reasons import reason_of


@click.group(short_help="Read the audit store.")
def ack() -> None:
    """Read the acknowledgements, valid and invalid, that the audit store keeps for ever."""


@ack.command("list", short_help="List acknowledgements.")
@click.option("--verdict", type=click.Choice([str(kind) for kind in VerdictKind]), help="Only these.")
@click.option("--code", help="Only this reason, for example not-permitted.")
@click.option("--patient", metavar="PSEUDONYM", help="Only about this patient; the beginning is enough.")
@click.option("--actor", metavar="ID", help="Only by this person; the beginning of the id is enough.")
@click.option("--template", metavar="NAME", help="Only of this template, whatever its version.")
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
            "actor_id": _actor_id(handshaker, actor) if actor else None,
            "template": template.partition("@")[0] if template else None,
        }
        audit = handshaker.store.audit
        found = audit.latest(limit, **wanted) if after is None else audit.acknowledgements(after, limit, **wanted)
    if as_json:
        print_json([acknowledgement_json(acknowledgement) for acknowledgement in found])
    elif found:
        console.print(acknowledgement_table(found))
    else:
        console.print("There are no such acknowledgements yet: `handshaker submit` makes some.")


@ack.command("show")
@click.argument("ti")
@json_option
@failing
def ack_show(ti: str, as_json: bool) -> None:
    """Show one acknowledgement with its evidence and history. The first digits of the TI are enough."""
    with opened() as handshaker:
        acknowledgement = _acknowledgement(handshaker, ti)
        events = handshaker.store.audit.events(acknowledgement.ti_id)
        entry = handshaker.store.log.entry_at(acknowledgement.position or 0)
        leaf_hash = "0x" + entry.leaf_hash.hex() if entry else "missing"
    if as_json:
        print_json(
            {
                **acknowledgement_json(acknowledgement),
                "events": [event_json(event) for event in events],
                "leaf": entry.leaf.decode() if entry else None,
                "leafHash": leaf_hash,
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
        "audit log": f"position {acknowledgement.position}, leaf hash {leaf_hash}",
    }
    for name, value in rows.items():
        if value is not None:
            console.print(f"[bold]{name:>12}[/]  {value}", soft_wrap=True)
    for event in events:
        console.print(f"[dim]{event.at.isoformat(timespec='milliseconds')}  {event.kind}[/]", soft_wrap=True)


@ack.command("proof", short_help="Prove an acknowledgement.")
@click.argument("ti")
@click.option("--output", type=click.Path(dir_okay=False, path_type=Path), metavar="FILE", help="Write it there.")
@json_option
@failing
def ack_proof(ti: str, output: Path | None, as_json: bool) -> None:
    """Write the proof that an acknowledgement stands in the anchored log, and say how anybody can check it.

    Without --output it is printed. The node is asked before anything is written.
    """
    with opened() as handshaker:
        acknowledgement = _acknowledgement(handshaker, ti)
        proof = handshaker.proofs.prove(acknowledgement)
        node = handshaker.settings.chain_url
    if output is not None:
        output.write_text(json.dumps(proof, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")
    if as_json or output is None:
        print_json(proof)
    if not as_json:
        file = shlex.quote(str(output or "proof.json"))
        command = f"python3 -I {shlex.quote(check_proof.__file__)} {file} --rpc {shlex.quote(node)}"
        # Beside the proof, so that it can be sent into a file as it is printed.
        words = console if output is not None else complaints
        words.print(f"Entry {proof['entry']['position']}, anchored in block {proof['anchor']['blockNumber']}.")
        words.print("Anybody can check it, with that one file and any node of the chain:")
        words.print(f"  {command} --contract {proof['anchor']['contract']}", soft_wrap=True, markup=False)


def _acknowledgement(handshaker: Handshaker, ti: str) -> Acknowledgement:
    """Return the ACK of a TI, or of the only one that begins so; raises ``NotFound`` with the way on."""
    audit = handshaker.store.audit
    found = audit.acknowledgement(ti) or audit.acknowledgement_like(ti)
    if found is not None:
        return found
    message = (
        f"is still on its way: `handshaker status {ti[:60]} --watch`."
        if handshaker.store.intake.transaction(ti) is not None
        else "is not here, or several begin so (8 digits at least): `handshaker ack list` shows them."
    )
    raise NotFound(f"The acknowledgement of {ti[:60]!r} {message}", what="acknowledgement", id=ti)


def _actor_id(handshaker: Handshaker, text: str) -> str:
    """Return the id that ``text`` is, or the only one that begins so, else ``text`` itself, which finds nothing."""
    found = [actor.actor_id for actor in handshaker.store.people.actors() if actor.actor_id.startswith(text)]
    return found[0] if len(found) == 1 else text


def _hex(value: bytes | None) -> str | None:
    return None if value is None else "0x" + value.hex()
