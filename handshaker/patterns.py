"""Patterns that authors of templates write: which ones take a time that grows with the text and does not explode.

Python tries every way to divide a text among repetitions within repetitions: ``(a+)+$`` takes hours for 40 letters, and
holds up the whole process meanwhile. So what is repeated must have a fixed length.
"""

from __future__ import annotations

import re

_TOKEN = re.compile(
    r"(?P<escape>\\.)|(?P<set>\[\^?\]?(?:\\.|[^\]\\])*\])|(?P<open>\((?:\?(?:[:=!]|<[=!]|P<\w+>))?)|(?P<close>\))|(?P<or>\|)"
    r"|(?P<times>[*+?]|\{(?:\d+(?:,\d*)?|,\d+)\})[?+]?|(?P<sign>.)",
    re.DOTALL,
)
_ONCE = ("?", "{1}", "{0,1}", "{,1}", "{1,1}")


def pattern_problem(pattern: str) -> str | None:
    """Return what is wrong with a pattern, or ``None``."""
    try:
        re.compile(pattern)
    except (re.error, OverflowError, RecursionError):
        return "is no regular expression"
    varies, before, is_open_end = [False], "", False
    for token in _TOKEN.finditer(pattern):
        kind = str(token.lastgroup)
        if kind == "times" and before == "open":
            return "has a group of a kind that patterns cannot have here"
        if kind == "times" and is_open_end and token["times"] not in _ONCE:
            return "repeats a group whose length varies: some texts would take hours"
        is_open_end = _walk(kind, token, varies)
        before = kind
    return None


def _walk(kind: str, token: re.Match[str], varies: list[bool]) -> bool:
    """Note for every open group whether its length varies; return whether one was closed whose length does."""
    if kind == "open":
        varies.append(False)
    elif kind == "or":
        varies[-1] = True
    elif kind == "times":
        varies[-1] |= not re.fullmatch(r"\{\d+\}", token["times"])
    is_open_end = varies.pop() if kind == "close" else False
    varies[-1] |= is_open_end
    return is_open_end
