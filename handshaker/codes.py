"""Machine codes of verdicts: one spelling for gates and contracts alike."""

from __future__ import annotations

import re

EFFECT = "effect"
"""The code of every valid ACK: the statement's effect is in a final block."""
EXPIRED = "statement-expired"

_WORD = re.compile(r"(?<=[a-z0-9])(?=[A-Z])")


def code_of(error: str) -> str:
    """Return the machine code of a contract's error: ``NotPermitted`` → ``not-permitted``."""
    return _WORD.sub("-", error).lower()


def error_of(code: str) -> str:
    """Return the contract's error of a machine code: ``not-permitted`` → ``NotPermitted``."""
    return "".join(word.capitalize() for word in code.split("-"))
