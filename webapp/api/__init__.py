"""The REST API under ``/api/v1``.

``openapi.yaml`` is the contract and comes first: routes, scopes, roles and the form of every request are read from
it. ``contract`` reads it, ``calls`` holds each request against it, ``operations`` does what is asked, ``problems``
tells what went wrong (RFC 9457), ``streams`` what happens (server-sent events).
"""

from __future__ import annotations

from flask import Blueprint, Flask, Response, request
from werkzeug.routing import BaseConverter

from webapp.api import calls, contract, problems, streams
from webapp.api.operations import function_of
from webapp.api.reference import reference
from webapp.extensions import csrf

__all__ = ["register"]


def register(app: Flask) -> None:
    """Serve the API: every operation of the document, problems for everything else under its address."""
    api = Blueprint("api", __name__)
    for operation in contract.operations():
        for parameter in operation.parameters:
            if parameter.where == "path":
                app.url_map.converters[contract.converter_name(parameter.name)] = _converter(parameter)
        view = calls.view_of(operation, function_of(operation))
        api.add_url_rule(
            operation.rule,
            operation.name,
            view,
            methods=[operation.method],
            provide_automatic_options=False,
            merge_slashes=False,
        )
    # Who asks is proven by a token in every request and never by a cookie, so nobody's browser can be misled.
    csrf.exempt(api)
    app.before_request(_answer_wrong_addresses)
    app.after_request(_keep_out_of_caches)
    app.register_blueprint(api)
    app.register_blueprint(reference)
    settings = app.extensions["handshaker"].settings
    streams.register(app, settings.web_threads)


def _converter(parameter: contract.Parameter) -> type[BaseConverter]:
    """Return what keeps texts out of an address that cannot be there: they lead nowhere, like any other."""
    return type("PatternConverter", (BaseConverter,), {"regex": parameter.pattern, "part_isolating": True})


def _keep_out_of_caches(response: Response) -> Response:
    if request.path.startswith("/api/"):
        response.headers["Cache-Control"] = "no-store"
    return response


def _answer_wrong_addresses() -> Response | None:
    """Answer a request of the API whose address or method leads nowhere."""
    if not request.path.startswith("/api/"):
        return None
    return None if request.routing_exception is None else problems.told(request.routing_exception)
