"""Logins: one refusal for everything, and attempts counted before they are looked at."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from argon2 import PasswordHasher

from handshaker.errors import (
    LoginRefused,
    NotAuthenticated,
    PasswordRefused,
)
from handshaker.logins import FREE_FAILURES, Logins
from handshaker.passwords import Passwords
from tests.handshaker.accounts.people import PASSWORD, attempt, code_of, enroll, enroll_totp, refused, session_of
from tests.instances import Instance


def test_whoever_logs_in_signs_with_their_own_key(own_hospital: Instance) -> None:
    enroll(own_hospital, own_hospital.nurse, "Nurse")
    session = session_of(own_hospital, own_hospital.handshaker.logins.log_in(" nURSE ", PASSWORD))
    assert session.credential.scopes == ("submit", "read")
    assert own_hospital.acknowledged(own_hospital.measure(by=session.credential)).code == "effect"


def test_every_refusal_is_in_the_same_words(own_hospital: Instance) -> None:
    logins = own_hospital.handshaker.logins
    enroll(own_hospital, own_hospital.nurse, "nurse")
    enroll(own_hospital, own_hospital.administrator, "admin")
    secret = enroll_totp(own_hospital, session_of(own_hospital, logins.log_in("admin", PASSWORD)))
    code = code_of(own_hospital, secret)
    logins.log_in("admin", PASSWORD, code)
    words = {
        refused(lambda: logins.log_in("nobody-here", PASSWORD)),
        refused(lambda: logins.log_in("", "")),
        refused(lambda: logins.log_in("\ud800", "\ud800", "\ud800")),
        refused(lambda: logins.log_in("nurse", "wrong")),
        refused(lambda: logins.log_in("admin", PASSWORD)),
        refused(lambda: logins.log_in("admin", PASSWORD, "000000")),
        refused(lambda: logins.log_in("admin", PASSWORD, code)),
    }
    for _ in range(FREE_FAILURES):
        words.add(refused(lambda: logins.log_in("nurse", "wrong")))
    words.add(refused(lambda: logins.log_in("nurse", PASSWORD)))
    assert len(words) == 1, words


def test_the_login_of_nobody_cannot_be_named(hospital: Instance) -> None:
    logins = hospital.handshaker.logins
    refused(lambda: logins.log_in("unknown", PASSWORD))
    for username in ("", " ", "nobody"):
        refused(lambda username=username: logins.log_in(username, PASSWORD))  # type: ignore[misc]
    assert logins.username("nobody") == "", "it stands in for unknown names"


def test_unknown_names_cost_what_known_ones_cost(own_hospital: Instance, monkeypatch: pytest.MonkeyPatch) -> None:
    """The same steps, each as often, whether there is such a person or not."""
    enroll(own_hospital, own_hospital.nurse, "nurse")
    handshaker, steps = own_hospital.handshaker, list[str]()

    def watched(owner: Any, name: str) -> None:
        real = getattr(owner, name)

        def step(*args: Any, **kwargs: Any) -> Any:
            steps.append(name)
            return real(*args, **kwargs)

        monkeypatch.setattr(owner, name, step)

    refused(lambda: handshaker.logins.log_in("first-of-all", "wrong"))
    for name in ("charge", "clear", "use_step", "of_actor", "by_username"):
        watched(handshaker.store.logins, name)
    watched(handshaker.vault, "unseal")
    watched(Passwords, "is_right")
    refused(lambda: handshaker.logins.log_in("nurse", "wrong"))
    known, steps[:] = list(steps), []
    refused(lambda: handshaker.logins.log_in("unknown", "wrong"))
    assert steps == known
    assert "is_right" in steps


def test_after_five_failures_a_login_rests_longer_each_time(own_hospital: Instance) -> None:
    logins = own_hospital.handshaker.logins
    enroll(own_hospital, own_hospital.nurse, "nurse")
    for _ in range(FREE_FAILURES):
        refused(lambda: logins.log_in("nurse", "wrong"))
    for minutes in (1, 2, 4, 8, 15, 15, 15):
        own_hospital.clock.advance(60 * minutes - 2)
        refused(lambda: logins.log_in("nurse", PASSWORD))
        own_hospital.clock.advance(3)
        refused(lambda: logins.log_in("nurse", "wrong"))
    own_hospital.clock.advance(60 * 15)
    logins.log_in("nurse", PASSWORD)
    for _ in range(FREE_FAILURES - 1):
        refused(lambda: logins.log_in("nurse", "wrong"))
    logins.log_in("nurse", PASSWORD)


def test_many_guesses_at_once_are_no_more_than_many_in_a_row(own_hospital: Instance) -> None:
    """Twelve counted failures would mean a quarter of an hour; the seven that nobody looked at count for nothing."""
    logins = own_hospital.handshaker.logins
    enroll(own_hospital, own_hospital.nurse, "nurse")
    start = threading.Barrier(12)

    def guess(number: int) -> Any:
        start.wait()
        return attempt(lambda: logins.log_in("nurse", f"wrong {number}"))

    with ThreadPoolExecutor(12) as pool:
        answers = list(pool.map(guess, range(12)))
    assert all(isinstance(answer, LoginRefused) for answer in answers)
    refused(lambda: logins.log_in("nurse", PASSWORD))
    own_hospital.clock.advance(61)
    logins.log_in("nurse", PASSWORD)


def test_wrong_codes_count_as_failures_too(own_hospital: Instance) -> None:
    logins = own_hospital.handshaker.logins
    enroll(own_hospital, own_hospital.administrator, "admin")
    secret = enroll_totp(own_hospital, session_of(own_hospital, logins.log_in("admin", PASSWORD)))
    wrong = "000000" if code_of(own_hospital, secret) != "000000" else "000001"
    for _ in range(FREE_FAILURES):
        refused(lambda: logins.log_in("admin", PASSWORD, wrong))
    refused(lambda: logins.log_in("admin", PASSWORD, code_of(own_hospital, secret)))


def test_somebody_who_was_ended_cannot_log_in(own_hospital: Instance) -> None:
    enroll(own_hospital, own_hospital.nurse, "nurse")
    own_hospital.handshaker.registrar.end_practitioner(own_hospital.administrator, own_hospital.nurse.actor.actor_id)
    refused(lambda: own_hospital.handshaker.logins.log_in("nurse", PASSWORD))


def test_dearer_hashing_takes_effect_at_the_next_login(own_hospital: Instance) -> None:
    handshaker = own_hospital.handshaker
    cheap = Logins(
        handshaker.store.logins,
        handshaker.store.people,
        handshaker.vault,
        handshaker.tokens,
        handshaker.sessions,
        handshaker.clock,
        passwords=Passwords(PasswordHasher(1, 8, 1)),
    )
    cheap.accept(handshaker.tokens.invite(own_hospital.nurse), "nurse", PASSWORD)
    before = handshaker.store.logins.by_username("nurse")
    session = session_of(own_hospital, handshaker.logins.log_in("nurse", PASSWORD))
    after = handshaker.store.logins.by_username("nurse")
    assert before is not None
    assert after is not None
    assert "m=8," in before.password_hash
    assert "m=65536," in after.password_hash
    assert own_hospital.measure(by=session.credential).refusal is None
    session = session_of(own_hospital, handshaker.logins.log_in("nurse", PASSWORD))
    assert own_hospital.measure(by=session.credential).refusal is None


def test_a_new_password_opens_the_key_and_ends_the_other_sessions(own_hospital: Instance) -> None:
    logins = own_hospital.handshaker.logins
    enroll(own_hospital, own_hospital.nurse, "nurse")
    other, text = logins.log_in("nurse", PASSWORD), logins.log_in("nurse", PASSWORD)
    session = session_of(own_hospital, text)
    refused(lambda: logins.change_password(session, "wrong", "another long phrase"))
    with pytest.raises(PasswordRefused):
        logins.change_password(session, PASSWORD, "password12345")
    logins.change_password(session, PASSWORD, "another long phrase")
    with pytest.raises(NotAuthenticated):
        session_of(own_hospital, other)
    assert own_hospital.measure(by=session_of(own_hospital, text).credential).refusal is None
    refused(lambda: logins.log_in("nurse", PASSWORD))
    session = session_of(own_hospital, logins.log_in("nurse", "another long phrase"))
    assert own_hospital.measure(by=session.credential).refusal is None


def test_of_two_changes_at_once_one_counts_and_opens_the_key(own_hospital: Instance) -> None:
    logins = own_hospital.handshaker.logins
    enroll(own_hospital, own_hospital.nurse, "nurse")
    session = session_of(own_hospital, logins.log_in("nurse", PASSWORD))
    start = threading.Barrier(3)

    def change(number: int) -> Any:
        start.wait()
        return attempt(lambda: logins.change_password(session, PASSWORD, f"phrase number {number} of mine"))

    with ThreadPoolExecutor(3) as pool:
        answers = list(pool.map(change, range(3)))
    (winner,) = [number for number, answer in enumerate(answers) if answer is None]
    entered = session_of(own_hospital, logins.log_in("nurse", f"phrase number {winner} of mine"))
    assert own_hospital.measure(by=entered.credential).refusal is None
