"""How deep JSON may nest, checked without recursion: a parser or a walker could run out of the interpreter's stack.

Libraries raise Python's recursion limit so far that its own guard comes too late, and the process dies instead.
"""

from __future__ import annotations

import re
from collections.abc import Mapping

from handshaker.messages import Json

DEEPEST_PAYLOAD = 64
DEEPEST_DOCUMENT = 200
_STRING = re.compile(r'"(?:[^"\\]|\\.)*"?', re.DOTALL)
_BRACKET = re.compile(r"[\[\]{}]")


def is_too_deep(document: Json, limit: int = DEEPEST_PAYLOAD) -> bool:
    """Tell whether a parsed document nests deeper than ``limit``."""
    level = [document]
    for _ in range(limit + 1):
        if not level:
            return False
        level = [
            inner
            for node in level
            if isinstance(node, (Mapping, list))
            for inner in (node.values() if isinstance(node, Mapping) else node)
        ]
    return bool(level)


def text_is_too_deep(text: str, limit: int = DEEPEST_DOCUMENT) -> bool:
    """Tell whether JSON text, well-formed or not, opens more than ``limit`` brackets inside each other."""
    depth = 0
    for bracket in _BRACKET.findall(_STRING.sub("", text)):
        depth += 1 if bracket in "[{" else -1
        if depth > limit:
            return True
    return False
