"""Patients on pages: who a page is about, and whom this person looked at last."""

from __future__ import annotations

import re
from collections.abc import Iterable

from flask import abort, session

from handshaker import Identity
from webapp.access import credential, handshaker
from webapp.looks import look

_RECENT = "recent"
_MOST = 8
_PSEUDONYM = re.compile(r"0x[0-9a-f]{64}")


def patient(patient_id: str) -> Identity:
    """Return who a page is about and remember that they were looked at; answers 404 for what is no patient."""
    identity = handshaker().patients.identity(credential(), checked(patient_id), look())
    remember(patient_id)
    return identity


def checked(patient_id: str) -> str:
    """Return a pseudonym; answers 404 for what is none."""
    return patient_id if _PSEUDONYM.fullmatch(patient_id) else abort(404)


def remember(patient_id: str) -> None:
    """Remember that a patient was looked at."""
    session[_RECENT] = [patient_id, *(each for each in _recent_ids() if each != patient_id)][:_MOST]


def recent() -> list[Identity]:
    """Return whom this person looked at last in this login, newest first; the cookie holds pseudonyms only."""
    found = known(_recent_ids())
    return [found[each] for each in _recent_ids() if each in found]


def known(patient_ids: Iterable[str | None]) -> dict[str, Identity]:
    """Return who these patients are; those who were erased are left out."""
    return handshaker().patients.identities(credential(), filter(None, patient_ids), look())


def _recent_ids() -> list[str]:
    kept = session.get(_RECENT, [])
    return [each for each in kept if isinstance(each, str)] if isinstance(kept, list) else []
