"""One worker of a name at a time: a lock on a file for this machine, and on PostgreSQL one in the database for all.

Both end with their process however it dies.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from handshaker.bootstrap import Handshaker
from handshaker.errors import HandshakerError
from handshaker.file_lock import hold
from handshaker.store.sql_store import SqlStore


class WorkerRunning(HandshakerError):
    """A worker of that name runs already. Data: ``worker``."""

    code = "worker-running"
    mend = "Give this one another name with HANDSHAKER_WORKER."


@contextmanager
def claim(instance: Path, name: str, store: SqlStore) -> Iterator[Callable[[], None]]:
    """Hold the name of a worker; raises ``WorkerRunning`` when another process does.

    Yields what raises it from the moment on when the name was lost to another, with the connection to the database; as
    soon as it is free, the name is taken again. Only one thread may call it.
    """
    found = store.claim(name)

    def confirm() -> None:
        if not found.is_ours():
            raise WorkerRunning(f"A worker named {name} runs already.", worker=name)

    with hold(instance / f"{name}.lock") as is_alone:
        if not is_alone:
            raise WorkerRunning(f"A worker named {name} runs already.", worker=name)
        try:
            confirm()
            yield confirm
        finally:
            found.release()


@contextmanager
def working(handshaker: Handshaker) -> Iterator[bool]:
    """Make sure that a worker works meanwhile: another process's, or one in a thread of this process.

    Yields whether it is this process's. Raises what ``Handshaker.worker`` raises.
    """
    try:
        with claim(handshaker.settings.instance, handshaker.settings.worker, handshaker.store) as confirm:
            worker = handshaker.worker()
            stop = threading.Event()
            thread = threading.Thread(target=worker.run, args=(stop, confirm), name="worker")
            thread.start()
            try:
                yield True
            finally:
                stop.set()
                thread.join()
    except WorkerRunning:
        yield False
