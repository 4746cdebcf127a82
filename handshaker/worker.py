"""The worker: the half of the pipeline that works behind the request.

One pass is ``step``. The order of writes is the whole point: the nonce is in the database before anything is signed,
the signed bytes before anything is sent; so whatever is killed where, the next life finds what it needs to finish,
and never a reason to send something else.
"""

from __future__ import annotations

import logging
import secrets
import threading
from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace
from datetime import datetime, timedelta

from handshaker.audit.anchoring import Anchoring
from handshaker.crash_points import crash_point
from handshaker.errors import HandshakerError, RelayerUnfunded
from handshaker.indexer import Indexer
from handshaker.journal import Journal
from handshaker.logs import place_of
from handshaker.messages import (
    Attempt,
    Block,
    Event,
    EventKind,
    Fees,
    NetworkTransaction,
    SignedCall,
    Waiting,
)
from handshaker.ports import Chain, Clock
from handshaker.settlement import Settlement
from handshaker.store.sql_store import SqlStore
from handshaker.validator import TransactionValidator

RESEND = timedelta(seconds=1)
"""How soon the same bytes go again while their transaction is in no block, on a chain that answers as fast.

Ganache now and then forgets what it was sent in a row until it hears it again.
"""
TROUBLE_PAUSE = 1.0
"""Seconds before the next pass when the chain or the database does not answer."""

log = logging.getLogger(__name__)


