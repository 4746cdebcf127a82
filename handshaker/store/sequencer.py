"""The sequencer: gives entries their dense positions in the audit log, and their seals.

Whoever holds its lock is the sequencer, until that SQL transaction commits: so positions are commit order.
"""

from __future__ import annotations

import uuid
from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Any

import sqlalchemy as sa

from handshaker.audit.errors import LogHeld
from handshaker.audit.leaf import act_leaf, leaf_hash
from handshaker.crash_points import crash_point
from handshaker.messages import Act
from handshaker.store import schema as s
from handshaker.store.database import lock

_LOCK = 7349002

Seal = Callable[[int, bytes], bytes]
"""Position and leaf hash → 32 bytes that only the vault can make."""


def new_entry_id() -> str:
    """Return a random id for an entry."""
    return str(uuid.uuid4())


def entry(entry_id: str, kind: str, leaf: bytes, at: datetime) -> dict[str, Any]:
    """Return the row of an entry."""
    return {"entry_id": entry_id, "kind": kind, "leaf": leaf, "leaf_hash": leaf_hash(leaf), "written_at": at}


class Sequencer:
    """Appends to the log. Without a ``seal`` entries can be proven by anchors only."""

    def __init__(self, seal: Seal | None = None) -> None:
        self.seal = seal

    def take_turn(self, connection: sa.Connection) -> None:
        """Hold the lock until the transaction ends: before anything is read that an append depends on."""
        lock(connection, _LOCK)

    def append(self, connection: sa.Connection, entries: Sequence[dict[str, Any]], *, held: bool = False) -> int:
        """Append entries in order; return the first one's position.

        Raises ``LogHeld`` while the log is held, unless ``held`` says that this is what lifts it.
        """
        self.take_turn(connection)
        if not held:
            refuse_if_held(connection)
        crash_point("sequencer.turn-taken")
        last = connection.execute(sa.select(sa.func.max(s.audit_positions.c.position))).scalar()
        first = 0 if last is None else last + 1
        connection.execute(sa.insert(s.audit_entries), entries)
        crash_point("sequencer.entries-written")
        connection.execute(
            sa.insert(s.audit_positions),
            [
                {
                    "position": position,
                    "entry_id": each["entry_id"],
                    "seal": self.seal(position, each["leaf_hash"]) if self.seal else None,
                }
                for position, each in enumerate(entries, first)
            ],
        )
        crash_point("sequencer.appended")
        return first

    def append_act(self, connection: sa.Connection, act: Act | None, at: datetime) -> None:
        """Append an act, if there is one, in the SQL transaction that does it.

        That begins with `take_turn`, or two that wait for each other's rows could stand still.
        """
        if act is not None:
            entry_id = new_entry_id()
            self.append(connection, [entry(entry_id, "act", act_leaf(entry_id, act, at), at)])


def refuse_if_held(connection: sa.Connection) -> None:
    """Raise ``LogHeld`` while the log is held: what would become entries is not even accepted then."""
    found = connection.execute(sa.select(s.log_holds).where(s.log_holds.c.lifted_at.is_(None)).limit(1)).mappings()
    hold = found.first()
    if hold is not None:
        raise LogHeld(
            f"The audit log is held: it has {hold['size']} entries, and the chain anchors {hold['anchored_size']}.",
            reason=hold["reason"],
            size=hold["size"],
            anchored_size=hold["anchored_size"],
            anchored_root="0x" + hold["anchored_root"].hex(),
        )
