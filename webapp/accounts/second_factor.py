"""Enrolling a second factor: forced where the hospital asks for one, free for everybody else."""

from __future__ import annotations

import segno
from flask import flash, render_template, request, url_for
from flask_babel import gettext as _
from werkzeug.wrappers import Response

from handshaker import CodeRefused, LoginRefused, TotpEnrolment
from webapp.access import STAFF, go_to, handshaker, open_to, person, unfinished
from webapp.accounts.blueprint import REFUSED, accounts, guessing
from webapp.accounts.forms import AnotherFactorForm, SecondFactorForm

Answer = str | Response | tuple[str, int]


@accounts.route("/second-factor", methods=["GET", "POST"])
@open_to(*STAFF)
@unfinished
@guessing
def second_factor() -> Answer:
    """Show a QR code, and keep the second factor once its code is right."""
    if person().is_locked:
        return go_to(url_for("accounts.unlock"))
    form = SecondFactorForm() if person().needs else AnotherFactorForm()
    if not form.is_submitted():
        return _page(form, handshaker().logins.begin_totp(person()))
    try:
        enrolment = handshaker().logins.totp_of(person(), form.secret.data or "")
    except CodeRefused:
        return go_to(url_for("accounts.second_factor"))
    return _confirmed(form, enrolment) if form.validate() else (_page(form, enrolment), 422)


def _confirmed(form: SecondFactorForm, enrolment: TotpEnrolment) -> Answer:
    password = (form.password.data or "") if isinstance(form, AnotherFactorForm) else ""
    try:
        handshaker().logins.confirm_totp(person(), enrolment.secret, form.code.data or "", password)
    except CodeRefused:
        form.code.errors = [_("That is not its code now. Check the clock of the phone, and take the newest code.")]
        return _page(form, enrolment), 422
    except LoginRefused:
        assert isinstance(form, AnotherFactorForm)
        form.password.errors = [_("That is not your password, or this login rests after failures.")]
        return _page(form, enrolment), REFUSED
    flash(_("Your second factor is enrolled. From now on you need it to log in."), "good")
    return go_to(url_for("accounts.start" if person().needs else "accounts.account"))


def _page(form: SecondFactorForm, enrolment: TotpEnrolment) -> str:
    form.secret.data = enrolment.secret
    return render_template(
        "accounts/second_factor.html",
        form=form,
        picture=segno.make(enrolment.uri, error="m").svg_data_uri(scale=5, border=4, dark="#000", light="#fff"),
        spelled=" ".join(enrolment.secret[start : start + 4] for start in range(0, len(enrolment.secret), 4)),
        is_forced=bool(person().needs),
        is_replacing=handshaker().logins.has_totp(person().credential.actor.actor_id),
        is_sent=request.method == "POST",
    )
