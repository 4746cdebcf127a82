"""Errors as problem documents (RFC 9457): every error of the API, whoever raised it."""

from __future__ import annotations

import inspect
import json
import logging
import re
import traceback
from collections.abc import Iterator
from typing import Any

from flask import Response, g, request
from werkzeug.exceptions import HTTPException

from handshaker import HandshakerError, NotAnchoredYet, errors
from webapp import refusals
from webapp.api.contract import BASE, pointer
from webapp.errors import RETRY_AFTER, Problem, error_kinds, kind_of, problem_of

log = logging.getLogger("webapp.api")

MEDIA_TYPE = "application/problem+json"
_HTTP: dict[int, type[HandshakerError]] = {
    400: refusals.BadRequest,
    404: errors.NotFound,
    405: refusals.MethodNotAllowed,
    406: refusals.NotAcceptable,
    413: refusals.BodyTooLarge,
    415: refusals.MediaTypeUnknown,
    429: refusals.TooManyRequests,
}


class GateRefused(Exception):
    """A transaction was stored and acknowledged as invalid at a gate of intake."""

    def __init__(self, refusal: HandshakerError, transaction: str, acknowledgement: dict[str, Any]) -> None:
        super().__init__(refusal.code)
        self.refusal = refusal
        self.transaction = transaction
        self.acknowledgement = acknowledgement


def told(error: Exception) -> Response:
    """Return the problem document of whatever was raised."""
    if isinstance(error, GateRefused):
        members = {"transaction": error.transaction, "acknowledgement": error.acknowledgement}
        return _response(problem_of(error.refusal), status=422, **members)
    if isinstance(error, HTTPException):
        return _with_headers_of(error, told(_of_http(error)))
    if isinstance(error, HandshakerError):
        problem = problem_of(error)
        if problem.status >= 500:
            log.warning("%s %s: %s", g.request_number, request.endpoint, error.code)
        return _response(problem)
    # The type and the places tell where to look; the message could hold what a client sent.
    places = [
        f"{frame.filename.rpartition('/')[2]}:{frame.lineno}" for frame in traceback.extract_tb(error.__traceback__)
    ]
    log.error("%s %s: %s at %s", g.request_number, request.endpoint, type(error).__name__, " > ".join(places[-6:]))
    return _response(problem_of(refusals.Broken("Something went wrong that should not.")))


def kinds() -> Iterator[dict[str, Any]]:
    """Yield what there is to say of every kind of problem, by code."""
    known = {kind.code: kind for kind in error_kinds()}
    for code in sorted(known):
        error = known[code]
        problem = problem_of(error(sentence(error)))
        yield {
            "code": code,
            "title": problem.title,
            "status": kind_of(error).status,
            "sentence": problem.detail,
            "mend": problem.mend,
        }


def sentence(error: type[HandshakerError]) -> str:
    """Return what a class of errors means: its docstring, without what is for programmers."""
    words = inspect.cleandoc(error.__doc__ or error.code).partition("\n\n")[0]
    return re.sub(r"\s+", " ", words.partition(" Data:")[0]).replace("``", "")


def _of_http(error: HTTPException) -> HandshakerError:
    kind = _HTTP.get(error.code or 500, refusals.BadRequest if (error.code or 500) < 500 else refusals.Broken)
    return kind(sentence(kind) if kind is not errors.NotFound else "There is nothing at this address.")


def _with_headers_of(error: HTTPException, response: Response) -> Response:
    for name, value in error.get_headers():
        if name in ("Allow", "Retry-After"):
            response.headers[name] = value
    return response


def _response(problem: Problem, *, status: int | None = None, **members: Any) -> Response:
    status = status or problem.status
    document = {
        "type": f"{BASE}/problems/{problem.code}",
        "title": problem.title,
        "status": status,
        "detail": problem.detail,
        "instance": f"urn:uuid:{g.request_number}",
        "code": problem.code,
        "mend": problem.mend,
        **_details(problem),
        **members,
    }
    response = Response(json.dumps(document, ensure_ascii=False), status, mimetype=MEDIA_TYPE)
    if status == 401:
        sent = ', error="invalid_token"' if request.authorization else ""
        response.headers["WWW-Authenticate"] = f'Bearer realm="handshaker"{sent}'
    if problem.code == refusals.ScopeMissing.code:
        scope = problem.data.get("scope", "")
        response.headers["WWW-Authenticate"] = f'Bearer realm="handshaker", error="insufficient_scope", scope="{scope}"'
    if status in (429, 503) or problem.code == NotAnchoredYet.code:
        response.headers["Retry-After"] = str(problem.data.get("seconds", RETRY_AFTER))
    return response


def _details(problem: Problem) -> dict[str, Any]:
    """Return the members that a kind of problem has besides those that all have."""
    data = problem.data
    found = data.get("errors") or [
        {"pointer": _place(problem.code, fault["path"]), "detail": fault["problem"]}
        for fault in data.get("problems") or []
    ]
    more = {"errors": found} if found else {}
    if "ti_id" in data:
        more["transaction"] = data["ti_id"]
    if "checks" in data:
        more["checks"] = data["checks"]
    return more


def _place(code: str, path: str) -> str:
    """Return where in the body a fault is: the gates of the payload count from the payload."""
    is_of_payload = code in (errors.SchemaViolated.code, errors.Implausible.code)
    return pointer(f"payload.{path}" if is_of_payload else path)
