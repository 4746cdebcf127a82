"""What intake writes: a TI with its sealed payload, its statement and signature, in one SQL transaction."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql, sqlite

from handshaker.crash_points import crash_point
from handshaker.errors import NotFound
from handshaker.messages import (
    Acknowledgement,
    Conclusion,
    ContractCall,
    Event,
    EventKind,
    InitialTransaction,
    Origin,
    Sealed,
)
from handshaker.store import schema as s
from handshaker.store.accesses import CONSENT, consent_lock
from handshaker.store.audit import add_events, write_acknowledgements
from handshaker.store.database import Database, lock_hash
from handshaker.store.rows import sealed_columns, sealed_of
from handshaker.store.sequencer import Sequencer, refuse_if_held


@dataclass(frozen=True, slots=True)
class Signed:
    """A TC that passed every gate, with its signature."""

    call: ContractCall
    signature: bytes
    custodial: bool
    alone: bool
    urgency: int
    """0 overtakes 1: revocations and emergencies before readings."""


class IntakeStore:
    """The writing half of intake, and the reading of what it wrote."""

    def __init__(self, database: Database, sequencer: Sequencer) -> None:
        self._database = database
        self._sequencer = sequencer

    def known(self, actor_id: str, idempotency_key: str) -> str | None:
        """Return the TI for which an actor used a key (as its keyed hash), if there is one."""
        query = sa.select(s.transactions.c.ti_id).where(
            s.transactions.c.actor_id == actor_id, s.transactions.c.idempotency_key == idempotency_key
        )
        with self._database.read() as connection:
            return connection.execute(query).scalar()

    def registrations(self, patient_id: str) -> list[tuple[str, str | None]]:
        """Return the TIs that would register a patient, with their verdict where there is one, oldest first."""
        query = (
            sa.select(s.transactions.c.ti_id, s.acknowledgements.c.verdict)
            .outerjoin(s.acknowledgements, s.acknowledgements.c.ti_id == s.transactions.c.ti_id)
            .where(s.transactions.c.patient_id == patient_id, s.transactions.c.template == "register-patient")
            .order_by(s.transactions.c.received_at)
        )
        with self._database.read() as connection:
            return [(row[0], row[1]) for row in connection.execute(query)]

    def accept(self, ti: InitialTransaction, payload: Sealed, signed: Signed) -> bool:
        """Write an accepted TI and put it into the queue.

        ``False``, and nothing written, when another request just used its key, or its statement is here already.
        Raises ``LogHeld``.
        """
        with self._database.write() as connection:
            refuse_if_held(connection)
            call = signed.call
            if call.contract == CONSENT and ti.patient_id is not None:
                consent_lock(connection, ti.patient_id)
            lock_hash(connection, call.statement_hash)
            carried = sa.select(s.statements.c.ti_id).where(s.statements.c.statement_hash == call.statement_hash)
            if connection.execute(carried).first() is not None:
                return False
            if not _insert_transaction(connection, ti, payload):
                return False
            crash_point("intake.transaction-written")
            connection.execute(
                sa.insert(s.statements),
                {
                    "statement_hash": call.statement_hash,
                    "ti_id": ti.ti_id,
                    "contract": call.contract,
                    "function": call.function,
                    "words": call.words,
                    "signer": call.signer,
                    "deadline": call.deadline,
                    "custodial": signed.custodial,
                },
            )
            connection.execute(
                sa.insert(s.signatures), {"statement_hash": call.statement_hash, "signature": signed.signature}
            )
            crash_point("intake.statement-written")
            connection.execute(
                sa.insert(s.queue),
                {
                    "ti_id": ti.ti_id,
                    "statement_hash": call.statement_hash,
                    "patient_id": ti.patient_id,
                    "state": "waiting",
                    "urgency": signed.urgency,
                    "available_at": ti.received_at,
                    "alone": signed.alone,
                    "sent": False,
                },
            )
            add_events(connection, [Event(ti.ti_id, EventKind.RECEIVED, ti.received_at)])
            crash_point("intake.queued")
            return True

    def refuse(self, ti: InitialTransaction, payload: Sealed, conclusion: Conclusion) -> list[Acknowledgement]:
        """Write a TI that failed a gate, with its invalid ACK; nothing when another request just used its key."""
        with self._database.write() as connection:
            if not _insert_transaction(connection, ti, payload):
                return []
            add_events(
                connection,
                [
                    Event(ti.ti_id, EventKind.RECEIVED, ti.received_at),
                    Event(ti.ti_id, EventKind.REFUSED, ti.received_at, {"code": conclusion.verdict.code}),
                ],
            )
            crash_point("intake.refusing")
            written = write_acknowledgements(connection, self._sequencer, [conclusion], ti.received_at)
            crash_point("intake.refusal-acknowledged")
            return written

    def transaction(self, ti_id: str) -> InitialTransaction | None:
        """Return a TI without its payload."""
        with self._database.read() as connection:
            row = (
                connection.execute(sa.select(s.transactions).where(s.transactions.c.ti_id == ti_id)).mappings().first()
            )
        if row is None:
            return None
        return InitialTransaction(
            ti_id=row["ti_id"],
            template=row["template"],
            template_version=row["template_version"],
            actor_id=row["actor_id"],
            patient_id=row["patient_id"],
            payload={},
            idempotency_key=row["idempotency_key"],
            received_at=row["received_at"],
            origin=Origin(row["origin"]),
        )

    def payload(self, ti_id: str) -> Sealed | None:
        """Return the sealed payload of a TI, also one that was told after the chain knew its statement."""
        late = (
            sa.select(s.late_payloads)
            .join(s.statements, s.statements.c.statement_hash == s.late_payloads.c.statement_hash)
            .where(s.statements.c.ti_id == ti_id)
        )
        own = sa.select(s.transactions).where(s.transactions.c.ti_id == ti_id)
        with self._database.read() as connection:
            for query in (own, late):
                row = connection.execute(query).mappings().first()
                sealed = sealed_of(row, "payload") if row is not None else None
                if sealed is not None:
                    return sealed
        return None

    def statement_hash(self, ti_id: str) -> bytes | None:
        """Return the statement of a TI, if it came so far."""
        query = sa.select(s.statements.c.statement_hash).where(s.statements.c.ti_id == ti_id)
        with self._database.read() as connection:
            return connection.execute(query).scalar()

    def add_late_payload(self, statement_hash: bytes, payload: Sealed, at: datetime) -> None:
        """Keep the payload of a statement that came straight from the chain; the first one that is told counts."""
        has_payload = (
            sa.select(s.transactions.c.payload_nonce)
            .join(s.statements, s.statements.c.ti_id == s.transactions.c.ti_id)
            .where(s.statements.c.statement_hash == statement_hash)
        )
        told = sa.select(s.late_payloads.c.received_at).where(s.late_payloads.c.statement_hash == statement_hash)
        with self._database.write() as connection:
            lock_hash(connection, statement_hash)
            if connection.execute(has_payload).scalar() is None and connection.execute(told).first() is None:
                connection.execute(
                    sa.insert(s.late_payloads).values(
                        statement_hash=statement_hash, received_at=at, **sealed_columns("payload", payload)
                    )
                )

    def carried(self, statement_hash: bytes) -> str:
        """Return the TI of a statement that is here; raises ``NotFound``."""
        query = sa.select(s.statements.c.ti_id).where(s.statements.c.statement_hash == statement_hash)
        with self._database.read() as connection:
            ti_id: str | None = connection.execute(query).scalar()
        if ti_id is None:
            raise NotFound("That statement is not here.", what="statement", id="0x" + statement_hash.hex())
        return ti_id

    def open_words(self, patient_id: str | None, contract: str) -> list[tuple[str, bytes]]:
        """Return ``(function, words)`` of the statements to ``contract`` about a patient, or none, without ACK yet."""
        query = (
            sa.select(s.statements.c.function, s.statements.c.words)
            .join(s.queue, s.queue.c.ti_id == s.statements.c.ti_id)
            .where(s.queue.c.patient_id == patient_id, s.statements.c.contract == contract)
        )
        with self._database.read() as connection:
            return [(row[0], row[1]) for row in connection.execute(query)]


def _insert_transaction(connection: sa.Connection, ti: InitialTransaction, payload: Sealed) -> bool:
    used = sa.select(s.transactions.c.ti_id).where(
        s.transactions.c.actor_id == ti.actor_id, s.transactions.c.idempotency_key == ti.idempotency_key
    )
    if connection.execute(used).first() is not None:
        return False
    # On PostgreSQL another request may use the key between the question and the answer.
    insert = sqlite.insert if connection.dialect.name == "sqlite" else postgresql.insert
    # Values beside the statement, not in it: SQLAlchemy then knows it again, in a third of the time.
    written = connection.execute(
        insert(s.transactions)
        .on_conflict_do_nothing(index_elements=["actor_id", "idempotency_key"])
        .returning(s.transactions.c.ti_id),
        {
            "ti_id": ti.ti_id,
            "origin": str(ti.origin),
            "template": ti.template,
            "template_version": ti.template_version,
            "actor_id": ti.actor_id,
            "patient_id": ti.patient_id,
            "idempotency_key": ti.idempotency_key,
            "received_at": ti.received_at,
            **sealed_columns("payload", payload),
        },
    ).first()
    return written is not None
