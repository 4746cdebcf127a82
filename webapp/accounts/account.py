"""One's own account: password, sessions, and what else proves who one is."""

from __future__ import annotations

from flask import flash, render_template, url_for
from flask_babel import gettext as _
from werkzeug.wrappers import Response

from handshaker import LoginRefused, PasswordRefused
from webapp.access import STAFF, credential, forget, go_to, handshaker, open_to, person
from webapp.accounts.blueprint import REFUSED, accounts, guessing
from webapp.accounts.forms import PasswordForm
from webapp.accounts.welcome import tell

Answer = str | Response | tuple[str, int]


@accounts.get("/account")
@open_to(*STAFF)
def account() -> str:
    """Show who one is here, and everything that opens one's key."""
    actor, parts = credential().actor, handshaker()
    return render_template(
        "accounts/account.html",
        member=parts.staff.member(actor.actor_id),
        has_totp=parts.logins.has_totp(actor.actor_id),
        sessions=parts.sessions.live(actor.actor_id),
        here=person().session_id,
        tokens=parts.tokens.of(actor.actor_id),
    )


@accounts.route("/account/password", methods=["GET", "POST"])
@open_to(*STAFF)
@guessing
def password() -> Answer:
    """Change the password, which ends one's other sessions."""
    form = PasswordForm()
    if not form.is_submitted():
        return _page(form)
    if not form.validate():
        return _page(form), 422
    try:
        handshaker().logins.change_password(person(), form.old.data or "", form.new.data or "")
    except LoginRefused:
        form.old.errors = [_("That is not your password, or this login rests after failures.")]
        return _page(form), REFUSED
    except PasswordRefused as error:
        tell(form, error)
        return _page(form), 422
    flash(_("Your password is changed. Your other sessions have ended."), "good")
    return go_to(url_for("accounts.account"))


@accounts.post("/account/sessions/<session_id>/end")
@open_to(*STAFF)
def end_session(session_id: str) -> Response:
    """End one of one's own sessions, on whatever computer it is."""
    handshaker().sessions.end_one(person(), session_id)
    if session_id == person().session_id:
        forget()
        return go_to(url_for("accounts.log_in"))
    flash(_("That session has ended."), "good")
    return go_to(url_for("accounts.account"))


def _page(form: PasswordForm) -> str:
    username = handshaker().logins.username(credential().actor.actor_id) or ""
    return render_template("accounts/password.html", form=form, username=username)
