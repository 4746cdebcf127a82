"""The chain as the indexer has walked it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import sqlalchemy as sa

from handshaker.messages import Block, Effect, Event, EventKind, InitialTransaction
from handshaker.store import schema as s
from handshaker.store.audit import add_events
from handshaker.store.database import Database


class ChainViewStore:
    """Blocks and effects, the ones that are not final yet included."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def tip(self) -> Block | None:
        """Return the highest block that was walked."""
        query = sa.select(s.blocks).order_by(s.blocks.c.number.desc()).limit(1)
        with self._database.read() as connection:
            row = connection.execute(query).mappings().first()
        return _block(row) if row else None

    def block(self, number: int) -> Block | None:
        """Return a walked block by number."""
        with self._database.read() as connection:
            row = connection.execute(sa.select(s.blocks).where(s.blocks.c.number == number)).mappings().first()
        return _block(row) if row else None

    def extend(self, blocks: Sequence[Block], effects: Sequence[Effect]) -> None:
        """Append blocks that follow the tip, with their effects."""
        with self._database.write() as connection:
            if blocks:
                connection.execute(
                    sa.insert(s.blocks),
                    [
                        {"number": b.number, "hash": b.hash, "parent": b.parent, "timestamp": b.timestamp}
                        for b in blocks
                    ],
                )
            if effects:
                connection.execute(sa.insert(s.effects), [_effect_row(effect) for effect in effects])

    def roll_back(self, above: int) -> list[Block]:
        """Forget the blocks above a number after a fork; return them, lowest first."""
        with self._database.write() as connection:
            query = sa.select(s.blocks).where(s.blocks.c.number > above).order_by(s.blocks.c.number)
            gone = [_block(row) for row in connection.execute(query).mappings()]
            connection.execute(sa.delete(s.effects).where(s.effects.c.block_number > above))
            connection.execute(sa.delete(s.blocks).where(s.blocks.c.number > above))
            return gone

    def unsettled_effects(self, after: int, up_to: int) -> list[tuple[Effect, str | None]]:
        """Return effects in blocks ``after`` < number ≤ ``up_to`` whose statement has no ACK, with its known TI."""
        query = (
            sa.select(s.effects, s.statements.c.ti_id)
            .outerjoin(s.statements, s.statements.c.statement_hash == s.effects.c.statement_hash)
            .outerjoin(s.acknowledgements, s.acknowledgements.c.ti_id == s.statements.c.ti_id)
            .where(
                s.effects.c.block_number > after,
                s.effects.c.block_number <= up_to,
                s.acknowledgements.c.ti_id.is_(None),
            )
            .order_by(s.effects.c.block_number, s.effects.c.log_index)
        )
        with self._database.read() as connection:
            return [(_effect(row), row["ti_id"]) for row in connection.execute(query).mappings()]

    def adopt(self, ti: InitialTransaction, effect: Effect, function: str, signer: str) -> None:
        """Make a TI of origin ``chain`` for an effect whose statement nobody here has seen."""
        with self._database.write() as connection:
            known = sa.select(s.statements.c.ti_id).where(s.statements.c.statement_hash == effect.statement_hash)
            if connection.execute(known).first():
                return
            connection.execute(
                sa.insert(s.transactions).values(
                    ti_id=ti.ti_id,
                    origin=str(ti.origin),
                    template=ti.template,
                    template_version=ti.template_version,
                    actor_id=ti.actor_id,
                    patient_id=ti.patient_id,
                    idempotency_key=ti.idempotency_key,
                    request_hash=effect.statement_hash,
                    received_at=ti.received_at,
                )
            )
            connection.execute(
                sa.insert(s.statements).values(
                    statement_hash=effect.statement_hash,
                    ti_id=ti.ti_id,
                    contract=effect.contract,
                    function=function,
                    words=None,
                    signer=signer,
                    deadline=None,
                    custodial=False,
                )
            )
            data: dict[str, Any] = {"block": effect.block_number}
            add_events(connection, [Event(ti.ti_id, EventKind.RECEIVED, ti.received_at, data)])


def _block(row: sa.RowMapping) -> Block:
    return Block(row["number"], row["hash"], row["parent"], row["timestamp"])


def _effect_row(effect: Effect) -> dict[str, Any]:
    return {
        "block_hash": effect.block_hash,
        "log_index": effect.log_index,
        "block_number": effect.block_number,
        "statement_hash": effect.statement_hash,
        "transaction_hash": effect.transaction_hash,
        "contract": effect.contract,
        "event": effect.event,
        "arguments": dict(effect.arguments),
    }


def _effect(row: sa.RowMapping) -> Effect:
    return Effect(
        statement_hash=row["statement_hash"],
        contract=row["contract"],
        event=row["event"],
        arguments=row["arguments"],
        block_number=row["block_number"],
        block_hash=row["block_hash"],
        transaction_hash=row["transaction_hash"],
        log_index=row["log_index"],
    )
