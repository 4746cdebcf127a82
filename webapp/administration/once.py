"""Forms that do something only once: each carries a number, and a number that was used does nothing again.

Registering hands out a secret in the answer itself, so that answer cannot be a redirect, and whoever loads it again
sends the form again.
"""

from __future__ import annotations

import secrets
from typing import Any

from flask import session
from flask_wtf import FlaskForm
from wtforms import HiddenField

_MEMBER = "done"
_KEPT = 20


class OnceForm(FlaskForm):  # type: ignore[misc]
    """A form with a number of its own."""

    once = HiddenField()

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if not self.once.data:
            self.once.data = secrets.token_hex(8)

    @property
    def was_sent(self) -> bool:
        """Whether this very form did its work before."""
        return self.once.data in session.get(_MEMBER, [])

    def spend(self) -> None:
        """Remember that it did its work."""
        session[_MEMBER] = [*session.get(_MEMBER, []), self.once.data][-_KEPT:]
