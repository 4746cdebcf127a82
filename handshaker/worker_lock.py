"""One worker of a name at a time on this machine: a lock on a file, which ends with its process however it dies."""

from __future__ import annotations

import fcntl
import os
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from handshaker.bootstrap import Handshaker
from handshaker.errors import HandshakerError


class WorkerRunning(HandshakerError):
    """A worker of that name runs already. Data: ``worker``."""

    code = "worker-running"
    mend = "Give this one another name with HANDSHAKER_WORKER."


@contextmanager
def claim(instance: Path, name: str) -> Iterator[None]:
    """Hold the name of a worker; raises ``WorkerRunning`` when another process does."""
    path = instance / f"{name}.lock"
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT, 0o600)
    try:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            raise WorkerRunning(f"A worker named {name} runs already.", worker=name) from None
        yield
    finally:
        os.close(descriptor)


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
