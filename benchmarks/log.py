"""A long audit log without a chain: entries of every common kind, written through the sequencer in big batches."""

from __future__ import annotations

import secrets
import uuid
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import sqlalchemy as sa

from handshaker.audit.leaf import access_leaf, act_leaf
from handshaker.messages import Access, Act, Conclusion, Effect, Verdict, VerdictKind
from handshaker.store import schema as s
from handshaker.store.audit import write_acknowledgements
from handshaker.store.database import Database
from handshaker.store.sequencer import Sequencer, entry, new_entry_id
from handshaker.vocabulary import AccessReason, ActCode

BATCH = 2_000
"""Entries of one SQL transaction: 1,200 ACKs, 700 accesses, 100 acts."""
_ACKNOWLEDGEMENTS, _ACCESSES, _ACTS = 1_200, 700, 100
_BEGINNING = datetime(2026, 11, 1, tzinfo=UTC)


def write_log(database: Database, sequencer: Sequencer, size: int) -> None:
    """Fill an empty store with ``size`` entries, rounded up to whole batches."""
    actors = ["0x" + secrets.token_hex(16) for _ in range(50)]
    patients = ["0x" + secrets.token_hex(32) for _ in range(500)]
    for number, at in _batches(size):
        with database.write() as connection:
            conclusions = list(_transactions(connection, number, actors, patients, at))
            write_acknowledgements(connection, sequencer, conclusions, at)
            sequencer.append(connection, [*_accesses(actors, patients, at), *_acts(actors, at)])


def _batches(size: int) -> Iterator[tuple[int, datetime]]:
    for number in range(-(-size // BATCH)):
        yield number, _BEGINNING + timedelta(seconds=number)


def _transactions(
    connection: sa.Connection, batch: int, actors: list[str], patients: list[str], at: datetime
) -> Iterator[Conclusion]:
    transactions, statements, conclusions = [], [], []
    for number in range(_ACKNOWLEDGEMENTS):
        ti_id, statement = str(uuid.uuid4()), secrets.token_bytes(32)
        actor, patient = actors[number % len(actors)], patients[number % len(patients)]
        transactions.append(
            {
                "ti_id": ti_id,
                "origin": "api",
                "template": "vital-signs",
                "template_version": 1,
                "actor_id": actor,
                "patient_id": patient,
                "idempotency_key": secrets.token_hex(32),
                "received_at": at,
            }
        )
        statements.append(
            {
                "statement_hash": statement,
                "ti_id": ti_id,
                "contract": "HealthRecords",
                "function": "record",
                "words": secrets.token_bytes(7 * 32),
                "signer": "0x" + "11" * 20,
                "deadline": 4_000_000_000,
                "custodial": True,
            }
        )
        effect = Effect(
            statement_hash=statement,
            contract="HealthRecords",
            event="Recorded",
            arguments={},
            block_number=batch + 1,
            block_hash=(batch + 1).to_bytes(32, "big"),
            transaction_hash=secrets.token_bytes(32),
            log_index=number,
        )
        conclusions.append(Conclusion(ti_id, Verdict(VerdictKind.VALID, "effect", {"event": "Recorded"}, effect)))
    connection.execute(sa.insert(s.transactions), transactions)
    connection.execute(sa.insert(s.statements), statements)
    yield from conclusions


def _accesses(actors: list[str], patients: list[str], at: datetime) -> Iterator[dict[str, object]]:
    for number in range(_ACCESSES):
        access = Access(
            actor_id=actors[number % len(actors)],
            role="nurse",
            organisation_id=1,
            patient_id=patients[number % len(patients)],
            view="chart",
            purpose="TREAT",
            asked=0xFFFF,
            granted=0xFF,
            reason=AccessReason.CONSENT,
        )
        entry_id = new_entry_id()
        yield entry(entry_id, "access", access_leaf(entry_id, access, at), at)


def _acts(actors: list[str], at: datetime) -> Iterator[dict[str, object]]:
    for number in range(_ACTS):
        entry_id = new_entry_id()
        act = Act(ActCode.LOGGED_IN, actors[number % len(actors)], str(uuid.uuid4()))
        yield entry(entry_id, "act", act_leaf(entry_id, act, at), at)