class Worker:
    """Takes what is waiting, has it carried, and writes what became of it."""

    def __init__(
        self,
        name: str,
        store: SqlStore,
        chain: Chain,
        validator: TransactionValidator,
        indexer: Indexer,
        anchoring: Anchoring,
        clock: Clock,
        poll_interval: float,
        max_pending: int,
        bump_after: float | None,
        journal: Journal,
    ) -> None:
        self._name = name
        # Of this life alone: what an earlier one, paused and given up for dead, still means to do finds no lease.
        self._lease = f"{name}/{secrets.token_hex(4)}"
        self._store = store
        self._chain = chain
        self._validator = validator
        self._indexer = indexer
        self._anchoring = anchoring
        self._clock = clock
        self._poll_interval = poll_interval
        self._max_pending = max_pending
        self._bump_after = bump_after
        self._last_sent: dict[int, datetime] = {}
        self._attempted: dict[int, datetime] = {}
        self._journal = journal
        self._settlement = Settlement(store, validator, indexer, clock, journal)
        self._first_spent = False
        self._log_checked = False

    def run(self, stop: threading.Event, confirm: Callable[[], None] = lambda: None) -> None:
        """Pass after pass until ``stop`` is set; trouble is logged and outlived.

        ``confirm`` is asked before each, and raises while this worker's name is another's (``worker_lock.claim``).
        """
        self._store.queue.release_all(self._name)
        crash_point("worker.started")
        log.info("worker %s carries for relayer %s", self._name, self._validator.relayer)
        troubled = False
        while not stop.is_set():
            try:
                confirm()
                worked = self.step()
                self._journal.passed()
                if troubled:
                    log.info("worker %s goes on", self._name)
                troubled = False
            except HandshakerError as error:
                self._journal.failed(error, is_new=not troubled)
                if not troubled:
                    log.warning("worker %s waits: [%s] %s", self._name, error.code, error)
                troubled = True
                stop.wait(TROUBLE_PAUSE)
                continue
            except Exception as error:
                # Nothing that one pass meets may end the worker; its words are kept out of the log, where no
                # library's message belongs that may quote what it was given.
                log.error("worker %s met %s at %s", self._name, type(error).__name__, place_of(error))
                self._journal.failed(error)
                troubled = True
                stop.wait(TROUBLE_PAUSE)
                continue
            if not worked:
                stop.wait(self._poll_interval)
        self.release()
        log.info("worker %s has stopped", self._name)

    def release(self) -> None:
        """Give back what is leased, where the database lets us; whoever comes next may have it at once."""
        with suppress(HandshakerError):
            self._store.queue.release_all(self._lease)

    def step(self) -> bool:
        """Do one pass; return whether there was anything to do."""
        self._check_log()
        final = self._indexer.advance()
        if final is None:
            return False
        crash_point("worker.walked")
        self._settlement.reopen(final)
        open_transactions, missing = self._settlement.settle(final)
        self._forget_all_but(open_transactions)
        self._send_again(missing)
        free = self._max_pending - len(open_transactions)
        worked = self._spend_first_nonce() or self._anchor(free) or self._carry(final, free)
        self._beat(final, open_transactions)
        return worked

    # ---- sending again --------------------------------------------------------------------------------------------

    def _forget_all_but(self, transactions: list[NetworkTransaction]) -> None:
        """Remember of no settled transaction when it went."""
        still = {transaction.network_id for transaction in transactions}
        for times in (self._last_sent, self._attempted):
            for network_id in times.keys() - still:
                del times[network_id]

    def _send_again(self, transactions: list[NetworkTransaction]) -> None:
        for transaction in transactions:
            now = self._clock.now()
            last = self._last_sent.get(transaction.network_id)
            if last is not None and now - last < max(RESEND, timedelta(seconds=2 * self._poll_interval)):
                continue
            if not transaction.attempts:
                # A crash between the nonce and the signature: the same statements at the same nonce.
                crash_point("worker.signing-again")
                transaction = self._sign(transaction, self._calls(transaction))
            elif (fees := self._dearer(transaction, now)) is not None:
                attempt = self._validator.attempt(transaction, self._calls(transaction), fees)
                transaction = self._written(transaction, attempt)
                self._journal.bumped(transaction)
            self._send(transaction)

    def _dearer(self, transaction: NetworkTransaction, now: datetime) -> Fees | None:
        """Return higher fees for a transaction that waits too long, or that bids less than any block takes."""
        attempted = self._attempted.setdefault(transaction.network_id, now)
        patience = None if self._bump_after is None else timedelta(seconds=self._bump_after)
        return self._validator.dearer(transaction, is_late=patience is not None and now - attempted > patience)

    # ---- the audit log -------------------------------------------------------------------------------------------

    def _check_log(self) -> None:
        """Is the log still what the chain has anchored of it, and may it go on? Raises ``LogHeld``."""
        if self._log_checked:
            self._anchoring.refuse_if_held()
        else:
            self._anchoring.check()
            crash_point("worker.log-checked")
            self._log_checked = True

    def _anchor(self, free: int) -> bool:
        signed = self._anchoring.next() if free > 0 else None
        if signed is None:
            return False
        crash_point("anchoring.signed")
        gas, fees = self._chain.anchor_gas(), self._chain.fees()
        self._require_funds(gas * fees.max_fee)
        transaction = self._store.network.allocate_anchor(
            self._validator.relayer, self._validator.floor(), signed, gas, self._clock.now()
        )
        if transaction is None:
            return False
        crash_point("anchoring.allocated")
        transaction = self._sign(transaction, [], fees)
        crash_point("anchoring.attempt-written")
        self._send(transaction)
        crash_point("anchoring.sent")
        return True

    # ---- carrying ---------------------------------------------------------------------------------------------------

    def _spend_first_nonce(self) -> bool:
        """Spend the relayer's nonce 0 on a no-op: Ganache runs a replayed first transaction again."""
        if self._first_spent or self._store.network.count(self._validator.relayer) or self._validator.floor():
            self._first_spent = True
            return False
        crash_point("worker.first-nonce")
        self._dispatch([], 0)
        return True

    def _carry(self, final: Block, free: int) -> bool:
        if free <= 0:
            return False
        limit = self._validator.policy.max_batch * free
        self._store.queue.release_withheld(final.timestamp, self._clock.now())
        batch = self._store.queue.take(self._lease, self._clock.now(), min(limit, 500))
        if not batch:
            return False
        crash_point("worker.taken")
        self._journal.taken([waiting.call.ti_id for waiting in batch])
        try:
            return self._carry_batch(batch, final, free)
        except HandshakerError:
            # Nobody else may have them until the lease runs out, and this worker may go on in a second.
            with suppress(HandshakerError):
                self._store.queue.release_all(self._lease)
            raise

    def _carry_batch(self, batch: list[Waiting], final: Block, free: int) -> bool:
        patients = [waiting.call.patient_id for waiting in batch if waiting.call.patient_id]
        busy = self._store.queue.busy_patients(self._lease, self._clock.now(), patients)
        batch = self._disclosed(batch)
        decisions = self._validator.decide(batch, final, busy)
        crash_point("worker.decided")
        refused = {waiting.call.ti_id: waiting.refusal for waiting in batch}
        if written := self._store.audit.conclude(decisions.conclude, self._clock.now(), owner=self._lease):
            crash_point("worker.concluded")
            self._journal.judged(refused, written)
        for wait in decisions.wait:
            event = None
            if wait.refusal is not None and wait.refusal != refused[wait.call.ti_id]:
                event = Event(wait.call.ti_id, EventKind.DEFERRED, self._clock.now(), {"code": wait.refusal.error})
            self._store.queue.set_aside(
                self._lease, [wait.call.ti_id], wait.until, event, wait.refusal, alone=wait.alone
            )
            crash_point("worker.set-aside")
            if event is not None and wait.refusal is not None:
                self._journal.deferred(wait.call.ti_id, wait.refusal, wait.until)
        floor = self._validator.floor() if decisions.go else 0
        later: list[SignedCall] = []
        for together in self._validator.batches(decisions.go):
            if free > 0:
                self._dispatch(together, floor)
                free -= 1
            else:
                later.extend(together)
        if later:
            self._store.queue.set_aside(self._lease, [call.ti_id for call in later], self._clock.now())
        return bool(decisions.go or decisions.conclude)

    def _disclosed(self, batch: list[Waiting]) -> list[Waiting]:
        """Write down which signatures a question to a foreign node gives away, before it is asked.

        What another worker has taken over meanwhile is left out: it may be destroying that signature at this moment.
        """
        if self._validator.policy.private_node:
            return batch
        asked = {each.call.ti_id for each in batch if self._validator.must_ask(each) and not each.call.sent}
        if not asked:
            return batch
        held = self._store.queue.disclose(self._lease, sorted(asked))
        crash_point("worker.disclosed")
        return [
            replace(each, call=replace(each.call, sent=True)) if each.call.ti_id in asked else each
            for each in batch
            if each.call.ti_id not in asked - held
        ]

    def _dispatch(self, calls: list[SignedCall], floor: int) -> None:
        gas, fees = self._validator.gas(calls), self._chain.fees()
        self._require_funds(gas * fees.max_fee)
        transaction = self._store.network.allocate(
            self._validator.relayer,
            floor,
            [(call.ti_id, call.statement_hash) for call in calls],
            gas,
            self._lease,
            self._clock.now(),
        )
        if transaction is None:
            return
        crash_point("worker.allocated")
        carried = set(transaction.statements)
        self._send(self._sign(transaction, [call for call in calls if call.statement_hash in carried], fees))

    def _sign(
        self, transaction: NetworkTransaction, calls: list[SignedCall], fees: Fees | None = None
    ) -> NetworkTransaction:
        transaction = self._written(transaction, self._validator.attempt(transaction, calls, fees))
        self._journal.signed(transaction, [call.ti_id for call in calls])
        return transaction

    def _written(self, transaction: NetworkTransaction, attempt: Attempt) -> NetworkTransaction:
        now = self._clock.now()
        crash_point("worker.attempt-signed")
        self._store.network.add_attempt(transaction.network_id, attempt, now)
        crash_point("worker.attempt-written")
        self._attempted[transaction.network_id] = now
        return replace(transaction, attempts=(*transaction.attempts, attempt))

    def _send(self, transaction: NetworkTransaction) -> None:
        outcome = self._validator.send(transaction)
        crash_point("worker.sent")
        self._last_sent[transaction.network_id] = self._clock.now()
        self._journal.answered(transaction, outcome)

    def _calls(self, transaction: NetworkTransaction) -> list[SignedCall]:
        found = self._store.network.calls(transaction.statements)
        # A signature that was destroyed is no loss: its TI is concluded, and it was in no bytes that were sent.
        return [found[statement] for statement in transaction.statements if statement in found]

    def _require_funds(self, needed: int) -> None:
        balance = self._chain.balance(self._validator.relayer)
        if balance < needed:
            raise RelayerUnfunded(
                f"The relayer {self._validator.relayer} has {balance} wei and needs {needed}.",
                addresses=[self._validator.relayer],
                balance=str(balance),
            )

    # ---- an idle chain ----------------------------------------------------------------------------------------------

    def _beat(self, final: Block, open_transactions: list[NetworkTransaction]) -> None:
        """Ask for a block when a deadline is over by the clock, but no final block says so yet.

        The same where what was sent needs blocks on top to become final and nobody else makes any.
        """
        if open_transactions and self._validator.policy.depth:
            self._chain.beat()
            return
        deadline = self._store.queue.earliest_deadline()
        if deadline is not None and final.timestamp <= deadline < self._clock.now().timestamp():
            self._chain.beat()
            crash_point("worker.beaten")
