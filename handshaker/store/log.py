"""The audit log: entries by position, tiles, heads, anchors and holds."""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import sqlalchemy as sa

from handshaker.audit.leaf import act_leaf, erasure_leaf
from handshaker.crash_points import crash_point
from handshaker.messages import Act, Anchor, Head, SignedHead
from handshaker.store import schema as s
from handshaker.store.database import Database
from handshaker.store.sequencer import Sequencer, entry, new_entry_id

_ERASURES = uuid.UUID("b0a8b9b4-2b0f-4c0e-9d43-6a6f5d1f7e52")
"""Namespace of the ids of erasures."""


@dataclass(frozen=True, slots=True)
class LogEntry:
    """One entry of the log."""

    position: int
    entry_id: str
    kind: str
    leaf: bytes
    leaf_hash: bytes
    written_at: datetime


class LogStore:
    """The Merkle log's tables. Positions count from 0; a range ``first``, ``last`` leaves ``last`` out."""

    def __init__(self, database: Database, sequencer: Sequencer) -> None:
        self._database = database
        self._sequencer = sequencer

    # ---- entries -----------------------------------------------------------------------------------------------------

    def add_act(self, act: Act, at: datetime) -> int:
        """Append an administrative act and return its position; raises ``StoreUnavailable`` and ``LogHeld``."""
        entry_id = new_entry_id()
        return self._append(entry(entry_id, "act", act_leaf(entry_id, act, at), at))

    def add_erasure(self, owner: str, reason: str, at: datetime) -> int:
        """Append that an owner's key is destroyed, once for each owner; return the entry's position.

        Raises ``StoreUnavailable`` and ``LogHeld``.
        """
        # The same id for the same owner: whoever died between the entry and the destruction repeats both.
        entry_id = str(uuid.uuid5(_ERASURES, owner))
        return self._append(entry(entry_id, "erasure", erasure_leaf(entry_id, owner, reason, at), at))

    def _append(self, row: dict[str, Any]) -> int:
        """Append an entry, unless it is there; return its position."""
        known = sa.select(s.audit_positions.c.position).where(s.audit_positions.c.entry_id == row["entry_id"])
        with self._database.write() as connection:
            self._sequencer.take_turn(connection)
            position: int | None = connection.execute(known).scalar()
            return self._sequencer.append(connection, [row]) if position is None else position

    def size(self) -> int:
        """Return how many entries there are."""
        with self._database.read() as connection:
            last: int | None = connection.execute(sa.select(sa.func.max(s.audit_positions.c.position))).scalar()
        return 0 if last is None else last + 1

    def entry_at(self, position: int) -> LogEntry | None:
        """Return the entry at a position."""
        found = self.entries(position, position + 1)
        return found[0] if found else None

    def entries(self, first: int, last: int, kind: str | None = None) -> list[LogEntry]:
        """Return the entries of a range in order, of all kinds or of one."""
        query = (
            sa.select(s.audit_positions.c.position, s.audit_entries)
            .join(s.audit_entries, s.audit_entries.c.entry_id == s.audit_positions.c.entry_id)
            .where(s.audit_positions.c.position >= first, s.audit_positions.c.position < last)
            .order_by(s.audit_positions.c.position)
        )
        if kind is not None:
            query = query.where(s.audit_entries.c.kind == kind)
        with self._database.read() as connection:
            return [
                LogEntry(r["position"], r["entry_id"], r["kind"], r["leaf"], r["leaf_hash"], r["written_at"])
                for r in connection.execute(query).mappings()
            ]

    def counts(self) -> dict[str, int]:
        """Return how many entries there are by kind."""
        query = sa.select(s.audit_entries.c.kind, sa.func.count()).group_by(s.audit_entries.c.kind)
        with self._database.read() as connection:
            return {row[0]: row[1] for row in connection.execute(query)}

    def leaf_hashes(self, first: int, last: int) -> list[bytes]:
        """Return the leaf hashes of a range in order."""
        query = (
            sa.select(s.audit_entries.c.leaf_hash)
            .join(s.audit_positions, s.audit_positions.c.entry_id == s.audit_entries.c.entry_id)
            .where(s.audit_positions.c.position >= first, s.audit_positions.c.position < last)
            .order_by(s.audit_positions.c.position)
        )
        with self._database.read() as connection:
            return list(connection.execute(query).scalars())

    # ---- tiles -------------------------------------------------------------------------------------------------------

    def tiles(self, level: int, first: int, last: int) -> list[bytes]:
        """Return the hashes of the complete subtrees ``first`` to ``last`` of a level, as far as they are stored."""
        query = (
            sa.select(s.audit_tiles.c.hash)
            .where(s.audit_tiles.c.level == level, s.audit_tiles.c.number >= first, s.audit_tiles.c.number < last)
            .order_by(s.audit_tiles.c.number)
        )
        with self._database.read() as connection:
            return list(connection.execute(query).scalars())

    def tile_counts(self) -> dict[int, int]:
        """Return how many tiles are stored by level; they are dense from 0."""
        query = sa.select(s.audit_tiles.c.level, sa.func.max(s.audit_tiles.c.number)).group_by(s.audit_tiles.c.level)
        with self._database.read() as connection:
            return {row[0]: row[1] + 1 for row in connection.execute(query)}

    def add_tiles(self, tiles: Sequence[tuple[int, int, bytes]]) -> None:
        """Store ``(level, number, hash)``; those that another process stored first stay."""
        if not tiles:
            return
        known = sa.select(s.audit_tiles.c.level, s.audit_tiles.c.number)
        levels = {level: min(number for each, number, _ in tiles if each == level) for level, _, _ in tiles}
        known = known.where(
            sa.or_(*(sa.and_(s.audit_tiles.c.level == k, s.audit_tiles.c.number >= v) for k, v in levels.items()))
        )
        with self._database.write() as connection:
            self._sequencer.take_turn(connection)
            there = {(row[0], row[1]) for row in connection.execute(known)}
            rows = [
                {"level": level, "number": number, "hash": tile}
                for level, number, tile in tiles
                if (level, number) not in there
            ]
            if rows:
                connection.execute(sa.insert(s.audit_tiles), rows)
                crash_point("log.tiles-written")

    # ---- heads and anchors -------------------------------------------------------------------------------------------

    def latest_head(self) -> SignedHead | None:
        """Return the largest head that was signed."""
        with self._database.read() as connection:
            row = connection.execute(_HEADS.order_by(s.audit_heads.c.size.desc()).limit(1)).mappings().first()
        return _signed_head(row) if row else None

    def heads(self, sizes: Sequence[int] | None = None) -> list[SignedHead]:
        """Return the signed heads of some sizes, or all, by size."""
        query = _HEADS.order_by(s.audit_heads.c.size)
        if sizes is not None:
            query = query.where(s.audit_heads.c.size.in_(sizes))
        with self._database.read() as connection:
            return [_signed_head(row) for row in connection.execute(query).mappings()]

    def anchored_size(self) -> int:
        """Return the largest size of the anchors that were walked; 0 where there is none."""
        with self._database.read() as connection:
            return connection.execute(sa.select(sa.func.max(s.anchors.c.size))).scalar() or 0

    def is_anchoring(self) -> bool:
        """Tell whether an anchor is on its way, whoever sent it."""
        under_way = sa.select(s.network_transactions.c.network_id).where(
            s.network_transactions.c.head_size.is_not(None), s.network_transactions.c.settled_at.is_(None)
        )
        with self._database.read() as connection:
            return connection.execute(under_way.limit(1)).first() is not None

    def written_at(self, position: int) -> datetime | None:
        """Return when the entry at a position was written; ``None`` where there is none yet."""
        query = (
            sa.select(s.audit_entries.c.written_at)
            .join(s.audit_positions, s.audit_positions.c.entry_id == s.audit_entries.c.entry_id)
            .where(s.audit_positions.c.position == position)
        )
        with self._database.read() as connection:
            return connection.execute(query).scalar()

    def anchor_over(self, position: int, final_number: int) -> Anchor | None:
        """Return the smallest anchor in a final block that covers the entry at ``position`` and whose head we signed.

        An anchor of a branch that was lost by a restore is none of ours: its root is not the one that we signed.
        """
        query = (
            _ANCHORS.join(
                s.audit_heads,
                sa.and_(s.audit_heads.c.size == s.anchors.c.size, s.audit_heads.c.root == s.anchors.c.root),
            )
            .where(s.anchors.c.size > position, s.anchors.c.block_number <= final_number)
            .order_by(s.anchors.c.size)
            .limit(1)
        )
        with self._database.read() as connection:
            row = connection.execute(query).mappings().first()
        return _anchor(row) if row else None

    def anchor_of(self, size: int, final_number: int) -> Anchor | None:
        """Return the anchor of exactly that size in a final block, if there is one."""
        query = _ANCHORS.where(s.anchors.c.size == size, s.anchors.c.block_number <= final_number)
        with self._database.read() as connection:
            row = connection.execute(query).mappings().first()
        return _anchor(row) if row else None

    def anchors(self, limit: int = 100, before: int | None = None) -> list[Anchor]:
        """Return the last anchors that were walked, largest first; those with a size below ``before``."""
        query = _ANCHORS.order_by(s.anchors.c.size.desc()).limit(limit)
        if before is not None:
            query = query.where(s.anchors.c.size < before)
        with self._database.read() as connection:
            return [_anchor(row) for row in connection.execute(query).mappings()]

    # ---- holds -------------------------------------------------------------------------------------------------------

    def hold(self, reason: str, size: int, anchored: Head, at: datetime) -> None:
        """Let nothing be appended from here on; safe to repeat."""
        with self._database.write() as connection:
            self._sequencer.take_turn(connection)
            if connection.execute(_OPEN_HOLD).first() is None:
                connection.execute(
                    sa.insert(s.log_holds).values(
                        reason=reason, size=size, anchored_size=anchored.size, anchored_root=anchored.root, held_at=at
                    )
                )

    def held(self) -> tuple[str, int, Head] | None:
        """Return why the log is held, its size then, and the head that the chain has; ``None`` where it is not."""
        with self._database.read() as connection:
            row = connection.execute(_OPEN_HOLD).mappings().first()
        return (row["reason"], row["size"], Head(row["anchored_size"], row["anchored_root"])) if row else None


_HEADS = sa.select(s.audit_heads)
_ANCHORS = sa.select(s.anchors)
_OPEN_HOLD = sa.select(s.log_holds).where(s.log_holds.c.lifted_at.is_(None)).limit(1)


def add_head(connection: sa.Connection, signed: SignedHead) -> None:
    """Write a signed head, in the turn of the sequencer; one of the same size that is there already stays."""
    known = sa.select(s.audit_heads.c.size).where(s.audit_heads.c.size == signed.head.size)
    if connection.execute(known).first() is None:
        connection.execute(
            sa.insert(s.audit_heads).values(
                size=signed.head.size,
                root=signed.head.root,
                made_at=signed.made_at,
                signer=signed.signer,
                signature=signed.signature,
            )
        )


def _signed_head(row: sa.RowMapping) -> SignedHead:
    return SignedHead(Head(row["size"], row["root"]), row["made_at"], row["signer"], row["signature"])


def _anchor(row: sa.RowMapping) -> Anchor:
    return Anchor(
        Head(row["size"], row["root"]),
        row["operator"],
        row["block_number"],
        row["block_hash"],
        row["transaction_hash"],
        row["log_index"],
    )
