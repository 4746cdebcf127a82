"""What people read of the audit log: its heads with their anchors, and its newest entries. Writes nothing."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import sqlalchemy as sa

from handshaker.messages import Anchor, Head, SignedHead
from handshaker.store import schema as s
from handshaker.store.database import Database
from handshaker.store.log import LogEntry


@dataclass(frozen=True, slots=True)
class AnchoredHead:
    """A head that was signed, and where the chain tells of it."""

    signed: SignedHead
    anchor: Anchor | None
    """``None`` while the chain has not told of it in a final block."""
    at: datetime | None
    """When that block was made; ``None`` also where its time is not known here."""


class LogReading:
    """Pages of the log's tables."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def heads_after(self, size: int, final_number: int, limit: int) -> list[AnchoredHead]:
        """Return heads by size, from the first one larger than ``size``."""
        wanted = _heads(final_number).where(s.audit_heads.c.size > size).order_by(s.audit_heads.c.size)
        return self._heads(wanted.limit(limit))

    def newest_heads(self, final_number: int, limit: int, before: int | None = None) -> list[AnchoredHead]:
        """Return heads, the largest first; those smaller than ``before``."""
        wanted = _heads(final_number).order_by(s.audit_heads.c.size.desc())
        if before is not None:
            wanted = wanted.where(s.audit_heads.c.size < before)
        return self._heads(wanted.limit(limit))

    def is_contradicted(self, position: int, final_number: int) -> bool:
        """Whether a final anchor beyond ``position`` has another root than the head of the same size that we signed."""
        query = (
            sa.select(s.anchors.c.size)
            .join(s.audit_heads, s.audit_heads.c.size == s.anchors.c.size)
            .where(s.anchors.c.size > position, s.anchors.c.block_number <= final_number)
            .where(s.anchors.c.root != s.audit_heads.c.root)
        )
        with self._database.read() as connection:
            return connection.execute(query.limit(1)).first() is not None

    def newest_entries(self, limit: int, before: int | None = None, kind: str | None = None) -> list[LogEntry]:
        """Return entries, the newest first; those before a position, of all kinds or of one."""
        query = (
            sa.select(s.audit_positions.c.position, s.audit_entries)
            .join(s.audit_entries, s.audit_entries.c.entry_id == s.audit_positions.c.entry_id)
            .order_by(s.audit_positions.c.position.desc())
            .limit(limit)
        )
        if before is not None:
            query = query.where(s.audit_positions.c.position < before)
        if kind is not None:
            query = query.where(s.audit_entries.c.kind == kind)
        with self._database.read() as connection:
            return [
                LogEntry(r["position"], r["entry_id"], r["kind"], r["leaf"], r["leaf_hash"], r["written_at"])
                for r in connection.execute(query).mappings()
            ]

    def _heads(self, query: sa.Select[Any]) -> list[AnchoredHead]:
        with self._database.read() as connection:
            return [_anchored_head(row) for row in connection.execute(query).mappings()]


def _heads(final_number: int) -> sa.Select[Any]:
    """Select heads with their anchors; one of a branch that was lost by a restore has another root, and is none."""
    a, h = s.anchors.c, s.audit_heads.c
    is_its_own = sa.and_(a.size == h.size, a.root == h.root, a.block_number <= final_number)
    return sa.select(
        s.audit_heads,
        *(a[name].label(f"anchor_{name}") for name in _ANCHOR),
        s.blocks.c.timestamp,
    ).select_from(
        s.audit_heads.outerjoin(s.anchors, is_its_own).outerjoin(s.blocks, s.blocks.c.number == a.block_number)
    )


_ANCHOR = ("operator", "block_number", "block_hash", "transaction_hash", "log_index")


def _anchored_head(row: sa.RowMapping) -> AnchoredHead:
    head = Head(row["size"], row["root"])
    signed = SignedHead(head, row["made_at"], row["signer"], row["signature"])
    if row["anchor_block_number"] is None:
        return AnchoredHead(signed, None, None)
    anchor = Anchor(head, *(row[f"anchor_{name}"] for name in _ANCHOR))
    at = None if row["timestamp"] is None else datetime.fromtimestamp(row["timestamp"], UTC)
    return AnchoredHead(signed, anchor, at)
