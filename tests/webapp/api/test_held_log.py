"""While the log is held nothing is accepted over HTTP either."""

from __future__ import annotations

import pytest

from handshaker.messages import Head
from tests.instances import Instance, blood_pressure
from tests.webapp.api.conftest import Callers


@pytest.fixture
def held(own_callers: Callers, own_hospital: Instance) -> Callers:
    log = own_hospital.handshaker.store.log
    log.hold("behind", log.size(), Head(log.size() + 7, bytes(32)), own_hospital.clock.now())
    return own_callers


def test_a_transaction_is_refused_with_503_and_the_reason(held: Callers, own_hospital: Instance) -> None:
    size = own_hospital.handshaker.store.log.size()
    body = {
        "template": "vital-signs",
        "patient": own_hospital.consented.actor.actor_id,
        "payload": blood_pressure(),
        "idempotencyKey": "while held",
    }
    answer = held.nurse.post("/transactions", json=body)
    assert (answer.status_code, answer.json["code"]) == (503, "log-held")
    assert answer.headers["Retry-After"]
    assert own_hospital.handshaker.store.log.size() == size
    assert own_hospital.handshaker.store.queue.counts() == {}


def test_what_a_gate_would_refuse_is_refused_the_same_way(held: Callers, own_hospital: Instance) -> None:
    body = {
        "template": "vital-signs",
        "patient": own_hospital.consented.actor.actor_id,
        "payload": {"resourceType": "Observation"},
        "idempotencyKey": "also while held",
    }
    answer = held.nurse.post("/transactions", json=body)
    assert (answer.status_code, answer.json["code"]) == (503, "log-held")


def test_what_is_there_can_still_be_read(held: Callers) -> None:
    assert held.administrator.get("/acknowledgements").status_code == 200


def test_the_web_application_says_that_it_is_not_ready(held: Callers) -> None:
    answer = held.nobody.get("/health/ready")
    assert answer.status_code == 503
    (check,) = [check for check in answer.json["checks"] if check["name"] == "log"]
    assert check["code"] == "log-held"
