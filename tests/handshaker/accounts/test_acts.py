"""What is done off the chain is an entry of the audit log, in the SQL transaction that does it."""

from __future__ import annotations

import inspect
import json
import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

import handshaker
from handshaker.audit.errors import LogHeld
from handshaker.errors import CodeRefused, LoginRefused
from handshaker.logins import FREE_FAILURES, Logins
from handshaker.messages import Head
from handshaker.registrar import Registrar
from handshaker.template_review import TemplateReviews
from handshaker.tokens import Tokens
from handshaker.totp import code_at
from handshaker.vocabulary import ActCode
from tests.handshaker.accounts.deeds import EXPECTED, OTHER, PASSWORD, Deeds
from tests.instances import LICENCE, Instance, demographics

LIBRARY = Path(handshaker.__file__).parent

ASKS = {
    Registrar: {"invitations"},
    Tokens: {"of", "authenticate", "invitation"},
    TemplateReviews: {"check", "open", "decided", "get", "find", "text", "difference", "dry_run"},
    Logins: {"username", "has_totp", "totp_of", "begin_totp", "unlock"},
}
"""Public methods that change nothing; unlocking goes on with a login that was logged."""


def acts(instance: Instance, first: int = 0) -> list[dict[str, Any]]:
    log = instance.handshaker.store.log
    return [json.loads(entry.leaf) for entry in log.entries(first, log.size(), "act")]


@pytest.mark.parametrize("deed", EXPECTED)
def test_every_act_is_an_entry(own_hospital: Instance, deed: str) -> None:
    before = own_hospital.handshaker.store.log.size()
    getattr(Deeds(own_hospital), deed)()
    assert {found["act"] for found in acts(own_hospital, before)} == EXPECTED[deed]


@pytest.mark.parametrize("part", ASKS, ids=lambda part: part.__name__)
def test_every_function_that_changes_something_is_tried_here(part: type) -> None:
    public = {name for name, _ in inspect.getmembers(part, inspect.isfunction) if not name.startswith("_")}
    assert public - ASKS[part] <= set(EXPECTED)
    assert ASKS[part] <= public


def test_every_code_is_used_and_says_what_it_means() -> None:
    texts = "".join(path.read_text() for path in LIBRARY.rglob("*.py") if path.name != "vocabulary.py")
    assert [code for code in ActCode if f"ActCode.{code.name}" not in texts] == []
    assert len({code.sentence for code in ActCode}) == len(ActCode)
    assert [code for code in ActCode if not re.fullmatch(r"[a-z]+(-[a-z]+)*", code)] == []


def test_an_entry_says_who_did_it_to_whom(own_hospital: Instance) -> None:
    before, nurse = own_hospital.handshaker.store.log.size(), own_hospital.nurse.actor.actor_id
    own_hospital.handshaker.registrar.end_practitioner(own_hospital.administrator, nurse)
    (found,) = acts(own_hospital, before)
    assert (found["actor"], found["subject"]) == (own_hospital.administrator.actor.actor_id, nurse)
    assert found["details"] == {"tokens": 1, "logins": 0, "sessions": 0}


def test_whoever_has_said_the_same_before_leaves_no_second_entry(own_hospital: Instance) -> None:
    registrar, by = own_hospital.handshaker.registrar, own_hospital.administrator
    registrar.change_practitioner(by, own_hospital.nurse.actor.actor_id, licence_until=LICENCE.replace(year=2033))
    registrar.register_organisation(by, 1, "Lakeside Hospital")
    size = own_hospital.handshaker.store.log.size()
    registrar.change_practitioner(by, own_hospital.nurse.actor.actor_id, licence_until=LICENCE.replace(year=2033))
    registrar.register_organisation(by, 1, "Lakeside Hospital")
    registrar.register_patient(by, demographics("consented"), "urn:test|1")
    assert acts(own_hospital, size) == []


# ---- logins --------------------------------------------------------------------------------------------------------


def test_failures_are_counted_by_the_login_that_follows_them(own_hospital: Instance) -> None:
    deeds, logins = Deeds(own_hospital), own_hospital.handshaker.logins
    deeds.accept()
    size = own_hospital.handshaker.store.log.size()
    for _ in range(2):
        with pytest.raises(LoginRefused):
            logins.log_in("administrator", "not the password")
    assert acts(own_hospital, size) == []
    logins.log_in("administrator", PASSWORD)
    (found,) = acts(own_hospital, size)
    assert (found["act"], found["details"]) == ("logged-in", {"failures": 2})


