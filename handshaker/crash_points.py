"""Named places where a process can be made to die: between any two steps that something outside would notice.

Nothing happens there unless a process was armed (``HANDSHAKER_CRASH_AT=worker.sent`` or, for the third passing,
``worker.sent:3``); then it kills itself with SIGKILL, which no handler sees. `docs/kill-campaign.md` says how the kill
campaign turns through all of them. Passing one that is not armed costs a comparison, less than 0.1 µs.
"""

from __future__ import annotations

import os
import re
import signal
from collections.abc import Mapping
from types import MappingProxyType

CRASH_POINTS: Mapping[str, str] = MappingProxyType(
    {
        # ---- intake, in the web application
        "intake.key-looked-up": "the idempotency key is new; nothing is written",
        "intake.identified": "the gate of identity and role let it pass",
        "intake.checked": "schema and plausibility let it pass",
        "intake.signed": "the signature is made or checked",
        "intake.sealed": "the vault has sealed the payload; nothing is written",
        "intake.transaction-written": "in the SQL transaction: the TI, not yet its statement",
        "intake.statement-written": "in the SQL transaction: statement and signature, not yet the queue row",
        "intake.queued": "in the SQL transaction: all of it, not committed",
        "intake.accepted": "committed; the request is not answered",
        "intake.quarantined": "the vault has made the owner of a refused body; nothing is written",
        "intake.refusing": "in the SQL transaction: a refused TI and its events, not yet its ACK",
        "intake.refusal-acknowledged": "in the SQL transaction: a refused TI with its ACK, not committed",
        "intake.refused": "a refusal is committed; the request is not answered",
        "intake.late-payload-sealed": "the statement came straight from the chain; its payload is sealed, not kept",
        "intake.late-payload-kept": "such a payload is kept; the request is not answered",
        "intake.answering": "the answer is made, and no byte of it sent",
        # ---- the worker: its life, and what became of what was sent
        "worker.started": "what an earlier life had leased is given back",
        "worker.log-checked": "the audit log is what the chain has anchored of it",
        "worker.first-nonce": "the relayer's first nonce is about to be spent on nothing",
        "worker.walked": "the indexer has caught up; nothing else is done in this pass",
        "worker.receipt-known": "the chain has told a receipt; nothing is written of it",
        "network.noting-mined": "in the SQL transaction: a receipt that is not final is noted, not committed",
        "network.settling": "in the SQL transaction: the nonce has its outcome, its rows are not given back",
        "network.requeueing": "in the SQL transaction: one rejected row is given back, others may follow",
        "worker.settled": "what became of a nonce is committed",
        "worker.signing-again": "a nonce without signed bytes was found; the same statements are read again",
        # ---- the worker: carrying
        "worker.taken": "a batch is leased",
        "worker.disclosed": "which signatures a question gives away is written; nothing is asked",
        "worker.decided": "the network was asked about the batch; nothing is written of its answers",
        "worker.concluded": "what is invalid is committed; what waits and what goes are not",
        "worker.set-aside": "one of those that wait is committed",
        "network.nonce-written": "in the SQL transaction: the nonce, not yet what rides in it",
        "network.items-written": "in the SQL transaction: what rides in it, its rows not yet in flight",
        "worker.allocated": "the nonce and what rides in it are committed; nothing is signed",
        "worker.attempt-signed": "the bytes are signed and written nowhere",
        "network.attempt-written": "in the SQL transaction: the bytes, their rows not yet marked as sent",
        "worker.attempt-written": "the bytes are committed and not sent",
        "worker.sent": "the node has answered; nothing remembers it",
        "worker.beaten": "an idle chain was asked for a block",
        # ---- the indexer
        "indexer.told": "the chain has told its effects; nothing is written",
        "indexer.blocks-written": "in the SQL transaction: blocks, not yet their effects",
        "indexer.effects-written": "in the SQL transaction: effects, not yet the anchors",
        "indexer.anchors-written": "in the SQL transaction: blocks with an anchor, not committed",
        "indexer.extended": "blocks, effects and anchors are committed; nothing is acknowledged",
        "indexer.adopting": "in the SQL transaction: a TI of origin chain, not yet its statement",
        "indexer.adopted": "a statement that nobody here had seen has its TI, not yet its ACK",
        "indexer.reflected": "the directory's copy is written, not yet the ACK",
        "indexer.acknowledged": "the ACKs of final effects are committed",
        "indexer.fork-found": "the walk is off the chain; nothing is forgotten",
        "indexer.contradicted": "in the SQL transaction: ACKs are contradicted, their blocks still there",
        "indexer.forgetting": "in the SQL transaction: the effects are gone, their blocks still there",
        "indexer.rolled-back": "the lost branch is forgotten and what it acknowledged is contradicted",
        "worker.reopened": "nonces that a fork gave back are open again",
        # ---- the sequencer and the ACK's one SQL transaction
        "sequencer.turn-taken": "this process is the sequencer; nothing is written",
        "sequencer.entries-written": "in the SQL transaction: entries of the log without a position",
        "sequencer.appended": "in the SQL transaction: entries with positions and seals, not yet what they are about",
        "audit.acknowledged": "in the SQL transaction: the ACK, not yet its outbox row",
        "audit.outbox-written": "in the SQL transaction: the outbox row, the queue row still there",
        "audit.queue-closed": "in the SQL transaction: the queue row is gone, not committed",
        "audit.signatures-destroyed": "in the SQL transaction: a signature that never left is gone, not committed",
        "audit.concluded": "the ACKs are committed; SQLite's own log still knows what was deleted",
        # ---- anchoring
        "log.tiles-written": "in the SQL transaction: tiles of the log, not committed",
        "anchoring.tiled": "all complete tiles are there; no head is made",
        "anchoring.signed": "a head is signed and written nowhere",
        "network.head-written": "in the SQL transaction: the signed head, not yet a nonce for it",
        "anchoring.allocated": "head and nonce are committed; the anchor is not signed",
        "anchoring.attempt-written": "the anchor's bytes are committed and not sent",
        "anchoring.sent": "the node has answered; nothing remembers it",
    }
)
"""Name → what is done there and what is not."""

_ARMED = re.compile(r"([a-z.-]+)(?::([1-9][0-9]{0,5}))?")

_armed = ""
_left = 0


def crash_point(name: str) -> None:
    """Die here if this process was armed for it; a test holds that each point is passed in one place of the code."""
    if name == _armed:
        _pass()


def arm(where: str) -> None:
    """Let this process kill itself at a point, ``name`` or ``name:passing``; an empty ``where`` disarms it.

    Raises ``ValueError`` for what is no point.
    """
    global _armed, _left
    _armed, _left = parse(where) if where else ("", 0)


def parse(where: str) -> tuple[str, int]:
    """Return the point and at which passing, from 1; raises ``ValueError``."""
    found = _ARMED.fullmatch(where)
    if found is None or found[1] not in CRASH_POINTS:
        raise ValueError("the name of a crash point, and perhaps a colon and at which passing")
    return found[1], int(found[2] or 1)


def _pass() -> None:
    global _left
    _left -= 1
    if _left > 0:
        return
    # Not through any buffer, which would die with us.
    os.write(2, f"killed at {_armed}\n".encode())
    os.kill(os.getpid(), signal.SIGKILL)
