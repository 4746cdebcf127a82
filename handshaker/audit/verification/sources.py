"""What a verification needs of the store, the vault and the chain, as Protocols; rows are as the database gives them.

Nothing in a row is believed to be of the right type: whoever changed it may have changed that too.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple, Protocol

from handshaker.messages import Anchor, Block, Deployment, Effect


class Placement(NamedTuple):
    """A place in the log and the entry that stands there, for whoever looks for where it belongs."""

    position: int | None
    """``None`` for an entry that no place points to."""
    entry_id: Any
    leaf: Any
    leaf_hash: Any
    seal: Any


class Trace(NamedTuple):
    """A row that tells of an entry: what is left where that is missing."""

    ti_id: str | None
    entry_id: str | None
    position: int | None
    """Where the outbox says that it stands."""
    told: bool
    """Whether the TI's history tells of the acknowledgement."""
    has_history: bool
    """Whether anything is told of the TI."""
    waiting: bool
    """Whether the TI still waits in the queue."""


class HeadRow(NamedTuple):
    """A signed head as it rests."""

    size: Any
    root: Any
    made_at: Any
    signer: Any
    signature: Any


class Evidence(NamedTuple):
    """What a valid acknowledgement's row says of the chain."""

    block_number: int | None
    block_hash: bytes | None
    log_index: int | None
    statement_hash: bytes | None
    transaction_hash: bytes | None
    ti_id: str
    entry_id: str


class Answered(NamedTuple):
    """An acknowledgement of a statement."""

    verdict: str
    entry_id: str
    ti_id: str


ENTRY_COLUMNS = (
    "position",
    "place",
    "seal",
    "entry_id",
    "kind",
    "leaf",
    "leaf_hash",
    "written_at",
    "topic",
    "told_ti",
    "ti_id",
    "verdict",
    "code",
    "arguments",
    "statement_hash",
    "block_number",
    "block_hash",
    "transaction_hash",
    "log_index",
    "acknowledged_at",
    "detail_owner",
    "detail_nonce",
    "detail_ciphertext",
    "detail_wrapped_key",
    "template",
    "template_version",
    "actor_id",
    "patient_id",
    "origin",
    "signed_statement",
)
"""The columns of `Snapshot.entries`: ``place`` is the entry that the position points to, ``entry_id`` the one that is
there; ``topic`` and ``told_ti`` are the outbox's; from ``ti_id`` on follow acknowledgement, transaction, statement."""


@dataclass(frozen=True, slots=True)
class Counts:
    """How many rows there are."""

    positions: int
    entries: int
    acknowledgements: int
    outbox: int


class Snapshot(Protocol):
    """The tables at one moment. Nothing is written."""

    def missing_tables(self) -> list[str]:
        """Return the tables that somebody has taken out."""
        ...

    def counts(self) -> Counts:
        """Return how many rows there are."""
        ...

    def entries(self) -> Iterator[Sequence[Sequence[Any]]]:
        """Yield pages of rows of ``ENTRY_COLUMNS`` in the order of their positions."""
        ...

    def placements(self) -> Iterator[Placement]:
        """Yield every place in order, then the entries that no place points to."""
        ...

    def unlisted_entries(self) -> list[Trace]:
        """Return entries that no position points to."""
        ...

    def unlisted_acknowledgements(self) -> list[Trace]:
        """Return acknowledgements whose entry is not in the log."""
        ...

    def unlisted_messages(self) -> list[Trace]:
        """Return rows of the outbox whose position is not in the log."""
        ...

    def told_of(self) -> list[Trace]:
        """Return TIs whose history tells of an acknowledgement that is not there."""
        ...

    def forgotten(self) -> list[Trace]:
        """Return TIs from applications and imports that neither are acknowledged nor wait."""
        ...

    def entry_of(self, ti_id: str) -> tuple[str | None, int | None]:
        """Return the entry of a TI's acknowledgement and its position, as far as they are there."""
        ...

    def heads(self) -> list[HeadRow]:
        """Return the signed heads by size."""
        ...

    def tiles(self) -> Iterator[tuple[Any, Any, Any]]:
        """Yield ``(level, number, hash)``."""
        ...

    def anchors(self) -> list[Anchor]:
        """Return the database's copy of the chain's anchors, in the chain's order."""
        ...

    def largest_sent_head(self) -> int:
        """Return the size of the largest head that a network transaction was made for; 0 where there is none."""
        ...

    def held_sizes(self) -> set[int]:
        """Return the sizes that the log had when it was held because the chain had anchored more."""
        ...

    def tip(self) -> Block | None:
        """Return the highest block that was walked."""
        ...

    def block(self, number: int) -> Block | None:
        """Return a block that was walked."""
        ...

    def evidence(self) -> Iterator[Evidence]:
        """Yield what valid acknowledgements say of the chain, by block number; those without one first."""
        ...

    def answers(self, statement_hash: bytes) -> list[Answered]:
        """Return the acknowledgements of a statement."""
        ...

    def ti_of(self, statement_hash: bytes) -> str | None:
        """Return the TI of a statement."""
        ...

    def last_answered_block(self) -> int:
        """Return the number of the highest block that is an acknowledgement's evidence; -1 where there is none."""
        ...

    def position_after(self, block_number: int) -> int | None:
        """Return the first position of an acknowledgement whose evidence is in a later block."""
        ...

    def deployments(self) -> list[Deployment]:
        """Return where the contracts are said to be, oldest first."""
        ...

    def unguarded(self) -> list[str]:
        """Return the tables that only grow whose triggers are gone."""
        ...


class Keeper(Protocol):
    """The vault, as far as it vouches for entries."""

    def seal_entry(self, position: int, leaf_hash: bytes) -> bytes:
        """Return the seal of an entry at its position."""
        ...


class Witness(Protocol):
    """The chain. Any call may raise ``ChainUnreachable`` or ``ChainError``."""

    def check_deployment(self) -> None:
        """Raise ``ChainMismatch`` unless this is the chain that holds our contracts."""
        ...

    def head(self) -> Block:
        """Return the newest block."""
        ...

    def block(self, number: int) -> Block | None:
        """Return a block by number."""
        ...

    def final_number(self, head: Block) -> int:
        """Return the number of the highest final block."""
        ...

    def told(self, first: int, last: int) -> tuple[list[Effect], list[Anchor]]:
        """Return effects and anchors of a range of blocks."""
        ...

    def view(self, contract: str, function: str, *arguments: Any) -> tuple[Any, ...]:
        """Read from a contract."""
        ...


class Progress(Protocol):
    """Whoever wants to show how far it is."""

    def begin(self, what: str, total: int) -> None:
        """Hear what comes now and how many steps it has."""
        ...

    def advance(self, steps: int) -> None:
        """Hear that so many more are done."""
        ...


class Silence:
    """Nobody listens."""

    def begin(self, what: str, total: int) -> None:
        """Ignore it."""

    def advance(self, steps: int) -> None:
        """Ignore it."""
