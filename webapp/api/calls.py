"""How every operation is called: who asks, how often, in which form; then the function, then the answer."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from flask import Response, g, request
from flask_limiter.errors import RateLimitExceeded
from flask_limiter.util import get_remote_address

from handshaker import Credential, Handshaker, NotAuthenticated, errors
from webapp import access
from webapp.api import metrics, problems
from webapp.api.contract import Operation
from webapp.extensions import limiter
from webapp.refusals import MediaTypeUnknown, NotAcceptable, RequestInvalid, ScopeMissing, TooManyRequests


@dataclass(frozen=True, slots=True)
class Call:
    """A request that is of the form that the document asks for."""

    handshaker: Handshaker
    who: Credential | None
    """``None`` for operations that need no token."""
    parameters: Mapping[str, Any]
    body: Any
    wants: str
    """Media type of the answer."""

    @property
    def credential(self) -> Credential:
        """Who asks, for operations that need a token."""
        assert self.who is not None
        return self.who


@dataclass(frozen=True, slots=True)
class Answer:
    """What an operation answers, as JSON."""

    body: Mapping[str, Any] | None
    status: int = 200
    headers: Mapping[str, str] = field(default_factory=dict)


Function = Callable[[Call], Answer | Response]


def view_of(operation: Operation, function: Function) -> Callable[..., Response]:
    """Return the view that performs an operation; it checks tokens itself."""

    def view(**path: str) -> Response:
        started = time.perf_counter()
        try:
            response = _sent(function(_call(operation, path)))
        except Exception as error:
            response = problems.told(error)
        metrics.count(access.handshaker(), operation.name, response.status_code, time.perf_counter() - started)
        return response

    view.__name__ = operation.name
    return access.bearers(view)


def _call(operation: Operation, path: Mapping[str, str]) -> Call:
    _limited(_count_address)
    who = _who(operation)
    wants = _wanted(operation)
    parameters = operation.read_parameters({"path": path, "query": _query(), "header": _headers(operation)})
    return Call(access.handshaker(), who, parameters, _body(operation), wants)


def _who(operation: Operation) -> Credential | None:
    """Return who asks; raises ``NotAuthenticated``, ``ScopeMissing``, ``RoleNotAllowed`` and ``ActorInactive``."""
    if operation.scope is None:
        return None
    given = request.authorization
    if given is None or given.type != "bearer" or not given.token:
        raise NotAuthenticated("There is no valid token.")
    handshaker = access.handshaker()
    g.credential = credential = handshaker.tokens.authenticate(given.token)
    _limited(_count_token)
    if operation.scope not in credential.scopes:
        raise ScopeMissing(f"This token is not for the scope {operation.scope}.", scope=operation.scope)
    if operation.roles is not None:
        handshaker.following.check_standing(credential)
        role = credential.actor.role
        if role not in operation.roles:
            raise errors.RoleNotAllowed(f"This is not for the role {role}.", role=role, allowed=sorted(operation.roles))
    return credential


def _wanted(operation: Operation) -> str:
    """Return the media type to answer in; raises ``NotAcceptable``."""
    accepted = request.accept_mimetypes
    if not request.headers.get("Accept", "").strip():
        return operation.produces[0]
    best = accepted.best_match(operation.produces)
    if best is None:
        raise NotAcceptable("The answer does not exist in these media types.")
    return best


def _query() -> dict[str, str]:
    found = request.args.to_dict(flat=False)
    for name, values in found.items():
        if len(values) > 1:
            raise RequestInvalid(
                "A parameter is there twice.", errors=[{"parameter": name[:60], "detail": "is there more than once"}]
            )
    return {name: values[0] for name, values in found.items()}


def _headers(operation: Operation) -> dict[str, str]:
    names = [parameter.name for parameter in operation.parameters if parameter.where == "header"]
    return {name: request.headers[name] for name in names if name in request.headers}


def _body(operation: Operation) -> Any:
    if operation.body is None:
        return None
    if request.mimetype != "application/json":
        raise MediaTypeUnknown("The body is not JSON by its header Content-Type.")
    return operation.read_body(request.get_data(cache=False))


def _sent(answer: Answer | Response) -> Response:
    if isinstance(answer, Response):
        return answer
    text = "" if answer.body is None else json.dumps(answer.body, ensure_ascii=False)
    response = Response(text, answer.status, mimetype="application/json")
    if answer.body is None:
        response.headers.pop("Content-Type", None)
    response.headers.update(answer.headers)
    return response


# ---- how often -----------------------------------------------------------------------------------------------------


def _rate() -> str:
    return f"{access.handshaker().settings.api_requests_per_minute} per minute"


def _token_of_request() -> str:
    credential: Credential = g.credential
    return credential.token_id


@limiter.shared_limit(lambda: _rate(), scope="api address", key_func=get_remote_address)
def _count_address() -> None:
    """Count a request of this address."""


@limiter.shared_limit(lambda: _rate(), scope="api token", key_func=_token_of_request)
def _count_token() -> None:
    """Count a request with this token."""


def _limited(count: Callable[[], None]) -> None:
    """Count; raises ``TooManyRequests``. Leaves no headers for the limiter to put on every answer."""
    try:
        count()
    except RateLimitExceeded:
        limit = limiter.current_limit
        seconds = limit.reset_at - access.handshaker().clock.now().timestamp() if limit else 60
        raise TooManyRequests("Too many requests in the last minute.", seconds=max(1, int(seconds))) from None
    finally:
        limiter.context.view_rate_limit = None
        limiter.context.view_rate_limits = []
