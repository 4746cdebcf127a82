"""Invitations serve once, for one thing, and only for whoever was invited."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from handshaker.errors import (
    NotAuthenticated,
    PasswordRefused,
    UsernameRefused,
    UsernameTaken,
)
from tests.handshaker.accounts.people import PASSWORD, attempt, enroll, enroll_totp, refused, session_of
from tests.instances import Instance


def test_an_invitation_serves_once(own_hospital: Instance) -> None:
    logins, tokens = own_hospital.handshaker.logins, own_hospital.handshaker.tokens
    invitation = tokens.invite(own_hospital.nurse)
    logins.accept(invitation, "nurse", PASSWORD)
    with pytest.raises(NotAuthenticated):
        logins.accept(invitation, "other", PASSWORD)
    assert logins.username(own_hospital.nurse.actor.actor_id) == "nurse"


def test_of_two_who_use_an_invitation_at_once_one_gets_in(own_hospital: Instance) -> None:
    logins = own_hospital.handshaker.logins
    invitation = own_hospital.handshaker.tokens.invite(own_hospital.nurse)
    start = threading.Barrier(4)

    def use(number: int) -> Any:
        start.wait()
        return attempt(lambda: logins.accept(invitation, f"name-{number}", f"{PASSWORD} {number}"))

    with ThreadPoolExecutor(4) as pool:
        answers = list(pool.map(use, range(4)))
    assert [isinstance(answer, NotAuthenticated) for answer in answers].count(False) == 1, answers
    winner = next(number for number, answer in enumerate(answers) if not isinstance(answer, NotAuthenticated))
    for number in range(4):
        answer = attempt(lambda number=number: logins.log_in(f"name-{number}", f"{PASSWORD} {number}"))  # type: ignore[misc]
        assert isinstance(answer, str) is (number == winner)


def test_a_mistake_leaves_the_invitation_as_it_was(own_hospital: Instance) -> None:
    logins = own_hospital.handshaker.logins
    enroll(own_hospital, own_hospital.doctor, "taken")
    invitation = own_hospital.handshaker.tokens.invite(own_hospital.nurse)
    for username, password, failure in (
        ("nurse", "short", PasswordRefused),
        ("two words", PASSWORD, UsernameRefused),
        ("Taken", PASSWORD, UsernameTaken),
    ):
        with pytest.raises(failure):
            logins.accept(invitation, username, password)
    logins.accept(invitation, "nurse", PASSWORD)
    session = session_of(own_hospital, logins.log_in("nurse", PASSWORD))
    assert own_hospital.measure(by=session.credential).refusal is None


def test_an_invitation_ends_after_a_week_and_with_the_next_one(own_hospital: Instance) -> None:
    logins, tokens = own_hospital.handshaker.logins, own_hospital.handshaker.tokens
    first, second = tokens.invite(own_hospital.nurse), tokens.invite(own_hospital.nurse)
    with pytest.raises(NotAuthenticated):
        logins.accept(first, "nurse", PASSWORD)
    own_hospital.clock.advance(7 * 86_400)
    with pytest.raises(NotAuthenticated):
        logins.accept(second, "nurse", PASSWORD)


def test_an_invitation_is_no_token_and_makes_none(hospital: Instance) -> None:
    tokens = hospital.handshaker.tokens
    invitation = tokens.invite(hospital.nurse)
    with pytest.raises(NotAuthenticated):
        tokens.authenticate(invitation)
    invited = tokens.invitation(invitation)
    for scopes in (("submit", "read"), ("enroll",), ("enroll", "read")):
        with pytest.raises(NotAuthenticated):
            tokens.issue(invited, scopes)
    with pytest.raises(NotAuthenticated):
        tokens.invite(invited)
    refusal = hospital.measure(by=invited).refusal
    assert refusal is not None


def test_a_token_is_no_invitation(hospital: Instance) -> None:
    with pytest.raises(NotAuthenticated):
        hospital.handshaker.logins.accept(hospital.tokens["nurse"], "nurse", PASSWORD)


def test_only_the_holder_of_a_whole_token_is_invited(hospital: Instance) -> None:
    tokens = hospital.handshaker.tokens
    reader = tokens.authenticate(tokens.issue(hospital.nurse, ("read",)))
    weak = tokens.authenticate(tokens.issue(hospital.administrator, ("submit", "read")))
    session = session_of(
        hospital, hospital.handshaker.sessions.open(hospital.nurse.actor.actor_id, hospital.nurse.secret)
    )
    for holder in (reader, weak, session.credential, hospital.consented):
        with pytest.raises(NotAuthenticated):
            tokens.invite(holder)


def test_a_second_invitation_replaces_password_second_factor_and_sessions(own_hospital: Instance) -> None:
    logins = own_hospital.handshaker.logins
    enroll(own_hospital, own_hospital.nurse, "nurse")
    old = logins.log_in("nurse", PASSWORD)
    enroll_totp(own_hospital, session_of(own_hospital, old))
    enroll(own_hospital, own_hospital.nurse, "mara", "another long phrase")
    with pytest.raises(NotAuthenticated):
        session_of(own_hospital, old)
    refused(lambda: logins.log_in("nurse", PASSWORD))
    assert session_of(own_hospital, logins.log_in("mara", "another long phrase")).needs == ""
