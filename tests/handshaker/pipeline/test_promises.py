"""What intake promises beyond its gates: no verdict that could turn out false, nothing to guess, no key twice."""

from __future__ import annotations

from dataclasses import replace
from hashlib import sha256

import pytest
from eth_account import Account

from handshaker.commitments import canonical
from handshaker.errors import EnvelopeInvalid
from tests.handshaker.pipeline.test_gates import refused, written
from tests.instances import Instance, blood_pressure, demographics


@pytest.mark.parametrize(
    ("freedom", "value"), [("deadline", 2**40 - 1), ("version", 5_000), ("epoch", 7)], ids=lambda value: str(value)
)
def test_freedoms_that_would_wait_for_ever_are_refused_without_a_verdict(
    hospital: Instance, freedom: str, value: int
) -> None:
    account = Account.create()
    nurse = hospital.hire_with_wallet(account)
    request = hospital.signed_request(
        account, nurse, "vital-signs", blood_pressure(), patient=hospital.consented.actor.actor_id
    )
    before = written(hospital)
    request["preparation"][freedom] = value
    with pytest.raises(EnvelopeInvalid):
        hospital.handshaker.intake.submit(request, nurse)
    assert written(hospital) == before


def test_a_refused_request_that_is_repeated_is_refused_with_the_same_words(hospital: Instance) -> None:
    request = {
        "template": "vital-signs",
        "payload": blood_pressure(900),
        "patient": hospital.consented.actor.actor_id,
        "idempotencyKey": "again and again",
    }
    first = hospital.handshaker.intake.submit(request, hospital.nurse)
    again = hospital.handshaker.intake.submit(request, hospital.nurse)
    assert first.refusal is not None
    assert again.refusal is not None
    assert (again.ti_id, again.known) == (first.ti_id, True)
    assert again.refusal.to_json() == first.refusal.to_json()


def test_neither_a_reading_nor_a_key_can_be_guessed_from_what_is_stored(hospital: Instance) -> None:
    patient = hospital.consented.actor.actor_id
    request = {
        "template": "vital-signs",
        "payload": blood_pressure(),
        "patient": patient,
        "idempotencyKey": "number 12345 of the hospital",
    }
    hospital.handshaker.intake.submit(request, hospital.nurse)
    guesses = [canonical(request[name] if name else request) for name in ("payload", "")]
    guesses += [canonical({name: request.get(name) for name in ("template", "patient", "payload", "supersedes")})]
    stored = b"".join(path.read_bytes() for path in hospital.handshaker.settings.instance.rglob("*.db*"))
    assert b"number 12345" not in stored
    for guess in guesses:
        digest = sha256(guess).digest()
        assert digest not in stored
        assert digest.hex().encode() not in stored


def test_an_administrator_s_token_without_the_scope_does_not_administer(hospital: Instance) -> None:
    narrow = replace(hospital.administrator, scopes=("submit", "read"))
    submission = hospital.handshaker.registrar.register_organisation(narrow, 77, "Somewhere")
    assert refused(hospital, submission) == "role-not-allowed"


def test_a_registration_in_flight_keeps_its_key_when_another_administrator_registers_the_same_person(
    hospital: Instance,
) -> None:
    registrar = hospital.handshaker.registrar
    first = registrar.register_patient(hospital.administrator, demographics("Twice"), "urn:x|twice")
    second = registrar.register_patient(hospital.second_administrator, demographics("Twice"), "urn:x|twice")
    hospital.drain()
    assert (second.actor_id, second.token) == (first.actor_id, None)
    controller = hospital.handshaker.chain.view("Directory", "controllerOf", bytes.fromhex(first.actor_id[2:]))[0]
    assert controller == str(hospital.handshaker.vault.signing_address(first.actor_id)).lower()
