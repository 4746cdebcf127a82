"""Where one can go from any page: what the role may open, in the order of the day's work."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from flask import Flask, current_app, request
from flask_babel import lazy_gettext as _l

from webapp import access
from webapp.access import ADMINISTRATOR, AUDITOR, CARE, DOCTOR, NURSE, PATHOLOGIST, STAFF


@dataclass(frozen=True, slots=True)
class Place:
    """An entry of the navigation."""

    endpoint: str
    label: Any
    """A lazy translation."""
    roles: frozenset[str]


PLACES = (
    Place("care.home", _l("Today"), CARE),
    Place("care.patients", _l("Patients"), CARE),
    Place("care.work_list", _l("Laboratory"), frozenset({PATHOLOGIST})),
    Place("care.drafts", _l("Drafts"), CARE),
    Place("care.requests", _l("Consent requests"), frozenset({DOCTOR, NURSE, PATHOLOGIST})),
    Place("care.submissions", _l("Sent"), CARE),
    Place("administration.home", _l("Overview"), frozenset({ADMINISTRATOR})),
    Place("administration.people", _l("People"), frozenset({ADMINISTRATOR})),
    Place("administration.organisations", _l("Organisations"), frozenset({ADMINISTRATOR})),
    Place("administration.templates", _l("Templates"), frozenset({ADMINISTRATOR})),
    Place("administration.acknowledgements", _l("Acknowledgements"), frozenset({ADMINISTRATOR, AUDITOR})),
    Place("administration.audit", _l("Audit log"), frozenset({ADMINISTRATOR, AUDITOR})),
    Place("administration.network", _l("Network"), frozenset({ADMINISTRATOR})),
    Place("proofs.check", _l("Proofs"), STAFF),
)


def register(app: Flask) -> None:
    """Make the navigation known to templates."""
    app.context_processor(lambda: {"places": places, "is_here": is_here, "person": _person(), "brand": "Handshaker"})


def places() -> list[Place]:
    """Return where the person of this request can go."""
    person = _person()
    if person is None or person.is_locked or person.needs:
        return []
    role = person.credential.actor.role
    return [place for place in PLACES if role in place.roles and place.endpoint in current_app.view_functions]


def is_here(place: Place) -> bool:
    """Whether the page that is shown belongs to ``place``: it is that page, or stands below it."""
    view = current_app.view_functions.get(request.endpoint or "")
    return request.endpoint == place.endpoint or getattr(view, "place", None) == place.endpoint


def home_of(role: str) -> str:
    """Return the endpoint where somebody of ``role`` begins."""
    return next((place.endpoint for place in PLACES if role in place.roles), "accounts.account")


def _person() -> Any:
    return access.person() if access.is_logged_in() else None
