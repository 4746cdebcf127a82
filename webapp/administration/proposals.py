"""Proposals of templates: looked at by a second administrator, and approved or rejected."""

from __future__ import annotations

from flask import redirect, render_template, url_for
from flask_babel import gettext as _
from werkzeug.wrappers import Response

from handshaker import HandshakerError, Proposal
from webapp.access import ADMINISTRATOR, credential, handshaker, open_to
from webapp.administration import acts, meaning
from webapp.administration.blueprint import administration, below


@administration.get("/proposals/<proposal_id>")
@below("templates")
@open_to(ADMINISTRATOR)
def proposal(proposal_id: str) -> str:
    """Show what is proposed, how it differs from the newest version, and what its example becomes."""
    parts = handshaker()
    found = parts.reviews.get(proposal_id)
    run, failure = None, ""
    try:
        run = parts.reviews.dry_run(found.document)
    except HandshakerError as error:
        failure = str(error)
    return render_template(
        "administration/proposal.html",
        proposal=found,
        newest=_before(found),
        lines=parts.reviews.difference(found.document, _document_before(found)),
        run=run,
        failure=failure,
        rows=meaning.rows(run.fields) if run else [],
        is_own=found.proposed_by == credential().actor.actor_id,
    )


@administration.post("/proposals/<proposal_id>/approve")
@open_to(ADMINISTRATOR)
def approve(proposal_id: str) -> Response:
    """Add the template."""
    added = handshaker().reviews.approve(credential(), proposal_id)
    acts.tell_done(_("%(reference)s is approved and can be used.", reference=added.reference))
    return redirect(url_for("administration.template", name=added.name, version=added.version), 303)


@administration.post("/proposals/<proposal_id>/reject")
@open_to(ADMINISTRATOR)
def reject(proposal_id: str) -> Response:
    """Turn it down."""
    handshaker().reviews.reject(credential(), proposal_id)
    acts.tell_done(_("The proposal is rejected."))
    return redirect(url_for("administration.templates"), 303)


@administration.post("/proposals/<proposal_id>/withdraw")
@open_to(ADMINISTRATOR)
def withdraw(proposal_id: str) -> Response:
    """Take one's own back."""
    handshaker().reviews.withdraw(credential(), proposal_id)
    acts.tell_done(_("The proposal is withdrawn."))
    return redirect(url_for("administration.templates"), 303)


def _before(found: Proposal) -> int | None:
    """Return the version before the proposed one, where there is one."""
    earlier = [version for version in handshaker().templates.versions(found.name) if version < found.version]
    return earlier[-1] if earlier else None


def _document_before(found: Proposal) -> dict[str, object] | None:
    version = _before(found)
    return handshaker().templates.document(found.name, version) if version else None
