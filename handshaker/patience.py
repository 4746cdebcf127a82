"""Questions to a node that may hang: nobody waits for an answer longer than is bearable in front of a page."""

from __future__ import annotations

import threading
from collections.abc import Callable
from concurrent.futures import Future
from typing import TypeVar

from handshaker.errors import ChainUnreachable

SECONDS = 4.0
LANES = 8
"""Questions that may be on their way at once: while all of them hang, nobody asks another one."""

T = TypeVar("T")


class Patience:
    """Asks in threads of its own, and gives up on an answer, not on the thread that waits for it."""

    def __init__(self, name: str, seconds: float = SECONDS, lanes: int = LANES) -> None:
        self._name = name
        self._seconds = seconds
        self._lanes = threading.BoundedSemaphore(lanes)

    def ask(self, question: Callable[[], T]) -> T:
        """Return the answer, or raise what the question raises; ``ChainUnreachable`` when it takes too long."""
        if not self._lanes.acquire(timeout=self._seconds):
            raise _silent()
        answer: Future[T] = Future()
        threading.Thread(target=self._fulfil, args=(answer, question), name=self._name, daemon=True).start()
        try:
            return answer.result(self._seconds)
        except TimeoutError:
            if answer.done():
                raise
            raise _silent() from None

    def _fulfil(self, answer: Future[T], question: Callable[[], T]) -> None:
        try:
            answer.set_result(question())
        except BaseException as error:
            answer.set_exception(error)
        finally:
            self._lanes.release()


def _silent() -> ChainUnreachable:
    return ChainUnreachable("The node takes too long to answer.", url="")
