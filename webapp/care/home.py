"""Today: what each role needs first."""

from __future__ import annotations

from flask import render_template

from webapp.access import CARE, DOCTOR, PATHOLOGIST, credential, open_to
from webapp.care import laboratory, patients, people, submissions
from webapp.care.blueprint import care
from webapp.care.drafts import drafts_part
from webapp.care.requests import requests_part


@care.get("/today")
@open_to(*CARE)
def home() -> str:
    """Show what there is to do, by role."""
    asker = credential()
    return render_template(
        "care/home.html",
        recent=people.recent(),
        drafts=drafts_part(),
        requests=requests_part(own=True),
        sent=submissions.today_part(),
        work=laboratory.work() if asker.actor.role == PATHOLOGIST else None,
        allowing=patients.allowing() if asker.actor.role == DOCTOR else None,
    )
