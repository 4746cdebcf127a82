"""What happens to transactions, told twice: as a line of the log, and as figures. Nothing hangs on it.

Whatever is told here is written down in the database before; a process that dies in between tells less, and has
done no less.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import suppress
from datetime import datetime
from typing import Any

from handshaker import metrics
from handshaker.audit.errors import LogHeld
from handshaker.codes import EXPIRED, code_of
from handshaker.errors import HandshakerError, IntakeRefused
from handshaker.messages import (
    Acknowledgement,
    Anchor,
    Block,
    InitialTransaction,
    NetworkTransaction,
    Origin,
    Receipt,
    Refusal,
    SendOutcome,
    VerdictKind,
)
from handshaker.metrics import Measures
from handshaker.ports import Clock

Moments = Callable[[Sequence[str]], Mapping[str, Mapping[str, datetime]]]
"""TIs → when each was first ``received`` and ``sent``, as the database knows it."""

_MOST = 100_000
"""TIs whose moments are kept in memory at most: those that wait for years must not fill it."""

log = logging.getLogger(__name__)


class Journal:
    """Tells."""

    def __init__(self, clock: Clock, moments: Moments, measures: Measures | None = None) -> None:
        self.measures = measures or Measures()
        self._clock = clock
        self._moments = moments
        self._taken: dict[str, datetime] = {}
        self._mined: dict[str, datetime] = {}

    # ---- intake ------------------------------------------------------------------------------------------------------

    def accepted(self, ti: InitialTransaction) -> None:
        """Tell that a TI passed every gate."""
        self.measures.count(metrics.ACCEPTED, str(ti.origin))
        _say(logging.INFO, "accepted", at=ti.received_at, ti=ti.ti_id, template=ti.template, origin=str(ti.origin))

    def refused(self, ti: InitialTransaction, refusal: IntakeRefused) -> None:
        """Tell that a gate refused a TI, which is acknowledged with that."""
        self.measures.count(metrics.REFUSALS, "gate", refusal.code)
        self.measures.count(metrics.ACKNOWLEDGED, str(VerdictKind.INVALID), refusal.code)
        told = {"ti": ti.ti_id, "template": ti.template, "code": refusal.code, "gate": refusal.gate}
        _say(logging.INFO, "refused", at=ti.received_at, **told)
        _say(logging.INFO, "acknowledged", ti=ti.ti_id, verdict=str(VerdictKind.INVALID), code=refusal.code)

    # ---- the worker --------------------------------------------------------------------------------------------------

    def passed(self) -> None:
        """Tell that a pass is over."""
        self.measures.count(metrics.PASSES)

    def failed(self, error: Exception, *, is_new: bool = False) -> None:
        """Tell that a pass failed, and the first time that it is because the audit log is held."""
        self.measures.count(metrics.FAILED, error.code if isinstance(error, HandshakerError) else "internal-error")
        if is_new and isinstance(error, LogHeld):
            held = {name: error.data[name] for name in ("reason", "size", "anchored_size")}
            _say(logging.ERROR, "hold", **held)

    def taken(self, ti_ids: Sequence[str]) -> None:
        """Tell that TIs were leased."""
        now = self._clock.now()
        _remember(self._taken, ti_ids, now)
        _say(logging.DEBUG, "taken", at=now, tis=ti_ids)

    def judged(self, earlier: Mapping[str, Refusal | None], written: Sequence[Acknowledgement]) -> None:
        """Tell which ACKs say that the network, or a deadline, said no for good; ``earlier`` is what it said before."""
        for ack in written:
            before = earlier.get(ack.ti_id)
            if before is None or code_of(before.error) != ack.code:
                self.measures.count(metrics.REFUSALS, "deadline" if ack.code == EXPIRED else "asked", ack.code)
            _say(logging.DEBUG, "refused", at=ack.acknowledged_at, ti=ack.ti_id, code=ack.code)
        self.acknowledged(written)

    def deferred(self, ti_id: str, refusal: Refusal, until: datetime) -> None:
        """Tell that the network would refuse a TI now; it is asked again."""
        code = code_of(refusal.error)
        self.measures.count(metrics.REFUSALS, "asked", code)
        _say(logging.DEBUG, "deferred", ti=ti_id, code=code, until=until.isoformat())

    def signed(self, transaction: NetworkTransaction, ti_ids: Sequence[str]) -> None:
        """Tell that TIs ride in signed bytes, which were written down."""
        told = {"nonce": transaction.nonce, "transaction": "0x" + transaction.attempts[-1].hash.hex()}
        if transaction.head is not None:
            told["size"] = transaction.head.size
        _say(logging.DEBUG, "sent", tis=ti_ids, **told)

    def bumped(self, transaction: NetworkTransaction) -> None:
        """Tell that the same nonce was signed again with higher fees."""
        self.measures.count(metrics.BUMPS)
        _say(logging.INFO, "fee-bump", nonce=transaction.nonce, attempts=len(transaction.attempts))

    def answered(self, transaction: NetworkTransaction, outcome: SendOutcome) -> None:
        """Tell what the node said to raw bytes."""
        self.measures.count(metrics.SENDS, str(outcome))
        if outcome is not SendOutcome.ACCEPTED:
            _say(logging.WARNING, "send-unclear", nonce=transaction.nonce, outcome=str(outcome))

    def settled(
        self,
        transaction: NetworkTransaction,
        outcome: str,
        receipt: Receipt | None,
        back: Mapping[str, Refusal | None],
    ) -> None:
        """Tell what became of a nonce, and of the TIs that came ``back`` from it without an effect."""
        self.measures.count(metrics.SETTLED, outcome)
        gas = receipt.gas_used if receipt else None
        level = logging.ERROR if outcome == "replaced" else logging.DEBUG
        _say(level, "settled", nonce=transaction.nonce, outcome=outcome, gas=gas)
        for ti_id, refusal in back.items():
            self.measures.count(metrics.REQUEUED)
            if refusal is not None:
                self.measures.count(metrics.REFUSALS, "chain", code_of(refusal.error))
            code = code_of(refusal.error) if refusal is not None else outcome
            _say(logging.INFO, "requeued", ti=ti_id, code=code)

    # ---- the indexer -------------------------------------------------------------------------------------------------

    def mined(self, block: int, ti_ids: Sequence[str]) -> None:
        """Tell that effects of TIs were read in blocks up to ``block``, final or not."""
        if not ti_ids:
            return
        now = self._clock.now()
        _remember(self._mined, ti_ids, now)
        _say(logging.DEBUG, "mined", at=now, tis=ti_ids, block=block)

    def anchored(self, anchor: Anchor) -> None:
        """Tell that an anchor of the audit log was read."""
        self.measures.count(metrics.ANCHORS)
        transaction = "0x" + anchor.transaction_hash.hex()
        _say(logging.INFO, "anchored", size=anchor.head.size, block=anchor.block_number, transaction=transaction)

    def forked(self, tip: Block, above: int, contradicted: Sequence[str]) -> None:
        """Tell that blocks were walked back, and which ACKs lost their evidence."""
        self.measures.observe(metrics.FORKS, tip.number - above)
        _say(logging.WARNING, "fork", block=tip.number, back_to=above)
        if contradicted:
            self.measures.count(metrics.CONTRADICTIONS, by=len(contradicted))
            _say(logging.ERROR, "contradicted", tis=list(contradicted))

    def acknowledged(self, written: Sequence[Acknowledgement], final: datetime | None = None) -> None:
        """Tell which ACKs were written; ``final`` is when their blocks were seen to be, for valid ones."""
        if not written:
            return
        if final is not None:
            _say(logging.DEBUG, "final", at=final, tis=[ack.ti_id for ack in written])
        for ack in written:
            self.measures.count(metrics.ACKNOWLEDGED, str(ack.kind), ack.code)
            told: dict[str, Any] = {"verdict": str(ack.kind), "code": ack.code, "position": ack.position}
            if ack.block_number is not None:
                told["block"] = ack.block_number
            _say(logging.INFO, "acknowledged", at=ack.acknowledged_at, ti=ack.ti_id, **told)
        ours = [ack for ack in written if ack.origin is not Origin.CHAIN]
        with suppress(HandshakerError):
            known = self._moments([ack.ti_id for ack in ours]) if ours else {}
            for ack in ours:
                self._observe(ack, known.get(ack.ti_id, {}), final)
        for ack in written:
            self._taken.pop(ack.ti_id, None)
            self._mined.pop(ack.ti_id, None)

    def _observe(self, ack: Acknowledgement, known: Mapping[str, datetime], final: datetime | None) -> None:
        """Add one TI's stages. What another process saw counts as no time before what this one knows next."""
        received = known.get("received", ack.acknowledged_at)
        sent = known.get("sent")
        stages = {"taken": self._taken.get(ack.ti_id, sent), "sent": sent}
        if final is not None:
            stages |= {"mined": self._mined.get(ack.ti_id, known.get("mined", final)), "final": final}
        stages["acknowledged"] = ack.acknowledged_at
        before = received
        for stage, at in stages.items():
            if at is not None:
                self.measures.observe(metrics.STAGE, max((at - before).total_seconds(), 0.0), stage)
                before = max(at, before)
        whole = max((ack.acknowledged_at - received).total_seconds(), 0.0)
        self.measures.observe(metrics.WHOLE, whole, str(ack.kind))


def _remember(kept: dict[str, datetime], ti_ids: Iterable[str], at: datetime) -> None:
    if len(kept) > _MOST:
        kept.clear()
    for ti_id in ti_ids:
        kept.setdefault(ti_id, at)


def _say(level: int, event: str, **told: Any) -> None:
    if log.isEnabledFor(level):
        log.log(level, event, extra={"event": event, **told})
