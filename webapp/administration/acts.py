"""Acts of administrators on their way to the chain, shown live until they are settled."""

from __future__ import annotations

from typing import Any

from flask import Response, flash, make_response, request
from flask_babel import gettext as _

from handshaker import HandshakerError, Status, Submission
from webapp import live
from webapp.access import ADMINISTRATOR, handshaker, open_to, passive
from webapp.administration.blueprint import administration


@administration.get("/acts/<ti_id>")
@passive
@open_to(ADMINISTRATOR)
def act(ti_id: str) -> Response:
    """Show one act's status; the part asks for itself again until nothing can change.

    Then a page on which nobody types (``after=reload``) is loaded again, so that it shows what is registered now.
    """
    status, after = handshaker().explorer.status(ti_id), request.args.get("after", "")
    seen = f"{status.status}-{status.code}"
    answer = make_response(live.part("administration/_act.html", seen, act=status, after=after))
    if status.is_settled and after == "reload":
        answer.headers["HX-Refresh"] = "true"
    return answer


def shown_act() -> Status | None:
    """Return the act that the page's address names, if it names one."""
    ti_id = request.args.get("act", "")
    try:
        return handshaker().explorer.status(ti_id) if ti_id else None
    except HandshakerError:
        return None


def tell(form: Any, error: HandshakerError) -> None:
    """Show an error above a form whose fields it does not name."""
    form.form_errors = [*form.form_errors, str(error)]


def tell_done(message: str) -> None:
    """Say on the next page what is on its way."""
    flash(message, "good")


def tell_sent(submission: Submission, done: str = "") -> None:
    """Say on the next page that an act is on its way, or why a gate refused it; ``done`` is what is so already."""
    if submission.refusal is not None:
        flash(" ".join(filter(None, (done, _("Refused: %(why)s", why=str(submission.refusal))))), "bad")
    else:
        flash(" ".join(filter(None, (done, _("Signed and on its way to the chain.")))), "good")
