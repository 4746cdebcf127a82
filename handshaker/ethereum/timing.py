"""How long a node takes to answer, by method."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

from web3 import Web3

Observe = Callable[[str, float], None]
"""Is told the method and the seconds, also of questions that failed."""


class Timing:
    """A middleware of web3's that tells an observer of every question; it is no part of what is asked."""

    def __init__(self, observe: Observe, web3: Web3) -> None:
        self._observe = observe

    def wrap_make_request(self, make_request: Callable[[Any, Any], Any]) -> Callable[[Any, Any], Any]:
        """Return what asks and takes the time."""

        def ask(method: Any, parameters: Any) -> Any:
            started = time.perf_counter()
            try:
                return make_request(method, parameters)
            finally:
                self._observe(str(method), time.perf_counter() - started)

        return ask
