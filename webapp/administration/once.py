"""Forms that do something only once: each carries a number, and a number that was used does nothing again.

Registering hands out a secret in the answer itself, so that answer cannot be a redirect, and whoever loads it again
sends the form again.
"""

from __future__ import annotations

import secrets
import threading
from collections import deque
from contextlib import suppress
from typing import Any

from flask import Response, after_this_request, session
from flask_wtf import FlaskForm
from wtforms import HiddenField

from webapp.access import person

_MEMBER = "done"
_KEPT = 20
_TAKEN: deque[str] = deque(maxlen=500)
"""Numbers whose work was begun lately: the cookie of a second click does not know of the first one yet."""
_GUARD = threading.Lock()


class OnceForm(FlaskForm):  # type: ignore[misc]
    """A form with a number of its own."""

    once = HiddenField()

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if not self.once.data:
            self.once.data = secrets.token_hex(8)

    def take(self) -> bool:
        """Begin the work; ``False`` where this very form did it before, or is at it."""
        with _GUARD:
            if self._number in _TAKEN or self._is_spent:
                return False
            _TAKEN.append(self._number)
        after_this_request(self._settle)
        return True

    def spend(self) -> None:
        """Remember that it did its work."""
        session[_MEMBER] = [*session.get(_MEMBER, []), self.once.data][-_KEPT:]

    def _settle(self, response: Response) -> Response:
        """Let a form be sent again whose work was not done, whatever went wrong."""
        if not self._is_spent:
            with _GUARD, suppress(ValueError):
                _TAKEN.remove(self._number)
        return response

    @property
    def _is_spent(self) -> bool:
        return self.once.data in session.get(_MEMBER, [])

    @property
    def _number(self) -> str:
        return f"{person().session_id}/{self.once.data}"
