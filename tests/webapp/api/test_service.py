"""Live, ready, figures, templates."""

from __future__ import annotations

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
