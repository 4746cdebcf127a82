"""Patients: who they are, what one may read of them, and asking them for consent."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from handshaker import CHART_CATEGORIES, ActorKind, Chart, Entry, Permission, Purpose, errors
from webapp.api import representations
from webapp.api.calls import Answer, Call
from webapp.refusals import NotPermitted, RequestInvalid

_CATEGORY_MISSING = {"parameter": "category", "detail": "category is missing beside before"}


def find_patients(call: Call) -> Answer:
    """Answer those whom the words mean."""
    found = call.handshaker.patients.find(call.credential, call.body["query"], int(call.body.get("limit", 20)))
    return Answer({"patients": [representations.patient(identity) for identity in found]})


def read_patient(call: Call) -> Answer:
    """Answer who it is."""
    found = call.handshaker.patients.identity(call.credential, call.parameters["patient"])
    return Answer(representations.patient(found))


def read_records(call: Call) -> Answer:
    """Answer what may be read now; raises ``NotPermitted``, and ``ChainUnreachable`` where nobody could be asked."""
    patient, category, before = (call.parameters[name] for name in ("patient", "category", "before"))
    if before and not category:
        raise RequestInvalid("Only one category has older ones.", errors=[_CATEGORY_MISSING])
    charts, asked = call.handshaker.charts, [category] if category else CHART_CATEGORIES
    if before:
        page = charts.older(patient, call.credential, category, before)
        return _records(patient, page.permission, asked, page.entries, {category: page.cursor} if page.cursor else {})
    chart = charts.open(patient, call.credential, asked, "records")
    entries = [entry for each in asked for entry in _entries(chart, each)]
    return _records(patient, chart.permission, asked, entries, chart.older)


def _records(
    patient: str, permission: Permission, asked: Sequence[str], entries: Sequence[Entry], older: Mapping[str, str]
) -> Answer:
    """Answer records, or say why there are none."""
    if not permission.reachable:
        raise errors.ChainUnreachable("The chain cannot be asked whether this is permitted.")
    allowed = [each for each in asked if permission.allows(each)]
    if not allowed:
        raise NotPermitted("The patient has not allowed you to read this.")
    records = [representations.record(entry) for entry in entries]
    return Answer({"patient": patient, "allowed": allowed, "records": records, "older": dict(older)})


def ask_for_consent(call: Call) -> Answer:
    """Ask."""
    asked = call.body
    request = call.handshaker.requests.ask(
        call.credential,
        call.parameters["patient"],
        asked.get("read", []),
        asked.get("write", []),
        Purpose[asked.get("purpose", "TREAT")],
    )
    return Answer(representations.consent_request(request), 201)


def list_consent_requests(call: Call) -> Answer:
    """Answer those of the organisation, or those that wait for the patient."""
    requests, actor = call.handshaker.requests, call.credential.actor
    is_patient = actor.kind is ActorKind.PATIENT
    found = requests.waiting_for(actor.actor_id) if is_patient else requests.of(call.credential)
    return Answer({"requests": [representations.consent_request(request) for request in found]})


def _entries(chart: Chart, category: str) -> tuple[Entry, ...]:
    return {"vital-signs": chart.measurements, "notes": chart.notes, "laboratory": chart.reports}[category]
