"""Tokens with a label and an end, issued from a session."""

from __future__ import annotations

import pytest

from handshaker.errors import (
    NotAuthenticated,
)
from handshaker.tokens import LONGEST_LIFETIME
from tests.handshaker.accounts.people import session_of
from tests.instances import Instance


def test_a_session_issues_tokens_with_a_label_that_its_owner_lists_and_ends(own_hospital: Instance) -> None:
    tokens, nurse = own_hospital.handshaker.tokens, own_hospital.nurse
    session = session_of(own_hospital, own_hospital.handshaker.sessions.open(nurse.actor.actor_id, nurse.secret))
    text = tokens.issue(session.credential, ("submit", "read", "administer"), label=" ward tablet ")
    (token,) = [each for each in tokens.of(nurse.actor.actor_id) if each.label == "ward tablet"]
    assert token.scopes == ("submit", "read")
    own_hospital.handshaker.sessions.end(session)
    assert own_hospital.measure(by=tokens.authenticate(text)).refusal is None, "it outlives the session"
    tokens.revoke(own_hospital.doctor.actor.actor_id, token.token_id)
    tokens.authenticate(text)
    tokens.revoke_all(nurse.actor.actor_id)
    assert tokens.of(nurse.actor.actor_id) == []
    with pytest.raises(NotAuthenticated):
        tokens.authenticate(text)


def test_a_token_lives_as_long_as_was_said_and_a_year_at_most(own_hospital: Instance) -> None:
    tokens = own_hospital.handshaker.tokens
    text = tokens.issue(own_hospital.nurse, ("read",), lifetime=LONGEST_LIFETIME)
    tokens.authenticate(text)
    for lifetime in (LONGEST_LIFETIME * 2, LONGEST_LIFETIME * 0):
        with pytest.raises(ValueError, match="a year"):
            tokens.issue(own_hospital.nurse, ("read",), lifetime=lifetime)
    own_hospital.clock.advance(LONGEST_LIFETIME.total_seconds())
    with pytest.raises(NotAuthenticated):
        tokens.authenticate(text)
