"""The number of a request: in the log, in problem documents and in the answer, so that all three can be put together.

A proxy or a client may give it in ``X-Request-ID``, as 32 hex digits with or without hyphens: whatever else people
put into a header has no place in a log.
"""

from __future__ import annotations

import re
import uuid

from flask import Flask, Response, g, request

from handshaker import logs

HEADER = "X-Request-ID"
_SANE = re.compile(r"[0-9a-fA-F]{32}|[0-9a-fA-F]{8}(?:-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}")


def register(app: Flask) -> None:
    """Give every request its number, before anything else happens to it."""
    app.before_request(_number)
    app.after_request(_say)
    app.teardown_request(_forget)


def _number() -> None:
    given = request.headers.get(HEADER, "")
    g.request_number = str(uuid.UUID(given)) if _SANE.fullmatch(given) else str(uuid.uuid4())
    logs.REQUEST.set(g.request_number)


def _say(response: Response) -> Response:
    if number := g.get("request_number"):
        response.headers[HEADER] = number
    return response


def _forget(error: BaseException | None) -> None:
    logs.REQUEST.set("")
