"""Tokens for programs, made by the person in whose name they act."""

from __future__ import annotations

from datetime import timedelta

from flask import flash, render_template, url_for
from flask_babel import gettext as _
from flask_babel import ngettext
from werkzeug.wrappers import Response

from webapp.access import STAFF, credential, go_to, handshaker, open_to
from webapp.accounts.blueprint import accounts
from webapp.accounts.forms import TokenForm

Answer = str | Response | tuple[str, int]

LIFETIMES = (7, 30, 90, 365)
"""Days."""


@accounts.route("/account/tokens/new", methods=["GET", "POST"])
@open_to(*STAFF)
def new_token() -> Answer:
    """Make a token and show it, once."""
    form = _form()
    if not form.is_submitted():
        return render_template("accounts/new_token.html", form=form)
    if not form.validate():
        return render_template("accounts/new_token.html", form=form), 422
    text = handshaker().tokens.issue(
        credential(),
        tuple(form.scopes.data or ()),
        label=form.label.data or "",
        lifetime=timedelta(days=form.days.data),
    )
    return render_template("accounts/token.html", text=text, label=form.label.data)


@accounts.post("/account/tokens/<token_id>/revoke")
@open_to(*STAFF)
def revoke_token(token_id: str) -> Response:
    """End one of one's own tokens."""
    handshaker().tokens.revoke(credential().actor.actor_id, token_id)
    flash(_("That token has ended."), "good")
    return go_to(url_for("accounts.account"))


def scope_words() -> dict[str, str]:
    """Return what each scope lets a program do."""
    return {
        "read": _("Read what you may read"),
        "submit": _("Sign and submit in your name"),
        "administer": _("Administer in your name"),
    }


def _form() -> TokenForm:
    form = TokenForm(days=90)
    words = scope_words()
    form.scopes.choices = [(scope, words[scope]) for scope in sorted(credential().scopes)]
    form.days.choices = [(days, ngettext("%(num)d day", "%(num)d days", days)) for days in LIFETIMES]
    return form
