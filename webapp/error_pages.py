"""Errors as pages: what happened, what it means, what to do. Never a stack, a path or a secret."""

from __future__ import annotations

import logging
import secrets
import traceback

from flask import Flask, render_template, request
from flask_babel import gettext as _
from flask_wtf.csrf import CSRFError
from werkzeug.exceptions import HTTPException, SecurityError
from werkzeug.wrappers import Response

from handshaker import HandshakerError
from webapp.errors import problem_of

log = logging.getLogger("webapp")

Answer = tuple[str, int] | Response


def register(app: Flask) -> None:
    """Answer errors of pages."""
    app.register_error_handler(CSRFError, _forged)
    app.register_error_handler(HTTPException, _refused)
    app.register_error_handler(SecurityError, _other_host)
    app.register_error_handler(HandshakerError, failed)
    app.register_error_handler(Exception, _broken)


def failed(error: HandshakerError) -> Answer:
    """Answer an expected failure."""
    problem = problem_of(error)
    if problem.status >= 500:
        log.warning("%s %s: %s", request.method, request.endpoint, error.code)
    return _page(problem.status, problem.title, problem.detail, problem.mend)


def _forged(error: CSRFError) -> Answer:
    return _page(
        400,
        _("This form is too old"),
        _("It was opened before you logged in, or on another computer."),
        _("Go back, load the page again, and send it once more. Nothing was saved."),
    )


def _other_host(error: SecurityError) -> Answer:
    # Where nothing is ours, no page of ours has an address.
    return Response(_("This is not an address of this hospital."), 400, content_type="text/plain; charset=utf-8")


def _refused(error: HTTPException) -> Answer:
    if error.response is not None and isinstance(error.response, Response):
        return error.response
    title, detail, mend = _words(error.code or 500)
    return _page(error.code or 500, title, detail, mend)


def _broken(error: Exception) -> Answer:
    number = secrets.token_hex(4)
    # The type and the places tell where to look; the message could hold what a person typed.
    frames = traceback.extract_tb(error.__traceback__)[-6:]
    places = [f"{frame.filename.rpartition('/')[2]}:{frame.lineno}" for frame in frames]
    log.error("error %s in %s: %s at %s", number, request.endpoint, type(error).__name__, " > ".join(places))
    return _page(
        500,
        _("Something went wrong"),
        _("This page could not be made. Nothing half-finished was kept."),
        _("Try again; if it stays, tell the operator this number: %(number)s", number=number),
    )


def _words(status: int) -> tuple[str, str, str]:
    known = {
        400: (_("That was not understood"), _("The address or the form is incomplete."), _("Go back and try again.")),
        403: (
            _("This page is not for your role"),
            _("You are logged in, but your role does not open this page."),
            _("Ask an administrator if it should."),
        ),
        404: (
            _("There is nothing here"),
            _("The address does not exist, or what it showed is no longer here."),
            _("Go to the start, or search for the patient again."),
        ),
        405: (_("Not in this way"), _("This address cannot be opened like that."), _("Go to the start.")),
        413: (_("That is too large"), _("What was sent is larger than the hospital allows."), _("Make it smaller.")),
        429: (
            _("Too many attempts"),
            _("Too many requests came from here in a short time."),
            _("Wait a minute and try again."),
        ),
    }
    return known.get(status, (_("That did not work"), _("The request was refused."), _("Go back and try again.")))


def _page(status: int, title: str, detail: str, mend: str) -> Answer:
    page = render_template("error.html", status=status, title=title, detail=detail, mend=mend)
    return page, status
