"""The Transaction Validator: asks the network, carries the transaction, reads the verdict.

It decides and speaks to the chain; what it decides, the worker writes down.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

from handshaker.codes import EXPIRED, code_of
from handshaker.errors import ChainError, ChainUnreachable
from handshaker.messages import (
    Attempt,
    Block,
    Conclusion,
    Fees,
    NetworkTransaction,
    Receipt,
    Refusal,
    SendOutcome,
    SignedCall,
    Verdict,
    VerdictKind,
    Waiting,
)
from handshaker.ports import Chain, Clock

RECHECK = timedelta(seconds=2)
"""How soon a refused statement that may still take effect is asked about again; each time twice as long."""
LONGEST_RECHECK = timedelta(minutes=10)


@dataclass(frozen=True, slots=True)
class Policy:
    """What the chain's profile says about carrying."""

    ask_first: bool
    max_batch: int
    batch_gas: int
    private_node: bool
    """Whether what the node is asked stays in the house; otherwise a question discloses the signatures in it."""
    depth: int
    """Blocks on top before a block is final; 0: the newest block is."""


@dataclass(frozen=True, slots=True)
class Wait:
    """A statement that goes back to the queue."""

    call: SignedCall
    until: datetime
    refusal: Refusal | None = None
    alone: bool = False


@dataclass(slots=True)
class Decisions:
    """What to do with a batch."""

    go: list[SignedCall] = field(default_factory=list)
    conclude: list[Conclusion] = field(default_factory=list)
    wait: list[Wait] = field(default_factory=list)


