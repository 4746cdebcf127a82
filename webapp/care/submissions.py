"""What one sent, and what became of it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from flask import abort, render_template, request
from flask_babel import lazy_gettext as _l

from handshaker import Draft, EventKind, Identity, SentRecord, Status, TransactionRow, errors
from webapp import live, looks
from webapp.access import CARE, credential, handshaker, open_to, passive
from webapp.care import moments, people, sending
from webapp.care.blueprint import below, care

SETTLED = (EventKind.VALID, EventKind.INVALID, EventKind.CONTRADICTED)
FILTERS = {
    "": _l("All"),
    "valid": _l("Valid"),
    "invalid": _l("Invalid"),
    "received": _l("Received"),
    "sent": _l("Sent to the chain"),
    "mined": _l("In a block"),
}
_A_PAGE = 25
_TODAY = 8


@dataclass(frozen=True, slots=True)
class Line:
    """One line of a list of what was sent."""

    row: TransactionRow
    record: SentRecord
    identity: Identity | None


@dataclass(frozen=True, slots=True)
class Progress:
    """How far one transaction is, and what can be done about it."""

    record: SentRecord
    identity: Identity | None
    status: Status
    draft: Draft | None
    """Where it was refused and can be signed again."""


@dataclass(frozen=True, slots=True)
class SentPart:
    """A list that refreshes itself while something in it is on its way."""

    lines: list[Line]
    next_cursor: str | None
    is_moving: bool
    seen: str


def lines(*, template: str = "", since: datetime | None = None, limit: int = _A_PAGE) -> list[Line]:
    """Return what this person sent last."""
    page = handshaker().explorer.search(
        actor_id=credential().actor.actor_id, template=template, since=since, limit=limit
    )
    return _lines(page.rows)


def today_part() -> SentPart:
    """Return what this person sent today."""
    return _part(status="", since=moments.midnight(), before=None, limit=_TODAY)


def _part(*, status: str, since: datetime | None, before: str | None, limit: int = _A_PAGE) -> SentPart:
    actor_id = credential().actor.actor_id
    page = handshaker().explorer.search(actor_id=actor_id, status=status, since=since, before=before, limit=limit)
    is_moving = before is None and any(row.status not in SETTLED for row in page.rows)
    seen = live.mark([(row.ti_id, str(row.status)) for row in page.rows])
    return SentPart(_lines(page.rows), page.next_cursor, is_moving, seen)


def _lines(rows: tuple[TransactionRow, ...]) -> list[Line]:
    known = people.known(row.patient_id for row in rows)
    asker, own = credential(), handshaker().submissions
    return [Line(row, own.get(asker, row.ti_id, looks.look()), known.get(row.patient_id or "")) for row in rows]


@care.get("/sent")
@open_to(*CARE)
def submissions() -> str:
    """Show what this person sent, newest first."""
    status = _status()
    part = _part(status=status, since=None, before=request.args.get("before") or None)
    return render_template("care/sent.html", sent=part, status=status, filters=FILTERS)


@care.get("/sent/list")
@passive
@open_to(*CARE)
def sent_list() -> live.Answer:
    """Return the first page of the list again, when something has changed."""
    status = _status()
    part = _part(status=status, since=None, before=None)
    return live.part("care/_sent.html", part.seen, sent=part, address=("care.sent_list", status))


@care.get("/sent/today")
@passive
@open_to(*CARE)
def sent_today() -> live.Answer:
    """Return today's list again, when something has changed."""
    part = today_part()
    return live.part("care/_sent.html", part.seen, sent=part, address=("care.sent_today", ""))


@care.get("/sent/<ti_id>")
@below("care.submissions")
@open_to(*CARE)
def submission(ti_id: str) -> str:
    """Show one of one's own: what was entered, how far it is, with which evidence."""
    found = progress(ti_id)
    file = handshaker().explorer.file(ti_id)
    return render_template("care/submission.html", one=found, file=file, seen=_seen([found]))


@care.get("/sent/<ti_id>/progress")
@passive
@open_to(*CARE)
def submission_progress(ti_id: str) -> live.Answer:
    """Return how far it is, when that has changed."""
    found = progress(ti_id)
    looks.nothing_shown()
    file = handshaker().explorer.file(ti_id)
    return live.part("care/_submission.html", _seen([found]), one=found, file=file)


@care.get("/sent/together/<key>")
@below("care.submissions")
@open_to(*CARE)
def together(key: str) -> str:
    """Show what was sent with one form."""
    found = _together(key)
    return render_template("care/together.html", all=found, key=key, seen=_seen(found), identity=found[0].identity)


@care.get("/sent/together/<key>/progress")
@passive
@open_to(*CARE)
def together_progress(key: str) -> live.Answer:
    """Return how far all of it is, when that has changed."""
    found = _together(key)
    return live.part("care/_together.html", _seen(found), all=found, key=key)


def progress(ti_id: str) -> Progress:
    """Return how far one of this person's own is; raises ``NotFound``, also for somebody else's."""
    record = handshaker().submissions.get(credential(), ti_id, looks.look())
    status = handshaker().explorer.status(ti_id)
    identity = people.known([record.patient_id]).get(record.patient_id or "")
    return Progress(record, identity, status, _draft(ti_id) if status.status is EventKind.INVALID else None)


def _together(key: str) -> list[Progress]:
    found = sending.sent_under(key)
    return [progress(ti_id) for ti_id in found] or abort(404)


def _draft(ti_id: str) -> Draft | None:
    try:
        return handshaker().drafts.get(credential(), ti_id, looks.look())
    except errors.NotFound:
        return None


def _seen(found: list[Progress]) -> str:
    return live.mark(
        [(one.record.ti_id, str(one.status.status), one.status.position, _draft_state(one.draft)) for one in found]
    )


def _draft_state(draft: Draft | None) -> tuple[bool, bool] | None:
    return None if draft is None else (draft.is_ready, draft.requested is not None)


def _status() -> str:
    status = request.args.get("status", "")
    return status if status in FILTERS else ""
