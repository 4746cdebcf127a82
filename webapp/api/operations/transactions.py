"""Handing in, and following what was handed in."""

from __future__ import annotations

import secrets
from typing import Any

from flask import Response, request

from handshaker import Credential, Event, Handshaker, crash_point
from webapp.api import representations, streams
from webapp.api.calls import Answer, Call
from webapp.api.contract import BASE
from webapp.api.pages import next_link
from webapp.api.problems import GateRefused
from webapp.refusals import RequestInvalid

_FINAL = {"valid", "invalid"}


def prepare_transaction(call: Call) -> Answer:
    """Answer what to sign."""
    asked = {"idempotencyKey": secrets.token_hex(16), **call.body}
    return Answer(call.handshaker.intake.prepare(asked, call.credential))


def submit_transaction(call: Call) -> Answer:
    """Hand in; raises ``GateRefused`` for what was stored and refused."""
    handshaker, who = call.handshaker, call.credential
    submission = handshaker.intake.submit({**call.body, "idempotencyKey": _key(call)}, who)
    if submission.refusal is not None:
        found = handshaker.following.acknowledgement(who, submission.ti_id)
        raise GateRefused(submission.refusal, submission.ti_id, representations.acknowledgement(found))
    headers = {"Location": f"{BASE}/transactions/{submission.ti_id}"}
    answer = Answer(_transaction(handshaker, who, submission.ti_id), 202, headers)
    crash_point("intake.answering")
    return answer


def list_transactions(call: Call) -> Answer:
    """Answer a page."""
    asked = call.parameters
    page = call.handshaker.following.transactions(
        call.credential,
        status=asked["status"],
        template=asked["template"],
        patient_id=asked["patient"],
        before=asked["before"],
        limit=asked["limit"],
    )
    lines = [representations.transaction_line(row) for row in page.rows]
    headers = next_link(before=page.next_cursor) if page.next_cursor else {}
    return Answer({"transactions": lines, "next": page.next_cursor}, headers=headers)


def read_transaction(call: Call) -> Answer:
    """Answer how far it is."""
    return Answer(_transaction(call.handshaker, call.credential, call.parameters["id"]))


def follow_transaction(call: Call) -> Answer | Response:
    """Answer the history, or stream it."""
    ti_id, known = call.parameters["id"], int(call.parameters["Last-Event-ID"] or 0)
    history = _History(call.handshaker, call.credential, ti_id, known)
    events = call.handshaker.following.events(call.credential, ti_id)
    if call.wants == streams.MEDIA_TYPE:
        if _is_final(events) and known >= len(events):
            return Answer(None, 204)  # tells an EventSource not to come back
        return streams.streamed(call, history, str(request.authorization.token if request.authorization else ""))
    told = [representations.event(number, found) for number, found in enumerate(events, 1) if number > known]
    return Answer({"id": ti_id, "final": _is_final(events), "events": told})


class _History:
    """The events of a TI after the ones that are known; over with its ACK."""

    def __init__(self, handshaker: Handshaker, credential: Credential, ti_id: str, known: int) -> None:
        self._handshaker = handshaker
        self._credential = credential
        self._ti_id = ti_id
        self._known = known
        self.is_over = False

    def news(self) -> list[streams.Message]:
        """Return what happened since."""
        events = self._handshaker.following.events(self._credential, self._ti_id)
        self.is_over = _is_final(events)
        fresh = list(enumerate(events, 1))[self._known :]
        self._known = max(self._known, len(events))
        return [streams.Message(number, "status", representations.event(number, found)) for number, found in fresh]


def _is_final(events: list[Event]) -> bool:
    return any(str(event.kind) in _FINAL for event in events)


def _transaction(handshaker: Handshaker, who: Credential, ti_id: str) -> dict[str, Any]:
    row = handshaker.following.transaction(who, ti_id)
    status = handshaker.following.status(who, ti_id)
    found = handshaker.following.acknowledgement(who, ti_id) if status.is_settled else None
    return representations.transaction(row, status, found)


def _key(call: Call) -> str:
    """Return the idempotency key, from wherever it came; raises ``RequestInvalid``."""
    header: str | None = call.parameters["Idempotency-Key"]
    inside: str | None = call.body.get("idempotencyKey")
    if header is not None:
        header = header.strip('"')
    if inside is None and header is None:
        raise RequestInvalid(
            "There is no idempotency key.",
            errors=[{"pointer": "#", "detail": "idempotencyKey is missing", "parameter": "Idempotency-Key"}],
        )
    if None not in (inside, header) and inside != header:
        raise RequestInvalid(
            "The idempotency keys differ.",
            errors=[{"pointer": "#/idempotencyKey", "detail": "is not what the header Idempotency-Key says"}],
        )
    return inside or header or ""
