"""Organisations: hospitals, laboratories and insurers."""

from __future__ import annotations

from collections import Counter

from flask import redirect, render_template, request, url_for
from werkzeug.wrappers import Response

from handshaker import HandshakerError
from webapp.access import ADMINISTRATOR, credential, handshaker, open_to
from webapp.administration import acts
from webapp.administration.blueprint import administration, below
from webapp.administration.forms import OrganisationForm, RenameForm, next_number

Answer = str | Response | tuple[str, int]


@administration.get("/organisations")
@open_to(ADMINISTRATOR)
def organisations() -> str:
    """All of them, with how many work there."""
    staff = handshaker().staff
    return render_template(
        "administration/organisations.html",
        organisations=staff.organisations(),
        members=Counter(member.actor.organisation_id for member in staff.members(state="active")),
        act=acts.shown_act(),
    )


@administration.route("/organisations/new", methods=["GET", "POST"])
@below("organisations")
@open_to(ADMINISTRATOR)
def new_organisation() -> Answer:
    """Register one."""
    form = OrganisationForm(number=next_number())
    if not form.validate_on_submit():
        return _page("administration/new_organisation.html", form)
    try:
        number, name = form.number.data or 0, form.name.data or ""
        submission = handshaker().registrar.register_organisation(credential(), number, name)
    except HandshakerError as error:
        acts.tell(form, error)
        return _page("administration/new_organisation.html", form)
    acts.tell_sent(submission)
    return redirect(url_for("administration.organisations", act=submission.ti_id), 303)


@administration.route("/organisations/<int:number>", methods=["GET", "POST"])
@below("organisations")
@open_to(ADMINISTRATOR)
def organisation(number: int) -> Answer:
    """Rename one, end it, or bring it back."""
    known = handshaker().staff.organisation(number)
    form = RenameForm(name=known.name, active=known.active)
    if not form.validate_on_submit():
        return _page("administration/organisation.html", form, organisation=known)
    act = handshaker().registrar.register_organisation
    try:
        submission = act(credential(), number, form.name.data or "", active=form.active.data)
    except HandshakerError as error:
        acts.tell(form, error)
        return _page("administration/organisation.html", form, organisation=known)
    acts.tell_sent(submission)
    return redirect(url_for("administration.organisations", act=submission.ti_id), 303)


def _page(template: str, form: object, **values: object) -> Answer:
    status = 422 if request.method == "POST" else 200
    return render_template(template, form=form, **values), status
