"""People: who works here, registering, changing and ending them."""

from __future__ import annotations

from typing import Any

from flask import redirect, render_template, request, url_for
from flask_babel import gettext as _
from werkzeug.wrappers import Response

from handshaker import HandshakerError, Member, vocabulary
from webapp.access import ADMINISTRATOR, credential, handshaker, open_to
from webapp.administration import acts, days
from webapp.administration.blueprint import administration, below
from webapp.administration.forms import ConfirmForm, PersonForm, in_two_years

Answer = str | Response | tuple[str, int]


@administration.get("/people")
@open_to(ADMINISTRATOR)
def people() -> str:
    """List the staff, narrowed by what the address says."""
    wanted = {name: request.args.get(name, "").strip()[:100] for name in ("text", "role", "organisation", "state")}
    number = int(wanted["organisation"]) if wanted["organisation"].isdecimal() else None
    return render_template(
        "administration/people.html",
        members=handshaker().staff.members(wanted["text"], wanted["role"], number, wanted["state"]),
        wanted=wanted,
        roles=[*(each.code for each in vocabulary.Role), ADMINISTRATOR],
        organisations=handshaker().staff.organisations(),
    )


@administration.route("/people/new", methods=["GET", "POST"])
@below("people")
@open_to(ADMINISTRATOR)
def new_person() -> Answer:
    """Register a practitioner, and show the invitation to hand over."""
    form = PersonForm(licence_until=in_two_years())
    if not form.validate_on_submit():
        return _page("administration/new_person.html", form)
    if not form.take():
        return _sent_before()
    try:
        registered = handshaker().registrar.register_practitioner(credential(), **_typed(form), invite=True)
    except HandshakerError as error:
        acts.tell(form, error)
        return _page("administration/new_person.html", form)
    form.spend()
    return _invitation(registered.actor_id, registered.token, registered.submission.ti_id)


@administration.get("/people/<actor_id>")
@below("people")
@open_to(ADMINISTRATOR)
def person(actor_id: str) -> str:
    """One of the staff, and what can be done about them."""
    member = handshaker().staff.member(actor_id)
    return _person_page(member, _change_form(member))


@administration.post("/people/<actor_id>")
@below("people")
@open_to(ADMINISTRATOR)
def change_person(actor_id: str) -> Answer:
    """Change role, licence, organisation or name."""
    member = handshaker().staff.member(actor_id)
    form = _change_form(member)
    if not form.validate_on_submit():
        return _person_page(member, form), 422
    try:
        submission = handshaker().registrar.change_practitioner(credential(), actor_id, **_changes(member, form))
    except HandshakerError as error:
        acts.tell(form, error)
        return _person_page(member, form), 422
    acts.tell_sent(submission)
    return redirect(url_for("administration.person", actor_id=actor_id, act=submission.ti_id), 303)


@administration.route("/people/<actor_id>/end", methods=["GET", "POST"])
@below("people")
@open_to(ADMINISTRATOR)
def end_person(actor_id: str) -> Answer:
    """Offboard somebody, after saying what that means."""
    member, form = handshaker().staff.member(actor_id), ConfirmForm()
    if not form.validate_on_submit():
        return _page("administration/end_person.html", form, member=member)
    try:
        submission = handshaker().registrar.end_practitioner(credential(), actor_id)
    except HandshakerError as error:
        acts.tell(form, error)
        return _page("administration/end_person.html", form, member=member)
    acts.tell_sent(submission, _("Sessions, tokens and key have ended."))
    return redirect(url_for("administration.person", actor_id=actor_id, act=submission.ti_id), 303)


@administration.route("/people/<actor_id>/invitation", methods=["GET", "POST"])
@below("people")
@open_to(ADMINISTRATOR)
def invite_person(actor_id: str) -> Answer:
    """Let somebody begin anew, after saying what that means."""
    member, form = handshaker().staff.member(actor_id), ConfirmForm()
    if not form.validate_on_submit():
        return _page("administration/invite_person.html", form, member=member)
    if not form.take():
        return _sent_before()
    try:
        registered = handshaker().registrar.invite_again(credential(), actor_id)
    except HandshakerError as error:
        acts.tell(form, error)
        return _page("administration/invite_person.html", form, member=member)
    form.spend()
    return _invitation(actor_id, registered.token, registered.submission.ti_id)


def _invitation(actor_id: str, code: str | None, ti_id: str) -> str:
    """Show an invitation, once."""
    parts = handshaker()
    return render_template(
        "administration/invitation.html",
        member=parts.staff.member(actor_id),
        code=code,
        act=parts.explorer.status(ti_id),
        public_url=parts.settings.public_url.rstrip("/"),
    )


def _person_page(member: Member, form: PersonForm) -> str:
    parts = handshaker()
    recent = parts.explorer.search(actor_id=member.actor.actor_id, limit=8)
    return render_template(
        "administration/person.html", member=member, form=form, recent=recent.rows, act=acts.shown_act()
    )


def _change_form(member: Member) -> PersonForm:
    actor = member.actor
    return PersonForm(
        name=actor.name,
        role=actor.role,
        organisation=str(actor.organisation_id),
        licence_until=days.day_of(actor.licence_until),
    )


def _typed(form: PersonForm) -> dict[str, Any]:
    """Return what the form says, as the registrar takes it."""
    return {
        "name": form.name.data,
        "role": form.role.data,
        "organisation": int(form.organisation.data),
        "licence_until": days.last_moment_of(form.licence_until.data or days.today()),
    }


def _changes(member: Member, form: PersonForm) -> dict[str, Any]:
    """Return what differs, so that what was left alone keeps its exact value."""
    actor, typed = member.actor, _typed(form)
    if days.day_of(actor.licence_until) == form.licence_until.data:
        typed.pop("licence_until")
    known = {"name": actor.name, "role": actor.role, "organisation": actor.organisation_id}
    return {name: value for name, value in typed.items() if name not in known or known[name] != value}


def _page(template: str, form: object, **values: object) -> Answer:
    """Show a form; one that was refused says so to machines too."""
    status = 422 if request.method == "POST" else 200
    return render_template(template, form=form, **values), status


def _sent_before() -> Response:
    acts.tell_done(_("That form was sent before, and its code was shown then. Invite again if it was lost."))
    return redirect(url_for("administration.people"), 303)
