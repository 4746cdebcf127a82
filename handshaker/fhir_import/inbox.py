"""Waiting for acknowledgements: the audit log read from a cursor, cheaply however many are awaited."""

from __future__ import annotations

import time

from handshaker.errors import HandshakerError
from handshaker.messages import Acknowledgement
from handshaker.store.sql_store import SqlStore

_PAUSE = 0.05
_TIP_EVERY = 1.0
_PAGE = 500


class ImportStalled(HandshakerError):
    """Nothing was acknowledged for a long time. Data: ``waiting``, ``seconds``."""

    code = "import-stalled"
    mend = "Nothing is lost. Start the chain and a worker, then run the same import again: it goes on where it was."


class Inbox:
    """The ACKs of the TIs that are expected, each told once."""

    def __init__(self, store: SqlStore, patience: float) -> None:
        self._store = store
        self._patience = patience
        latest = store.audit.latest(1)
        self._position = -1 if not latest or latest[0].position is None else latest[0].position
        self._open: set[str] = set()
        self._there: list[Acknowledgement] = []
        self._tip = store.chain_view.tip()
        self._looked = self._moved = time.monotonic()

    def __len__(self) -> int:
        return len(self._open) + len(self._there)

    def expect(self, ti_id: str, *, earlier: bool = False) -> None:
        """Wait for a TI; with ``earlier``, one that may have had its ACK before this inbox was made."""
        known = self._store.audit.acknowledgement(ti_id) if earlier else None
        if known is not None:
            self._there.append(known)
        else:
            self._open.add(ti_id)
            self._moved = time.monotonic()

    def collect(self) -> list[Acknowledgement]:
        """Return what was acknowledged of the expected since the last call."""
        found, self._there = self._there, []
        while True:
            page = self._store.audit.acknowledgements(self._position, _PAGE)
            for acknowledgement in page:
                assert acknowledgement.position is not None
                self._position = acknowledgement.position
                if acknowledgement.ti_id in self._open:
                    self._open.remove(acknowledgement.ti_id)
                    found.append(acknowledgement)
            if page:
                self._moved = time.monotonic()
            if len(page) < _PAGE:
                return found

    def pause(self) -> None:
        """Let the worker work; raises ``ImportStalled`` when neither log nor chain moved for too long."""
        now = time.monotonic()
        if now - self._looked >= _TIP_EVERY:
            self._looked = now
            tip = self._store.chain_view.tip()
            if tip != self._tip:
                self._tip, self._moved = tip, now
        if now - self._moved > self._patience:
            raise ImportStalled(
                f"{len(self._open)} transactions wait, and nothing was acknowledged for {self._patience:.0f} seconds.",
                waiting=len(self._open),
                seconds=self._patience,
            )
        time.sleep(_PAUSE)
