"""Parts of pages that refresh themselves: nothing is sent, and nothing read out, while nothing has changed."""

from __future__ import annotations

import hashlib
from typing import Any

from flask import render_template, request
from werkzeug.wrappers import Response

Answer = str | Response


def mark(*shown: Any) -> str:
    """Return a short mark of what a part shows."""
    return hashlib.sha256(repr(shown).encode()).hexdigest()[:16]


def part(template: str, seen: str, **values: Any) -> Answer:
    """Return a part again, or 204 (which leaves the page as it is) where the browser has it as it is ``seen``.

    ``is_news`` lets the part say in a few words what has changed, to those who listen.
    """
    if request.args.get("seen") == seen:
        return Response(status=204)
    return render_template(template, seen=seen, is_news=True, **values)