def test_whoever_guesses_cannot_fill_the_log(own_hospital: Instance) -> None:
    deeds, logins = Deeds(own_hospital), own_hospital.handshaker.logins
    deeds.accept()
    size = own_hospital.handshaker.store.log.size()
    for name in ("administrator", "nobody-here"):
        for _ in range(4 * FREE_FAILURES):
            with pytest.raises(LoginRefused):
                logins.log_in(name, "not the password")
    (found,) = acts(own_hospital, size)
    assert (found["act"], found["subject"]) == ("login-rests", deeds.by.actor.actor_id)
    assert found["details"] == {"failures": FREE_FAILURES}


def test_unlocking_is_the_same_login(own_hospital: Instance) -> None:
    deeds = Deeds(own_hospital)
    deeds.accept()
    text = own_hospital.handshaker.logins.log_in("administrator", PASSWORD)
    own_hospital.handshaker.sessions.lock(own_hospital.handshaker.sessions.authenticate(text))
    size = own_hospital.handshaker.store.log.size()
    own_hospital.handshaker.logins.unlock(text, PASSWORD)
    assert acts(own_hospital, size) == []


# ---- both or neither -----------------------------------------------------------------------------------------------


@contextmanager
def held(instance: Instance) -> Iterator[None]:
    log = instance.handshaker.store.log
    log.hold("behind", log.size(), Head(log.size() + 1, bytes(32)), instance.clock.now())
    yield


def standing(instance: Instance) -> list[Any]:
    """All that an act could have changed."""
    parts, nurse = instance.handshaker, instance.nurse.actor.actor_id
    return [
        [actor.actor_id for actor in parts.store.people.actors()],
        parts.store.people.actor(nurse),
        parts.store.people.organisations(),
        [patient.patient_id for patient in parts.store.people.patients()],
        [token.token_id for token in parts.tokens.of(nurse)],
        [token.token_id for token in parts.tokens.of(instance.administrator.actor.actor_id)],
        parts.reviews.open(),
        parts.logins.username(instance.administrator.actor.actor_id),
        parts.templates.versions("clinical-note"),
    ]


WHOLE: list[Callable[[Deeds], object]] = [
    Deeds.enroll_administrator,
    Deeds.register_organisation,
    Deeds.register_practitioner,
    Deeds.end_practitioner,
    Deeds.register_patient,
    Deeds.issue,
    Deeds.invite,
    Deeds.revoke_all,
    Deeds.propose,
    Deeds.accept,
    Deeds.install,
    Deeds.rotate_root,
]


@pytest.mark.parametrize("deed", WHOLE, ids=lambda deed: deed.__name__)
def test_what_cannot_be_logged_is_not_done(own_hospital: Instance, deed: Callable[[Deeds], object]) -> None:
    before, size = standing(own_hospital), own_hospital.handshaker.store.log.size()
    with held(own_hospital), pytest.raises(LogHeld):
        deed(Deeds(own_hospital))
    assert standing(own_hospital) == before
    assert own_hospital.handshaker.store.log.size() == size


def test_a_wrong_code_for_a_second_factor_is_no_act(own_hospital: Instance) -> None:
    deeds = Deeds(own_hospital)
    session, secret = deeds.session()
    size = own_hospital.handshaker.store.log.size()
    with pytest.raises(CodeRefused):
        own_hospital.handshaker.logins.confirm_totp(session, secret, "000000x")
    assert acts(own_hospital, size) == []


def test_what_could_not_be_logged_leaves_nothing_that_opens_the_key(
    own_hospital: Instance, monkeypatch: pytest.MonkeyPatch
) -> None:
    deeds, vault = Deeds(own_hospital), own_hospital.handshaker.vault
    session, secret = deeds.session()
    own_hospital.handshaker.logins.confirm_totp(session, secret, code_at(secret, own_hospital.clock.now()))
    session = own_hospital.handshaker.sessions.authenticate(deeds.text)
    added, removed = list[str](), list[str]()
    add, remove = vault.add_secret, vault.remove_secret

    def add_secret(owner: str, opener: bytes, new: bytes, name: str) -> None:
        added.append(name)
        add(owner, opener, new, name)

    def remove_secret(owner: str, name: str) -> None:
        removed.append(name)
        remove(owner, name)

    monkeypatch.setattr(vault, "add_secret", add_secret)
    monkeypatch.setattr(vault, "remove_secret", remove_secret)
    tries: list[Callable[[], object]] = [
        lambda: own_hospital.handshaker.tokens.issue(own_hospital.administrator, ("read",)),
        lambda: own_hospital.handshaker.logins.change_password(session, PASSWORD, OTHER),
        lambda: own_hospital.handshaker.sessions.open(own_hospital.nurse.actor.actor_id, own_hospital.nurse.secret),
    ]
    with held(own_hospital):
        for attempt in tries:
            with pytest.raises(LogHeld):
                attempt()
    assert len(added) == len(tries)
    assert removed == added
