"""The explorer opens the file of one TI, from form to block, and tells how far it is."""

from __future__ import annotations

from datetime import timedelta
from itertools import pairwise

import pytest
from eth_account import Account

from handshaker.errors import NotFound
from handshaker.explorer import GATES
from handshaker.messages import EventKind, Origin
from tests.instances import Instance, blood_pressure, consent_payload, hospital, own_hospital, pattern_hospital
from tests.strangers import act_alone

__all__ = ["hospital", "own_hospital", "pattern_hospital"]


def test_a_reading_that_waits_is_found_and_has_a_file_without_evidence(own_hospital: Instance) -> None:
    submission = own_hospital.measure()
    explorer = own_hospital.handshaker.explorer
    row = explorer.search(status="received").rows[0]
    assert (row.ti_id, row.position, row.acknowledged_at) == (submission.ti_id, None, None)
    found = explorer.file(submission.ti_id)
    assert found.status.status is EventKind.RECEIVED
    assert not found.status.is_settled
    assert found.statement is not None
    assert found.statement.signature == "kept"
    assert (found.acknowledgement, found.network, found.effects, found.leaves) == (None, (), (), ())
    assert all(gate.has_passed for gate in found.gates)


def test_the_file_of_a_valid_reading_leads_from_the_form_to_the_block(own_hospital: Instance) -> None:
    submission = own_hospital.measure()
    acknowledgement = own_hospital.acknowledged(submission)
    found = own_hospital.handshaker.explorer.file(submission.ti_id)
    assert found.acknowledgement == acknowledgement
    assert found.actor_name == "nurse"
    assert [gate.name for gate in found.gates] == list(GATES)
    assert found.statement is not None
    fields = {field.name: field.value for field in found.statement.fields}
    assert fields["category"] == 1
    assert fields["patientId"] == bytes.fromhex(own_hospital.consented.actor.actor_id[2:])
    assert found.statement.signer == own_hospital.nurse.actor.address
    assert found.statement.custodial
    assert found.statement.deadline is not None
    assert found.statement.deadline > found.ti.received_at
    (carrier,) = found.network
    assert carrier.outcome == "mined"
    assert carrier.relayer == own_hospital.handshaker.vault.relayer_address("worker-1")
    assert [attempt.hash for attempt in carrier.attempts] == [acknowledgement.transaction_hash]
    ((effect, block),) = found.effects
    assert effect.event == "Recorded"
    assert effect.arguments["author"] == own_hospital.nurse.actor.actor_id
    assert block is not None
    assert (block.number, block.hash) == (acknowledgement.block_number, acknowledgement.block_hash)
    (leaf,) = found.leaves
    assert leaf.position == acknowledgement.position
    assert found.reason is not None
    assert "took effect" in found.reason.sentence
    assert [str(event.kind) for event in found.events] == ["received", "sent", "valid"]


def test_the_file_of_a_reading_that_a_gate_refused_says_which_and_has_no_statement(hospital: Instance) -> None:
    submission = hospital.measure(payload=blood_pressure(systolic=9000))
    found = hospital.handshaker.explorer.file(submission.ti_id)
    assert found.status.code == "implausible"
    assert [gate.has_passed for gate in found.gates] == [True, True, True, False, None]
    assert found.statement is None
    assert found.reason is not None
    assert found.reason.next_step
    assert found.leaves[0].position == found.status.position
    assert "9000" not in repr(found)


def test_the_file_of_a_reading_that_the_network_refused_says_that_its_signature_is_destroyed(
    own_hospital: Instance,
) -> None:
    submission = own_hospital.measure(own_hospital.silent)
    own_hospital.drain()
    found = own_hospital.handshaker.explorer.file(submission.ti_id)
    assert found.status.status is EventKind.INVALID
    assert found.status.code == "not-permitted"
    assert found.statement is not None
    assert found.statement.signature == "destroyed"
    assert found.network == ()
    assert found.reason is not None
    assert "has not allowed writing vital signs" in found.reason.sentence


