"""Sessions: the cookie alone opens the key, and only while the session is live, unlocked and not idle."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from handshaker.errors import KeyLocked, LoginRefused, NotAuthenticated, StoreUnavailable, VaultError
from handshaker.sessions import Session
from handshaker.tokens import Credential
from tests.handshaker.accounts.people import PASSWORD, attempt, enroll, refused, session_of
from tests.instances import Instance

DIGEST = bytes(range(32))
MINUTE, HOUR = 60, 3_600


def opened(instance: Instance, credential: Credential | None = None) -> str:
    """A session of the nurse, opened with the secret of her token."""
    holder = credential or instance.nurse
    return instance.handshaker.sessions.open(holder.actor.actor_id, holder.secret)


def secret_of(session: Session) -> bytes:
    assert len(session.credential.secret) == 32
    return session.credential.secret


def opens_key(instance: Instance, credential: Credential, secret: bytes) -> bool:
    try:
        instance.handshaker.vault.sign(credential.actor.actor_id, secret, DIGEST)
    except VaultError:
        return False
    return True


def test_a_session_signs_and_tells_nobody_its_secret(hospital: Instance) -> None:
    text = opened(hospital)
    session = session_of(hospital, text)
    assert hospital.measure(by=session.credential).refusal is None
    assert text.startswith(f"hss_{session.session_id}_")
    assert text.rpartition("_")[2] not in repr(session)
    row = hospital.handshaker.store.logins.session(session.session_id)
    assert row is not None
    assert row.secret_hash != secret_of(session)


@given(st.text(max_size=80) | st.from_regex(r"hss_[0-9a-f]{16}_[A-Za-z0-9_-]{0,60}", fullmatch=True))
def test_whatever_else_is_said_is_no_session(hospital: Instance, text: str) -> None:
    with pytest.raises(NotAuthenticated):
        session_of(hospital, text)


def test_a_session_is_no_token_and_a_token_no_session(hospital: Instance) -> None:
    text = opened(hospital)
    with pytest.raises(NotAuthenticated):
        hospital.handshaker.tokens.authenticate(text)
    with pytest.raises(NotAuthenticated):
        session_of(hospital, hospital.tokens["nurse"])
    identity, secret = text.split("_")[1], opened(hospital).split("_", 2)[2]
    with pytest.raises(NotAuthenticated):
        session_of(hospital, f"hss_{identity}_{secret}")


def test_only_what_opens_the_key_opens_a_session(hospital: Instance) -> None:
    for secret in (bytes(32), hospital.doctor.secret):
        with pytest.raises(NotAuthenticated):
            hospital.handshaker.sessions.open(hospital.nurse.actor.actor_id, secret)
    with pytest.raises(NotAuthenticated):
        hospital.handshaker.sessions.open("0x" + "00" * 16, hospital.nurse.secret)


# ---- locked ----------------------------------------------------------------------------------------------------------


def test_a_locked_session_may_nothing_and_its_secret_opens_nothing(own_hospital: Instance) -> None:
    text = opened(own_hospital)
    session = session_of(own_hospital, text)
    own_hospital.handshaker.sessions.lock(session)
    own_hospital.handshaker.sessions.lock(session)
    locked = session_of(own_hospital, text)
    assert (locked.is_locked, locked.credential.scopes, locked.credential.secret) == (True, (), b"")
    with pytest.raises(KeyLocked):
        own_hospital.handshaker.vault.sign(own_hospital.nurse.actor.actor_id, secret_of(session), DIGEST)
    assert own_hospital.measure(by=session.credential).refusal is not None, "also for who kept it from before"
    assert own_hospital.measure(by=locked.credential).refusal is not None
    with pytest.raises(NotAuthenticated):
        own_hospital.handshaker.tokens.issue(locked.credential, ("read",))


def test_a_session_locks_itself_when_nobody_is_there(own_hospital: Instance) -> None:
    text = opened(own_hospital)
    secret = secret_of(session_of(own_hospital, text))
    own_hospital.clock.advance(15 * MINUTE - 5)
    assert not own_hospital.handshaker.sessions.authenticate(text, is_active=False).is_locked
    own_hospital.clock.advance(10)
    assert session_of(own_hospital, text).is_locked
    assert not opens_key(own_hospital, own_hospital.nurse, secret)


def test_activity_keeps_a_session_open_and_polling_does_not(own_hospital: Instance) -> None:
    sessions = own_hospital.handshaker.sessions
    busy, idle = opened(own_hospital), opened(own_hospital)
    for _ in range(4):
        own_hospital.clock.advance(5 * MINUTE)
        sessions.authenticate(busy)
        sessions.authenticate(idle, is_active=False)
    assert not sessions.authenticate(busy).is_locked
    assert sessions.authenticate(idle).is_locked


def test_a_password_unlocks_under_another_text(own_hospital: Instance) -> None:
    logins, sessions = own_hospital.handshaker.logins, own_hospital.handshaker.sessions
    enroll(own_hospital, own_hospital.nurse, "nurse")
    old = logins.log_in("nurse", PASSWORD)
    before = session_of(own_hospital, old)
    own_hospital.clock.advance(HOUR)
    refused(lambda: logins.unlock(old, "wrong"))
    assert session_of(own_hospital, old).is_locked
    text = logins.unlock(old, PASSWORD)
    session = session_of(own_hospital, text)
    assert not session.is_locked
    assert session.expires_at == before.expires_at, "unlocking does not make it longer"
    assert own_hospital.measure(by=session.credential).refusal is None
    with pytest.raises(NotAuthenticated):
        session_of(own_hospital, old)
    with pytest.raises(NotAuthenticated):
        logins.unlock(old, PASSWORD)
    assert not opens_key(own_hospital, own_hospital.nurse, secret_of(before))
    assert [each.session_id for each in sessions.live(own_hospital.nurse.actor.actor_id)] == [session.session_id]


def test_guesses_at_a_locked_screen_are_counted(own_hospital: Instance) -> None:
    logins = own_hospital.handshaker.logins
    enroll(own_hospital, own_hospital.nurse, "nurse")
    text = logins.log_in("nurse", PASSWORD)
    own_hospital.handshaker.sessions.lock(session_of(own_hospital, text))
    for _ in range(5):
        refused(lambda: logins.unlock(text, "wrong"))
    refused(lambda: logins.unlock(text, PASSWORD))
    own_hospital.clock.advance(61)
    logins.unlock(text, PASSWORD)


def test_of_two_who_unlock_at_once_one_goes_on(own_hospital: Instance) -> None:
    logins = own_hospital.handshaker.logins
    enroll(own_hospital, own_hospital.nurse, "nurse")
    text = logins.log_in("nurse", PASSWORD)
    own_hospital.handshaker.sessions.lock(session_of(own_hospital, text))
    start = threading.Barrier(3)

    def unlock(_: int) -> Any:
        start.wait()
        return attempt(lambda: logins.unlock(text, PASSWORD))

    with ThreadPoolExecutor(3) as pool:
        answers = list(pool.map(unlock, range(3)))
    (goes_on,) = [answer for answer in answers if isinstance(answer, str)]
    assert all(isinstance(answer, NotAuthenticated | LoginRefused | str) for answer in answers), answers
    session = session_of(own_hospital, goes_on)
    assert own_hospital.measure(by=session.credential).refusal is None
    assert len(own_hospital.handshaker.sessions.live(own_hospital.nurse.actor.actor_id)) == 1


# ---- over ------------------------------------------------------------------------------------------------------------


def test_a_session_ends_after_its_hours_whatever_happens(own_hospital: Instance) -> None:
    text = opened(own_hospital)
    secret = secret_of(session_of(own_hospital, text))
    for _ in range(12 * 6 - 1):
        own_hospital.clock.advance(10 * MINUTE)
        session_of(own_hospital, text)
    own_hospital.clock.advance(10 * MINUTE)
    with pytest.raises(NotAuthenticated):
        session_of(own_hospital, text)
    own_hospital.handshaker.sessions.sweep()
    assert not opens_key(own_hospital, own_hospital.nurse, secret)


def test_who_ends_a_session_ends_that_one(own_hospital: Instance) -> None:
    sessions = own_hospital.handshaker.sessions
    first, second, third = (opened(own_hospital) for _ in range(3))
    foreign = session_of(own_hospital, opened(own_hospital, own_hospital.doctor))
    mine = session_of(own_hospital, second)
    sessions.end_one(foreign, session_of(own_hospital, first).session_id)
    kept = secret_of(session_of(own_hospital, first))
    sessions.end_one(mine, session_of(own_hospital, first).session_id)
    with pytest.raises(NotAuthenticated):
        session_of(own_hospital, first)
    assert not opens_key(own_hospital, own_hospital.nurse, kept)
    sessions.end_all(own_hospital.nurse.actor.actor_id, mine.session_id)
    with pytest.raises(NotAuthenticated):
        session_of(own_hospital, third)
    assert session_of(own_hospital, second) == mine
    sessions.end(mine)
    sessions.end(mine)
    with pytest.raises(NotAuthenticated):
        session_of(own_hospital, second)
    assert sessions.live(own_hospital.nurse.actor.actor_id) == []


def test_a_list_tells_of_each_session_whether_it_is_locked(own_hospital: Instance) -> None:
    sessions = own_hospital.handshaker.sessions
    opened(own_hospital)
    own_hospital.clock.advance(20 * MINUTE)
    newer = session_of(own_hospital, opened(own_hospital))
    listed = sessions.live(own_hospital.nurse.actor.actor_id)
    assert [each.is_locked for each in listed] == [False, True]
    assert listed[0].session_id == newer.session_id


def test_sweeping_deletes_the_wraps_of_what_is_over_and_nothing_else(own_hospital: Instance) -> None:
    sessions = own_hospital.handshaker.sessions
    idle = secret_of(session_of(own_hospital, opened(own_hospital)))
    own_hospital.clock.advance(20 * MINUTE)
    live = session_of(own_hospital, opened(own_hospital))
    sessions.sweep()
    assert not opens_key(own_hospital, own_hospital.nurse, idle)
    assert opens_key(own_hospital, own_hospital.nurse, secret_of(live))
    assert opens_key(own_hospital, own_hospital.nurse, own_hospital.nurse.secret), "a token is no session"
    own_hospital.clock.advance(13 * HOUR)
    sessions.sweep()
    assert sessions.sweep() == 0, "what is over is forgotten"
    assert own_hospital.handshaker.store.logins.session(live.session_id) is None


def test_what_died_between_the_row_and_the_wrap_is_swept_by_the_next_process(own_hospital: Instance) -> None:
    session = session_of(own_hospital, opened(own_hospital))
    store = own_hospital.handshaker.store.logins
    store.lock(session.session_id, own_hospital.clock.now())
    assert opens_key(own_hospital, own_hospital.nurse, secret_of(session)), "the wrap survived the crash"
    assert own_hospital.handshaker.sessions.sweep() == 1
    assert not opens_key(own_hospital, own_hospital.nurse, secret_of(session))


def test_who_holds_their_own_key_has_sessions_too(own_hospital: Instance) -> None:
    from eth_account import Account

    nurse = own_hospital.hire_with_wallet(Account.create())
    enroll(own_hospital, nurse, "wallet")
    text = own_hospital.handshaker.logins.log_in("wallet", PASSWORD)
    session = session_of(own_hospital, text)
    refusal = own_hospital.measure(by=session.credential).refusal
    assert refusal is not None
    assert refusal.code == "signature-refused", "the vault signs for nobody who holds their own key"
    own_hospital.handshaker.sessions.lock(session)
    assert not session_of(own_hospital, own_hospital.handshaker.logins.unlock(text, PASSWORD)).is_locked


def test_a_session_does_not_come_back_with_its_owner(own_hospital: Instance) -> None:
    """Somebody who was made inactive straight on the chain, and active again."""
    text, people = opened(own_hospital), own_hospital.handshaker.store.people
    people.put_actor(replace(own_hospital.nurse.actor, active=False))
    with pytest.raises(NotAuthenticated):
        session_of(own_hospital, text)
    people.put_actor(own_hospital.nurse.actor)
    with pytest.raises(NotAuthenticated):
        session_of(own_hospital, text)


def test_sweeping_goes_on_until_it_is_stopped(own_hospital: Instance, monkeypatch: pytest.MonkeyPatch) -> None:
    swept, stop = list[int](), threading.Event()

    def sweep() -> int:
        swept.append(1)
        if len(swept) == 2:
            stop.set()
        raise StoreUnavailable("The database is busy.")

    monkeypatch.setattr("handshaker.sessions._SWEEP_SECONDS", 0.001)
    monkeypatch.setattr(own_hospital.handshaker.sessions, "sweep", sweep)
    own_hospital.handshaker.sessions.keep_sweeping(stop)
    assert len(swept) == 2
