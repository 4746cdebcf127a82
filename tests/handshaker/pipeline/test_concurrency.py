"""Many requests at once: one TI for one key and one statement, whoever comes first."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any

from eth_account import Account

from handshaker.errors import IdempotencyConflict
from handshaker.intake import Submission
from tests.handshaker.pipeline.test_kills import assert_one_effect_and_one_ack
from tests.instances import Instance, blood_pressure

THREADS = 8


def at_once(calls: list[Callable[[], Any]]) -> list[Any]:
    """Answers and exceptions in the order of ``calls``, which all begin together."""
    barrier, answers = threading.Barrier(len(calls)), [None] * len(calls)

    def run(index: int, call: Callable[[], Any]) -> None:
        barrier.wait()
        try:
            answers[index] = call()
        except Exception as error:
            answers[index] = error  # type: ignore[call-overload]

    threads = [threading.Thread(target=run, args=item) for item in enumerate(calls)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return answers


def request(instance: Instance, key: str, systolic: int) -> dict[str, Any]:
    patient = instance.consented.actor.actor_id
    payload = blood_pressure(systolic)
    return {"template": "vital-signs", "payload": payload, "patient": patient, "idempotencyKey": key}


def test_the_same_request_many_times_at_once_is_one_ti(own_hospital: Instance) -> None:
    intake, asked = own_hospital.handshaker.intake, request(own_hospital, "same", 120)
    answers = at_once([lambda: intake.submit(asked, own_hospital.nurse)] * THREADS)
    assert all(isinstance(answer, Submission) for answer in answers), answers
    assert len({answer.ti_id for answer in answers}) == 1
    assert [answer.known for answer in answers].count(False) == 1
    own_hospital.drain()
    assert_one_effect_and_one_ack(own_hospital, answers[0], "effect")


def test_of_many_bodies_for_one_key_one_wins_and_the_others_hear_of_it(own_hospital: Instance) -> None:
    intake = own_hospital.handshaker.intake
    asked = [request(own_hospital, "fought for", 110 + number) for number in range(THREADS)]
    answers = at_once([lambda each=each: intake.submit(each, own_hospital.nurse) for each in asked])  # type: ignore[misc]
    won = [answer for answer in answers if isinstance(answer, Submission)]
    lost = [answer for answer in answers if isinstance(answer, IdempotencyConflict)]
    assert (len(won), len(lost)) == (1, THREADS - 1), answers
    assert {error.data["ti_id"] for error in lost} == {won[0].ti_id}


def test_many_that_are_refused_for_one_key_are_one_ti_with_one_ack(own_hospital: Instance) -> None:
    intake, asked = own_hospital.handshaker.intake, request(own_hospital, "refused", 900)
    answers = at_once([lambda: intake.submit(asked, own_hospital.nurse)] * THREADS)
    assert all(isinstance(answer, Submission) for answer in answers), answers
    assert len({answer.ti_id for answer in answers}) == 1
    assert_one_effect_and_one_ack(own_hospital, answers[0], "implausible")


def test_one_signed_statement_under_many_keys_at_once_is_one_ti(own_hospital: Instance) -> None:
    account = Account.create()
    nurse = own_hospital.hire_with_wallet(account)
    patient = own_hospital.consented.actor.actor_id
    signed = own_hospital.signed_request(account, nurse, "vital-signs", blood_pressure(), patient=patient)
    intake = own_hospital.handshaker.intake
    asked = [{**signed, "idempotencyKey": f"key {number}"} for number in range(THREADS)]
    answers = at_once([lambda each=each: intake.submit(each, nurse) for each in asked])  # type: ignore[misc]
    assert all(isinstance(answer, Submission) for answer in answers), answers
    assert len({answer.ti_id for answer in answers}) == 1
    own_hospital.drain()
    assert_one_effect_and_one_ack(own_hospital, answers[0], "effect")


def test_different_requests_at_once_are_all_kept(own_hospital: Instance) -> None:
    intake = own_hospital.handshaker.intake
    asked = [request(own_hospital, f"own {number}", 120) for number in range(3 * THREADS)]
    answers = at_once([lambda each=each: intake.submit(each, own_hospital.nurse) for each in asked])  # type: ignore[misc]
    assert all(isinstance(answer, Submission) for answer in answers), answers
    assert len({answer.ti_id for answer in answers}) == 3 * THREADS
    own_hospital.drain()
    for answer in answers:
        assert_one_effect_and_one_ack(own_hospital, answer, "effect")
