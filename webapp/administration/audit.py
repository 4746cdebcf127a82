"""The audit log: how well it is anchored, its heads, and what was written last."""

from __future__ import annotations

from typing import Any

from flask import redirect, render_template, request, url_for
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from werkzeug.wrappers import Response as AnyResponse

from handshaker import AnchoredHead, LogLine, LogSummary
from webapp import live
from webapp.access import ADMINISTRATOR, AUDITOR, handshaker, open_to, passive
from webapp.administration.blueprint import administration, below
from webapp.proofs import pages as proofs

_ROWS = 30
_HEADS = 20
_DRAWN = 200
"""Anchors in the picture."""
_LONGEST = 15
"""Digits of a position or a size."""
_SIZE = f"int(max={10**_LONGEST - 1})"
KINDS = {
    "acknowledgement": _l("Acknowledgement"),
    "contradiction": _l("Contradiction"),
    "access": _l("Access"),
    "act": _l("Act"),
    "erasure": _l("Erasure"),
    "lost": _l("Lost entry"),
    "restore": _l("Restore"),
}


@administration.get("/audit")
@open_to(ADMINISTRATOR, AUDITOR)
def audit() -> str:
    """Show state, anchors over time, heads and entries."""
    kind = request.args.get("kind", "")
    kind = kind if kind in KINDS else ""
    before = _number("before")
    lines = handshaker().audit_log.lines(_ROWS, before, kind)
    has_more = len(lines) == _ROWS and lines[-1].position > 0
    older = url_for(".audit", kind=kind or None, before=lines[-1].position, _anchor="entries") if has_more else ""
    return render_template(
        "administration/audit.html",
        **_state(),
        lines=[(line, what(line)) for line in lines],
        kind=kind,
        first=url_for(".audit", kind=kind or None, _anchor="entries") if before is not None else "",
        next=older,
    )


@administration.get("/audit/live")
@below("audit")
@passive
@open_to(ADMINISTRATOR, AUDITOR)
def live_audit() -> live.Answer:
    """Show the part of the page that changes, where it did."""
    return live.part("administration/_audit.html", **_state())


@administration.get("/audit/consistency")
@below("audit")
@open_to(ADMINISTRATOR, AUDITOR)
def heads_to_compare() -> AnyResponse:
    """Lead to the comparison of the two heads that were chosen, the smaller one first."""
    sizes = sorted(each for each in (_number("first"), _number("second")) if each is not None)
    if len(sizes) < 2:
        return redirect(url_for(".audit"), 303)
    return redirect(url_for(".consistency", first=sizes[0], second=sizes[1]), 303)


@administration.get(f"/audit/consistency/<{_SIZE}:first>/<{_SIZE}:second>")
@below("audit")
@open_to(ADMINISTRATOR, AUDITOR)
def consistency(first: int, second: int) -> str:
    """Check that the log only grew between two heads."""
    examined = handshaker().proofs.examine_growth(first, second)
    return render_template("administration/consistency.html", first=first, second=second, **proofs.shown(examined))


@administration.get(f"/audit/consistency/<{_SIZE}:first>/<{_SIZE}:second>/proof.json")
@below("audit")
@open_to(ADMINISTRATOR, AUDITOR)
def consistency_file(first: int, second: int) -> AnyResponse:
    """Hand out that proof as a file."""
    return proofs.file(handshaker().proofs.consistency(first, second), f"consistency-{first}-{second}.json")


def what(line: LogLine) -> str:
    """Return what an entry says, in a sentence."""
    said = line.said
    if line.kind == "acknowledgement":
        values = {"template": said.get("template", ""), "verdict": said.get("verdict", "")}
        return str(_("%(template)s: %(verdict)s", **values))
    if line.kind == "contradiction":
        return str(_("The chain took back the block that an acknowledgement rests on."))
    if line.kind == "erasure":
        return str(_("A key was destroyed: what was sealed with it can be read by nobody any more."))
    if line.kind == "restore":
        return str(_("The log goes on from an older backup; an administrator accepted the loss."))
    if line.kind == "lost":
        return str(_("Here stood an entry that the restored backup does not know."))
    return line.sentence


def _state() -> dict[str, Any]:
    summary = handshaker().audit_log.summary(_DRAWN)
    heads = summary.newest[:_HEADS]
    anchored = [head.signed.head.size for head in summary.newest if head.anchor]
    standing = _standing(summary)
    # Ages are told to the minute.
    minute = handshaker().clock.now().minute
    return {
        "log": summary,
        "kinds": KINDS,
        "standing": standing,
        "heads": [(head, _before(head, anchored)) for head in heads],
        "anchored_sizes": anchored,
        "points": _points(summary),
        "seen": live.mark(summary.size, [head.signed.head.size for head in heads if head.anchor], standing, minute),
    }


def _standing(summary: LogSummary) -> str:
    """Return how well the log is anchored: ``good``, ``way`` or ``bad``."""
    if summary.held is not None:
        return "bad"
    if summary.is_late:
        return "bad" if summary.anchored is None else "way"
    return "good"


def _before(head: AnchoredHead, anchored: list[int]) -> int | None:
    """Return the size of the anchored head before this one."""
    size = head.signed.head.size
    return max((each for each in anchored if each < size), default=None) if head.anchor else None


def _points(summary: LogSummary) -> dict[str, list[int]]:
    """Return what the picture is drawn from: seconds since the epoch, and sizes; oldest first."""
    known = [(int(head.at.timestamp()), head.signed.head.size) for head in reversed(summary.newest) if head.at]
    return {"times": [time for time, _size in known], "sizes": [size for _time, size in known]}


def _number(name: str) -> int | None:
    """Return a whole number of the address; ``None`` for anything else."""
    text = request.args.get(name, "")
    return int(text) if text.isascii() and text.isdigit() and len(text) <= _LONGEST else None
