"""Network transactions: the nonce first, then the raw bytes, and only then the wire."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta

import sqlalchemy as sa

from handshaker.crash_points import crash_point
from handshaker.messages import (
    Attempt,
    Event,
    EventKind,
    Head,
    NetworkTransaction,
    Receipt,
    Refusal,
    SignedCall,
    SignedHead,
)
from handshaker.store import schema as s
from handshaker.store.audit import add_events
from handshaker.store.database import Database
from handshaker.store.log import add_head
from handshaker.store.queue import requeue
from handshaker.store.rows import signed_call
from handshaker.store.sequencer import Sequencer

PAUSE = timedelta(seconds=30)
"""How long a statement rests that failed alone and said nothing."""


class NetworkStore:
    """Nonces, attempts and what became of them."""

    def __init__(self, database: Database, sequencer: Sequencer) -> None:
        self._database = database
        self._sequencer = sequencer

    def allocate(
        self,
        relayer: str,
        floor: int,
        statements: Sequence[tuple[str, bytes]],
        gas: int,
        owner: str,
        at: datetime,
    ) -> NetworkTransaction | None:
        """Take the relayer's next nonce for ``statements`` (``(ti_id, hash)``) and mark their rows in flight.

        ``floor`` is the chain's count of the relayer's transactions: a nonce below it can never be used. Rows whose
        lease ``owner`` has lost meanwhile are left to their new owner; ``None`` when none is left.
        """
        with self._database.write() as connection:
            ids = [ti_id for ti_id, _ in statements]
            held = set(
                connection.execute(
                    sa.select(s.queue.c.ti_id)
                    .where(s.queue.c.ti_id.in_(ids), s.queue.c.state == "waiting", s.queue.c.lease_owner == owner)
                    .order_by(s.queue.c.seq)
                    .with_for_update()
                ).scalars()
            )
            carried = [(ti_id, statement) for ti_id, statement in statements if ti_id in held]
            if statements and not carried:
                return None
            nonce = _next_nonce(connection, relayer, floor)
            network_id = connection.execute(
                sa.insert(s.network_transactions)
                .values(relayer=relayer, nonce=nonce, gas=gas, created_at=at)
                .returning(s.network_transactions.c.network_id)
            ).scalar_one()
            crash_point("network.nonce-written")
            if carried:
                connection.execute(
                    sa.insert(s.network_items),
                    [
                        {"network_id": network_id, "position": i, "statement_hash": statement}
                        for i, (_, statement) in enumerate(carried)
                    ],
                )
                crash_point("network.items-written")
                connection.execute(
                    sa.update(s.queue)
                    .where(s.queue.c.ti_id.in_(held))
                    .values(state="in-flight", network_id=network_id, lease_owner=None, lease_until=None)
                )
        return NetworkTransaction(network_id, relayer, nonce, tuple(h for _, h in carried), gas)

    def allocate_anchor(
        self, relayer: str, floor: int, signed: SignedHead, gas: int, at: datetime
    ) -> NetworkTransaction | None:
        """Write a signed head, and take the relayer's next nonce to anchor it.

        ``None``, and nothing written, while another anchor is on its way, whoever's, or when an equal or a larger head
        was signed meanwhile.
        """
        under_way = sa.select(s.network_transactions.c.network_id).where(
            s.network_transactions.c.head_size.is_not(None), s.network_transactions.c.settled_at.is_(None)
        )
        larger = sa.select(s.audit_heads.c.size).where(s.audit_heads.c.size > signed.head.size)
        with self._database.write() as connection:
            self._sequencer.take_turn(connection)
            for in_the_way in (under_way, larger):
                if connection.execute(in_the_way.limit(1)).first() is not None:
                    return None
            add_head(connection, signed)
            crash_point("network.head-written")
            nonce = _next_nonce(connection, relayer, floor)
            network_id = connection.execute(
                sa.insert(s.network_transactions)
                .values(relayer=relayer, nonce=nonce, gas=gas, created_at=at, head_size=signed.head.size)
                .returning(s.network_transactions.c.network_id)
            ).scalar_one()
        return NetworkTransaction(network_id, relayer, nonce, (), gas, head=signed.head)

    def add_attempt(self, network_id: int, attempt: Attempt, at: datetime) -> None:
        """Write signed bytes before they are sent; from here on their statements count as sent."""
        with self._database.write() as connection:
            connection.execute(
                sa.insert(s.attempts).values(
                    hash=attempt.hash,
                    network_id=network_id,
                    raw=attempt.raw,
                    max_fee=attempt.max_fee,
                    priority_fee=attempt.priority_fee,
                    created_at=at,
                )
            )
            crash_point("network.attempt-written")
            rows = connection.execute(
                sa.update(s.queue)
                .where(s.queue.c.network_id == network_id)
                .values(sent=True)
                .returning(s.queue.c.ti_id)
            ).scalars()
            data = {"transaction": "0x" + attempt.hash.hex()}
            add_events(connection, [Event(ti_id, EventKind.SENT, at, data) for ti_id in rows])

    def reopen(self, relayer: str, used: int) -> int:
        """Open every nonce again that was settled though the chain has counted only ``used``; return how many.

        A fork below finality took them back, and nothing behind them can be mined before they are filled.
        """
        with self._database.write() as connection:
            found = connection.execute(
                sa.update(s.network_transactions)
                .where(
                    s.network_transactions.c.relayer == relayer,
                    s.network_transactions.c.nonce >= used,
                    s.network_transactions.c.settled_at.is_not(None),
                )
                .values(settled_at=None, outcome=None)
                .returning(s.network_transactions.c.network_id)
            )
            return len(found.all())

    def unsettled(self, relayer: str) -> list[NetworkTransaction]:
        """Return the relayer's network transactions that have no outcome, by nonce, with all their attempts."""
        query = (
            sa.select(s.network_transactions, s.audit_heads.c.root)
            .outerjoin(s.audit_heads, s.audit_heads.c.size == s.network_transactions.c.head_size)
            .where(s.network_transactions.c.relayer == relayer, s.network_transactions.c.settled_at.is_(None))
            .order_by(s.network_transactions.c.nonce)
        )
        with self._database.read() as connection:
            rows = connection.execute(query).mappings().all()
            ids = [row["network_id"] for row in rows]
            items: dict[int, list[bytes]] = {}
            attempts: dict[int, list[Attempt]] = {}
            if ids:
                for item in connection.execute(
                    sa.select(s.network_items)
                    .where(s.network_items.c.network_id.in_(ids))
                    .order_by(s.network_items.c.network_id, s.network_items.c.position)
                ).mappings():
                    items.setdefault(item["network_id"], []).append(item["statement_hash"])
                for found in connection.execute(
                    sa.select(s.attempts).where(s.attempts.c.network_id.in_(ids)).order_by(s.attempts.c.max_fee)
                ).mappings():
                    attempts.setdefault(found["network_id"], []).append(
                        Attempt(found["hash"], found["raw"], found["max_fee"], found["priority_fee"])
                    )
        return [
            NetworkTransaction(
                row["network_id"],
                row["relayer"],
                row["nonce"],
                tuple(items.get(row["network_id"], ())),
                row["gas"],
                tuple(attempts.get(row["network_id"], ())),
                None if row["head_size"] is None else Head(row["head_size"], row["root"]),
            )
            for row in rows
        ]

    def count(self, relayer: str) -> int:
        """Return how many network transactions a relayer has had."""
        query = (
            sa.select(sa.func.count())
            .select_from(s.network_transactions)
            .where(s.network_transactions.c.relayer == relayer)
        )
        with self._database.read() as connection:
            return int(connection.execute(query).scalar_one())

    def calls(self, statement_hashes: Sequence[bytes]) -> dict[bytes, SignedCall]:
        """Return the signed calls of statements on the wire, to sign their batch again."""
        query = (
            sa.select(s.statements, s.signatures.c.signature, s.queue.c.alone, s.queue.c.sent, s.queue.c.patient_id)
            .join(s.signatures, s.signatures.c.statement_hash == s.statements.c.statement_hash)
            .outerjoin(s.queue, s.queue.c.ti_id == s.statements.c.ti_id)
            .where(s.statements.c.statement_hash.in_(statement_hashes))
        )
        with self._database.read() as connection:
            return {row["statement_hash"]: signed_call(row) for row in connection.execute(query).mappings()}

    def settle(
        self, transaction: NetworkTransaction, outcome: str, at: datetime, receipt: Receipt | None = None
    ) -> dict[str, Refusal | None]:
        """Write what became of a nonce; rows that are still in flight with it go back to waiting.

        Returns the TIs of those, with what the Relay said of each, if it said anything.

        A row whose statement took effect is gone by then: the indexer wrote its ACK.
        """
        rejections = receipt.rejections if receipt else {}
        back: dict[str, Refusal | None] = {}
        with self._database.write() as connection:
            connection.execute(
                sa.update(s.network_transactions)
                .where(s.network_transactions.c.network_id == transaction.network_id)
                .values(settled_at=at, outcome=outcome, gas_used=receipt.gas_used if receipt else None)
            )
            crash_point("network.settling")
            query = sa.select(s.queue.c.ti_id, s.queue.c.statement_hash, s.queue.c.alone).where(
                s.queue.c.network_id == transaction.network_id
            )
            position = {statement: i for i, statement in enumerate(transaction.statements)}
            for ti_id, statement, was_alone in connection.execute(query).all():
                refusal = rejections.get(position[statement])
                unknown = outcome == "reverted" or (refusal is not None and refusal.is_unknown)
                # What fails for no known reason even alone must not burn gas again and again.
                until = at + PAUSE if unknown and was_alone else at
                back[ti_id] = None if unknown else refusal
                requeue(connection, ti_id, back[ti_id], at, until, alone=unknown)
                crash_point("network.requeueing")
        return back

    def mined(self, transaction: NetworkTransaction, receipt: Receipt, at: datetime) -> None:
        """Note in the histories that the transaction was seen in a block (which may not be final yet)."""
        with self._database.write() as connection:
            carried = sa.select(s.queue.c.ti_id).where(s.queue.c.network_id == transaction.network_id)
            ti_ids = set(connection.execute(carried).scalars())
            noted = sa.select(s.events.c.ti_id).where(
                s.events.c.ti_id.in_(ti_ids), s.events.c.kind == str(EventKind.MINED)
            )
            data = {"block": receipt.block_number, "transaction": "0x" + receipt.transaction_hash.hex()}
            fresh = ti_ids - set(connection.execute(noted).scalars())
            add_events(connection, [Event(ti_id, EventKind.MINED, at, data) for ti_id in sorted(fresh)])
            crash_point("network.noting-mined")


def _next_nonce(connection: sa.Connection, relayer: str, floor: int) -> int:
    query = sa.select(sa.func.max(s.network_transactions.c.nonce)).where(s.network_transactions.c.relayer == relayer)
    last: int | None = connection.execute(query).scalar()
    return max(floor, 0 if last is None else last + 1)
