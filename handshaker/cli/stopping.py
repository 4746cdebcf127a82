"""How commands end: what was begun is finished, a second signal does not wait, and nothing waits for ever."""

from __future__ import annotations

import logging
import os
import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager

STOP_SECONDS = 10.0
"""How long a worker may go on with the pass in which it was told to stop; a node may keep it waiting for longer."""

log = logging.getLogger(__name__)


def stop_on_signals() -> threading.Event:
    """Return an event that Ctrl-C and SIGTERM set; the second of them ends the process at once.

    That harms nothing: whatever is killed where, the next life finds what it needs.
    """
    stop = threading.Event()

    def told(number: int, *_: object) -> None:
        if stop.is_set():
            os._exit(128 + number)
        stop.set()

    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, told)
    return stop


@contextmanager
def bounded(stop: threading.Event, give_back: Callable[[], None], seconds: float = STOP_SECONDS) -> Iterator[None]:
    """Let what is inside go on for ``seconds`` after ``stop``; then ``give_back``, and end the process as if it had."""
    over = threading.Event()

    def watch() -> None:
        stop.wait()
        if not over.wait(seconds):
            log.warning("the pass was not over in %d seconds, and is left to the next life", seconds)
            give_back()
            logging.shutdown()
            os._exit(0)

    threading.Thread(target=watch, name="stopping", daemon=True).start()
    try:
        yield
    finally:
        over.set()
