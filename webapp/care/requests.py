"""Asking patients for consent, and what became of it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from flask import flash, redirect, render_template, request, url_for
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from flask_wtf import FlaskForm
from werkzeug.wrappers import Response
from wtforms import RadioField, SelectMultipleField
from wtforms.widgets import CheckboxInput, ListWidget

from handshaker import ConsentRequest, Identity, Purpose, vocabulary
from webapp import live
from webapp.access import CARE, DOCTOR, NURSE, PATHOLOGIST, credential, handshaker, open_to, passive
from webapp.care import people, words
from webapp.care.blueprint import below, care

_GENERAL = [each for each in vocabulary.CATEGORIES if not each.is_sensitive]
_SENSITIVE = [each for each in vocabulary.CATEGORIES if each.is_sensitive]
_USUAL = {
    NURSE: (["vital-signs", "notes", "allergies"], ["vital-signs", "notes"]),
    DOCTOR: (["vital-signs", "laboratory", "notes", "medications", "problems", "allergies"], ["vital-signs", "notes"]),
    PATHOLOGIST: (["laboratory"], ["laboratory"]),
}
"""What each role usually needs: to read, to write. A beginning, to be changed before it is sent."""
_MOST, _FEW = 50, 8
"""Requests on a page: the state of each is several questions to the chain."""


def _boxes(label: Any, categories: list[vocabulary.Category]) -> SelectMultipleField:
    choices = [(each.code, words.category(each.code)) for each in categories]
    return SelectMultipleField(
        label, choices=choices, option_widget=CheckboxInput(), widget=ListWidget(), validate_choice=True
    )


class RequestForm(FlaskForm):  # type: ignore[misc]
    """What an organisation would like to be allowed."""

    read = _boxes(_l("Read"), _GENERAL)
    write = _boxes(_l("Write"), _GENERAL)
    read_sensitive = _boxes(_l("Read specially protected records"), _SENSITIVE)
    write_sensitive = _boxes(_l("Write specially protected records"), _SENSITIVE)
    purpose = RadioField(
        _l("Purpose"),
        choices=[(purpose.name, text) for purpose, text in words.PURPOSES.items()],
        default=Purpose.TREAT.name,
    )

    def check(self) -> bool:
        """Whether it can be sent."""
        if self.validate() and not (self.reads or self.writes):
            self.form_errors.append(_("Choose at least one kind of record."))
        return not self.errors

    @property
    def reads(self) -> list[str]:
        """Codes to read."""
        return [*(self.read.data or []), *(self.read_sensitive.data or [])]

    @property
    def writes(self) -> list[str]:
        """Codes to write."""
        return [*(self.write.data or []), *(self.write_sensitive.data or [])]


@dataclass(frozen=True, slots=True)
class RequestsPart:
    """The requests, and who they go to."""

    requests: list[ConsentRequest]
    people: dict[str, Identity]
    seen: str


def requests_part(*, own: bool = False) -> RequestsPart:
    """Return the requests of this person's organisation, or their ``own`` last ones only."""
    asker = credential().actor.actor_id
    found = handshaker().requests.of(credential(), _FEW if own else _MOST)
    if own:
        found = [each for each in found if each.requested_by == asker]
    shown = [(each.request_id, each.state, each.requested_at) for each in found]
    return RequestsPart(found, people.known(each.patient_id for each in found), live.mark(shown))


@care.get("/requests")
@open_to(*CARE)
def requests() -> str:
    """Show all requests of one's organisation."""
    return render_template("care/requests.html", requests=requests_part())


@care.get("/requests/list")
@passive
@open_to(*CARE)
def requests_list() -> live.Answer:
    """Return the list again, when something has changed."""
    part = requests_part()
    return live.part("care/_requests.html", part.seen, requests=part)


@care.get("/patients/<patient_id>/consent")
@below("care.patients")
@open_to(*CARE)
def ask_consent(patient_id: str) -> str:
    """Show the form, with what the role usually needs, and never anything sensitive."""
    identity, form = people.patient(patient_id), RequestForm(formdata=None)
    form.read.data, form.write.data = _USUAL[credential().actor.role]
    return _page(identity, form)


@care.post("/patients/<patient_id>/consent")
@below("care.patients")
@open_to(*CARE)
def send_consent_request(patient_id: str) -> str | Response:
    """Ask the patient."""
    identity, form = people.patient(patient_id), RequestForm()
    if not form.check():
        return _page(identity, form)
    purpose = Purpose[str(form.purpose.data)]
    handshaker().requests.ask(credential(), patient_id, form.reads, form.writes, purpose)
    flash(_("The patient was asked. The state below changes by itself when the answer is on the chain."), "good")
    return redirect(url_for("care.requests"), 303)


def _page(identity: Identity, form: RequestForm) -> str:
    own = vocabulary.WRITABLE[vocabulary.Role[credential().actor.role.upper()]]
    writable = {each.code for each in vocabulary.categories_of(own)}
    is_repeat = request.method == "POST"
    return render_template("care/consent.html", identity=identity, form=form, writable=writable, is_repeat=is_repeat)
