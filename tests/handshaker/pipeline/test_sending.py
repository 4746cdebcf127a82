"""Sending has three outcomes; unknown means the same bytes again, and nothing is concluded from an error."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
import sqlalchemy as sa

from handshaker.errors import ChainError
from handshaker.messages import SendOutcome
from tests.handshaker.pipeline.test_kills import assert_every_nonce_is_accounted_for, assert_one_effect_and_one_ack
from tests.instances import Instance
from tests.strangers import use_nonce


class Wire:
    """What goes to the node, with an answer of the test's choice for each time."""

    def __init__(self, instance: Instance, monkeypatch: pytest.MonkeyPatch) -> None:
        self.sent: list[bytes] = []
        self.faults: list[Callable[[bytes], SendOutcome]] = []
        self._send = instance.handshaker.chain.send
        monkeypatch.setattr(instance.handshaker.chain, "send", self.send)

    def send(self, raw: bytes) -> SendOutcome:
        self.sent.append(raw)
        return self.faults.pop(0)(raw) if self.faults else self._send(raw)

    def answer_lost(self, raw: bytes) -> SendOutcome:
        self._send(raw)
        return SendOutcome.UNKNOWN

    def lost(self, raw: bytes) -> SendOutcome:
        return SendOutcome.UNKNOWN

    def rejected(self, raw: bytes) -> SendOutcome:
        return SendOutcome.REJECTED

    def rejected_though_taken(self, raw: bytes) -> SendOutcome:
        self._send(raw)
        return SendOutcome.REJECTED


@pytest.fixture
def wire(own_hospital: Instance, monkeypatch: pytest.MonkeyPatch) -> Wire:
    return Wire(own_hospital, monkeypatch)


def outcomes(instance: Instance) -> list[str]:
    with instance.handshaker.store._database.read() as connection:
        query = "SELECT coalesce(outcome, 'open') FROM network_transactions ORDER BY network_id"
        return list(connection.execute(sa.text(query)).scalars())


@pytest.mark.parametrize("fault", ["answer_lost", "rejected_though_taken"])
def test_an_answer_that_was_lost_after_the_node_took_it_costs_nothing(
    own_hospital: Instance, wire: Wire, fault: str
) -> None:
    wire.faults.append(getattr(wire, fault))
    submission = own_hospital.measure()
    own_hospital.acknowledged(submission)
    assert len(wire.sent) == 1
    assert_one_effect_and_one_ack(own_hospital, submission, "effect")
    assert_every_nonce_is_accounted_for(own_hospital)


@pytest.mark.parametrize("fault", ["lost", "rejected"])
def test_what_the_node_did_not_take_goes_again_with_the_same_bytes(
    own_hospital: Instance, wire: Wire, fault: str
) -> None:
    wire.faults += [getattr(wire, fault)] * 3
    submission = own_hospital.measure()
    for _ in range(4):
        own_hospital.steps(3)
        own_hospital.clock.advance(6)
    own_hospital.acknowledged(submission)
    assert len(wire.sent) == 4, "once each five seconds, no oftener"
    assert len(set(wire.sent)) == 1
    assert_one_effect_and_one_ack(own_hospital, submission, "effect")
    assert_every_nonce_is_accounted_for(own_hospital)
    assert own_hospital.kinds(submission).count("sent") == 1


def test_a_restart_sends_the_same_bytes_and_takes_no_new_nonce(own_hospital: Instance, wire: Wire) -> None:
    wire.faults += [wire.lost, wire.lost]
    submission = own_hospital.measure()
    own_hospital.steps(3)
    own_hospital.restart()
    own_hospital.steps(3)
    own_hospital.restart()
    own_hospital.acknowledged(submission)
    assert len(set(wire.sent)) == 1
    assert_every_nonce_is_accounted_for(own_hospital)


def test_a_nonce_that_a_stranger_used_is_given_up_and_the_statements_go_again(
    own_hospital: Instance, wire: Wire
) -> None:
    relayer = own_hospital.handshaker.vault.create_relayer("worker-1")
    nonce = own_hospital.handshaker.chain.nonce(relayer)
    wire.faults.append(lambda raw: use_nonce(own_hospital, relayer, nonce) and SendOutcome.REJECTED)  # type: ignore[arg-type, return-value]
    submission = own_hospital.measure()
    own_hospital.acknowledged(submission)
    assert outcomes(own_hospital)[-2:] == ["replaced", "mined"]
    assert own_hospital.kinds(submission) == ["received", "sent", "requeued", "sent", "valid"]
    assert_one_effect_and_one_ack(own_hospital, submission, "effect")
    assert own_hospital.handshaker.chain.nonce(relayer) == nonce + 2


