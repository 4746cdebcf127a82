"""Who has an instance open: everybody together who works with it, or one alone who exchanges its databases.

A lock on a file of the instance's folder, which ends with its process however it dies. It knows of this machine only;
a server of databases is asked who else is connected.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from handshaker.errors import StoreUnavailable
from handshaker.file_lock import Share, hold, is_held

_LOCK = ".open.lock"
UNFINISHED = "restoring.json"
"""What a restore leaves in the folder until it is done."""


class InstanceInUse(StoreUnavailable):
    """Somebody else has the instance open. Data: ``users``, the names of locks and databases."""

    code = "instance-in-use"
    mend = "Stop the worker, the web application and every other command of this instance, then try again."


class RestoreUnfinished(StoreUnavailable):
    """A restore was interrupted, so the databases do not belong together. Data: ``folder`` of the backup."""

    code = "restore-unfinished"
    mend = "Run the same `handshaker restore` again: it goes on where it was, and nothing is deleted."


def share(instance: Path, *, unfinished: bool = False) -> Share:
    """Have an instance open together with others, until it is closed.

    Raises ``InstanceInUse`` while somebody has it alone, and ``RestoreUnfinished`` unless ``unfinished`` says that this
    is expected.
    """
    shared = Share.of(instance / _LOCK)
    if shared is None:
        raise InstanceInUse(f"The instance in {instance} is being restored.", users=["restore"])
    if not unfinished and (instance / UNFINISHED).exists():
        shared.close()
        raise RestoreUnfinished(f"A restore of the instance in {instance} was interrupted.", folder=str(instance))
    return shared


@contextmanager
def alone(instance: Path) -> Iterator[None]:
    """Have an instance alone; raises ``InstanceInUse`` while anybody else has it open."""
    with hold(instance / _LOCK) as is_ours:
        if not is_ours:
            workers = sorted(path.stem for path in instance.glob("[!.]*.lock") if is_held(path))
            named = f" Workers: {', '.join(workers)}." if workers else ""
            raise InstanceInUse(f"Somebody has the instance in {instance} open.{named}", users=workers)
        yield
