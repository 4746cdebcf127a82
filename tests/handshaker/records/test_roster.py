"""Who lets somebody read or write, found from the grants and asked of the gateway."""

from __future__ import annotations

from typing import Any

import pytest

from handshaker.errors import ChainUnreachable
from handshaker.records.roster import Allowing
from handshaker.tokens import Credential
from handshaker.vocabulary import CATEGORY_BY_CODE, Action
from tests.instances import Instance, consent_payload


def allowing(hospital: Instance, who: Credential, action: Action = Action.READ, code: str = "notes") -> Allowing:
    return hospital.handshaker.roster.allowing(who, action, CATEGORY_BY_CODE[code])


def families(found: Allowing) -> list[str]:
    return [identity.family for identity in found.patients]


def test_only_who_allows_exactly_this_is_there(own_hospital: Instance) -> None:
    assert families(allowing(own_hospital, own_hospital.doctor)) == ["consented"]
    assert families(allowing(own_hospital, own_hospital.doctor, Action.WRITE, "vital-signs")) == ["consented"]
    assert families(allowing(own_hospital, own_hospital.doctor, Action.WRITE, "laboratory")) == []
    assert families(allowing(own_hospital, own_hospital.pathologist)) == []


def test_who_granted_last_comes_first_and_once(own_hospital: Instance) -> None:
    own_hospital.acknowledged(own_hospital.consent(own_hospital.silent))
    own_hospital.acknowledged(own_hospital.consent(own_hospital.silent, write=["vital-signs", "notes"]))
    assert families(allowing(own_hospital, own_hospital.doctor)) == ["silent", "consented"]


def test_a_person_who_was_named_is_allowed_too(own_hospital: Instance) -> None:
    grantee = f"practitioner/{own_hospital.pathologist.actor.actor_id}"
    own_hospital.acknowledged(own_hospital.consent(own_hospital.silent, grantee=grantee))
    assert families(allowing(own_hospital, own_hospital.pathologist)) == ["silent"]


def test_who_took_it_back_is_not_there_even_before_the_chain_knows(own_hospital: Instance) -> None:
    payload = {name: consent_payload()[name] for name in ("grantee", "purpose")}
    own_hospital.submit(own_hospital.consented, "consent-revoke", payload)
    assert families(allowing(own_hospital, own_hospital.doctor)) == []
    own_hospital.drain()
    assert families(allowing(own_hospital, own_hospital.doctor)) == []


def test_nobody_is_there_while_the_chain_does_not_answer(
    own_hospital: Instance, monkeypatch: pytest.MonkeyPatch
) -> None:
    def gone(*_: Any, **__: Any) -> None:
        raise ChainUnreachable("No node answers.", url="http://127.0.0.1:1")

    monkeypatch.setattr(type(own_hospital.handshaker.chain), "view", gone)
    found = allowing(own_hospital, own_hospital.doctor)
    assert (found.patients, found.reachable) == ((), False)


def test_it_says_when_there_are_more_than_it_asked_about(own_hospital: Instance) -> None:
    own_hospital.acknowledged(own_hospital.consent(own_hospital.silent))
    roster, notes = own_hospital.handshaker.roster, CATEGORY_BY_CODE["notes"]
    found = roster.allowing(own_hospital.doctor, Action.READ, notes, limit=1)
    assert (families(found), found.is_complete) == (["silent"], False)
    assert roster.allowing(own_hospital.doctor, Action.READ, notes, limit=2).is_complete
