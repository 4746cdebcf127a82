"""Accepting an invitation. Its code comes in the part of the address that browsers keep to themselves."""

from __future__ import annotations

from flask import flash, render_template, url_for
from flask_babel import gettext as _
from werkzeug.wrappers import Response

from handshaker import HandshakerError, NotAuthenticated, PasswordRefused, UsernameRefused, UsernameTaken
from webapp.access import anybody, go_to, handshaker
from webapp.accounts.blueprint import REFUSED, accounts, guessing
from webapp.accounts.forms import PasswordForm, WelcomeForm

Answer = str | Response | tuple[str, int]


@accounts.route("/welcome", methods=["GET", "POST"])
@anybody
@guessing
def welcome() -> Answer:
    """Let whoever was invited choose a username and a password."""
    form = WelcomeForm()
    if not form.is_submitted():
        return _page(form)
    if not form.validate():
        return _page(form), 422
    try:
        handshaker().logins.accept(form.invitation, form.username.data or "", form.new.data or "")
    except NotAuthenticated:
        form.code.errors = [_("This invitation is not valid, or not any more. Ask an administrator for another one.")]
        return _page(form), REFUSED
    except (PasswordRefused, UsernameRefused, UsernameTaken) as error:
        tell(form, error)
        return _page(form), 422
    flash(_("Your login is ready. If it is refused, wait a minute: you are being registered on the chain."), "good")
    return go_to(url_for("accounts.log_in"))


def tell(form: WelcomeForm | PasswordForm, error: HandshakerError) -> None:
    """Say at the field what is wrong with what was chosen."""
    if isinstance(error, PasswordRefused):
        form.new.errors = [_password_words(error.data["problem"])]
    elif isinstance(form, WelcomeForm) and isinstance(error, UsernameTaken):
        form.username.errors = [_("Somebody else has that username. Choose another one.")]
    elif isinstance(form, WelcomeForm):
        form.username.errors = [_("Use 2 to 64 letters a to z, digits, dots, hyphens and underscores.")]


def _password_words(problem: str) -> str:
    words: dict[str, str] = {
        "too-short": _("That is too short: 12 characters at least."),
        "too-long": _("That is too long: 200 characters at most."),
        "username": _("It contains your username. Take something else."),
        "obvious": _("That would be tried first. Take several words that belong together for you alone."),
    }
    return words[problem]


def _page(form: WelcomeForm) -> str:
    return render_template("accounts/welcome.html", form=form)
