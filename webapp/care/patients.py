"""Finding patients, and their charts."""

from __future__ import annotations

from typing import Any

from flask import redirect, render_template, request, url_for
from werkzeug.wrappers import Response

from handshaker import vocabulary
from webapp.access import CARE, DOCTOR, credential, handshaker, open_to
from webapp.care import moments, people, trends
from webapp.care.blueprint import below, care
from webapp.looks import look

_LONGEST = 100


@care.get("/patients")
@open_to(*CARE)
def patients() -> str:
    """Show the search, whom one looked at last, and for doctors who lets them read."""
    shown = allowing() if credential().actor.role == DOCTOR else None
    return render_template("care/patients.html", recent=people.recent(), allowing=shown)


def allowing() -> Any:
    """Return the patients who let this person read their notes."""
    notes = vocabulary.CATEGORY_BY_CODE["notes"]
    return handshaker().roster.allowing(credential(), vocabulary.Action.READ, notes, within=look())


@care.post("/patients/search")
@below("care.patients")
@open_to(*CARE)
def search() -> str:
    """Find patients. A POST, for a name in an address would stay in histories and logs."""
    text = request.form.get("text", "").strip()[:_LONGEST]
    found = handshaker().patients.find(credential(), text) if text else []
    is_part = request.headers.get("HX-Request") == "true"
    page = "care/_found.html" if is_part else "care/found.html"
    return render_template(page, text=text, found=found)


@care.get("/patients/<patient_id>")
@below("care.patients")
@open_to(*CARE)
def chart(patient_id: str) -> str:
    """Show what this person may see of a patient."""
    shown = handshaker().charts.open(people.checked(patient_id), credential())
    people.remember(patient_id)
    asked = handshaker().requests.about(credential(), patient_id)
    return render_template(
        "care/chart.html",
        identity=shown.identity,
        chart=shown,
        asked=[each for each in asked if each.state == "waiting"],
        trends=[trends.drawn(series, moments.zone()) for series in shown.vital_signs],
    )


@care.get("/patients/<patient_id>/older/<category>")
@below("care.patients")
@open_to(*CARE)
def older(patient_id: str, category: str) -> str | Response:
    """Show older entries of one part of a chart."""
    cursor = request.args.get("cursor", "")
    if not cursor:
        return redirect(url_for("care.chart", patient_id=patient_id), 303)
    shown = handshaker().charts.older(people.checked(patient_id), credential(), category, cursor)
    is_part = request.headers.get("HX-Request") == "true"
    page = "care/_entries.html" if is_part else "care/older.html"
    return render_template(page, identity=shown.identity, category=category, entries=shown.entries, cursor=shown.cursor)
