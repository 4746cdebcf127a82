"""Patients on pages: who a page is about, and whom this person looked at last."""

from __future__ import annotations

import re
from collections.abc import Iterable

from flask import abort, session

from handshaker import Identity, errors
from webapp.access import handshaker

_RECENT = "recent"
_MOST = 8
_PSEUDONYM = re.compile(r"0x[0-9a-f]{64}")


def patient(patient_id: str) -> Identity:
    """Return who a page is about and remember that they were looked at; answers 404 for what is no patient."""
    if not _PSEUDONYM.fullmatch(patient_id):
        abort(404)
    identity = handshaker().patients.identity(patient_id)
    session[_RECENT] = [patient_id, *(each for each in _recent_ids() if each != patient_id)][:_MOST]
    return identity


def recent() -> list[Identity]:
    """Return whom this person looked at last in this login, newest first; the cookie holds pseudonyms only."""
    found = known(_recent_ids())
    return [found[each] for each in _recent_ids() if each in found]


def known(patient_ids: Iterable[str | None]) -> dict[str, Identity]:
    """Return who these patients are; those who were erased are left out."""
    found = {}
    for patient_id in {each for each in patient_ids if each}:
        try:
            found[patient_id] = handshaker().patients.identity(patient_id)
        except (errors.NotFound, errors.VaultError):
            continue
    return found


def _recent_ids() -> list[str]:
    kept = session.get(_RECENT, [])
    return [each for each in kept if isinstance(each, str)] if isinstance(kept, list) else []
