"""What became of what a worker has sent: which nonces are settled in final blocks, and which a fork gave back."""

from __future__ import annotations

import logging
from datetime import datetime

from handshaker.crash_points import crash_point
from handshaker.indexer import Indexer
from handshaker.journal import Journal
from handshaker.messages import Block, NetworkTransaction, Receipt
from handshaker.ports import Clock
from handshaker.store.sql_store import SqlStore
from handshaker.validator import TransactionValidator

log = logging.getLogger(__name__)


class Settlement:
    """Writes down what the chain says of the nonces of one relayer."""

    def __init__(
        self, store: SqlStore, validator: TransactionValidator, indexer: Indexer, clock: Clock, journal: Journal
    ) -> None:
        self._store = store
        self._validator = validator
        self._indexer = indexer
        self._clock = clock
        self._journal = journal
        self._beginnings = 0

    def reopen(self, final: Block) -> None:
        """After a fork below finality, which an earlier life may have seen: fill the nonces that it gave back."""
        beginnings = self._indexer.beginnings
        if beginnings != self._beginnings:
            reopened = self._store.network.reopen(self._validator.relayer, self._validator.settled_nonces(final))
            if reopened:
                crash_point("worker.reopened")
                log.warning("%d nonces were given back by a fork; the same bytes go again", reopened)
            self._beginnings = beginnings

    def settle(self, final: Block) -> tuple[list[NetworkTransaction], list[NetworkTransaction]]:
        """Write down which nonces are settled in final blocks; return the open ones, and those that no block has."""
        unsettled = self._store.network.unsettled(self._validator.relayer)
        if not unsettled:
            return [], []
        # Asked before the receipts: a nonce that is used up by now and of which no receipt is known was not ours.
        used = self._validator.settled_nonces(final)
        mined: list[NetworkTransaction] = []
        for position, transaction in enumerate(unsettled):
            receipt = self._validator.receipt(transaction)
            now = self._clock.now()
            if receipt is None and transaction.nonce >= used:
                # Nonces are mined in order, so those behind this one need no question.
                return mined + unsettled[position:], unsettled[position:]
            if receipt is None:
                self._settled(transaction, "replaced", now, None)
            elif self._is_final(receipt, final):
                crash_point("worker.receipt-known")
                self._settled(transaction, "mined" if receipt.succeeded else "reverted", now, receipt)
                crash_point("worker.settled")
            else:
                self._store.network.mined(transaction, receipt, now)
                mined.append(transaction)
        return mined, []

    def _settled(self, transaction: NetworkTransaction, outcome: str, now: datetime, receipt: Receipt | None) -> None:
        """Write down an outcome; ``replaced`` is a nonce that a foreign transaction has used."""
        back = self._store.network.settle(transaction, outcome, now, receipt)
        self._journal.settled(transaction, outcome, receipt, back)

    def _is_final(self, receipt: Receipt, final: Block) -> bool:
        """Whether its effects are acknowledged: its block is final, and the one of that number that was walked."""
        if receipt.block_number > final.number:
            return False
        walked = self._store.chain_view.block(receipt.block_number)
        return walked is None or walked.hash == receipt.block_hash
