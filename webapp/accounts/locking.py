"""The lock of a shared workstation: one click, a key, or nobody there."""

from __future__ import annotations

from flask import render_template, session, url_for
from werkzeug.wrappers import Response

from handshaker import LoginRefused, NotAuthenticated
from webapp.access import COOKIE_MEMBER, STAFF, forget, go_to, handshaker, open_to, person, remember, unfinished
from webapp.accounts.blueprint import REFUSED, accounts, guessing
from webapp.accounts.forms import UnlockForm
from webapp.accounts.returning import came_from, where_to, wish

Answer = str | Response | tuple[str, int]


@accounts.post("/lock")
@open_to(*STAFF)
@unfinished
def lock() -> Response:
    """Lock this session, wherever it is open."""
    handshaker().sessions.lock(person())
    return go_to(url_for("accounts.unlock", next=came_from() or None))


@accounts.route("/unlock", methods=["GET", "POST"])
@open_to(*STAFF)
@unfinished
@guessing
def unlock() -> Answer:
    """Go on after the password, in a session with a fresh cookie."""
    form = UnlockForm()
    if not person().is_locked:
        return go_to(where_to())
    if not form.is_submitted():
        return _page(form)
    if not form.validate():
        return _page(form), 422
    try:
        remember(handshaker().logins.unlock(session[COOKIE_MEMBER], form.password.data or ""))
    except LoginRefused:
        return _page(form, is_refused=True), REFUSED
    except NotAuthenticated:
        forget()
        return go_to(url_for("accounts.log_in", next=wish() or None))
    return go_to(url_for("accounts.arrive", next=wish() or None))


@accounts.post("/session/alive")
@open_to(*STAFF)
def alive() -> tuple[str, int]:
    """Note that somebody is there: pages say so while people read or type."""
    return "", 204


def _page(form: UnlockForm, *, is_refused: bool = False) -> str:
    actor = person().credential.actor
    return render_template(
        "accounts/unlock.html",
        form=form,
        is_refused=is_refused,
        wish=wish(),
        name=actor.name,
        username=handshaker().logins.username(actor.actor_id) or "",
    )
