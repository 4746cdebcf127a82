"""Reconciling a restored instance with the chain, and going on openly where something is lost."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import UTC, datetime

from handshaker.audit.errors import LogHeld
from handshaker.audit.merkle import TiledTree
from handshaker.backup.errors import LossTooLarge, NothingToAccept
from handshaker.backup.manifest import Manifest
from handshaker.bootstrap import Handshaker
from handshaker.errors import ChainError, RoleNotAllowed
from handshaker.messages import Act, Head
from handshaker.store.copies import Hear
from handshaker.store.restoring import OpenWork, Unknown
from handshaker.tokens import Credential
from handshaker.vocabulary import ActCode, ActorKind

MOST_LOST = 10_000_000
"""How many positions of the log can be declared lost."""
_BATCH = 5_000
"""Positions that are declared lost in one SQL transaction."""
_DEPLOYER = "deployer"
"""The relayer that paid for the contracts; what it sent was never a network transaction of ours."""
_RECORDED = "HealthRecords.Recorded"
_TRIES = 10


@dataclass(frozen=True, slots=True)
class LogState:
    """The restored log beside the head that the chain has anchored."""

    state: str
    """``whole``: all that is anchored is here; ``behind``: the chain has more; ``different``: it has something else;
    ``declared``: a loss that was accepted; ``unanchored``: there is nothing on the chain to compare with."""
    kept: int
    """Entries of the backup."""
    anchored: Head
    common: int
    """Size of the largest anchor whose root the entries still have."""
    last_kept_at: datetime | None
    anchored_at: datetime | None
    """Time of the block with the anchor."""

    @property
    def missing(self) -> int:
        """How many positions the chain has anchored that are not here."""
        return max(0, self.anchored.size - self.kept)


@dataclass(frozen=True, slots=True)
class Nonces:
    """A relayer's nonces that the backup does not know."""

    relayer: str
    address: str
    first: int
    used: int
    """How many the chain has counted."""

    @property
    def lost(self) -> int:
        """How many were used without the backup's knowledge."""
        return max(0, self.used - self.first)


@dataclass(frozen=True, slots=True)
class Reconciliation:
    """What the chain knows and the backup does not."""

    log: LogState
    is_held: bool
    """Whether nothing can be appended before the loss is accepted."""
    nonces: tuple[Nonces, ...]
    effects: Unknown | None
    """What took effect and has no ACK in the backup; ``None`` where a fork hides it until the loss is accepted."""
    open_work: OpenWork
    is_older: bool
    """Whether the chain shows that work went on after the backup."""
    live_tokens: int
    ended_sessions: int | None = None
    """Absent where none were meant to be ended."""
    ended_tokens: int = 0
    declared_at: int | None = None
    """Position of the entry that declares the loss."""
    acknowledged: int = 0
    """ACKs that were written from the chain at once."""

    @property
    def records_without_payload(self) -> int:
        """How many records are on the chain whose text is in no database any more."""
        return self.effects.unknown.get(_RECORDED, 0) if self.effects else 0


def look(handshaker: Handshaker) -> Reconciliation:
    """Compare an instance with the chain; where the log misses something, or has something else, it is held.

    Raises ``ChainUnreachable`` and ``ChainError``.
    """
    with suppress(LogHeld):
        handshaker.check_log()
    return _look(handshaker, None)


def reconcile(handshaker: Handshaker, manifest: Manifest) -> Reconciliation:
    """Compare an instance that was just restored with the chain, and write what follows from that.

    Where the log misses something, or has something else, it is held from here on. Else the loss of nonces and the
    restore are written, and what took effect is acknowledged. Raises ``ChainUnreachable`` and ``ChainError``.
    """
    with suppress(LogHeld):
        handshaker.check_log()
    found = _look(handshaker, manifest)
    if found.is_held:
        return found
    now = handshaker.clock.now()
    act = Act(ActCode.BACKUP_RESTORED, "system", manifest.backup, {"kept": found.log.kept})
    used = {each.address: each.used for each in found.nonces}
    handshaker.store.restoring.go_on(act, used, now, withholding=found.is_older)
    return replace(found, acknowledged=_acknowledge(handshaker))


def accept_loss(handshaker: Handshaker, credential: Credential, hear: Hear) -> Reconciliation:
    """Say in the log which positions are lost, and let it go on. Killed half-way it can be repeated.

    Raises ``RoleNotAllowed`` for whoever is no administrator, ``NothingToAccept`` where the log is not held,
    ``LossTooLarge``, and ``ChainUnreachable`` and ``ChainError``.
    """
    _require_administrator(credential)
    held = handshaker.store.log.held()
    if held is None:
        raise NothingToAccept("The log is not held.")
    anchored = handshaker.chain.anchored()
    if anchored != held[2]:
        handshaker.store.restoring.hold_anew(anchored, handshaker.clock.now())
    found = _look(handshaker, None)
    if found.log.missing > MOST_LOST:
        raise LossTooLarge(f"{found.log.missing} positions are lost.", lost=found.log.missing, limit=MOST_LOST)
    _fill(handshaker, found.log, hear)
    position = handshaker.store.restoring.declare_lost(
        credential.actor.actor_id,
        found.log.common,
        found.log.kept,
        anchored,
        {each.address: each.used for each in found.nonces},
        handshaker.clock.now(),
    )
    if position is None:
        raise NothingToAccept("Somebody else has accepted the loss, or the chain has anchored again, meanwhile.")
    return replace(found, is_held=False, declared_at=position, acknowledged=_acknowledge(handshaker))


