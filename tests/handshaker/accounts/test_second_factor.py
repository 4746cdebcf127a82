"""The second factor: who needs one, how it is enrolled, and that a code is good once."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from handshaker import totp
from handshaker.errors import (
    CodeRefused,
    NotAuthenticated,
)
from handshaker.logins import Logins
from handshaker.settings import read_settings
from tests.handshaker.accounts.people import PASSWORD, attempt, code_of, enroll, enroll_totp, refused, session_of
from tests.instances import Instance, copied


def test_an_administrator_without_a_second_factor_can_do_nothing_but_enroll_one(own_hospital: Instance) -> None:
    handshaker = own_hospital.handshaker
    enroll(own_hospital, own_hospital.administrator, "admin")
    text = handshaker.logins.log_in("admin", PASSWORD)
    session = session_of(own_hospital, text)
    assert (session.needs, session.credential.scopes, session.credential.secret) == ("totp", (), b"")
    with pytest.raises(NotAuthenticated):
        handshaker.tokens.issue(session.credential, ("submit", "read", "administer"))
    with pytest.raises(NotAuthenticated):
        handshaker.logins.change_password(session, PASSWORD, "another long phrase")
    enroll_totp(own_hospital, session)
    session = session_of(own_hospital, text)
    assert session.credential.scopes == ("submit", "read", "administer")


def test_a_nurse_needs_a_second_factor_where_everyone_does(own_hospital: Instance) -> None:
    assert read_settings(totp="everyone").totp == "everyone"
    handshaker = own_hospital.handshaker
    strict = Logins(
        handshaker.store.logins,
        handshaker.store.people,
        handshaker.vault,
        handshaker.tokens,
        handshaker.sessions,
        handshaker.clock,
        totp_for_everyone=True,
    )
    enroll(own_hospital, own_hospital.nurse, "nurse")
    assert session_of(own_hospital, handshaker.logins.log_in("nurse", PASSWORD)).needs == ""
    assert session_of(own_hospital, strict.log_in("nurse", PASSWORD)).needs == "totp"


def test_the_setting_reaches_the_logins(pattern_hospital: Instance, tmp_path: Any) -> None:
    instance = copied(pattern_hospital, tmp_path, totp="everyone", session_idle_minutes=3, session_hours=2)
    enroll(instance, instance.nurse, "nurse")
    session = session_of(instance, instance.handshaker.logins.log_in("nurse", PASSWORD))
    assert session.needs == "totp"
    assert session.idle_limit.total_seconds() == 180
    assert (session.expires_at - session.opened_at).total_seconds() == pytest.approx(7_200, abs=5)
    instance.close()


def test_a_code_is_good_once_and_half_a_minute_early_or_late(own_hospital: Instance) -> None:
    logins = own_hospital.handshaker.logins
    enroll(own_hospital, own_hospital.administrator, "admin")
    secret = enroll_totp(own_hospital, session_of(own_hospital, logins.log_in("admin", PASSWORD)))
    own_hospital.clock.advance(300)
    for steps in (-2, 2):
        refused(lambda steps=steps: logins.log_in("admin", PASSWORD, code_of(own_hospital, secret, steps)))  # type: ignore[misc]
    early = code_of(own_hospital, secret, -1)
    spaced = f"{early[:3]} {early[3:]}"
    logins.log_in("admin", PASSWORD, spaced)
    refused(lambda: logins.log_in("admin", PASSWORD, early))
    logins.log_in("admin", PASSWORD, code_of(own_hospital, secret, 1))
    refused(lambda: logins.log_in("admin", PASSWORD, code_of(own_hospital, secret))), "older than the last one used"


def test_of_two_with_the_same_code_at_once_one_gets_in(own_hospital: Instance) -> None:
    logins = own_hospital.handshaker.logins
    enroll(own_hospital, own_hospital.administrator, "admin")
    secret = enroll_totp(own_hospital, session_of(own_hospital, logins.log_in("admin", PASSWORD)))
    code, start = code_of(own_hospital, secret), threading.Barrier(3)

    def enter(_: int) -> Any:
        start.wait()
        return attempt(lambda: logins.log_in("admin", PASSWORD, code))

    with ThreadPoolExecutor(3) as pool:
        answers = list(pool.map(enter, range(3)))
    assert sum(isinstance(answer, str) for answer in answers) == 1, answers


def test_a_wrong_code_enrolls_nothing(own_hospital: Instance) -> None:
    logins = own_hospital.handshaker.logins
    enroll(own_hospital, own_hospital.administrator, "admin")
    session = session_of(own_hospital, logins.log_in("admin", PASSWORD))
    begun = logins.begin_totp(session)
    assert begun.secret in begun.uri
    assert begun.secret not in repr(begun)
    for secret, code in ((begun.secret, ""), (begun.secret, "abcdef"), ("AAAA", "123456"), ("?", "123456")):
        with pytest.raises(CodeRefused):
            logins.confirm_totp(session, secret, code)
    assert not logins.has_totp(own_hospital.administrator.actor.actor_id)


def test_another_second_factor_takes_the_password(own_hospital: Instance) -> None:
    """An unlocked screen is no proof, and whoever only knows the password cannot race the owner."""
    logins = own_hospital.handshaker.logins
    enroll(own_hospital, own_hospital.administrator, "admin")
    thief, owner = logins.log_in("admin", PASSWORD), logins.log_in("admin", PASSWORD)
    stolen = session_of(own_hospital, thief)
    secret = enroll_totp(own_hospital, session_of(own_hospital, owner))
    with pytest.raises(NotAuthenticated):
        enroll_totp(own_hospital, stolen)
    with pytest.raises(NotAuthenticated):
        session_of(own_hospital, thief)
    session = session_of(own_hospital, owner)
    refused(lambda: enroll_totp(own_hospital, session, "wrong"))
    refused(lambda: enroll_totp(own_hospital, session, ""))
    logins.log_in("admin", PASSWORD, code_of(own_hospital, secret))
    newer = enroll_totp(own_hospital, session)
    refused(lambda: logins.log_in("admin", PASSWORD, code_of(own_hospital, secret, 1)))
    logins.log_in("admin", PASSWORD, code_of(own_hospital, newer, 1))


def test_one_time_passwords_are_those_of_the_standard() -> None:
    """RFC 6238, appendix B, SHA-1, the last six digits."""
    from datetime import UTC, datetime

    secret = "GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ"
    for seconds, code in ((59, "287082"), (1111111109, "081804"), (2000000000, "279037")):
        assert totp.code_at(secret, datetime.fromtimestamp(seconds, UTC)) == code
    assert totp.is_secret(secret)
    assert totp.is_secret(totp.new_secret())
