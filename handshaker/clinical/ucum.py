"""UCUM unit codes."""

from __future__ import annotations

from functools import lru_cache
from typing import Any

UCUM_SYSTEM = "http://unitsofmeasure.org"
_LONGEST = 64


@lru_cache(maxsize=4096)
def is_ucum(code: str) -> bool:
    """Tell whether ``code`` is a unit in UCUM's case-sensitive grammar, for example ``mm[Hg]`` (and not ``mmHg``)."""
    if not code or len(code) > _LONGEST or not code.isascii():
        return False
    from lark.exceptions import LarkError

    try:
        _parser().parse(code)
    except LarkError:
        return False
    return True


@lru_cache(maxsize=1)
def _parser() -> Any:
    """Import late: the library brings a whole system of units with it, and most commands need none."""
    from ucumvert import get_ucum_parser

    return get_ucum_parser()
