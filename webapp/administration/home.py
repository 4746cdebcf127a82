"""The overview: what needs an administrator's attention."""

from __future__ import annotations

from flask import render_template

from webapp.access import ADMINISTRATOR, handshaker, open_to, person
from webapp.administration.blueprint import administration


@administration.get("")
@open_to(ADMINISTRATOR)
def home() -> str:
    """Open proposals, licences, invitations, failed checks, and what waits."""
    parts = handshaker()
    return render_template(
        "administration/home.html",
        checks=parts.health.ready(),
        proposals=parts.reviews.open(),
        licences=parts.staff.licences_ending(),
        invitations=parts.registrar.invitations(),
        activity=parts.explorer.activity(24),
        refused=parts.explorer.search(status="invalid", limit=5).rows,
        waiting=parts.explorer.oldest_open(),
        own_id=person().credential.actor.actor_id,
    )