def test_the_file_of_a_statement_that_came_straight_from_the_chain_has_its_effect_and_no_gates(
    own_hospital: Instance,
) -> None:
    ti_id = sent_past_us(own_hospital)
    found = own_hospital.handshaker.explorer.file(ti_id)
    assert found.ti.origin is Origin.CHAIN
    assert found.gates == ()
    assert found.statement is not None
    assert found.statement.fields == ()
    assert found.statement.signature == "elsewhere"
    ((effect, _),) = found.effects
    assert effect.event == "ConsentGranted"
    assert found.status.status is EventKind.VALID


def sent_past_us(instance: Instance) -> str:
    """Let a patient with a wallet consent without us, and return the TI that stands for it."""
    account = Account.create()
    patient = instance.admit_with_wallet(account)
    request = {"template": "consent-grant", "payload": consent_payload(), "idempotencyKey": "never sent"}
    prepared = instance.handshaker.intake.prepare(request, patient)
    act_alone(instance, account.key, prepared["typedData"], "ConsentRegistry", "grant")
    instance.steps(3)
    (row,) = instance.handshaker.explorer.search(template="ConsentRegistry.ConsentGranted").rows
    return row.ti_id


def test_a_refusal_that_may_pass_is_told_while_it_waits(own_hospital: Instance) -> None:
    account = Account.create()
    nurse = own_hospital.hire_with_wallet(account)
    submission = own_hospital.sign_and_submit(
        account, nurse, "vital-signs", blood_pressure(), patient=own_hospital.silent.actor.actor_id
    )
    own_hospital.steps(3)
    status = own_hospital.handshaker.explorer.status(submission.ti_id)
    assert not status.is_settled
    assert status.status is EventKind.DEFERRED
    assert status.code == "not-permitted"
    assert status.reason is not None
    assert "has not allowed" in status.reason.sentence
    row = own_hospital.handshaker.explorer.search(reason="not-permitted").rows[0]
    assert (row.ti_id, row.code) == (submission.ti_id, "not-permitted")


def test_a_status_tells_block_and_transaction_of_the_effect(own_hospital: Instance) -> None:
    submission = own_hospital.measure()
    acknowledgement = own_hospital.acknowledged(submission)
    status = own_hospital.handshaker.explorer.status(submission.ti_id)
    assert status.is_settled
    assert (status.block_number, status.block_hash, status.transaction_hash, status.position) == (
        acknowledgement.block_number,
        acknowledgement.block_hash,
        acknowledgement.transaction_hash,
        acknowledgement.position,
    )


def test_eight_characters_name_a_ti_and_fewer_do_not(hospital: Instance) -> None:
    ti_id = hospital.handshaker.explorer.search(limit=1).rows[0].ti_id
    assert hospital.handshaker.explorer.file(ti_id[:8]).ti.ti_id == ti_id
    for beginning in (ti_id[:7], "", "zzzzzzzz", "%%%%%%%%", ti_id + "0"):
        with pytest.raises(NotFound):
            hospital.handshaker.explorer.file(beginning)
    with pytest.raises(NotFound):
        hospital.handshaker.explorer.status(ti_id[:8])


def test_neither_a_row_nor_a_file_holds_a_payload_or_a_patients_name(hospital: Instance) -> None:
    submission = hospital.measure(payload=blood_pressure(systolic=157.25))
    hospital.drain()
    explorer = hospital.handshaker.explorer
    page = explorer.search(limit=500)
    told = repr(page) + "".join(repr(explorer.file(row.ti_id)) for row in page.rows)
    for word in ("consented", "Zed", "1970-01-01", "valueQuantity", "157.25"):
        assert word not in told
    assert submission.ti_id in told


def test_activity_counts_the_acks_of_each_hour(own_hospital: Instance) -> None:
    explorer = own_hospital.handshaker.explorer
    before = sum(hour.valid for hour in explorer.activity(3))
    own_hospital.acknowledged(own_hospital.measure())
    own_hospital.measure(payload=blood_pressure(systolic=9000))
    hours = explorer.activity(3)
    assert len(hours) == 3
    assert all(late.hour - early.hour == timedelta(hours=1) for early, late in pairwise(hours))
    total = sum(hour.valid + hour.invalid for hour in hours)
    assert total == before + 2
    assert sum(hour.invalid for hour in hours) == 1
