"""The chain as the indexer has walked it."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

import sqlalchemy as sa

from handshaker.crash_points import crash_point
from handshaker.messages import Anchor, Block, Effect, Event, EventKind, InitialTransaction
from handshaker.store import schema as s
from handshaker.store.audit import add_events, write_contradictions
from handshaker.store.database import Database, lock, lock_hash
from handshaker.store.rows import effect_of
from handshaker.store.sequencer import Sequencer

_WALK_LOCK = 7349003
_TIP = sa.select(s.blocks).order_by(s.blocks.c.number.desc()).limit(1)


class ChainViewStore:
    """Blocks and effects, the ones that are not final yet included."""

    def __init__(self, database: Database, sequencer: Sequencer) -> None:
        self._database = database
        self._sequencer = sequencer

    def tip(self) -> Block | None:
        """Return the highest block that was walked."""
        with self._database.read() as connection:
            row = connection.execute(_TIP).mappings().first()
        return _block(row) if row else None

    def block(self, number: int) -> Block | None:
        """Return a walked block by number."""
        with self._database.read() as connection:
            row = connection.execute(sa.select(s.blocks).where(s.blocks.c.number == number)).mappings().first()
        return _block(row) if row else None

    def extend(self, blocks: Sequence[Block], effects: Sequence[Effect], anchors: Sequence[Anchor] = ()) -> bool:
        """Append blocks, at least one, that follow the tip, with their effects and anchors.

        ``False``, and nothing written, when the tip is not what they follow: another worker walks here too.
        """
        with self._database.write() as connection:
            lock(connection, _WALK_LOCK)
            tip = connection.execute(_TIP).mappings().first()
            if tip is not None and (tip["number"], tip["hash"]) != (blocks[0].number - 1, blocks[0].parent):
                return False
            connection.execute(
                sa.insert(s.blocks),
                [{"number": b.number, "hash": b.hash, "parent": b.parent, "timestamp": b.timestamp} for b in blocks],
            )
            crash_point("indexer.blocks-written")
            if effects:
                connection.execute(sa.insert(s.effects), [_effect_row(effect) for effect in effects])
                crash_point("indexer.effects-written")
            if anchors:
                connection.execute(sa.insert(s.anchors), [_anchor_row(anchor) for anchor in anchors])
                crash_point("indexer.anchors-written")
            return True

    def roll_back(self, tip: Block, above: int, at: datetime) -> list[str]:
        """Forget the blocks above a number after a fork, and contradict every ACK whose evidence was in them.

        Returns the TIs of those. All in one SQL transaction: what is forgotten alone could never be contradicted.
        Nothing happens unless ``tip`` is still the highest: another worker has found the fork then, and walked on.
        """
        with self._database.write() as connection:
            lock(connection, _WALK_LOCK)
            found = connection.execute(_TIP).mappings().first()
            if found is None or found["hash"] != tip.hash:
                return []
            query = sa.select(s.blocks).where(s.blocks.c.number > above).order_by(s.blocks.c.number)
            gone = [_block(row) for row in connection.execute(query).mappings()]
            contradicted = [
                ti_id for block in gone for ti_id in write_contradictions(connection, self._sequencer, block, at)
            ]
            crash_point("indexer.contradicted")
            connection.execute(sa.delete(s.effects).where(s.effects.c.block_number > above))
            connection.execute(sa.delete(s.anchors).where(s.anchors.c.block_number > above))
            crash_point("indexer.forgetting")
            connection.execute(sa.delete(s.blocks).where(s.blocks.c.number > above))
            return contradicted

    def unsettled_effects(self, after: int, up_to: int) -> list[tuple[Effect, str | None]]:
        """Return effects in blocks ``after`` < number ≤ ``up_to`` that are no ACK's evidence, with their known TI.

        One statement can have a second effect: a recovery is proposed, and later changes the controller.
        """
        query = (
            sa.select(s.effects, s.statements.c.ti_id)
            .outerjoin(s.statements, s.statements.c.statement_hash == s.effects.c.statement_hash)
            .outerjoin(s.acknowledgements, s.acknowledgements.c.ti_id == s.statements.c.ti_id)
            .where(
                s.effects.c.block_number > after,
                s.effects.c.block_number <= up_to,
                sa.or_(
                    s.acknowledgements.c.block_hash.is_(None),
                    s.acknowledgements.c.block_hash != s.effects.c.block_hash,
                    s.acknowledgements.c.log_index != s.effects.c.log_index,
                ),
            )
            .order_by(s.effects.c.block_number, s.effects.c.log_index)
        )
        with self._database.read() as connection:
            return [(effect_of(row), row["ti_id"]) for row in connection.execute(query).mappings()]

    def adopt(self, ti: InitialTransaction, effect: Effect, function: str, signer: str) -> str:
        """Make a TI of origin ``chain`` for an effect whose statement nobody here has seen; return the TI's id.

        That is another one's when the statement became known meanwhile.
        """
        with self._database.write() as connection:
            lock(connection, _WALK_LOCK)
            # Its signer may hand it in at this moment.
            lock_hash(connection, effect.statement_hash)
            query = sa.select(s.statements.c.ti_id).where(s.statements.c.statement_hash == effect.statement_hash)
            known: str | None = connection.execute(query).scalar()
            if known is not None:
                return known
            connection.execute(
                sa.insert(s.transactions).values(
                    ti_id=ti.ti_id,
                    origin=str(ti.origin),
                    template=ti.template,
                    template_version=ti.template_version,
                    actor_id=ti.actor_id,
                    patient_id=ti.patient_id,
                    idempotency_key=ti.idempotency_key,
                    received_at=ti.received_at,
                )
            )
            crash_point("indexer.adopting")
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
            return ti.ti_id


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


def _anchor_row(anchor: Anchor) -> dict[str, Any]:
    return {
        "block_hash": anchor.block_hash,
        "log_index": anchor.log_index,
        "block_number": anchor.block_number,
        "transaction_hash": anchor.transaction_hash,
        "size": anchor.head.size,
        "root": anchor.head.root,
        "operator": anchor.operator,
    }
