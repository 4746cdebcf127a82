"""What is asked, carried and judged in which order: nobody starves, nothing is judged too early, fees rise in time."""

from __future__ import annotations

import itertools
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from eth_account import Account

from handshaker.messages import Attempt, Fees, SendOutcome
from handshaker.store import schema as s
from handshaker.validator import LONGEST_RECHECK, RECHECK
from tests.instances import Instance, blood_pressure, consent_payload, copied, demographics
from tests.strangers import act_alone


def codes(instance: Instance) -> dict[tuple[str, str], int]:
    return instance.handshaker.store.audit.counts()


def test_records_behind_their_consent_are_valid_however_many_questions_a_pass_needs(own_hospital: Instance) -> None:
    before = codes(own_hospital)
    own_hospital.consent(own_hospital.silent)
    for _ in range(3 * own_hospital.handshaker.chain.profile.max_batch):
        own_hospital.measure(own_hospital.silent)
    own_hospital.drain()
    after = codes(own_hospital)
    assert {key for key in after if key not in before} <= {("valid", "effect")}
    assert sum(after.values()) - sum(before.values()) == 1 + 3 * own_hospital.handshaker.chain.profile.max_batch


def test_a_refusal_behind_another_worker_s_consent_is_not_judged(own_hospital: Instance) -> None:
    queue, consent = own_hospital.handshaker.store.queue, own_hospital.consent(own_hospital.silent)
    taken = queue.take("somebody else", own_hospital.clock.now(), 1)
    assert [waiting.call.ti_id for waiting in taken] == [consent.ti_id]
    reading = own_hospital.measure(own_hospital.silent)
    own_hospital.steps(3)
    assert own_hospital.ack(reading) is None
    queue.release_all("somebody else")
    assert own_hospital.acknowledged(reading).code == "effect"


def test_many_refused_readings_of_somebody_with_a_wallet_keep_nobody_waiting(own_hospital: Instance) -> None:
    account = Account.create()
    nurse = own_hospital.hire_with_wallet(account)
    stubborn = [
        own_hospital.sign_and_submit(
            account, nurse, "vital-signs", blood_pressure(), patient=own_hospital.silent.actor.actor_id
        )
        for _ in range(60)
    ]
    own_hospital.steps(4)
    innocent = own_hospital.measure()
    own_hospital.steps(3)
    acknowledgement = own_hospital.ack(innocent)
    assert acknowledgement is not None
    assert acknowledgement.code == "effect"
    assert all(own_hospital.ack(each) is None for each in stubborn)


def test_a_refused_statement_is_looked_at_ever_more_rarely(own_hospital: Instance) -> None:
    account = Account.create()
    nurse = own_hospital.hire_with_wallet(account)
    reading = own_hospital.sign_and_submit(
        account, nurse, "vital-signs", blood_pressure(), patient=own_hospital.silent.actor.actor_id
    )
    waits = []
    for _ in range(12):
        own_hospital.steps(1)
        with own_hospital.handshaker.store._database.read() as connection:
            query = sa.select(s.queue.c.available_at).where(s.queue.c.ti_id == reading.ti_id)
            available = connection.execute(query).scalar_one()
        waits.append((available - own_hospital.clock.now()).total_seconds())
        own_hospital.clock.advance(waits[-1] + 0.1)
    assert waits[0] == pytest.approx(RECHECK.total_seconds(), abs=1)
    assert waits[1] == pytest.approx(2 * waits[0], abs=2)
    assert max(waits) == pytest.approx(LONGEST_RECHECK.total_seconds(), abs=2)


class Stuck:
    """A market in which nothing is mined and one fee counts."""

    def __init__(self, instance: Instance, monkeypatch: pytest.MonkeyPatch) -> None:
        self.sent: list[bytes] = []
        self.fee = 10**9
        chain = instance.handshaker.chain
        monkeypatch.setattr(chain, "send", self.send)
        monkeypatch.setattr(chain, "fees", lambda: Fees(2 * self.fee + 10**9, 10**9))

    def send(self, raw: bytes) -> SendOutcome:
        self.sent.append(raw)
        return SendOutcome.ACCEPTED


def test_a_transaction_that_waits_too_long_bids_more_at_the_same_nonce(
    own_hospital: Instance, monkeypatch: pytest.MonkeyPatch
) -> None:
    own_hospital.drain()
    own_hospital.worker._bump_after = 36.0
    chain = own_hospital.handshaker.chain
    chain._profile = replace(chain.profile, bump_after=36.0)
    stuck = Stuck(own_hospital, monkeypatch)
    own_hospital.measure()
    for _ in range(30):
        own_hospital.steps(1)
        own_hospital.clock.advance(6)
    (transaction,) = own_hospital.handshaker.store.network.unsettled(own_hospital.worker._validator.relayer)
    fees = [attempt.max_fee for attempt in transaction.attempts]
    assert 4 <= len(fees) <= 6
    assert all(10 * later >= 11 * earlier for earlier, later in itertools.pairwise(fees))
    assert len(set(stuck.sent)) == len(fees)
    assert len(stuck.sent) > len(fees), "the same bytes go again in between"


