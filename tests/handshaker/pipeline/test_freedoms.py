"""What somebody who signs elsewhere may choose, and what becomes of statements that came another way."""

from __future__ import annotations

import json
from typing import Any

import pytest
from eth_account import Account
from eth_account.signers.local import LocalAccount

from handshaker.errors import EnvelopeInvalid
from handshaker.tokens import Credential
from tests.handshaker.pipeline.test_gates import refused, written
from tests.instances import Instance, blood_pressure, consent_payload
from tests.strangers import act_alone

YEAR = 365 * 86_400


def chosen(
    hospital: Instance, account: LocalAccount, credential: Credential, template: str, payload: Any, **freedoms: int
) -> dict[str, Any]:
    """A request that is signed as it stands, with freedoms that its signer chose."""
    request = {"template": template, "payload": payload, "idempotencyKey": str(sorted(freedoms.items()))}
    if template == "vital-signs":
        request["patient"] = hospital.consented.actor.actor_id
    prepared = hospital.handshaker.intake.prepare(request, credential)
    typed = prepared["typedData"]
    typed["message"].update({name: value for name, value in freedoms.items() if name in typed["message"]})
    signature = Account.sign_typed_data(account.key, full_message=typed).signature.hex()
    return {**request, "preparation": prepared["preparation"] | freedoms, "signature": "0x" + signature}


def test_a_deadline_in_many_years_is_refused_and_gets_no_verdict(hospital: Instance) -> None:
    """A verdict would be untrue for as long as somebody can still carry it."""
    account = Account.create()
    nurse = hospital.hire_with_wallet(account)
    far = int(hospital.clock.now().timestamp()) + 10 * YEAR
    request = chosen(hospital, account, nurse, "vital-signs", blood_pressure(), deadline=far)
    before = written(hospital)
    with pytest.raises(EnvelopeInvalid, match="too far"):
        hospital.handshaker.intake.submit(request, nurse)
    assert written(hospital) == before


@pytest.mark.parametrize("freedoms", [{"version": 1_500}, {"epoch": 2}])
def test_versions_that_nobody_could_beat_are_refused(hospital: Instance, freedoms: dict[str, int]) -> None:
    account = Account.create()
    patient = hospital.admit_with_wallet(account)
    request = chosen(hospital, account, patient, "consent-grant", consent_payload(), **freedoms)
    before = written(hospital)
    with pytest.raises(EnvelopeInvalid, match="prepare the statement again"):
        hospital.handshaker.intake.submit(request, patient)
    assert written(hospital) == before


def test_a_version_a_little_ahead_is_the_signers_own_choice(hospital: Instance) -> None:
    account = Account.create()
    patient = hospital.admit_with_wallet(account)
    request = chosen(hospital, account, patient, "consent-grant", consent_payload(), version=7)
    assert hospital.acknowledged(hospital.handshaker.intake.submit(request, patient)).code == "effect"
    following = hospital.sign_and_submit(account, patient, "consent-grant", consent_payload(write=[]))
    assert hospital.acknowledged(following).code == "effect"


def test_who_acted_alone_can_hand_the_words_in_later(hospital: Instance) -> None:
    account = Account.create()
    patient = hospital.admit_with_wallet(account)
    request = {"template": "consent-grant", "payload": consent_payload(), "idempotencyKey": "alone first"}
    prepared = hospital.handshaker.intake.prepare(request, patient)
    signature = Account.sign_typed_data(account.key, full_message=prepared["typedData"]).signature.hex()
    statement = act_alone(hospital, account.key, prepared["typedData"], "ConsentRegistry", "grant")
    hospital.steps(2)
    submission = hospital.handshaker.intake.submit(
        {**request, "preparation": prepared["preparation"], "signature": "0x" + signature}, patient
    )
    assert (submission.known, submission.statement_hash) == (True, statement)
    ack = hospital.ack(submission)
    assert ack is not None
    assert ack == submission.acknowledgement
    assert ack.statement_hash == statement
    sealed = hospital.handshaker.store.intake.payload(submission.ti_id)
    assert sealed is not None
    body = json.loads(hospital.handshaker.vault.unseal(sealed, submission.ti_id.encode()))
    assert body["payload"] == consent_payload()
    assert body["sentence"] == prepared["sentence"]


def test_a_token_without_the_right_to_administer_registers_nobody(hospital: Instance) -> None:
    tokens = hospital.handshaker.tokens
    weak = tokens.authenticate(tokens.issue(hospital.administrator, ("submit", "read")))
    submission = hospital.submit(weak, "register-organisation", {"organisation": 9, "name": "Nowhere", "active": True})
    assert refused(hospital, submission) == "role-not-allowed"


def test_a_refusal_that_is_asked_for_again_is_told_again(hospital: Instance) -> None:
    first = hospital.measure(payload=blood_pressure(900), idempotencyKey="again and again")
    again = hospital.measure(payload=blood_pressure(900), idempotencyKey="again and again")
    assert first.refusal is not None
    assert again.refusal is not None
    assert (again.ti_id, again.known) == (first.ti_id, True)
    assert again.refusal.to_json() == first.refusal.to_json()
    assert again.acknowledgement == hospital.ack(first)
