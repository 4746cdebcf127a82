"""The judgement: what must be true in the end, each rule a function from the evidence to what breaks it."""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from tests.campaign.evidence import Evidence

LOST, DOUBLED, WRONG = "lost", "doubled", "wrong"


@dataclass(frozen=True)
class Fault:
    """One thing that may not be."""

    kind: str
    sentence: str


def judge(evidence: Evidence) -> list[Fault]:
    """Return everything that is wrong."""
    return [fault for rule in RULES for fault in rule(evidence)]


def every_answer_is_kept(found: Evidence) -> Iterator[Fault]:
    """What a client was told of is there, as one TI and no other."""
    for kind, _, told in found.promised:
        if not told:
            yield Fault(LOST, f"{kind}: a request that was begun has no answer")
        if len(set(told)) > 1:
            yield Fault(DOUBLED, f"{kind}: one key, and the TIs {', '.join(sorted(set(told)))}")
        for ti in sorted(set(told) - found.transactions.keys()):
            yield Fault(LOST, f"{kind}: TI {ti} was answered and is not there")
    told_of = {ti for _, _, told in found.promised for ti in told} | found.known
    for ti, origin in found.transactions.items():
        if ti not in told_of and origin != "chain":
            yield Fault(DOUBLED, f"TI {ti} is one that nobody was told of")


def every_ti_has_one_final_ack(found: Evidence) -> Iterator[Fault]:
    counted = Counter(ti for ti, _, _ in found.acknowledgements)
    for ti in found.transactions:
        if counted[ti] == 0:
            yield Fault(LOST, f"TI {ti} has no ACK")
        if counted[ti] > 1:
            yield Fault(DOUBLED, f"TI {ti} has {counted[ti]} ACKs")
    if found.unfinished:
        yield Fault(LOST, f"{found.unfinished} rows of the queue or nonces are still open")


def every_ack_is_said_once(found: Evidence) -> Iterator[Fault]:
    """Once in the log, once in the outbox, once in the history."""
    acknowledged = {ti for ti, _, _ in found.acknowledgements}
    contradicted = Counter(ti for _, kind, ti, _ in found.log if kind == "contradiction")
    places = {
        "leaves": Counter(ti for _, kind, ti, _ in found.log if kind == "acknowledgement"),
        "final events": Counter(found.final_events),
        "rows of the outbox": Counter(ti for _, ti in found.outbox) - contradicted,
    }
    for what, counted in places.items():
        for ti in sorted(acknowledged | counted.keys()):
            if counted[ti] != (ti in acknowledged):
                kind = DOUBLED if counted[ti] > (ti in acknowledged) else LOST
                yield Fault(kind, f"TI {ti} has {counted[ti]} {what}")


def every_verdict_can_be_true(found: Evidence) -> Iterator[Fault]:
    verdicts = {ti: verdict for ti, verdict, _ in found.acknowledgements}
    for kind, possible, told in found.promised:
        for ti in set(told):
            if ti in verdicts and verdicts[ti] not in possible:
                yield Fault(WRONG, f"{kind}: TI {ti} is {verdicts[ti]}")


def effects_and_valid_acks_are_one_to_one(found: Evidence) -> Iterator[Fault]:
    """Also what a patient did past us has its ACK, and what is invalid has no effect.

    Where a fork below finality took an effect away the log contradicts its ACK: on the chain as it is now its statement
    may come too late, behind a revocation.
    """
    effects = Counter(found.effects)
    contradicted = {ti for _, kind, ti, _ in found.log if kind == "contradiction"}
    valid = Counter(statement for _, verdict, statement in found.acknowledgements if verdict == "valid")
    for statement in sorted(effects.keys() | {each for each in valid if each} | set(found.straight)):
        if effects[statement] > 1:
            yield Fault(DOUBLED, f"the statement {statement} has {effects[statement]} effects")
        if effects[statement] and not valid[statement]:
            yield Fault(LOST, f"the effect of {statement} has no valid ACK")
        if valid[statement] > 1:
            yield Fault(DOUBLED, f"the statement {statement} has {valid[statement]} valid ACKs")
        if valid[statement] and not effects[statement] and found.statements.get(statement) not in contradicted:
            yield Fault(WRONG, f"the valid ACK of {statement} has no effect")
        if statement in found.straight and not effects[statement]:
            yield Fault(LOST, f"the statement {statement} went to the chain and is not there")
    if valid[None]:
        yield Fault(WRONG, f"{valid[None]} valid ACKs are about no statement")


def nonces_are_dense_and_unique(found: Evidence) -> Iterator[Fault]:
    """From 0, as many as the chain has counted, and nothing in a block that was not written before."""
    for relayer, counted in found.counted.items():
        written = found.nonces.get(relayer, [])
        for nonce, times in Counter(written).items():
            if times > 1:
                yield Fault(DOUBLED, f"nonce {nonce} of {relayer} is written {times} times")
        for nonce in sorted(set(range(max(counted, len(set(written))))) - set(written)):
            yield Fault(LOST, f"nonce {nonce} of {relayer} is nowhere")
        if len(set(written)) != counted:
            yield Fault(WRONG, f"{relayer} has {len(set(written))} nonces, and {counted} on the chain")
        for transaction in sorted(found.carried.get(relayer, set()) - found.attempts):
            yield Fault(WRONG, f"{transaction} of {relayer} is in a block and was written nowhere")


def the_log_verifies(found: Evidence) -> Iterator[Fault]:
    """Positions dense, the outbox in step, the anchored root that of the leaves, and `handshaker verify` content."""
    positions = [position for position, _, _, _ in found.log]
    if positions != list(range(len(positions))):
        yield Fault(LOST, "the positions of the log are not dense")
    told = [position for position, kind, _, _ in found.log if kind in ("acknowledgement", "contradiction")]
    if [position for position, _ in found.outbox] != told:
        yield Fault(LOST, "the outbox is not the log's ACKs and contradictions")
    size, root = found.anchored
    if size != len(found.log):
        yield Fault(LOST, f"{size} of {len(found.log)} entries are anchored")
    if root_of([leaf for _, _, _, leaf in found.log[:size]]) != root:
        yield Fault(WRONG, "the anchored root is not that of the log")
    code, said = found.verified
    if code:
        yield Fault(WRONG, f"`handshaker verify` ended with {code}: {said}")


RULES: tuple[Callable[[Evidence], Iterator[Fault]], ...] = (
    every_answer_is_kept,
    every_ti_has_one_final_ack,
    every_ack_is_said_once,
    every_verdict_can_be_true,
    effects_and_valid_acks_are_one_to_one,
    nonces_are_dense_and_unique,
    the_log_verifies,
)


def root_of(leaves: list[bytes]) -> bytes:
    """Return the Merkle tree hash of RFC 9162 section 2.1.1, written here once more so that two must agree."""
    if not leaves:
        return hashlib.sha256(b"").digest()
    if len(leaves) == 1:
        return hashlib.sha256(b"\0" + leaves[0]).digest()
    split = 1 << (len(leaves) - 1).bit_length() - 1
    return hashlib.sha256(b"\1" + root_of(leaves[:split]) + root_of(leaves[split:])).digest()