class TransactionValidator:
    """Decides about batches and speaks to one chain through one relayer."""

    def __init__(
        self, chain: Chain, clock: Clock, policy: Policy, relayer: str, sign: Callable[[bytes], bytes]
    ) -> None:
        self._chain = chain
        self._clock = clock
        self._sign = sign
        self.policy = policy
        self.relayer = relayer

    # ---- before sending -----------------------------------------------------------------------------------------

    def decide(self, batch: Sequence[Waiting], final: Block, busy_patients: set[str | None]) -> Decisions:
        """Say which statements go, which are invalid and which wait.

        ``final`` is the last final block whose effects are acknowledged, so a statement of ``batch`` has not taken
        effect up to it. ``busy_patients`` have statements in flight, after which theirs are judged anew; ``None`` among
        them stands for what concerns no patient, such as an organisation's registration.
        """
        decisions = Decisions()
        open_: list[Waiting] = []
        for waiting in batch:
            if self._is_over(waiting.call, final):
                decisions.conclude.append(_invalid(waiting.call, waiting.refusal or Refusal("StatementExpired")))
            else:
                open_.append(waiting)
        decisions.go.extend(waiting.call for waiting in open_ if not self.must_ask(waiting))
        asked = [waiting for waiting in open_ if self.must_ask(waiting)]
        for together in _parts(asked, self.policy.max_batch):
            # The answer to a later question does not know yet what an earlier one let go.
            busy = busy_patients | {call.patient_id for call in decisions.go}
            self._ask(together, final, busy, decisions)
        return decisions

    def must_ask(self, waiting: Waiting) -> bool:
        """Whether the network is asked about a statement before it is sent."""
        return self.policy.ask_first or waiting.refusal is not None

    def batches(self, calls: Sequence[SignedCall]) -> Iterator[list[SignedCall]]:
        """Split what goes into network transactions: loners alone, the others up to the profile's limits."""
        together: list[SignedCall] = []
        for call in calls:
            if call.alone:
                yield [call]
                continue
            if together and (
                len(together) == self.policy.max_batch or self._chain.gas([*together, call]) > self.policy.batch_gas
            ):
                yield together
                together = []
            together.append(call)
        if together:
            yield together

    def gas(self, calls: Sequence[SignedCall]) -> int:
        """Return the gas limit of a batch."""
        return self._chain.gas(calls)

    def floor(self) -> int:
        """Return the lowest nonce that the relayer can still use."""
        return self._chain.nonce(self.relayer)

    # ---- sending --------------------------------------------------------------------------------------------------

    def attempt(
        self, transaction: NetworkTransaction, calls: Sequence[SignedCall], fees: Fees | None = None
    ) -> Attempt:
        """Return signed bytes for a network transaction; they are written down before they are sent."""
        return self._chain.attempt(self._sign, transaction, calls, fees or self._chain.fees())

    def dearer(self, transaction: NetworkTransaction, *, is_late: bool) -> Fees | None:
        """Return higher fees for another attempt: where it is late, or bids less than any block takes now."""
        return self._chain.dearer(transaction.attempts[-1], is_late=is_late)

    def send(self, transaction: NetworkTransaction) -> SendOutcome:
        """Send the latest bytes of a network transaction; sending them again is always safe."""
        return self._chain.send(transaction.attempts[-1].raw)

    # ---- after sending --------------------------------------------------------------------------------------------

    def settled_nonces(self, final: Block) -> int:
        """Return how many nonces of the relayer are used up in final blocks."""
        if final.number < 0:
            return 0
        return self._chain.nonce(self.relayer, final.number if self.policy.depth else None)

    def receipt(self, transaction: NetworkTransaction) -> Receipt | None:
        """Ask for every hash that was ever sent for this nonce; return the receipt of the one that was mined."""
        for attempt in transaction.attempts:
            receipt = self._chain.receipt(attempt.hash)
            if receipt is not None:
                return receipt
        return None

    # ---- judging --------------------------------------------------------------------------------------------------

    def _ask(self, together: Sequence[Waiting], final: Block, busy: set[str | None], decisions: Decisions) -> None:
        try:
            answers = self._chain.ask([waiting.call for waiting in together])
        except ChainUnreachable:
            raise
        except ChainError:
            # The question itself was refused: one of them is to blame, and must not hold up the others.
            if len(together) > 1:
                for waiting in together:
                    self._ask([waiting], final, busy, decisions)
                return
            answers = [Refusal("Unknown")]
        for waiting, refusal in zip(together, answers, strict=True):
            self._judge(waiting, refusal, final, busy, decisions)

    def _judge(
        self, waiting: Waiting, refusal: Refusal | None, final: Block, busy: set[str | None], decisions: Decisions
    ) -> None:
        call, now = waiting.call, self._clock.now()
        if refusal is None:
            decisions.go.append(call)
        elif call.patient_id in busy:
            decisions.wait.append(Wait(call, now))
        elif refusal.is_unknown:
            decisions.wait.append(Wait(call, _next_look(waiting, now) if call.alone else now, refusal, alone=True))
        elif _is_unsent_custodial(call) or (refusal.is_terminal and self._is_refused_at(call, final)):
            decisions.conclude.append(_invalid(call, refusal))
        else:
            decisions.wait.append(Wait(call, _next_look(waiting, now), refusal))

    def _is_over(self, call: SignedCall, final: Block) -> bool:
        if call.deadline is None:
            return False
        if _is_unsent_custodial(call) and self._clock.now().timestamp() > call.deadline:
            return True
        return final.timestamp > call.deadline

    def _is_refused_at(self, call: SignedCall, final: Block) -> bool:
        """Whether it was superseded or consumed in the last final block already.

        Later it may be its own effect that stands in its way: somebody just carried it, and the indexer will see it.
        """
        if final.number < 0:
            return False
        try:
            (refusal,) = self._chain.ask([call], final.number)
        except ChainUnreachable:
            raise
        except ChainError:
            # A node that forgets old states soon: by the next look the newest block is the final one.
            return False
        return refusal is not None and refusal.is_terminal


def _next_look(waiting: Waiting, now: datetime) -> datetime:
    """Return when to ask again: later each time, but soon after the deadline, when the answer is final."""
    until: datetime = now + min(RECHECK * 2 ** min(waiting.checks, 10), LONGEST_RECHECK)
    if waiting.call.deadline is None:
        return until
    return min(until, max(now + RECHECK, datetime.fromtimestamp(waiting.call.deadline + 1, UTC)))


def _is_unsent_custodial(call: SignedCall) -> bool:
    """Whether destroying the signature makes sure that the statement never takes effect."""
    return call.custodial and not call.sent


def _invalid(call: SignedCall, refusal: Refusal) -> Conclusion:
    code = EXPIRED if refusal.error == "StatementExpired" else code_of(refusal.error)
    return Conclusion(
        call.ti_id,
        Verdict(VerdictKind.INVALID, code, refusal.arguments),
        destroy_signature=_is_unsent_custodial(call),
    )


def _parts(asked: Sequence[Waiting], size: int) -> Iterator[list[Waiting]]:
    together = [waiting for waiting in asked if not waiting.call.alone]
    for start in range(0, len(together), size):
        yield together[start : start + size]
    for waiting in asked:
        if waiting.call.alone:
            yield [waiting]
