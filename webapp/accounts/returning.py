"""Going back to where one was: only to pages of ours, and only to what can be opened by going there."""

from __future__ import annotations

from urllib.parse import urlsplit

from flask import current_app, request, url_for
from werkzeug.exceptions import HTTPException
from werkzeug.routing import RequestRedirect

from webapp.access import person
from webapp.navigation import home_of


def where_to() -> str:
    """Return the page that ``next`` names, if the person of this request may open it, or where they begin."""
    role, wished = person().credential.actor.role, wish()
    view = current_app.view_functions.get(_endpoint(wished))
    return wished if role in getattr(view, "open_to", ()) else url_for(home_of(role))


def wish() -> str:
    """Return what ``next`` says, if it is a page of ours."""
    return safe(request.values.get("next", ""))


def came_from() -> str:
    """Return the page of ours on which the button was that was pressed."""
    referrer = urlsplit(request.referrer or "")
    if referrer.netloc != request.host:
        return ""
    return safe(referrer.path + (f"?{referrer.query}" if referrer.query else ""))


def safe(address: str) -> str:
    """Return ``address`` if it is the path of a page of ours that can be opened, else nothing."""
    is_path = address.startswith("/") and not address.startswith("//")
    if not is_path or len(address) > 500 or not address.isprintable() or "\\" in address:
        return ""
    endpoint = _endpoint(address)
    is_page = bool(endpoint) and not endpoint.startswith(("accounts.", "api.", "static"))
    return address if is_page or endpoint == "accounts.account" else ""


def _endpoint(address: str) -> str:
    try:
        endpoint, _ = current_app.url_map.bind("").match(urlsplit(address).path, method="GET")
    except (HTTPException, RequestRedirect, ValueError):
        return ""
    return str(endpoint)
