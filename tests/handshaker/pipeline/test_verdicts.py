"""What is valid comes from the chain, whoever carried it; what is invalid can never take effect again."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest
from eth_account import Account

from handshaker.ethereum.contracts import events
from handshaker.indexer import _FUNCTIONS
from handshaker.messages import EventKind, Origin, Refusal, SignedCall
from tests.instances import Instance, blood_pressure, consent_payload, copied
from tests.strangers import act_alone, carry, relay, stored_call

DAY = 86_400


@pytest.fixture
def unasking(pattern_hospital: Instance, tmp_path: Path) -> Iterator[Instance]:
    """A hospital whose worker sends without asking first."""
    instance = copied(pattern_hospital, tmp_path, ask_first=False)
    yield instance
    instance.close()


def test_a_statement_that_somebody_else_carried_settles_its_ti_once(hospital: Instance) -> None:
    submission = hospital.measure()
    receipt = carry(hospital, stored_call(hospital, submission))
    assert receipt["status"] == 1
    ack = hospital.acknowledged(submission)
    assert (ack.code, ack.transaction_hash) == ("effect", bytes(receipt["transactionHash"]))
    hospital.steps(3)
    assert hospital.kinds(submission) == ["received", "valid"], "nothing was sent after it"


def test_a_statement_carried_while_it_is_judged_is_valid_and_not_called_a_duplicate(
    hospital: Instance, monkeypatch: pytest.MonkeyPatch
) -> None:
    account = Account.create()
    nurse = hospital.hire_with_wallet(account)
    patient = hospital.consented.actor.actor_id
    submission = hospital.sign_and_submit(account, nurse, "vital-signs", blood_pressure(), patient=patient)
    chain, ask = hospital.handshaker.chain, hospital.handshaker.chain.ask

    def overtaken(calls: Sequence[SignedCall], block: int | None = None) -> list[Refusal | None]:
        if block is None:
            monkeypatch.setattr(chain, "ask", ask)
            carry(hospital, stored_call(hospital, submission))
        return ask(calls, block)

    monkeypatch.setattr(chain, "ask", overtaken)
    hospital.worker.step()
    assert hospital.acknowledged(submission).code == "effect"


def test_a_patient_who_acts_alone_gets_a_ti_and_one_acknowledgement(hospital: Instance) -> None:
    account = Account.create()
    patient = hospital.admit_with_wallet(account)
    request = {"template": "consent-grant", "payload": consent_payload(), "idempotencyKey": "never sent"}
    prepared = hospital.handshaker.intake.prepare(request, patient)
    statement = act_alone(hospital, account.key, prepared["typedData"], "ConsentRegistry", "grant")
    hospital.steps(3)
    hospital.restart()
    hospital.steps(2)
    (ack,) = [a for a in hospital.handshaker.store.audit.latest(50) if a.statement_hash == statement]
    assert (ack.origin, ack.code, ack.patient_id) == (Origin.CHAIN, "effect", patient.actor.actor_id)
    assert hospital.acknowledged(hospital.measure(patient)).code == "effect"


def test_a_key_taken_beforehand_does_not_keep_a_patient_from_acting_alone(hospital: Instance) -> None:
    account = Account.create()
    patient = hospital.admit_with_wallet(account)
    request = {"template": "consent-grant", "payload": consent_payload(), "idempotencyKey": "x"}
    prepared = hospital.handshaker.intake.prepare(request, patient)
    taken = {**request, "idempotencyKey": f"chain/{prepared['statement']}", "payload": {"purpose": "nonsense"}}
    assert hospital.handshaker.intake.submit(taken, patient).refusal is not None
    statement = act_alone(hospital, account.key, prepared["typedData"], "ConsentRegistry", "grant")
    hospital.steps(2)
    assert [a.code for a in hospital.handshaker.store.audit.latest(50) if a.statement_hash == statement] == ["effect"]


def test_what_was_sent_and_refused_is_invalid_only_after_its_deadline_in_a_final_block(
    unasking: Instance, monkeypatch: pytest.MonkeyPatch
) -> None:
    submission = unasking.measure(unasking.silent)
    unasking.steps(5)
    assert "rejected" in unasking.kinds(submission)
    unasking.clock.advance(10)
    unasking.steps(5)
    assert unasking.ack(submission) is None, "somebody may still carry it"
    unasking.clock.advance(DAY + 10)
    with monkeypatch.context() as patched:
        patched.setattr(unasking.handshaker.chain, "beat", lambda: False)
        unasking.steps(3)
    assert unasking.ack(submission) is None, "no block says so yet"
    unasking.travel(5)
    ack = unasking.acknowledged(submission)
    assert ack.code == "not-permitted"
    assert stored_call(unasking, submission).signature, "what left the house cannot be destroyed"


def test_what_was_sent_and_refused_becomes_valid_when_consent_comes_in_time(unasking: Instance) -> None:
    submission = unasking.measure(unasking.silent)
    unasking.steps(5)
    consent = unasking.consent(unasking.silent)
    unasking.steps(5)
    assert unasking.ack(consent) is not None
    unasking.clock.advance(5)
    assert unasking.acknowledged(submission).code == "effect"
    assert "deferred" not in unasking.kinds(submission)


def test_a_refused_statement_that_a_wallet_signed_waits_and_can_still_become_valid(own_hospital: Instance) -> None:
    account = Account.create()
    nurse = own_hospital.hire_with_wallet(account)
    patient = own_hospital.silent.actor.actor_id
    early = own_hospital.sign_and_submit(account, nurse, "vital-signs", blood_pressure(), patient=patient)
    own_hospital.steps(4)
    assert own_hospital.ack(early) is None
    assert own_hospital.kinds(early) == ["received", "deferred"], "said once, not at every look"
    consent = own_hospital.consent(own_hospital.silent)
    own_hospital.steps(4)
    assert own_hospital.ack(consent) is not None
    own_hospital.clock.advance(5)
    assert own_hospital.acknowledged(early).code == "effect"


def test_a_refused_statement_that_a_wallet_signed_is_invalid_after_its_deadline(own_hospital: Instance) -> None:
    account = Account.create()
    nurse = own_hospital.hire_with_wallet(account)
    patient = own_hospital.silent.actor.actor_id
    submission = own_hospital.sign_and_submit(account, nurse, "vital-signs", blood_pressure(), patient=patient)
    own_hospital.steps(4)
    own_hospital.travel(DAY + 10)
    assert own_hospital.acknowledged(submission).code == "not-permitted"
    receipt = carry(own_hospital, stored_call(own_hospital, submission))
    assert receipt["status"] == 0, "and indeed nobody can carry it any more"


def test_a_superseded_version_is_invalid_at_once(hospital: Instance) -> None:
    account = Account.create()
    patient = hospital.admit_with_wallet(account)
    older = hospital.signed_request(account, patient, "consent-grant", consent_payload())
    newer = hospital.signed_request(account, patient, "consent-grant", consent_payload(write=[]))
    assert hospital.acknowledged(hospital.handshaker.intake.submit(newer, patient)).code == "effect"
    ack = hospital.acknowledged(hospital.handshaker.intake.submit(older, patient))
    assert (ack.code, ack.arguments) == ("version-out-of-range", {"current": 1, "version": 1})


def test_a_rejection_that_a_stranger_provoked_concludes_nothing(own_hospital: Instance) -> None:
    account = Account.create()
    nurse = own_hospital.hire_with_wallet(account)
    patient = own_hospital.silent.actor.actor_id
    submission = own_hospital.sign_and_submit(account, nurse, "vital-signs", blood_pressure(), patient=patient)
    receipt = relay(own_hospital, stored_call(own_hospital, submission))
    assert (receipt["status"], len(receipt["logs"])) == (1, 1), "the Relay told of a rejection"
    own_hospital.steps(4)
    assert own_hospital.ack(submission) is None
    own_hospital.consent(own_hospital.silent)
    own_hospital.steps(4)
    own_hospital.clock.advance(5)
    assert own_hospital.acknowledged(submission).code == "effect"


def test_the_same_signed_statement_under_two_keys_is_one_ti(hospital: Instance) -> None:
    account = Account.create()
    patient = hospital.admit_with_wallet(account)
    request = hospital.signed_request(account, patient, "consent-grant", consent_payload())
    first = hospital.handshaker.intake.submit(request, patient)
    second = hospital.handshaker.intake.submit({**request, "idempotencyKey": "another"}, patient)
    assert (second.ti_id, second.known) == (first.ti_id, True)
    assert hospital.acknowledged(first).code == "effect"


def test_two_consents_in_a_row_both_take_effect_in_order(hospital: Instance) -> None:
    patient = hospital.admit("Twice")
    one, two = hospital.consent(patient), hospital.consent(patient, write=[])
    assert hospital.acknowledged(one).code == hospital.acknowledged(two).code == "effect"
    assert hospital.acknowledged(hospital.measure(patient)).code == "not-permitted"


def test_every_effect_event_of_the_contracts_has_a_function_that_makes_it() -> None:
    effects = {
        item.name
        for contract in ("Directory", "ConsentRegistry", "HealthRecords")
        for item in events(contract).values()
        if item.inputs and item.inputs[0]["name"] == "statement"
    }
    assert effects == set(_FUNCTIONS)


def test_the_order_of_events_tells_the_story(hospital: Instance) -> None:
    submission = hospital.measure()
    hospital.acknowledged(submission)
    events_ = hospital.handshaker.store.audit.events(submission.ti_id)
    assert [event.kind for event in events_] == [EventKind.RECEIVED, EventKind.SENT, EventKind.VALID]
    assert [event.at for event in events_] == sorted(event.at for event in events_)
