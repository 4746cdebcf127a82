"""A proof that somebody brings along, from a file or pasted: the same checks, with the node asked."""

from __future__ import annotations

from typing import Any

from flask import render_template
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from flask_wtf import FlaskForm
from flask_wtf.file import FileField
from wtforms import TextAreaField

from handshaker import ProofUnusable, errors, parse_json
from webapp.access import STAFF, handshaker, open_to
from webapp.proofs.blueprint import proofs
from webapp.proofs.pages import shown

LARGEST = 200_000
"""Bytes of one document: a proof has some thousands."""
_AREA = {"class": "code short", "spellcheck": "false", "autocomplete": "off", "rows": 10}
_FILE = {"accept": ".json,application/json"}
Answer = str | tuple[str, int]


class ProofForm(FlaskForm):  # type: ignore[misc]
    """A proof, and what else is known, each pasted or from a file."""

    proof = TextAreaField(_l("Proof"), description=_l("JSON, as it was downloaded."), render_kw=_AREA)
    proof_file = FileField(_l("Or its file"), render_kw=_FILE)
    known = TextAreaField(
        _l("What you know from elsewhere (may stay empty)"),
        description=_l("A head that you kept, or a consistency proof that leads from the proof's head to another."),
        render_kw={**_AREA, "rows": 5},
    )
    known_file = FileField(_l("Or its file"), render_kw=_FILE)


@proofs.route("/check", methods=["GET", "POST"])
@open_to(*STAFF)
def check() -> Answer:
    """Ask for a proof, and show how its checks come out."""
    form = ProofForm()
    if not form.validate_on_submit():
        return render_template("proofs/check.html", form=form)
    try:
        proof = _document(form.proof, form.proof_file)
        known = _document(form.known, form.known_file)
        if proof is None:
            raise ProofUnusable(_("Paste a proof, or choose its file."))
        examined = handshaker().proofs.examine_document(proof, known)
    except ProofUnusable as problem:
        form.proof.errors = [*form.proof.errors, str(problem)]
        return render_template("proofs/check.html", form=form), 422
    return render_template("proofs/check.html", form=form, **shown(examined))


def _document(area: TextAreaField, chosen: FileField) -> Any:
    """Return the JSON of a field or of the file beside it, ``None`` where both are empty; raises ``ProofUnusable``."""
    raw = chosen.data.read(LARGEST + 1) if chosen.data else (area.data or "").encode("utf-8", "replace")
    if not raw.strip():
        return None
    if len(raw) > LARGEST:
        raise ProofUnusable(_("That is larger than any proof: %(limit)s bytes are looked at.", limit=LARGEST))
    try:
        return parse_json(raw, str(area.label.text))
    except errors.EnvelopeInvalid as problem:
        raise ProofUnusable(problem.message) from None
