"""The explorer: every transaction, searched, and the file of one from form to block."""

from __future__ import annotations

from datetime import date
from typing import Any

from flask import render_template, request, url_for

from handshaker import Activity, EventKind, TransactionFile
from webapp import live
from webapp.access import ADMINISTRATOR, AUDITOR, handshaker, open_to, passive
from webapp.administration import days, meaning, timeline
from webapp.administration.blueprint import administration, below

FILTERS = ("status", "reason", "template", "actor", "patient", "since", "until")
_LONGEST = 80
_HOURS = 48
_ROWS = 40


@administration.get("/acknowledgements")
@open_to(ADMINISTRATOR, AUDITOR)
def acknowledgements() -> str:
    """Search; the address says it all, so that a search can be kept and shared."""
    wanted = {name: request.args.get(name, "").strip()[:_LONGEST] for name in FILTERS}
    kept = {name: value for name, value in wanted.items() if value}
    cursor, explorer = request.args.get("before", ""), handshaker().explorer
    page = explorer.search(**_criteria(wanted), before=cursor or None, limit=_ROWS)
    hours = explorer.activity(_HOURS)
    return render_template(
        "administration/acknowledgements.html",
        page=page,
        wanted=wanted,
        kept=kept,
        choices=_choices(),
        first=_address(kept) if cursor else "",
        next=_address({**kept, "before": page.next_cursor}) if page.next_cursor else "",
        activity=hours,
        bars=_bars(hours),
    )


@administration.get("/acknowledgements/<ti_id>")
@below("acknowledgements")
@open_to(ADMINISTRATOR, AUDITOR)
def acknowledgement(ti_id: str) -> str:
    """All that is known of one transaction."""
    return render_template("administration/acknowledgement.html", **_shown(handshaker().explorer.file(ti_id)))


@administration.get("/acknowledgements/<ti_id>/live")
@passive
@open_to(ADMINISTRATOR, AUDITOR)
def live_acknowledgement(ti_id: str) -> live.Answer:
    """Show the same as a part of the page, where more has happened."""
    return live.part("administration/_file.html", **_shown(handshaker().explorer.file(ti_id)))


def _shown(found: TransactionFile) -> dict[str, Any]:
    return {
        "file": found,
        "seen": live.mark(found.status, found.events, found.network),
        "steps": timeline.steps(found),
        "fields": meaning.rows(found.statement.fields) if found.statement else [],
        "argument_rows": meaning.argument_rows,
    }


def _criteria(wanted: dict[str, str]) -> dict[str, Any]:
    """Return what the explorer is asked; what is no status or no day does not narrow."""
    return {
        "status": wanted["status"] if wanted["status"] in set(EventKind) else None,
        "reason": wanted["reason"],
        "template": wanted["template"],
        "actor_id": wanted["actor"],
        "patient_id": wanted["patient"],
        "since": days.start_of(_day(wanted["since"])),
        "until": days.end_of(_day(wanted["until"])),
    }


def _day(text: str) -> date | None:
    try:
        day = date.fromisoformat(text)
    except ValueError:
        return None
    # Days at the ends of the calendar have no beginning or end in another time zone.
    return day if date.min < day < date.max else None


def _choices() -> dict[str, Any]:
    """Return what can be chosen in the search."""
    parts = handshaker()
    return {
        "statuses": list(EventKind),
        "reasons": parts.explorer.codes(),
        "templates": [each.name for each in parts.templates.list()],
        "actors": {member.actor.actor_id: member.actor.name for member in parts.staff.members()},
    }


def _address(values: dict[str, Any]) -> str:
    return url_for("administration.acknowledgements", **values)


def _bars(hours: list[Activity]) -> dict[str, list[int]]:
    """Return what the chart is drawn from: seconds since the epoch, and counts."""
    return {
        "hours": [int(each.hour.timestamp()) for each in hours],
        "valid": [each.valid for each in hours],
        "invalid": [each.invalid for each in hours],
    }
