"""Patients: who they are, what one may read of them, and asking them for consent."""

from __future__ import annotations

from handshaker import ActorKind, Chart, Entry, Purpose, errors
from webapp.api import representations
from webapp.api.calls import Answer, Call
from webapp.refusals import NotPermitted, RequestInvalid

_CATEGORIES = ("vital-signs", "notes", "laboratory")
_CATEGORY_MISSING = {"parameter": "category", "detail": "category is missing beside before"}


def find_patients(call: Call) -> Answer:
    """Answer those whom the words mean."""
    found = call.handshaker.patients.find(call.body["query"], int(call.body.get("limit", 20)))
    return Answer({"patients": [representations.patient(identity) for identity in found]})


def read_patient(call: Call) -> Answer:
    """Answer who it is."""
    return Answer(representations.patient(call.handshaker.patients.identity(call.parameters["patient"])))


def read_records(call: Call) -> Answer:
    """Answer what may be read now; raises ``NotPermitted``, and ``ChainUnreachable`` where nobody could be asked."""
    patient, category, before = (call.parameters[name] for name in ("patient", "category", "before"))
    if before and not category:
        raise RequestInvalid("Only one category has older ones.", errors=[_CATEGORY_MISSING])
    chart = call.handshaker.charts.open(patient, call.credential)
    if not chart.permission.reachable:
        raise errors.ChainUnreachable("The chain cannot be asked whether this is permitted.")
    asked = [category] if category else _CATEGORIES
    allowed = [each for each in asked if chart.permission.allows(each)]
    if not allowed:
        raise NotPermitted("The patient has not allowed you to read this.")
    entries = [entry for each in allowed for entry in _entries(chart, each)]
    older = {each: chart.older[each] for each in allowed if each in chart.older}
    if before:
        entries, cursor = call.handshaker.charts.older(patient, call.credential, category, before)
        older = {category: cursor} if cursor else {}
    records = [representations.record(entry) for entry in entries]
    return Answer({"patient": patient, "allowed": allowed, "records": records, "older": older})


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
