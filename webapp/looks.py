"""Looks: what a page shows of patients is one entry of the audit log, written before the page leaves.

Where it cannot be written, the page does not leave either.
"""

from __future__ import annotations

from flask import Flask, g, make_response, request
from werkzeug.wrappers import Response

from handshaker import HandshakerError, Look
from webapp import error_pages
from webapp.access import credential, handshaker


def look() -> Look:
    """Return the look of this request, called after the endpoint; all that is opened for its page belongs to it."""
    if "look" not in g:
        view = (request.endpoint or "").rpartition(".")[2].replace("_", "-")
        g.look = handshaker().accesses.look(credential(), view)
    found: Look = g.look
    return found


def nothing_shown() -> None:
    """Say that the answer tells nothing of what was opened for it: how far a record is, and not what it says."""
    g.pop("look", None)


def register(app: Flask) -> None:
    """Write the look of every request whose answer shows something."""
    app.after_request(_write)


def _write(response: Response) -> Response:
    found: Look | None = g.pop("look", None)
    if found is None or response.status_code == 204 or 300 <= response.status_code < 400:
        return response
    try:
        found.write()
    except HandshakerError as error:
        return make_response(error_pages.failed(error))
    return response
