"""Clinical notes: written, and amended by their author."""

from __future__ import annotations

from typing import Any

from flask import abort, render_template
from flask_babel import lazy_gettext as _l
from werkzeug.wrappers import Response
from wtforms import SelectField, TextAreaField
from wtforms.validators import DataRequired, Length

from handshaker import Entry, Identity, writing
from webapp.access import DOCTOR, NURSE, credential, handshaker, open_to
from webapp.care import moments, people, sending, words
from webapp.care.blueprint import below, care
from webapp.care.fields import MomentField, SigningForm

_LONGEST = 20_000
_NURSE_NOTE, _PLAIN_NOTE = "34746-8", "34109-9"


class NoteForm(SigningForm):
    """A note in plain text."""

    kind = SelectField(
        _l("Kind of note"),
        choices=[(code, words.NOTES.get(code, name)) for code, name in writing.NOTE_KINDS.items()],
    )
    written_at = MomentField(_l("Date and time"), format=moments.TYPED)
    text = TextAreaField(
        _l("Text"),
        validators=[
            DataRequired(_l("Write the note first.")),
            Length(max=_LONGEST, message=_l("That is too long: 20,000 characters at most.")),
        ],
    )


@care.get("/patients/<patient_id>/note")
@below("care.patients")
@open_to(DOCTOR, NURSE)
def note(patient_id: str) -> str:
    """Show the empty form."""
    identity, form = people.patient(patient_id), NoteForm(formdata=None)
    form.written_at.data = moments.now()
    form.kind.data = _NURSE_NOTE if credential().actor.role == NURSE else _PLAIN_NOTE
    return _page(identity, form)


@care.post("/patients/<patient_id>/note")
@below("care.patients")
@open_to(DOCTOR, NURSE)
def send_note(patient_id: str) -> str | Response:
    """Sign and send it, once."""
    return _send(people.patient(patient_id), NoteForm(), None)


@care.get("/patients/<patient_id>/note/<record_id>")
@below("care.patients")
@open_to(DOCTOR, NURSE)
def amend_note(patient_id: str, record_id: str) -> str:
    """Show the form with the text of one's own note, to put another in its place."""
    identity, entry = _own_note(patient_id, record_id)
    form = NoteForm(formdata=None)
    form.written_at.data, form.text.data = moments.now(), entry.text
    form.kind.data = next((code for code, name in writing.NOTE_KINDS.items() if name == entry.title), _PLAIN_NOTE)
    return _page(identity, form, entry)


@care.post("/patients/<patient_id>/note/<record_id>")
@below("care.patients")
@open_to(DOCTOR, NURSE)
def send_amended_note(patient_id: str, record_id: str) -> str | Response:
    """Sign and send what takes the place of one's own note."""
    identity, entry = _own_note(patient_id, record_id)
    return _send(identity, NoteForm(), entry)


def _send(identity: Identity, form: NoteForm, amended: Entry | None) -> str | Response:
    if not form.validate():
        return _page(identity, form, amended)
    payload = writing.note(form.text.data or "", form.kind.data, form.written_at.moment)
    if amended is not None:
        payload["docStatus"] = "amended"
    supersedes = amended.record_id if amended else None
    sending.send("clinical-note", identity.patient_id, payload, f"{form.key.data}/note", supersedes=supersedes)
    return sending.see(str(form.key.data))


def _own_note(patient_id: str, record_id: str) -> tuple[Identity, Entry]:
    """Return a patient and a current note of this person's own about them.

    Answers 404 for any other note, also for one that may not be read now.
    """
    chart = handshaker().charts.open(people.checked(patient_id), credential(), ["notes"], "note")
    people.remember(patient_id)
    own = (each for each in chart.notes if each.author_id == credential().actor.actor_id and not each.superseded_by)
    found = next((each for each in own if each.record_id == record_id), None)
    if found is None:
        abort(404)
    return chart.identity, found


def _page(identity: Identity, form: NoteForm, amended: Entry | None = None) -> str:
    values: dict[str, Any] = {"identity": identity, "form": form, "amended": amended, "longest": _LONGEST}
    return render_template("care/note.html", latest=moments.now().strftime(moments.TYPED), **values)
