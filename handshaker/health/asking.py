"""Asking what may never answer: each question in a thread of its own, and one thread a question however often asked."""

from __future__ import annotations

import threading
from collections.abc import Callable
from concurrent.futures import Future
from typing import Any


class Asking:
    """Questions by name."""

    def __init__(self) -> None:
        self._pending: dict[str, Future[Any]] = {}
        self._guard = threading.Lock()

    def ask(self, name: str, question: Callable[[], Any]) -> Future[Any]:
        """Ask in a thread; while an earlier one still waits for the same, that one's answer counts for both."""
        with self._guard:
            pending = self._pending.get(name)
            if pending is None or pending.done():
                pending = self._pending[name] = Future()
                threading.Thread(target=_fulfil, args=(pending, question), name=f"health-{name}", daemon=True).start()
            return pending


def outcome(future: Future[Any]) -> tuple[Any, BaseException | None]:
    """Return the answer and ``None``, or ``None`` and why there is none (``TimeoutError``: not in time)."""
    error = future.exception() if future.done() else TimeoutError()
    return (future.result(), None) if error is None else (None, error)


def _fulfil(future: Future[Any], question: Callable[[], Any]) -> None:
    try:
        future.set_result(question())
    except Exception as error:
        future.set_exception(error)
