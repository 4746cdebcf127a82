"""What the store finds of TIs: the lines of a search, and the parts of one TI's file."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from handshaker.messages import EventKind, Json, Origin, Refusal


@dataclass(frozen=True, slots=True)
class Row:
    """One line of a search."""

    ti_id: str
    status: EventKind
    """The last thing that happened to it."""
    code: str
    """Of its ACK; before that, the network's refusal that it waits after; else empty."""
    template: str
    """``name@version``; ``Contract.Event@0`` for what came straight from the chain."""
    actor_id: str
    actor_name: str
    """Empty for patients, and for somebody who is not in the directory's copy."""
    patient_id: str | None
    received_at: datetime
    acknowledged_at: datetime | None
    position: int | None
    """Index of its leaf in the audit log."""
    origin: Origin


@dataclass(frozen=True, slots=True)
class Criteria:
    """What a search is narrowed to; ``None`` does not narrow."""

    status: EventKind | None = None
    code: str | None = None
    error: str | None = None
    """The contract's error that ``code`` stands for, for TIs that wait after it."""
    actor_id: str | None = None
    patient_id: str | None = None
    """Both by their beginning: ``0x`` and hex digits in lower case."""
    template: str | None = None
    version: int | None = None
    since: datetime | None = None
    until: datetime | None = None
    """Received at ``since`` or later, and before ``until``."""


@dataclass(frozen=True, slots=True)
class Progress:
    """How far a TI is, in one question."""

    ti_id: str
    status: EventKind
    at: datetime
    """When that happened."""
    data: Mapping[str, Json]
    """What its last event says: ``block``, ``transaction``, ``code``."""
    verdict: str | None
    code: str | None
    arguments: Mapping[str, Json] | None
    refusal: Refusal | None
    """Why the network refused it last time, if it waits after that."""
    statement_hash: bytes | None
    block_number: int | None
    block_hash: bytes | None
    transaction_hash: bytes | None
    position: int | None


@dataclass(frozen=True, slots=True)
class StatementRow:
    """The statement of a TI as it rests."""

    statement_hash: bytes
    contract: str
    function: str
    words: bytes | None
    """Absent where it was first seen on the chain."""
    signer: str
    deadline: int | None
    custodial: bool
    has_signature: bool


@dataclass(frozen=True, slots=True)
class SentAttempt:
    """One signed form of a network transaction; fees are wei for a unit of gas."""

    hash: bytes
    max_fee: int
    priority_fee: int
    at: datetime


@dataclass(frozen=True, slots=True)
class Carrier:
    """A network transaction that carried the statement."""

    network_id: int
    relayer: str
    nonce: int
    gas: int
    created_at: datetime
    settled_at: datetime | None
    outcome: str | None
    """``mined``, ``reverted`` or ``replaced``, once settled."""
    position: int
    """Of the statement in the batch, from 0."""
    batch_size: int
    attempts: tuple[SentAttempt, ...] = ()


@dataclass(frozen=True, slots=True)
class Leaf:
    """An entry of the audit log about a TI: its ACK, or the contradiction of it."""

    position: int
    kind: str
    leaf_hash: bytes
    leaf: bytes
    """RFC 8785 JSON, as it was hashed."""
