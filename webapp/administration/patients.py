"""Registering patients."""

from __future__ import annotations

from flask import redirect, render_template, request, url_for
from flask_babel import gettext as _
from werkzeug.wrappers import Response

from handshaker import HandshakerError, Registered, demographics
from webapp.access import ADMINISTRATOR, credential, handshaker, open_to
from webapp.administration import acts
from webapp.administration.blueprint import administration, below
from webapp.administration.forms import PatientForm


@administration.route("/patients/new", methods=["GET", "POST"])
@below("people")
@open_to(ADMINISTRATOR)
def new_patient() -> str | Response | tuple[str, int]:
    """Register a patient under a random pseudonym, and show the code to hand over."""
    form = PatientForm()
    if not form.validate_on_submit():
        return _page(form)
    if not form.take():
        acts.tell_done(_("That form was sent before: the patient is registered."))
        return redirect(url_for("administration.new_patient"), 303)
    try:
        registered = _register(form)
    except HandshakerError as error:
        acts.tell(form, error)
        return _page(form)
    if registered.token is None:
        form.number.errors = [*form.number.errors, _("A patient with this number is registered already.")]
        return _page(form)
    form.spend()
    act = handshaker().explorer.status(registered.submission.ti_id)
    return render_template("administration/patient_registered.html", registered=registered, act=act)


def _register(form: PatientForm) -> Registered:
    number = form.number.data or ""
    family, given = form.family.data or "", form.given.data or ""
    resource = demographics.patient(family, given, form.sex.data, form.born.data, number)
    return handshaker().registrar.register_patient(credential(), resource, demographics.identifier(number))


def _page(form: PatientForm) -> tuple[str, int]:
    status = 422 if request.method == "POST" else 200
    return render_template("administration/new_patient.html", form=form), status
