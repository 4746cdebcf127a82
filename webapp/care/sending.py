"""Handing records to intake in the name of the person who filled in the form."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from flask import flash, redirect, url_for
from flask_babel import gettext as _
from werkzeug.wrappers import Response

from handshaker import errors, writing
from webapp.access import credential, handshaker

PRESSURES = ("systolic", "diastolic")
PARTS = ("note", "report", "blood-pressure", *(sign.key for sign in writing.VITAL_SIGNS if sign.key not in PRESSURES))
"""What one form can send: each is a transaction of its own, and its name the end of its idempotency key."""


def send(
    template: str, patient_id: str, payload: Mapping[str, Any], key: str, *, supersedes: str | None = None
) -> None:
    """Sign and submit one record; the same key twice is one record."""
    request = {
        "template": template,
        "patient": patient_id,
        "payload": payload,
        "supersedes": supersedes,
        "idempotencyKey": key,
    }
    try:
        handshaker().intake.submit(request, credential())
    except errors.IdempotencyConflict:
        flash(_("This form was sent before. What was sent then is below; open the form anew to add to it."), "way")


def see(key: str) -> Response:
    """Go and see what became of what was sent under ``key``."""
    return redirect(url_for("care.together", key=key), 303)


def sent_under(key: str) -> list[str]:
    """Return the transactions that this person sent with one form."""
    actor_id = credential().actor.actor_id
    found = (handshaker().intake.known(actor_id, f"{key}/{part}") for part in PARTS)
    return [ti_id for ti_id in found if ti_id is not None]
