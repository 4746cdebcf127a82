"""What the outside must offer, as Protocols; the adapters live in ``ethereum/``, ``store/`` and ``vault/``."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Any, Protocol

from handshaker.messages import (
    Anchor,
    Attempt,
    Block,
    ChainIdentity,
    Effect,
    Fees,
    Head,
    NetworkTransaction,
    Receipt,
    Refusal,
    Sealed,
    SendOutcome,
    SignedCall,
)


class Clock(Protocol):
    """Time comes from here and from nowhere else."""

    def now(self) -> datetime:
        """Return the present moment, aware, in UTC."""
        ...


class Vault(Protocol):
    """The only one that opens keys. ``owner`` is a patient's pseudonym, another actor's id, or a quarantine."""

    def create_owner(self, owner: str, expires_at: datetime | None = None) -> None:
        """Give ``owner`` a data key, unless there is one."""
        ...

    def seal(self, owner: str, plaintext: bytes, context: bytes) -> Sealed:
        """Encrypt for ``owner``, bound to ``context``."""
        ...

    def unseal(self, sealed: Sealed, context: bytes) -> bytes:
        """Decrypt; raises ``CiphertextInvalid`` and ``KeyUnknown``."""
        ...

    def create_signing_key(self, owner: str, secret: bytes, secret_id: str = ...) -> str:
        """Make a signing key that only ``secret`` opens; return its address."""
        ...

    def signing_address(self, owner: str) -> str | None:
        """Return the address of the owner's vault-kept key, if there is one."""
        ...

    def add_secret(self, owner: str, secret: bytes, new_secret: bytes, secret_id: str) -> None:
        """Let ``new_secret`` open the key too."""
        ...

    def remove_secret(self, owner: str, secret_id: str) -> None:
        """Let a secret open the key no more."""
        ...

    def destroy_signing_key(self, owner: str) -> None:
        """Destroy the key with all its secrets."""
        ...

    def sign(self, owner: str, secret: bytes, digest: bytes) -> bytes:
        """Sign 32 bytes as ``owner``; return r ‖ s ‖ v. Raises ``KeyLocked`` for a wrong secret."""
        ...

    def create_relayer(self, name: str) -> str:
        """Return the address of a relayer, made if need be."""
        ...

    def sign_as_relayer(self, address: str, digest: bytes) -> bytes:
        """Sign 32 bytes as a relayer; return r ‖ s ‖ recovery id."""
        ...

    def seal_entry(self, position: int, leaf_hash: bytes) -> bytes:
        """Return the seal of an entry of the audit log at its position."""
        ...

    def blind_index(self, kind: str, value: str) -> str:
        """Return a keyed hash of an identifier."""
        ...


class Chain(Protocol):
    """An Ethereum node with our contracts. Any call may raise ``ChainUnreachable`` or ``ChainError``."""

    def identity(self) -> ChainIdentity:
        """Return chain id and genesis."""
        ...

    def check_deployment(self) -> None:
        """Raise ``ChainMismatch`` unless this is the chain that holds our contracts."""
        ...

    def address(self, contract: str) -> str:
        """Return where a contract is."""
        ...

    def digest(self, contract: str, statement_hash: bytes) -> bytes:
        """Return the 32 bytes that a signer signs."""
        ...

    def head(self) -> Block:
        """Return the newest block."""
        ...

    def block(self, number: int) -> Block | None:
        """Return a block by number."""
        ...

    def final_number(self, head: Block) -> int:
        """Return the number of the highest final block under ``head``."""
        ...

    def told(self, first: int, last: int) -> tuple[list[Effect], list[Anchor]]:
        """Return the effect events and the audit log's anchors of a range of blocks, each in order."""
        ...

    def anchor_gas(self) -> int:
        """Return the gas limit of an anchor."""
        ...

    def anchored(self) -> Head:
        """Return the audit log's latest head as the newest block has it."""
        ...

    def ask(self, calls: Sequence[SignedCall], block: int | None = None) -> list[Refusal | None]:
        """Ask about a batch without sending it."""
        ...

    def gas(self, calls: Sequence[SignedCall]) -> int:
        """Return the gas limit of a batch."""
        ...

    def attempt(
        self,
        sign: Callable[[bytes], bytes],
        transaction: NetworkTransaction,
        calls: Sequence[SignedCall],
        fees: Fees,
    ) -> Attempt:
        """Return signed bytes."""
        ...

    def send(self, raw: bytes) -> SendOutcome:
        """Hand bytes to the node; never raises."""
        ...

    def receipt(self, transaction_hash: bytes) -> Receipt | None:
        """Return what became of a transaction, if it was mined."""
        ...

    def fees(self) -> Fees:
        """Return the fees of a first attempt."""
        ...

    def dearer(self, attempt: Attempt, *, is_late: bool) -> Fees | None:
        """Return the fees of the attempt after ``attempt``; ``None`` where none is due, or the cap forbids it."""
        ...

    def nonce(self, account: str, block: int | None = None) -> int:
        """Return how many transactions of an account are in the chain."""
        ...

    def balance(self, account: str) -> int:
        """Return the balance of an account in wei."""
        ...

    def beat(self) -> bool:
        """Make a block, where that is possible."""
        ...

    def view(self, contract: str, function: str, *arguments: Any) -> tuple[Any, ...]:
        """Read from a contract."""
        ...

    def has_code(self, account: str) -> bool:
        """Return whether an account is a contract."""
        ...

    def accepts_signature(self, account: str, signed: bytes, signature: bytes) -> bool:
        """Ask a contract about its signature (ERC-1271)."""
        ...