def test_a_bid_below_what_any_block_takes_is_raised_at_once_where_gas_is_free_too(
    own_hospital: Instance, monkeypatch: pytest.MonkeyPatch
) -> None:
    own_hospital.drain()
    stuck = Stuck(own_hospital, monkeypatch)
    own_hospital.measure()
    own_hospital.steps(1)
    stuck.fee *= 10
    own_hospital.clock.advance(6)
    own_hospital.steps(1)
    (transaction,) = own_hospital.handshaker.store.network.unsettled(own_hospital.worker._validator.relayer)
    low, high = transaction.attempts
    assert high.max_fee > stuck.fee > low.max_fee
    assert high.priority_fee > low.priority_fee


def test_at_the_cap_the_bid_stays(own_hospital: Instance) -> None:
    chain = own_hospital.handshaker.chain
    chain._profile = replace(chain.profile, bump_after=36.0)
    capped = Attempt(b"", b"", chain.profile.max_fee_cap, 10**9)
    assert chain.dearer(capped, is_late=True) is None


def test_what_a_stranger_s_node_was_asked_is_never_invalid_because_its_signature_was_destroyed(
    pattern_hospital: Instance, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    own_hospital = copied(pattern_hospital, tmp_path, private_node=False)
    disclosed: list[bool] = []
    ask = own_hospital.handshaker.chain.ask

    def asked(calls: Any, block: int | None = None) -> Any:
        with own_hospital.handshaker.store._database.read() as connection:
            disclosed.extend(connection.execute(sa.select(s.queue.c.sent)).scalars())
        return ask(calls, block)

    monkeypatch.setattr(own_hospital.handshaker.chain, "ask", asked)
    reading = own_hospital.measure(own_hospital.silent)
    own_hospital.steps(3)
    assert disclosed
    assert all(disclosed), "it is written down before the question"
    assert own_hospital.ack(reading) is None
    consent = own_hospital.consent(own_hospital.silent)
    own_hospital.drain()
    assert (own_hospital.acknowledged(consent).code, own_hospital.acknowledged(reading).code) == ("effect", "effect")
    own_hospital.close()


def test_a_payload_that_is_told_after_the_chain_knew_its_statement_is_kept(own_hospital: Instance) -> None:
    account = Account.create()
    patient = own_hospital.admit_with_wallet(account)
    request = {"template": "consent-grant", "payload": consent_payload(), "idempotencyKey": "told late"}
    prepared = own_hospital.handshaker.intake.prepare(request, patient)
    act_alone(own_hospital, bytes(account.key), prepared["typedData"], "ConsentRegistry", "grant")
    own_hospital.steps(2)
    signed = Account.sign_typed_data(account.key, full_message=prepared["typedData"])
    request |= {"preparation": prepared["preparation"], "signature": "0x" + signed.signature.hex()}
    submission = own_hospital.handshaker.intake.submit(request, patient)
    assert submission.known
    assert submission.acknowledgement is not None
    assert (submission.acknowledgement.code, str(submission.acknowledgement.origin)) == ("effect", "chain")
    sealed = own_hospital.handshaker.store.intake.payload(submission.ti_id)
    assert sealed is not None
    opened = own_hospital.handshaker.vault.unseal(sealed, submission.ti_id.encode())
    assert b"organisation/1" in opened
    assert b"Reference" in opened


def test_only_the_worker_that_judged_the_tip_rolls_back(own_hospital: Instance) -> None:
    view, own = own_hospital.handshaker.store.chain_view, own_hospital.measure()
    own_hospital.drain()
    tip = view.tip()
    assert tip is not None
    before = view.block(tip.number - 1)
    assert before is not None
    assert view.roll_back(before, 0, own_hospital.clock.now()) == []
    assert view.tip() == tip
    assert own_hospital.kinds(own)[-1] == "valid"


def test_an_invalid_registration_can_be_made_again(own_hospital: Instance) -> None:
    registrar = own_hospital.handshaker.registrar
    first = registrar.register_patient(own_hospital.administrator, demographics("Late"), "urn:x|late")
    own_hospital.clock.advance(2 * 86_400)
    own_hospital.drain()
    assert own_hospital.acknowledged(first.submission).code == "statement-expired"
    again = registrar.register_patient(own_hospital.administrator, demographics("Late"), "urn:x|late")
    assert (again.actor_id, again.token is None) == (first.actor_id, False)
    assert own_hospital.acknowledged(again.submission).code == "effect"
