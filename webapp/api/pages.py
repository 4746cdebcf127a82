"""Pages of a list: where the next one is (RFC 8288)."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlencode

from flask import request


def next_link(**changes: Any) -> dict[str, str]:
    """Return the header that leads to the next page: the same question with ``changes``."""
    asked = {**request.args.to_dict(), **{name: str(value) for name, value in changes.items()}}
    return {"Link": f'<{request.path}?{urlencode(asked)}>; rel="next"'}
