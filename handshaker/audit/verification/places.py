"""Places of the log as they are found, and what is told of them."""

from __future__ import annotations

from dataclasses import dataclass
from hashlib import sha256
from typing import NamedTuple

from handshaker.audit.verification.report import What
from handshaker.audit.verification.sources import Placement


class Row(NamedTuple):
    """A place, or an entry without one, with the hash of the leaf that is there now."""

    position: int | None
    entry_id: str | None
    leaf_hash: bytes | None
    """``None`` where the place points to no entry."""
    stored: bytes | None
    """The hash that the row says."""
    seal: bytes | None

    @property
    def is_as_stored(self) -> bool:
        """Whether the leaf has the hash that the row says."""
        return self.leaf_hash is not None and self.leaf_hash == self.stored


@dataclass(slots=True)
class Misplaced:
    """What happened at a position, and to how many from there on."""

    what: What
    position: int
    count: int
    entry_id: str | None
    belongs: int | None = None
    """The position whose entry stands here."""
    stands: int | None = None
    """Where the entry of this position stands instead."""
    is_seal_missing: bool = False
    is_entry_missing: bool = False
    is_place_missing: bool = False
    """Whether not even a position is left."""
    is_unsealed: bool = False
    """Whether it is older than seals: then only its stored hash speaks against it."""
    is_hash_alone: bool = False
    """Whether the leaf is the sealed one, and only the stored hash another."""
    is_leaf_alone: bool = False
    """Whether the stored hash is still the sealed one, and only the leaf another."""


def is_alike(one: Misplaced, other: Misplaced) -> bool:
    """Whether the same happened to both, so that neighbours can be told of together."""
    return one.what is not What.REORDERED and _manner(one) == _manner(other)


def _manner(found: Misplaced) -> tuple[object, ...]:
    flags = (found.is_seal_missing, found.is_entry_missing, found.is_unsealed, found.is_hash_alone, found.is_leaf_alone)
    return (found.what, *flags)


def row_of(placement: Placement) -> Row:
    """Return a place with the hash of its leaf."""
    entry_id = None if placement.entry_id is None else str(placement.entry_id)
    seal = placement.seal if isinstance(placement.seal, bytes) else None
    if placement.leaf is None:
        return Row(placement.position, entry_id, None, None, seal)
    stored = placement.leaf_hash if isinstance(placement.leaf_hash, bytes) else None
    # The same letters as text are no leaf any more.
    leaf_hash = sha256(b"\x00" + placement.leaf).digest() if isinstance(placement.leaf, bytes) else bytes(32)
    return Row(placement.position, entry_id, leaf_hash, stored, seal)
