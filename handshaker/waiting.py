"""Waiting for acknowledgements, for those who have nothing better to do."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence

from handshaker.messages import Acknowledgement
from handshaker.store.sql_store import SqlStore

_PAUSE = 0.05


def wait_for(
    store: SqlStore, ti_ids: Sequence[str], timeout: float, look: Callable[[], None] = lambda: None
) -> dict[str, Acknowledgement]:
    """Return the ACKs of ``ti_ids`` by TI, as soon as all are there; after ``timeout`` seconds, those that are.

    ``look`` is called again and again meanwhile, and ends the waiting by raising.
    """
    until = time.monotonic() + timeout
    found: dict[str, Acknowledgement] = {}
    missing = list(ti_ids)
    while missing:
        for ti_id in missing:
            acknowledgement = store.audit.acknowledgement(ti_id)
            if acknowledgement is not None:
                found[ti_id] = acknowledgement
        missing = [ti_id for ti_id in missing if ti_id not in found]
        if not missing or time.monotonic() > until:
            break
        look()
        time.sleep(_PAUSE)
    return found