def test_nonces_that_a_stranger_used_before_are_skipped(own_hospital: Instance) -> None:
    relayer = own_hospital.handshaker.vault.create_relayer("worker-1")
    nonce = own_hospital.handshaker.chain.nonce(relayer)
    for used in range(nonce, nonce + 3):
        use_nonce(own_hospital, relayer, used)
    submission = own_hospital.measure()
    assert own_hospital.acknowledged(submission).code == "effect"
    assert own_hospital.kinds(submission) == ["received", "sent", "valid"]


def test_a_batch_that_reverts_as_a_whole_goes_again_one_by_one(
    own_hospital: Instance, monkeypatch: pytest.MonkeyPatch
) -> None:
    chain, gas = own_hospital.handshaker.chain, own_hospital.handshaker.chain.gas

    def stingy(calls: Any) -> int:
        return gas(calls) if len(calls) < 2 else 21_000 + 16 * len(chain.relay_data(calls)) + 60_000

    monkeypatch.setattr(chain, "gas", stingy)
    submissions = [own_hospital.measure() for _ in range(3)]
    for submission in submissions:
        own_hospital.acknowledged(submission)
    assert outcomes(own_hospital)[-4:] == ["reverted", "mined", "mined", "mined"]
    for submission in submissions:
        assert_one_effect_and_one_ack(own_hospital, submission, "effect")
        assert own_hospital.kinds(submission) == ["received", "sent", "requeued", "sent", "valid"]


def test_what_fails_alone_without_a_reason_rests_before_it_burns_gas_again(
    own_hospital: Instance, monkeypatch: pytest.MonkeyPatch
) -> None:
    chain = own_hospital.handshaker.chain
    before = len(outcomes(own_hospital))
    with monkeypatch.context() as patched:
        patched.setattr(chain, "gas", lambda calls: 21_000 + 16 * len(chain.relay_data(calls)) + 60_000)
        submission = own_hospital.measure()
        own_hospital.steps(20)
    assert outcomes(own_hospital)[before:] == ["reverted", "reverted"]
    own_hospital.clock.advance(31)
    assert own_hospital.acknowledged(submission).code == "effect"


def test_an_error_of_the_node_concludes_nothing(own_hospital: Instance, monkeypatch: pytest.MonkeyPatch) -> None:
    submission = own_hospital.measure()
    for broken in ("receipt", "nonce", "ask", "told", "block", "head", "balance", "fees"):
        with monkeypatch.context() as patched:

            def fail(*_: object, **__: object) -> None:
                raise ChainError("The node refused a question: whatever.")

            patched.setattr(own_hospital.handshaker.chain, broken, fail)
            for _ in range(3):
                try:
                    own_hospital.worker.step()
                except ChainError:
                    own_hospital.restart()
        ack = own_hospital.ack(submission)
        assert ack is None or ack.code == "effect"
    own_hospital.clock.advance(10)
    assert own_hospital.acknowledged(submission).code == "effect"
    assert_one_effect_and_one_ack(own_hospital, submission, "effect")


def test_what_a_batch_cannot_answer_for_is_asked_one_by_one(
    own_hospital: Instance, monkeypatch: pytest.MonkeyPatch
) -> None:
    chain, ask = own_hospital.handshaker.chain, own_hospital.handshaker.chain.ask
    poison = own_hospital.measure(own_hospital.silent)
    others = [own_hospital.measure() for _ in range(2)]

    def picky(calls: Any, block: int | None = None) -> Any:
        if any(call.ti_id == poison.ti_id for call in calls):
            raise ChainError("The node refused a question: out of gas.")
        return ask(calls, block)

    with monkeypatch.context() as patched:
        patched.setattr(chain, "ask", picky)
        own_hospital.steps(8)
        assert own_hospital.ack(poison) is None
    assert all(own_hospital.ack(other) is not None for other in others)
    own_hospital.clock.advance(10)
    assert own_hospital.acknowledged(poison).code == "not-permitted"
