"""Finding patients, and their charts."""

from __future__ import annotations

from flask import render_template, request

from handshaker import vocabulary
from webapp.access import CARE, DOCTOR, credential, handshaker, open_to
from webapp.care import moments, people, trends
from webapp.care.blueprint import below, care

_LONGEST = 100


@care.get("/patients")
@open_to(*CARE)
def patients() -> str:
    """Show the search, whom one looked at last, and for doctors who lets them read."""
    allowing = None
    if credential().actor.role == DOCTOR:
        category = vocabulary.CATEGORY_BY_CODE["notes"]
        allowing = handshaker().roster.allowing(credential(), vocabulary.Action.READ, category)
    return render_template("care/patients.html", recent=people.recent(), allowing=allowing)


@care.post("/patients/search")
@below("care.patients")
@open_to(*CARE)
def search() -> str:
    """Find patients. A POST, for a name in an address would stay in histories and logs."""
    text = request.form.get("text", "").strip()[:_LONGEST]
    found = handshaker().patients.find(text) if text else []
    is_part = request.headers.get("HX-Request") == "true"
    page = "care/_found.html" if is_part else "care/found.html"
    return render_template(page, text=text, found=found)


@care.get("/patients/<patient_id>")
@below("care.patients")
@open_to(*CARE)
def chart(patient_id: str) -> str:
    """Show what this person may see of a patient."""
    identity = people.patient(patient_id)
    shown = handshaker().charts.open(patient_id, credential())
    asked = handshaker().requests.about(credential(), patient_id)
    return render_template(
        "care/chart.html",
        identity=identity,
        chart=shown,
        asked=[each for each in asked if each.state == "waiting"],
        trends=[trends.drawn(series, moments.zone()) for series in shown.vital_signs],
    )


@care.get("/patients/<patient_id>/older/<category>")
@below("care.patients")
@open_to(*CARE)
def older(patient_id: str, category: str) -> str:
    """Show older entries of one part of a chart."""
    identity = people.patient(patient_id)
    cursor = request.args.get("cursor", "")
    entries, following = handshaker().charts.older(patient_id, credential(), category, cursor)
    is_part = request.headers.get("HX-Request") == "true"
    page = "care/_entries.html" if is_part else "care/older.html"
    return render_template(page, identity=identity, category=category, entries=entries, cursor=following)
