"""One worker of a name at a time on this machine: a lock on a file, which ends with its process however it dies."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from handshaker.bootstrap import Handshaker
from handshaker.errors import HandshakerError
from handshaker.file_lock import hold


class WorkerRunning(HandshakerError):
    """A worker of that name runs already. Data: ``worker``."""

    code = "worker-running"
    mend = "Give this one another name with HANDSHAKER_WORKER."


@contextmanager
def claim(instance: Path, name: str) -> Iterator[None]:
    """Hold the name of a worker; raises ``WorkerRunning`` when another process does."""
    with hold(instance / f"{name}.lock") as is_ours:
        if not is_ours:
            raise WorkerRunning(f"A worker named {name} runs already.", worker=name)
        yield


@contextmanager
def working(handshaker: Handshaker) -> Iterator[bool]:
    """Make sure that a worker works meanwhile: another process's, or one in a thread of this process.

    Yields whether it is this process's. Raises what ``Handshaker.worker`` raises.
    """
    try:
        with claim(handshaker.settings.instance, handshaker.settings.worker):
            worker = handshaker.worker()
            stop = threading.Event()
            thread = threading.Thread(target=worker.run, args=(stop,), name="worker")
            thread.start()
            try:
                yield True
            finally:
                stop.set()
                thread.join()
    except WorkerRunning:
        yield False
