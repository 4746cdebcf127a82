"""Accesses: written before anything is shown, in the SQL transaction that looks for a revocation once more."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from datetime import datetime

import sqlalchemy as sa

from handshaker.audit.leaf import access_leaf
from handshaker.messages import Access
from handshaker.store import schema as s
from handshaker.store.database import Database, lock
from handshaker.store.sequencer import Sequencer, entry, new_entry_id

CONSENT = "ConsentRegistry"


@dataclass(frozen=True, slots=True)
class Standing:
    """What a patient had said when somebody began to decide on an access."""

    patient_id: str
    open: frozenset[str]
    """TIs of what they said of consent and the chain had not acknowledged."""
    size: int
    """Of the audit log: what was acknowledged since then stands behind it."""


class AccessStore:
    """The entries of kind ``access``."""

    def __init__(self, database: Database, sequencer: Sequencer) -> None:
        self._database = database
        self._sequencer = sequencer

    def standing(self, patient_id: str) -> Standing:
        """Return what a patient has said so far; ask before deciding, and hand it to `add`."""
        with self._database.read() as connection:
            last = connection.execute(sa.select(sa.func.max(s.audit_positions.c.position))).scalar()
            return Standing(patient_id, _open(connection, patient_id), 0 if last is None else last + 1)

    def add(self, access: Access, at: datetime, standing: Standing | None = None) -> int | None:
        """Append an access and return its position.

        ``None``, and nothing written, where the patient of ``standing`` has said something of consent since: whoever
        decided must decide again. Raises ``StoreUnavailable`` and ``LogHeld``.
        """
        entry_id = new_entry_id()
        row = entry(entry_id, "access", access_leaf(entry_id, access, at), at)
        with self._database.write() as connection:
            if standing is not None:
                consent_lock(connection, standing.patient_id)
            self._sequencer.take_turn(connection)
            if standing is not None and _has_spoken(connection, standing):
                return None
            return self._sequencer.append(connection, [row])


def consent_lock(connection: sa.Connection, patient_id: str) -> None:
    """Keep accesses to a patient and statements of consent by them apart until the transaction ends."""
    lock(connection, int.from_bytes(hashlib.sha256(f"consent/{patient_id}".encode()).digest()[:8], "big", signed=True))


def _open(connection: sa.Connection, patient_id: str) -> frozenset[str]:
    query = (
        sa.select(s.queue.c.ti_id)
        .join(s.statements, s.statements.c.ti_id == s.queue.c.ti_id)
        .where(s.queue.c.patient_id == patient_id, s.statements.c.contract == CONSENT)
    )
    return frozenset(connection.execute(query).scalars())


def _has_spoken(connection: sa.Connection, standing: Standing) -> bool:
    if not _open(connection, standing.patient_id) <= standing.open:
        return True
    # One that came and was acknowledged meanwhile is in the queue no more.
    acknowledged = (
        sa.select(s.acknowledgements.c.ti_id)
        .join(s.audit_positions, s.audit_positions.c.entry_id == s.acknowledgements.c.entry_id)
        .join(s.statements, s.statements.c.ti_id == s.acknowledgements.c.ti_id)
        .join(s.transactions, s.transactions.c.ti_id == s.acknowledgements.c.ti_id)
        .where(
            s.audit_positions.c.position >= standing.size,
            s.transactions.c.patient_id == standing.patient_id,
            s.statements.c.contract == CONSENT,
        )
    )
    return connection.execute(acknowledged.limit(1)).first() is not None