def revoke_tokens(handshaker: Handshaker, but: Credential) -> int:
    """End every token except the administrator's who does this; return how many.

    Keys that a token alone opened sign never again. Raises ``RoleNotAllowed``.
    """
    _require_administrator(but)
    ended = 0
    for actor_id, token_id in handshaker.store.restoring.live_tokens(handshaker.clock.now()):
        if token_id != but.token_id:
            act = Act(ActCode.TOKEN_REVOKED, but.actor.actor_id, actor_id, {"token": token_id})
            handshaker.store.people.revoke_token(actor_id, token_id, handshaker.clock.now(), act)
            handshaker.vault.remove_secret(actor_id, token_id)
            ended += 1
    return ended


def _require_administrator(credential: Credential) -> None:
    if credential.actor.kind is not ActorKind.ADMINISTRATOR or "administer" not in credential.scopes:
        raise RoleNotAllowed(
            "Only an administrator may do this.", role=credential.actor.role, allowed=["administrator"]
        )


def _look(handshaker: Handshaker, manifest: Manifest | None) -> Reconciliation:
    store, held = handshaker.store, handshaker.store.log.held()
    walked = True
    try:
        _walked(handshaker)
    except LogHeld:
        # Acknowledgements would have to be contradicted, and nothing can be appended yet.
        walked = False
    nonces = _nonces(handshaker)
    return Reconciliation(
        log=_log_state(handshaker),
        is_held=held is not None,
        nonces=nonces,
        effects=store.restoring.unacknowledged_effects() if walked else None,
        open_work=store.restoring.open_work(),
        is_older=held is not None or any(each.lost for each in nonces) or _went_on(handshaker, manifest),
        live_tokens=len(store.restoring.live_tokens(handshaker.clock.now())),
    )


def _went_on(handshaker: Handshaker, manifest: Manifest | None) -> bool:
    """Whether blocks that the backup had not walked hold anything of ours."""
    place = manifest.chain if manifest else None
    if place is None:
        return False
    walked = place.deployment_block - 1 if place.walked_number is None else place.walked_number
    return handshaker.store.restoring.is_older_than(walked)


def _log_state(handshaker: Handshaker) -> LogState:
    log, held = handshaker.store.log, handshaker.store.log.held()
    anchored = handshaker.chain.anchored() if handshaker.chain.deployment else Head(0, b"")
    kept = held[1] if held else log.size()
    tree = TiledTree(log)
    anchors = [each for each in log.anchors(MOST_LOST) if each.head.size <= kept]
    common = next((each.head.size for each in anchors if tree.root(each.head.size) == each.head.root), 0)
    state = "whole" if anchored.size else "unanchored"
    if held is not None:
        state = held[0]
    elif anchored.size and common != anchored.size:
        state = "declared"
    newest = log.anchor_of(anchored.size, 2**62)
    block = handshaker.store.chain_view.block(newest.block_number) if newest else None
    return LogState(
        state=state,
        kept=kept,
        anchored=anchored,
        common=common,
        last_kept_at=log.written_at(kept - 1) if kept else None,
        anchored_at=datetime.fromtimestamp(block.timestamp, UTC) if block else None,
    )


def _nonces(handshaker: Handshaker) -> tuple[Nonces, ...]:
    if handshaker.chain.deployment is None:
        return ()
    highest = handshaker.store.restoring.highest_nonces()
    return tuple(
        Nonces(name, address, highest.get(address, -1) + 1, handshaker.chain.nonce(address))
        for name, address in handshaker.vault.relayers().items()
        if name != _DEPLOYER
    )


def _walked(handshaker: Handshaker) -> None:
    if handshaker.chain.deployment is None:
        return
    indexer = handshaker.indexer()
    for _ in range(_TRIES):
        if indexer.walk() is not None:
            return
    raise ChainError("The chain changes faster than it can be walked.")


def _acknowledge(handshaker: Handshaker) -> int:
    """Acknowledge what took effect in final blocks; return how many ACKs were written."""
    if handshaker.chain.deployment is None:
        return 0
    before = sum(handshaker.store.audit.counts().values())
    indexer = handshaker.indexer()
    for _ in range(_TRIES):
        if indexer.advance() is not None:
            return sum(handshaker.store.audit.counts().values()) - before
    raise ChainError("The chain changes faster than it can be walked.")


def _fill(handshaker: Handshaker, log: LogState, hear: Hear) -> None:
    """Append a declaration for every missing position, so that none is ever used for something else."""
    done = handshaker.store.log.size()
    while done < log.anchored.size:
        hear("declaring lost positions", done - log.kept, log.missing)
        done = handshaker.store.restoring.append_lost(log.anchored, log.anchored.size, handshaker.clock.now(), _BATCH)
    hear("declaring lost positions", log.missing, max(log.missing, 1))
