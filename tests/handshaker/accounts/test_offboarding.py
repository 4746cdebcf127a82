"""Practitioners are changed, ended and invited again: here at once, on the chain by an act like any other."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from typing import Any

import pytest

from handshaker.errors import (
    ActorInactive,
    ChainUnreachable,
    HandshakerError,
    LoginRefused,
    NotAuthenticated,
    NotFound,
    RoleNotAllowed,
    VaultError,
)
from handshaker.messages import Actor
from handshaker.tokens import Credential
from tests.handshaker.accounts.people import PASSWORD, attempt, enroll, refused, session_of
from tests.instances import LICENCE, Instance


def actor_of(instance: Instance, credential: Credential) -> Actor:
    return instance.again(credential).actor


def end(instance: Instance, credential: Credential) -> Any:
    return instance.handshaker.registrar.end_practitioner(instance.administrator, credential.actor.actor_id)


def assert_nothing_opens(instance: Instance, person: Credential, session: str = "") -> None:
    """Token, session, login and key of somebody are worth nothing."""
    handshaker = instance.handshaker
    with pytest.raises(VaultError):
        handshaker.vault.sign(person.actor.actor_id, person.secret, bytes(32))
    with pytest.raises(NotAuthenticated):
        handshaker.tokens.authenticate(instance.tokens[person.actor.name])
    with pytest.raises(NotAuthenticated):
        handshaker.sessions.open(person.actor.actor_id, person.secret)
    if session:
        with pytest.raises(NotAuthenticated):
            session_of(instance, session)
    assert not actor_of(instance, person).active
    assert handshaker.logins.username(person.actor.actor_id) is None
    assert handshaker.tokens.of(person.actor.actor_id) == []
    assert handshaker.sessions.live(person.actor.actor_id) == []


# ---- ending ----------------------------------------------------------------------------------------------------------


def test_whoever_is_ended_is_out_before_any_block_says_so(own_hospital: Instance) -> None:
    nurse = own_hospital.nurse
    enroll(own_hospital, nurse, "nurse")
    session = own_hospital.handshaker.logins.log_in("nurse", PASSWORD)
    invitation = own_hospital.handshaker.tokens.invite(nurse)
    submission = end(own_hospital, nurse)
    assert own_hospital.ack(submission) is None
    assert_nothing_opens(own_hospital, nurse, session)
    refused(lambda: own_hospital.handshaker.logins.log_in("nurse", PASSWORD))
    with pytest.raises(NotAuthenticated):
        own_hospital.handshaker.logins.accept(invitation, "nurse", PASSWORD)
    assert own_hospital.acknowledged(submission).code == "effect"
    known = own_hospital.handshaker.chain.view("Directory", "practitioner", bytes.fromhex(nurse.actor.actor_id[2:]))[0]
    assert known[4] & 1 == 0, "not active on the chain either"


def test_ending_somebody_twice_is_one_act(own_hospital: Instance) -> None:
    first = end(own_hospital, own_hospital.nurse)
    assert end(own_hospital, own_hospital.nurse).ti_id == first.ti_id
    own_hospital.drain()
    again = end(own_hospital, own_hospital.nurse)
    assert (again.ti_id, again.known) == (first.ti_id, True)


def test_while_no_node_answers_people_are_ended_here_and_later_there(
    own_hospital: Instance, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as patch:

        def unreachable(*_: object) -> Any:
            raise ChainUnreachable("No node answers.", url="")

        patch.setattr(own_hospital.handshaker.chain, "view", unreachable)
        with pytest.raises(ChainUnreachable):
            end(own_hospital, own_hospital.nurse)
    assert_nothing_opens(own_hospital, own_hospital.nurse)
    assert own_hospital.acknowledged(end(own_hospital, own_hospital.nurse)).code == "effect"


@pytest.mark.parametrize("step", ["destroy_signing_key", "seal"])
def test_a_process_that_dies_halfway_leaves_nothing_open(
    own_hospital: Instance, monkeypatch: pytest.MonkeyPatch, step: str
) -> None:
    """Before the key is destroyed, and before the act on the chain is written."""
    nurse = own_hospital.nurse
    session = own_hospital.handshaker.sessions.open(nurse.actor.actor_id, nurse.secret)
    before = session_of(own_hospital, session).credential
    with monkeypatch.context() as patch:

        def dies(*_: object) -> None:
            raise KeyboardInterrupt

        patch.setattr(own_hospital.handshaker.vault, step, dies)
        with pytest.raises(KeyboardInterrupt):
            end(own_hospital, nurse)
    with pytest.raises(NotAuthenticated):
        session_of(own_hospital, session)
    with pytest.raises(NotAuthenticated):
        own_hospital.handshaker.tokens.authenticate(own_hospital.tokens["nurse"])
    for kept in (before, nurse):
        with pytest.raises(HandshakerError):
            own_hospital.handshaker.tokens.issue(kept, ("submit", "read"))
    assert own_hospital.acknowledged(end(own_hospital, nurse)).code == "effect"
    assert_nothing_opens(own_hospital, nurse)


def test_what_was_signed_before_goes_on_and_what_comes_after_the_end_is_invalid(own_hospital: Instance) -> None:
    early = own_hospital.measure()
    assert own_hospital.acknowledged(early).code == "effect"
    late = own_hospital.measure()
    queue, now = own_hospital.handshaker.store.queue, own_hospital.clock.now()
    queue.take("elsewhere", now, 10)
    queue.set_aside("elsewhere", [late.ti_id], now + timedelta(hours=1))
    submission = end(own_hospital, own_hospital.nurse)
    own_hospital.steps(10)
    ended = own_hospital.ack(submission)
    assert ended is not None
    assert ended.code == "effect"
    own_hospital.travel(3_700)
    verdict = own_hospital.acknowledged(late)
    assert (str(verdict.kind), verdict.code) == ("invalid", "author-not-in-good-standing")


def test_only_an_administrator_with_a_whole_credential_ends_practitioners(own_hospital: Instance) -> None:
    registrar, tokens = own_hospital.handshaker.registrar, own_hospital.handshaker.tokens
    weak = tokens.authenticate(tokens.issue(own_hospital.administrator, ("submit", "read")))
    nurse_id = own_hospital.nurse.actor.actor_id
    for holder in (weak, own_hospital.doctor, own_hospital.consented):
        for act in (registrar.end_practitioner, registrar.invite_again):
            with pytest.raises(RoleNotAllowed):
                act(holder, nurse_id)
    for nobody in (own_hospital.administrator, own_hospital.consented):
        with pytest.raises(NotFound):
            registrar.end_practitioner(own_hospital.administrator, nobody.actor.actor_id)
    assert own_hospital.measure().refusal is None, "nothing was done to the nurse"


@pytest.mark.parametrize("round_", range(3))
def test_nothing_that_is_opened_at_the_same_moment_survives(own_hospital: Instance, round_: int) -> None:
    """Log-ins, tokens and an acceptance race the end of their owner; then the person is invited again."""
    handshaker, nurse = own_hospital.handshaker, own_hospital.nurse
    enroll(own_hospital, nurse, "nurse")
    invitation, start = handshaker.tokens.invite(nurse), threading.Barrier(5)

    def at_once(work: Any) -> Any:
        start.wait()
        return attempt(work)

    works = [
        lambda: handshaker.logins.log_in("nurse", PASSWORD),
        lambda: handshaker.sessions.open(nurse.actor.actor_id, nurse.secret),
        lambda: handshaker.tokens.issue(nurse, ("read",)),
        lambda: handshaker.logins.accept(invitation, "mara", PASSWORD),
        lambda: end(own_hospital, nurse),
    ]
    with ThreadPoolExecutor(5) as pool:
        answers = list(pool.map(at_once, works))
    own_hospital.drain()
    again = handshaker.registrar.invite_again(own_hospital.administrator, nurse.actor.actor_id)
    assert own_hospital.acknowledged(again.submission).code == "effect"
    for text in answers[:2]:
        if isinstance(text, str):
            with pytest.raises(NotAuthenticated):
                session_of(own_hospital, text)
    if isinstance(answers[2], str):
        with pytest.raises(NotAuthenticated):
            handshaker.tokens.authenticate(answers[2])
    for username in ("nurse", "mara"):
        assert isinstance(attempt(lambda username=username: handshaker.logins.log_in(username, PASSWORD)), LoginRefused)  # type: ignore[misc]


# ---- inviting --------------------------------------------------------------------------------------------------------


def test_whoever_is_invited_through_the_web_gets_no_token(own_hospital: Instance) -> None:
    handshaker = own_hospital.handshaker
    told = dict[str, str]()
    registered = handshaker.registrar.register_practitioner(
        own_hospital.administrator, "New Nurse", "nurse", 1, LICENCE, told.__setitem__, invite=True
    )
    assert registered.token is not None
    assert told == {registered.actor_id: registered.token}
    with pytest.raises(NotAuthenticated):
        handshaker.tokens.authenticate(registered.token)
    (waiting,) = handshaker.registrar.invitations()
    assert (waiting.actor.name, waiting.expires_at - waiting.issued_at) == ("New Nurse", timedelta(days=7))
    handshaker.logins.accept(registered.token, "new.nurse", PASSWORD)
    assert handshaker.registrar.invitations() == []
    refused(lambda: handshaker.logins.log_in("new.nurse", PASSWORD)), "not before the registration is valid"
    own_hospital.drain()
    session = session_of(own_hospital, handshaker.logins.log_in("new.nurse", PASSWORD))
    assert own_hospital.acknowledged(own_hospital.measure(by=session.credential)).code == "effect"


def test_whoever_lost_the_password_begins_anew_with_another_key(own_hospital: Instance) -> None:
    handshaker, nurse = own_hospital.handshaker, own_hospital.nurse
    enroll(own_hospital, nurse, "nurse")
    session = handshaker.logins.log_in("nurse", PASSWORD)
    registered = handshaker.registrar.invite_again(own_hospital.administrator, nurse.actor.actor_id)
    assert registered.token is not None
    with pytest.raises(NotAuthenticated):
        session_of(own_hospital, session)
    with pytest.raises(NotAuthenticated):
        handshaker.tokens.authenticate(own_hospital.tokens["nurse"])
    handshaker.logins.accept(registered.token, "nurse", "another long phrase")
    own_hospital.drain()
    renewed = actor_of(own_hospital, nurse)
    assert renewed.active
    assert renewed.address != nurse.actor.address
    credential = session_of(own_hospital, handshaker.logins.log_in("nurse", "another long phrase")).credential
    assert own_hospital.acknowledged(own_hospital.measure(by=credential)).code == "effect"
    assert own_hospital.measure(by=nurse).refusal is not None


def test_somebody_who_was_ended_can_come_back_and_be_ended_again(own_hospital: Instance) -> None:
    registrar, nurse = own_hospital.handshaker.registrar, own_hospital.nurse
    for _ in range(2):
        assert own_hospital.acknowledged(end(own_hospital, nurse)).code == "effect"
        assert not actor_of(own_hospital, nurse).active
        back = registrar.invite_again(own_hospital.administrator, nurse.actor.actor_id)
        assert own_hospital.acknowledged(back.submission).code == "effect"
        assert actor_of(own_hospital, nurse).active


# ---- changing --------------------------------------------------------------------------------------------------------


def test_a_change_says_what_is_new_and_keeps_the_rest(own_hospital: Instance) -> None:
    registrar, nurse = own_hospital.handshaker.registrar, own_hospital.nurse
    actor_id = nurse.actor.actor_id
    submission = registrar.change_practitioner(own_hospital.administrator, actor_id, name="Mara Married", role="doctor")
    assert actor_of(own_hospital, nurse).name == "Mara Married"
    assert actor_of(own_hospital, nurse).role == "nurse", "until the chain says so"
    assert own_hospital.acknowledged(submission).code == "effect"
    changed = actor_of(own_hospital, nurse)
    assert (changed.role, changed.organisation_id, changed.licence_until, changed.address) == (
        "doctor",
        1,
        LICENCE,
        nurse.actor.address,
    )


def test_a_change_there_and_back_is_two_acts_and_the_same_twice_is_one(own_hospital: Instance) -> None:
    registrar, actor_id = own_hospital.handshaker.registrar, own_hospital.nurse.actor.actor_id
    until = LICENCE - timedelta(days=365)
    roles = list[str]()
    for role in ("doctor", "nurse", "doctor"):
        first = registrar.change_practitioner(own_hospital.administrator, actor_id, role=role, licence_until=until)
        again = registrar.change_practitioner(own_hospital.administrator, actor_id, role=role, licence_until=until)
        assert again.ti_id == first.ti_id
        assert own_hospital.acknowledged(first).code == "effect"
        roles.append(actor_of(own_hospital, own_hospital.nurse).role)
    assert roles == ["doctor", "nurse", "doctor"]


def test_a_session_has_the_role_that_its_owner_has_now(own_hospital: Instance) -> None:
    nurse = own_hospital.nurse
    text = own_hospital.handshaker.sessions.open(nurse.actor.actor_id, nurse.secret)
    registrar = own_hospital.handshaker.registrar
    registrar.change_practitioner(own_hospital.administrator, nurse.actor.actor_id, role="auditor")
    own_hospital.drain()
    session = session_of(own_hospital, text)
    assert session.credential.actor.role == "auditor"
    refusal = own_hospital.measure(by=session.credential).refusal
    assert refusal is not None
    assert refusal.code == "role-not-allowed"


def test_somebody_who_was_ended_is_not_changed(own_hospital: Instance) -> None:
    end(own_hospital, own_hospital.nurse)
    registrar = own_hospital.handshaker.registrar
    with pytest.raises(ActorInactive):
        registrar.change_practitioner(own_hospital.administrator, own_hospital.nurse.actor.actor_id, role="doctor")


def test_an_organisation_is_renamed_ended_and_brought_back(own_hospital: Instance) -> None:
    registrar, people = own_hospital.handshaker.registrar, own_hospital.handshaker.store.people
    administrator = own_hospital.administrator

    def second() -> tuple[str, bool]:
        (found,) = [each for each in people.organisations() if each.organisation_id == 2]
        return found.name, found.active

    for name, active in (("New Name", True), ("New Name", False), ("New Name", True), ("Hillside Laboratory", True)):
        submission = registrar.register_organisation(administrator, 2, name, active)
        assert registrar.register_organisation(administrator, 2, name, active).ti_id == submission.ti_id
        assert own_hospital.acknowledged(submission).code == "effect"
        assert second() == (name, active)
        assert registrar.register_organisation(administrator, 2, name, active).known
