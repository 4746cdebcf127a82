"""The life of a transaction as steps in the order of time, each with its words and its evidence."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from flask_babel import gettext as _

from handshaker import Event, EventKind, TransactionFile

_GOOD = {EventKind.VALID}
_BAD = {EventKind.INVALID, EventKind.CONTRADICTED}


@dataclass(frozen=True, slots=True)
class Step:
    """One step."""

    at: datetime
    title: str
    detail: str
    kind: str
    """``good``, ``bad``, ``way`` or empty."""
    evidence: str
    """A transaction's hash, where the step has one."""
    block: int | None


def steps(found: TransactionFile) -> list[Step]:
    """Return the steps of a file."""
    return [_step(event, found) for event in found.events]


def _step(event: Event, found: TransactionFile) -> Step:
    kind = "good" if event.kind in _GOOD else "bad" if event.kind in _BAD else "way"
    evidence = event.data.get("transaction", "")
    if event.kind is EventKind.VALID and found.acknowledgement is not None:
        evidence = found.acknowledgement.transaction_hash
    return Step(event.at, _title(event), _detail(event, found), kind, evidence, event.data.get("block"))


def _title(event: Event) -> str:
    words: dict[EventKind, str] = {
        EventKind.RECEIVED: _("Received"),
        EventKind.REFUSED: _("Refused at a gate"),
        EventKind.DEFERRED: _("The network would refuse it now"),
        EventKind.SENT: _("Sent to the chain"),
        EventKind.MINED: _("In a block"),
        EventKind.REJECTED: _("Refused by the contract"),
        EventKind.REQUEUED: _("Taken back to be sent again"),
        EventKind.VALID: _("Acknowledged as valid"),
        EventKind.INVALID: _("Acknowledged as invalid"),
        EventKind.CONTRADICTED: _("Contradicted by a fork"),
    }
    return words[event.kind]


def _detail(event: Event, found: TransactionFile) -> str:
    if event.kind is EventKind.RECEIVED:
        return _received(found)
    if event.kind in (EventKind.VALID, EventKind.INVALID) and found.reason is not None:
        return f"{found.reason.sentence} {found.reason.next_step}".strip()
    code: Any = event.data.get("code", "")
    return str(code)


def _received(found: TransactionFile) -> str:
    if not found.gates:
        return str(_("It came straight from the chain: somebody acted without this house."))
    if all(gate.has_passed for gate in found.gates):
        return str(_("It passed every gate and was signed."))
    return str(_("It was received, and looked at by one gate after the other."))
