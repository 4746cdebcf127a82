"""Who may open which page. An endpoint that does not say so is closed to everybody."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

from flask import Response, abort, current_app, g, make_response, redirect, request, session, url_for
from werkzeug.wrappers import Response as AnyResponse

from handshaker import Credential, Handshaker, NotAuthenticated, Session

View = TypeVar("View", bound=Callable[..., Any])

ANYBODY = frozenset({"anybody"})
"""Pages for people who have not logged in."""
BEARERS = frozenset({"bearers"})
"""Operations that check a bearer token themselves."""
DOCTOR, NURSE, PATHOLOGIST = "doctor", "nurse", "pathologist"
ADMINISTRATOR, AUDITOR, PHARMACIST = "administrator", "auditor", "pharmacist"
STAFF = frozenset({DOCTOR, NURSE, PATHOLOGIST, ADMINISTRATOR, AUDITOR, PHARMACIST, "insurer", "researcher", "device"})
"""Everybody who can log in with a name and a password."""
CARE = frozenset({DOCTOR, NURSE, PATHOLOGIST})
"""Those who see patients."""

COOKIE_MEMBER = "login"


def open_to(*roles: str) -> Callable[[View], View]:
    """Declare that only people with one of ``roles`` may open an endpoint, in a live session that is not locked."""
    return _declare(frozenset(roles))


def anybody(view: View) -> View:
    """Declare that an endpoint is open to everybody."""
    return _declare(ANYBODY)(view)


def bearers(view: View) -> View:
    """Declare that an endpoint checks a bearer token itself."""
    return _declare(BEARERS)(view)


def unfinished(view: View) -> View:
    """Declare that a page of ``open_to`` may also be opened when locked, or while something must be done first."""
    view.unfinished = True  # type: ignore[attr-defined]
    return view


def passive(view: View) -> View:
    """Declare that a request to this endpoint comes from the page itself, and does not show that anybody is there."""
    view.passive = True  # type: ignore[attr-defined]
    return view


def _declare(roles: frozenset[str]) -> Callable[[View], View]:
    def declare(view: View) -> View:
        view.open_to = roles  # type: ignore[attr-defined]
        return view

    return declare


def handshaker() -> Handshaker:
    """Return the Handshaker that this application serves."""
    found: Handshaker = current_app.extensions["handshaker"]
    return found


def person() -> Session:
    """Return the live session of this request; only for endpoints that are not open to anybody."""
    found: Session = g.person
    return found


def credential() -> Credential:
    """Return who asks, as the library wants to know."""
    return person().credential


def is_logged_in() -> bool:
    """Whether this request comes from a live session."""
    return g.get("person") is not None


def remember(login: str) -> None:
    """Put a session's text into the cookie, and nothing of what was there before."""
    session.clear()
    session[COOKIE_MEMBER] = login


def forget() -> None:
    """Empty the cookie."""
    session.clear()
    g.person = None


def guard() -> AnyResponse | None:
    """Let a request pass, or answer it: the login page, the lock, or 403. Runs before every request.

    What a role opens needs a licence that goes on, as in the API; one's account does not. Raises ``ActorInactive``.
    """
    g.person = None
    view = current_app.view_functions.get(request.endpoint or "")
    if view is None:
        return None
    allowed: frozenset[str] = getattr(view, "open_to", frozenset())
    if not allowed:
        abort(403)
    if allowed is BEARERS:
        return None
    g.person = _session(is_active=not getattr(view, "passive", False))
    if allowed is ANYBODY:
        return None
    if g.person is None:
        return go_to(url_for("accounts.log_in", next=_return_address()))
    if not getattr(view, "unfinished", False):
        if g.person.is_locked:
            return go_to(url_for("accounts.unlock", next=_return_address()))
        if g.person.needs:
            return go_to(url_for("accounts.second_factor"))
    if g.person.credential.actor.role not in allowed:
        abort(403)
    if allowed != STAFF:
        handshaker().following.check_standing(g.person.credential)
    return None


def go_to(address: str) -> AnyResponse:
    """Send the browser to another page, also when htmx asked for a part of one."""
    if request.headers.get("HX-Request") == "true":
        return make_response(Response(status=204, headers={"HX-Redirect": address}))
    return redirect(address, 303)


def _session(*, is_active: bool) -> Session | None:
    text = session.get(COOKIE_MEMBER)
    if not isinstance(text, str):
        return None
    try:
        return handshaker().sessions.authenticate(text, is_active=is_active)
    except NotAuthenticated:
        session.clear()
        return None


def _return_address() -> str | None:
    """Return the page that was asked for, where going back to it later does no harm."""
    if request.headers.get("HX-Request") == "true" or request.method != "GET":
        return None
    return request.full_path.rstrip("?")
