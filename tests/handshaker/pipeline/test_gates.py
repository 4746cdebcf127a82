"""Bad input: each a clear refusal that names the mend; what fails after authentication is kept with its invalid ACK."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import sqlalchemy as sa
from eth_account import Account

from handshaker.errors import (
    EnvelopeInvalid,
    HandshakerError,
    IdempotencyConflict,
    NotAuthenticated,
    PayloadTooLarge,
    TemplateUnknown,
)
from handshaker.intake import Submission
from handshaker.messages import VerdictKind
from tests.instances import Instance, blood_pressure, consent_payload, demographics


def written(hospital: Instance) -> dict[str, int]:
    """How many rows there are of all that intake writes."""
    with hospital.handshaker.store._database.read() as connection:
        tables = ("transactions", "statements", "signatures", "queue", "events", "acknowledgements", "audit_entries")
        return {t: connection.execute(sa.text(f"SELECT count(*) FROM {t}")).scalar_one() for t in tables}


def refused(hospital: Instance, submission: Submission) -> str:
    """The code of a refusal, which has its ACK at once, its story, and its detail sealed."""
    assert submission.refusal is not None
    ack = hospital.ack(submission)
    assert ack is not None
    assert ack.kind is VerdictKind.INVALID
    assert hospital.kinds(submission) == ["received", "refused", "invalid"]
    sealed = hospital.handshaker.store.audit.detail(submission.ti_id)
    assert sealed is not None
    detail = json.loads(hospital.handshaker.vault.unseal(sealed, f"{submission.ti_id}/detail".encode()))
    assert detail["detail"]["gate"] == submission.refusal.gate == ack.arguments["gate"]
    assert detail["detail"]["message"] == submission.refusal.message
    assert str(submission.refusal)
    return ack.code


# ---- before anybody is known -----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "request_",
    [
        b"",
        b"not json",
        b"{",
        b"[]",
        b'"text"',
        b"\xff\xfe\x00",
        b'{"template": "vital-signs"}',
        b'{"template": "vital-signs", "payload": [], "idempotencyKey": "k"}',
        b'{"template": "vital-signs", "payload": {"value": NaN}, "idempotencyKey": "k"}',
        b'{"template": "vital-signs", "payload": {"value": 1e999}, "idempotencyKey": "k"}',
        b'{"template": "vital-signs", "payload": {"value": 123456789012345678901}, "idempotencyKey": "k"}',
        b'{"template": "vital-signs", "payload": {"value": "\\ud800"}, "idempotencyKey": "k"}',
        b'{"template": "vital-signs", "payload": {}, "idempotencyKey": ""}',
        b'{"template": "vital-signs", "payload": {}, "idempotencyKey": "k", "surprise": 1}',
        b'{"template": "Vital Signs!", "payload": {}, "idempotencyKey": "k"}',
        b'{"template": "vital-signs", "payload": {}, "idempotencyKey": "k", "patient": "0x12"}',
        b'{"template": "vital-signs", "payload": {}, "idempotencyKey": "k", "signature": "0x00"}',
        b'{"template": "vital-signs", "payload": '
        + b'{"a":' * 5_000
        + b"1"
        + b"}" * 5_000
        + b', "idempotencyKey": "k"}',
    ],
)
def test_what_is_no_request_is_refused_and_leaves_nothing(hospital: Instance, request_: bytes) -> None:
    before = written(hospital)
    with pytest.raises(EnvelopeInvalid) as caught:
        hospital.handshaker.intake.submit(request_, hospital.nurse)
    assert caught.value.code == "envelope-invalid"
    assert written(hospital) == before


def test_a_payload_of_5_mb_is_refused_with_both_sizes(hospital: Instance) -> None:
    payload = blood_pressure() | {"note": [{"text": "x" * 5_000_000}]}
    request = {"template": "vital-signs", "payload": payload, "idempotencyKey": "k"}
    for form in (request, json.dumps(request).encode()):
        with pytest.raises(PayloadTooLarge) as caught:
            hospital.handshaker.intake.submit(form, hospital.nurse)
        assert caught.value.data["limit"] == 1_000_000
        assert caught.value.data["size"] > 5_000_000
        assert "x" * 50 not in str(caught.value)


@pytest.mark.parametrize("template", ["no-such-thing", "vital-signs@99"])
def test_an_unknown_template_is_named(hospital: Instance, template: str) -> None:
    before = written(hospital)
    with pytest.raises(TemplateUnknown) as caught:
        hospital.submit(hospital.nurse, template, {})
    assert "template list" in str(caught.value)
    assert written(hospital) == before


# ---- who asks --------------------------------------------------------------------------------------------------------


def test_no_token_says_more_than_another_about_what_is_wrong(hospital: Instance) -> None:
    tokens = hospital.handshaker.tokens
    good = hospital.tokens["doctor"]
    token_id = good.split("_")[1]
    revoked = tokens.issue(tokens.authenticate(good), ("submit",))
    tokens.revoke(hospital.doctor.actor.actor_id, revoked.split("_")[1])
    said = set()
    for bad in (
        "",
        "hsk",
        "hsk__",
        "hsk_nobody_AAAA",
        f"hsk_{token_id}_AAAA",
        f"hsk_{token_id}_{'é' * 43}",
        f"hsk_{token_id}_{good.split('_', 2)[2][:-4]}AAAA",
        f"bearer {good}",
        revoked,
        "\x00" * 100,
    ):
        with pytest.raises(NotAuthenticated) as caught:
            tokens.authenticate(bad)
        said.add((str(caught.value), json.dumps(caught.value.to_json())))
    hospital.clock.advance(91 * 86_400)
    with pytest.raises(NotAuthenticated) as caught:
        tokens.authenticate(good)
    hospital.clock.advance(-91 * 86_400)
    said.add((str(caught.value), json.dumps(caught.value.to_json())))
    assert len(said) == 1
    assert tokens.authenticate(f"  {good}\n").actor == hospital.doctor.actor


def test_a_second_token_signs_and_has_no_more_scopes_than_the_first(hospital: Instance) -> None:
    tokens = hospital.handshaker.tokens
    reader = tokens.authenticate(tokens.issue(hospital.nurse, ("read", "administer")))
    assert reader.scopes == ("read",)
    assert refused(hospital, hospital.measure(by=reader)) == "role-not-allowed"
    writer = tokens.authenticate(tokens.issue(hospital.nurse, ("submit",)))
    assert hospital.acknowledged(hospital.measure(by=writer)).code == "effect"


def test_an_actor_without_the_role_is_refused(hospital: Instance) -> None:
    submission = hospital.measure(by=hospital.pathologist)
    assert refused(hospital, submission) == "role-not-allowed"
    assert submission.refusal is not None
    assert "doctor, nurse" in str(submission.refusal)
    consent = hospital.submit(
        hospital.nurse, "consent-grant", consent_payload(), patient=hospital.silent.actor.actor_id
    )
    assert refused(hospital, consent) == "role-not-allowed"


def test_a_licence_that_has_run_out_is_refused_here_before_the_chain_is_asked(hospital: Instance) -> None:
    soon = datetime.now(UTC).replace(microsecond=0) + timedelta(hours=1)
    nurse = hospital.hire("Short Licence", "nurse", licence_until=soon)
    assert hospital.acknowledged(hospital.measure(by=nurse)).code == "effect"
    hospital.clock.advance(7_200)
    submission = hospital.measure(by=nurse)
    hospital.clock.advance(-7_200)
    assert refused(hospital, submission) == "actor-inactive"


def test_somebody_who_is_not_registered_yet_is_refused(hospital: Instance) -> None:
    registered = hospital.handshaker.registrar.register_practitioner(
        hospital.administrator, "Too Early", "nurse", 1, datetime(2030, 1, 1, tzinfo=UTC)
    )
    assert registered.token is not None
    nurse = hospital.handshaker.tokens.authenticate(registered.token)
    assert refused(hospital, hospital.measure(by=nurse)) == "actor-inactive"
    hospital.drain()
    assert hospital.acknowledged(hospital.measure(by=hospital.again(nurse))).code == "effect"


def test_an_unknown_patient_is_refused_and_the_body_kept_in_quarantine(hospital: Instance) -> None:
    submission = hospital.submit(hospital.nurse, "vital-signs", blood_pressure(), patient="0x" + "ab" * 32)
    assert refused(hospital, submission) == "patient-unknown"
    sealed = hospital.handshaker.store.intake.payload(submission.ti_id)
    assert sealed is not None
    assert sealed.owner.startswith("quarantine/")


def test_a_patient_may_not_speak_for_another(hospital: Instance) -> None:
    other = hospital.consented.actor.actor_id
    submission = hospital.submit(hospital.silent, "consent-grant", consent_payload(), patient=other)
    assert refused(hospital, submission) == "patient-unknown"


# ---- what is asked ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("payload", "code"),
    [
        ({}, "schema-violated"),
        ({"resourceType": "Observation", "status": 7, "code": "text"}, "schema-violated"),
        (blood_pressure("high"), "schema-violated"),  # type: ignore[arg-type]
        (blood_pressure(900), "implausible"),
        (blood_pressure(80, 120), "implausible"),
        (blood_pressure(118.5e15), "implausible"),
    ],
)
def test_a_wrong_payload_is_refused_with_its_place_and_never_its_value_in_the_log(
    hospital: Instance, payload: Mapping[str, Any], code: str
) -> None:
    submission = (
        hospital.measure(payload=payload)
        if payload
        else hospital.submit(hospital.nurse, "vital-signs", {}, patient=hospital.consented.actor.actor_id)
    )
    assert refused(hospital, submission) in (code, "schema-violated")
    assert submission.refusal is not None
    assert submission.refusal.data["problems"]


def test_a_record_that_names_no_patient_is_refused(hospital: Instance) -> None:
    submission = hospital.submit(hospital.nurse, "vital-signs", blood_pressure())
    assert refused(hospital, submission) == "patient-unknown"


def test_a_mapping_that_does_not_work_out_is_a_refusal_also_where_a_version_is_needed(hospital: Instance) -> None:
    payload = consent_payload(grantee="organisation/99999999")
    submission = hospital.submit(hospital.silent, "consent-grant", payload)
    assert refused(hospital, submission) == "schema-violated"


# ---- the same again --------------------------------------------------------------------------------------------------


def test_the_same_key_with_the_same_body_is_the_same_ti(hospital: Instance) -> None:
    payload, patient = blood_pressure(121), hospital.consented.actor.actor_id
    first = hospital.submit(hospital.nurse, "vital-signs", payload, patient=patient, idempotencyKey="once")
    before = written(hospital)
    again = hospital.submit(hospital.nurse, "vital-signs", payload, patient=patient, idempotencyKey="once")
    assert (again.ti_id, again.statement_hash, again.known) == (first.ti_id, first.statement_hash, True)
    hospital.acknowledged(first)
    later = hospital.submit(hospital.nurse, "vital-signs", payload, patient=patient, idempotencyKey="once")
    assert (later.ti_id, later.known) == (first.ti_id, True)
    assert before["transactions"] == written(hospital)["transactions"]


def test_the_same_key_with_another_body_is_a_conflict(hospital: Instance) -> None:
    patient = hospital.consented.actor.actor_id
    first = hospital.submit(hospital.nurse, "vital-signs", blood_pressure(122), patient=patient, idempotencyKey="twice")
    with pytest.raises(IdempotencyConflict) as caught:
        hospital.submit(hospital.nurse, "vital-signs", blood_pressure(123), patient=patient, idempotencyKey="twice")
    assert caught.value.data["ti_id"] == first.ti_id
    other = hospital.submit(hospital.doctor, "vital-signs", blood_pressure(9), patient=patient, idempotencyKey="twice")
    assert other.ti_id != first.ti_id, "a key is its owner's"


# ---- who signed ------------------------------------------------------------------------------------------------------


def test_somebody_elses_signature_is_refused(hospital: Instance) -> None:
    account, other = Account.create(), Account.create()
    nurse = hospital.hire_with_wallet(account)
    patient = hospital.consented.actor.actor_id
    request = hospital.signed_request(other, nurse, "vital-signs", blood_pressure(), patient=patient)
    assert refused(hospital, hospital.handshaker.intake.submit(request, nurse)) == "signature-refused"
    unsigned = hospital.submit(nurse, "vital-signs", blood_pressure(), patient=patient)
    assert refused(hospital, unsigned) == "signature-refused"
    fine = hospital.sign_and_submit(account, nurse, "vital-signs", blood_pressure(), patient=patient)
    assert hospital.acknowledged(fine).code == "effect"


@pytest.mark.parametrize(
    "alter",
    [
        lambda request: request["preparation"].update(salt="00" * 32),
        lambda request: request["preparation"].update(deadline=request["preparation"]["deadline"] + 1),
        lambda request: request.update(payload=blood_pressure(140)),
        lambda request: request.update(signature=request["signature"][:-2] + "1d"),
        lambda request: request.update(signature="0x" + "00" * 65),
        lambda request: request.update(signature="0x00"),
    ],
)
def test_whatever_differs_from_what_was_signed_is_refused(hospital: Instance, alter: Any) -> None:
    account = Account.create()
    nurse = hospital.hire_with_wallet(account)
    patient = hospital.consented.actor.actor_id
    request = hospital.signed_request(account, nurse, "vital-signs", blood_pressure(), patient=patient)
    alter(request)
    assert refused(hospital, hospital.handshaker.intake.submit(request, nurse)) == "signature-refused"


def test_a_passed_deadline_is_refused(hospital: Instance) -> None:
    account = Account.create()
    nurse = hospital.hire_with_wallet(account)
    patient = hospital.consented.actor.actor_id
    hospital.clock.advance(-2 * 86_400)
    request = hospital.signed_request(account, nurse, "vital-signs", blood_pressure(), patient=patient)
    hospital.clock.advance(2 * 86_400)
    assert refused(hospital, hospital.handshaker.intake.submit(request, nurse)) == "deadline-passed"


def test_a_deadline_that_only_our_clock_has_passed_is_for_the_chain_to_judge(hospital: Instance) -> None:
    account = Account.create()
    nurse = hospital.hire_with_wallet(account)
    patient = hospital.consented.actor.actor_id
    request = hospital.signed_request(account, nurse, "vital-signs", blood_pressure(), patient=patient)
    hospital.clock.advance(86_401)
    submission = hospital.handshaker.intake.submit(request, nurse)
    hospital.drain()
    hospital.clock.advance(-86_401)
    acknowledgement = hospital.handshaker.store.audit.acknowledgement(submission.ti_id)
    assert (submission.refusal, acknowledgement and acknowledgement.code) == (None, "effect")


def test_prepare_passes_the_same_gates_and_writes_nothing(hospital: Instance) -> None:
    before = written(hospital)
    for actor, payload in ((hospital.pathologist, blood_pressure()), (hospital.nurse, blood_pressure(900))):
        request = {"template": "vital-signs", "payload": payload, "idempotencyKey": "p"}
        with pytest.raises(HandshakerError):
            hospital.handshaker.intake.prepare(request | {"patient": hospital.consented.actor.actor_id}, actor)
    assert written(hospital) == before


def test_a_patient_is_registered_once_for_each_identifier(hospital: Instance) -> None:
    registrar = hospital.handshaker.registrar
    first = registrar.register_patient(hospital.administrator, demographics("Once"), "urn:x|77")
    again = registrar.register_patient(hospital.administrator, demographics("Once"), "urn:x|77")
    assert (again.actor_id, again.submission.ti_id, again.token) == (first.actor_id, first.submission.ti_id, None)
    hospital.drain()
    later = registrar.register_patient(hospital.administrator, demographics("Once"), "urn:x|77")
    assert (later.actor_id, later.submission.known) == (first.actor_id, True)
