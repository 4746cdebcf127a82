"""Coming in and going out."""

from __future__ import annotations

from flask import flash, render_template, url_for
from flask_babel import gettext as _
from werkzeug.wrappers import Response

from handshaker import LoginRefused
from webapp.access import STAFF, anybody, forget, go_to, handshaker, is_logged_in, open_to, person, remember, unfinished
from webapp.accounts.blueprint import REFUSED, accounts, guessing
from webapp.accounts.forms import LoginForm
from webapp.accounts.returning import where_to, wish
from webapp.navigation import home_of

Answer = str | Response | tuple[str, int]


@accounts.get("/")
@open_to(*STAFF)
def start() -> Response:
    """Lead everybody to where their work begins."""
    return go_to(url_for(home_of(person().credential.actor.role)))


@accounts.route("/login", methods=["GET", "POST"])
@anybody
@guessing
def log_in() -> Answer:
    """Ask for username, password and code; a refusal keeps the username."""
    form = LoginForm()
    if not form.is_submitted():
        return go_to(where_to()) if _is_here() else _page(form)
    if not form.validate():
        return _page(form), 422
    try:
        text = handshaker().logins.log_in(*(field.data or "" for field in (form.username, form.password, form.code)))
    except LoginRefused:
        return _page(form, is_refused=True), REFUSED
    if is_logged_in():
        handshaker().sessions.end(person())
    remember(text)
    return go_to(url_for("accounts.arrive", next=wish() or None))


@accounts.get("/arrive")
@open_to(*STAFF)
def arrive() -> Response:
    """Lead whoever has just come in to where they wanted to go."""
    return go_to(where_to())


@accounts.post("/logout")
@open_to(*STAFF)
@unfinished
def log_out() -> Response:
    """End the session, also a locked one: somebody else may need the computer."""
    handshaker().sessions.end(person())
    forget()
    flash(_("You are logged out."), "good")
    return go_to(url_for("accounts.log_in"))


def _is_here() -> bool:
    return is_logged_in() and not person().is_locked


def _page(form: LoginForm, *, is_refused: bool = False) -> str:
    # It is over by the time the password is typed again.
    form.code.data = ""
    return render_template("accounts/log_in.html", form=form, is_refused=is_refused, wish=wish())
