"""Drafts: refused records of one's own, signed again as soon as they can be."""

from __future__ import annotations

from dataclasses import dataclass

from flask import flash, redirect, render_template, url_for
from flask_babel import gettext as _
from werkzeug.wrappers import Response

from handshaker import Draft, Identity
from webapp import live
from webapp.access import CARE, credential, handshaker, open_to, passive
from webapp.care import people
from webapp.care.blueprint import below, care
from webapp.looks import look


@dataclass(frozen=True, slots=True)
class DraftsPart:
    """The drafts, and who they are about."""

    drafts: list[Draft]
    people: dict[str, Identity]
    seen: str


def drafts_part() -> DraftsPart:
    """Return this person's drafts, those that can be sent first."""
    found = sorted(handshaker().drafts.of(credential(), look()), key=lambda draft: not draft.is_ready)
    shown = [(each.ti_id, each.is_ready, each.requested is not None) for each in found]
    return DraftsPart(found, people.known(draft.patient_id for draft in found), live.mark(shown))


@care.get("/drafts")
@open_to(*CARE)
def drafts() -> str:
    """Show all of them."""
    return render_template("care/drafts.html", drafts=drafts_part())


@care.get("/drafts/list")
@passive
@open_to(*CARE)
def drafts_list() -> live.Answer:
    """Return the list again, when something has changed."""
    part = drafts_part()
    return live.part("care/_drafts.html", part.seen, drafts=part)


@care.post("/drafts/<ti_id>/send")
@open_to(*CARE)
def send_draft(ti_id: str) -> Response:
    """Sign the same content again, and send it."""
    submission = handshaker().drafts.send(credential(), ti_id)
    return redirect(url_for("care.submission", ti_id=submission.ti_id), 303)


@care.post("/drafts/<ti_id>/ask")
@open_to(*CARE)
def ask_for_draft(ti_id: str) -> Response:
    """Ask the patient to allow what the draft needs."""
    draft = handshaker().drafts.get(credential(), ti_id, look())
    handshaker().requests.ask(credential(), draft.patient_id, [], [draft.category])
    flash(_("The patient was asked. As soon as consent comes, the draft can be signed and sent here."), "good")
    return redirect(url_for("care.drafts"), 303)


@care.get("/drafts/<ti_id>/discard")
@below("care.drafts")
@open_to(*CARE)
def discard(ti_id: str) -> str:
    """Ask whether it is to be given up."""
    draft = handshaker().drafts.get(credential(), ti_id, look())
    return render_template("care/discard.html", draft=draft, identity=people.patient(draft.patient_id))


@care.post("/drafts/<ti_id>/discard")
@open_to(*CARE)
def discard_draft(ti_id: str) -> Response:
    """Give it up."""
    handshaker().drafts.discard(credential(), ti_id)
    flash(_("The draft is discarded. That it was refused stays in the audit log."), "good")
    return redirect(url_for("care.drafts"), 303)
