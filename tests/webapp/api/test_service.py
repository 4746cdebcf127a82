"""Live, ready, figures, templates."""

from __future__ import annotations

import uuid

import pytest

from handshaker.worker_lock import claim
from tests.instances import Instance
from tests.webapp.api.conftest import Callers


def test_it_is_live_without_a_token(callers: Callers) -> None:
    assert callers.nobody.get("/health/live").json == {"status": "live"}


def test_it_is_ready_when_a_worker_works_and_names_what_is_missing_before(callers: Callers, hospital: Instance) -> None:
    before = callers.nobody.get("/health/ready")
    assert (before.status_code, before.json["code"]) == (503, "not-ready")
    assert [check["name"] for check in before.json["checks"] if not check["ok"]] == ["worker"]
    assert before.headers["Retry-After"]

    settings = hospital.handshaker.settings
    with claim(settings.instance, settings.worker, hospital.handshaker.store):
        ready = callers.nobody.get("/health/ready")
    assert (ready.status_code, ready.json["status"]) == (200, "ready")
    assert all(check["ok"] for check in ready.json["checks"])


def test_it_is_not_ready_without_a_chain(callers: Callers, hospital: Instance, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: object) -> None:
        raise ConnectionError("no node")

    monkeypatch.setattr(type(hospital.handshaker.chain), "head", fail)
    answer = callers.nobody.get("/health/ready")
    assert answer.status_code == 503
    assert "chain" in [check["name"] for check in answer.json["checks"] if not check["ok"]]


def test_the_figures_count_and_name_nobody(callers: Callers, hospital: Instance) -> None:
    hospital.measure()
    hospital.measure(hospital.silent)
    hospital.drain()
    submission = hospital.measure()

    text = callers.administrator.get("/metrics").text

    assert 'handshaker_acknowledgements{code="effect",verdict="valid"}' in text
    assert 'handshaker_acknowledgements{code="not-permitted",verdict="invalid"}' in text
    assert 'handshaker_queue{state="waiting"} 1.0' in text
    assert "handshaker_chain_reachable 1.0" in text
    assert f"handshaker_chain_head {float(hospital.handshaker.chain.head().number)}" in text
    assert 'handshaker_api_requests_total{operation="' in text
    assert 'handshaker_api_request_seconds_bucket{le="0.1",operation="' in text
    for secret in (submission.ti_id, hospital.nurse.actor.actor_id, hospital.silent.actor.actor_id, "consented"):
        assert secret not in text


def test_templates_are_listed_and_each_version_can_be_read(callers: Callers, hospital: Instance) -> None:
    listed = callers.consented.get("/templates").json["templates"]
    assert {"vital-signs", "consent-grant"} <= {each["name"] for each in listed}

    newest = callers.nurse.get("/templates/vital-signs").json
    exact = callers.nurse.get(f"/templates/vital-signs/{newest['version']}").json

    assert newest == exact
    assert newest["document"] == hospital.handshaker.templates.document("vital-signs")
    assert newest["digest"] == hospital.handshaker.templates.get("vital-signs").digest
    assert callers.nurse.get("/templates/vital-signs/999").json["code"] == "template-unknown"
    assert callers.nurse.get("/templates/none-such").status_code == 404


def test_it_stays_ready_while_something_is_only_late_and_says_what(callers: Callers, hospital: Instance) -> None:
    parts = hospital.handshaker
    with claim(parts.settings.instance, parts.settings.worker, parts.store):
        hospital.measure()
        hospital.clock.advance(parts.settings.queue_late_seconds + 1)
        late = callers.nobody.get("/health/ready")
        hospital.clock.advance(10 * parts.settings.queue_late_seconds)
        ill = callers.nobody.get("/health/ready")
    assert (late.status_code, late.json["status"]) == (200, "degraded")
    troubled = [check for check in late.json["checks"] if not check["ok"]]
    assert [(check["name"], check["state"], check["code"]) for check in troubled] == [
        ("queue", "degraded", "queue-old")
    ]
    assert (ill.status_code, ill.json["detail"]) == (503, "Not ready: queue.")
    assert "mend" not in repr(ill.json["checks"]), "what to do is for the operator"
    hospital.drain()


def test_whether_it_lives_asks_neither_database_nor_node(
    callers: Callers, hospital: Instance, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[object] = []
    parts = hospital.handshaker
    monkeypatch.setattr(parts.store._database, "observe", lambda *told: asked.append(told))
    monkeypatch.setattr(type(parts.vault._rooted.database), "reading", lambda *_: asked.append("vault"))
    monkeypatch.setattr(type(parts.chain), "_ask", lambda *_: asked.append("node"))
    assert callers.nobody.get("/health/live").json == {"status": "live"}
    assert asked == []


def test_a_request_keeps_its_number_if_that_can_be_nothing_else(callers: Callers) -> None:
    given = "01234567-89ab-cdef-0123-456789abcdef"
    for sane in (given, given.upper(), given.replace("-", "")):
        answer = callers.nobody.get("/health/live", headers={"X-Request-ID": sane})
        assert answer.headers["X-Request-ID"] == given
    refused = callers.nobody.get("/nowhere", headers={"X-Request-ID": given})
    assert refused.json["instance"] == f"urn:uuid:{given}"
    for odd in ("Mrs Xylander", "1", given + "0", given[:-1] + "g", "{" + given + "}"):
        answer = callers.nobody.get("/health/live", headers={"X-Request-ID": odd})
        assert answer.headers["X-Request-ID"] != odd
        assert str(uuid.UUID(answer.headers["X-Request-ID"])) == answer.headers["X-Request-ID"]


def test_no_two_requests_have_one_number(callers: Callers) -> None:
    numbers = {callers.nobody.get("/health/live").headers["X-Request-ID"] for _ in range(20)}
    assert len(numbers) == 20
