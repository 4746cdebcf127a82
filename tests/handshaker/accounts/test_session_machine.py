"""Whatever happens in whatever order, the vault signs for a live unlocked session or a token, and for nobody else."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)

from handshaker.errors import NotAuthenticated, VaultError
from handshaker.tokens import Credential
from tests.instances import Instance

DIGEST = bytes(32)
IDLE, LONGEST = 15 * 60, 12 * 3_600


@dataclass
class Known:
    """What the model knows of a session; times in seconds of its own clock."""

    text: str
    secret: bytes
    seen: float
    ends: float
    state: str = "live"


class SessionMachine(RuleBasedStateMachine):
    """A practitioner who opens, leaves, locks, unlocks and ends sessions, and may be ended themselves."""

    hospital: Instance

    @initialize()
    def hire(self) -> None:
        self.now = 0.0
        self.sessions: list[Known] = []
        self.is_ended = False
        self.holder: Credential = self.hospital.hire(f"Person {id(self)}", "nurse")

    # ---- what can happen ---------------------------------------------------------------------------------------------

    @rule()
    def open(self) -> None:
        try:
            text = self.library.open(self.holder.actor.actor_id, self.holder.secret)
        except NotAuthenticated:
            assert self.is_ended
            return
        assert not self.is_ended
        secret = self.library.authenticate(text).credential.secret
        self.sessions.append(Known(text, secret, self.now, self.now + LONGEST))

    @precondition(lambda self: self.sessions)
    @rule(data=st.data(), is_active=st.booleans())
    def use(self, data: st.DataObject, is_active: bool) -> None:
        known = self._one(data)
        self._settle(known)
        found = self._session(known, is_active)
        assert (found is not None) is (known.state != "over" and not self.is_ended)
        if found is not None:
            assert found.is_locked is (known.state == "locked")
            assert found.credential.scopes == (() if found.is_locked else ("submit", "read"))
            if is_active and not found.is_locked:
                known.seen = self.now

    @precondition(lambda self: self.sessions)
    @rule(data=st.data())
    def lock(self, data: st.DataObject) -> None:
        known = self._one(data)
        self._settle(known)
        found = self._session(known, is_active=False)
        if found is not None:
            self.library.lock(found)
            known.state = "locked"

    @precondition(lambda self: self.sessions)
    @rule(data=st.data())
    def unlock(self, data: st.DataObject) -> None:
        known = self._one(data)
        self._settle(known)
        found = self._session(known, is_active=False)
        if found is None:
            return
        self.library.lock(found)
        text = self.library.reopen(found, self.holder.secret)
        known.state = "over"
        self.sessions.append(Known(text, self.library.authenticate(text).credential.secret, self.now, known.ends))

    @precondition(lambda self: self.sessions)
    @rule(data=st.data())
    def end(self, data: st.DataObject) -> None:
        known = self._one(data)
        found = self._session(known, is_active=False)
        if found is not None:
            self.library.end(found)
            known.state = "over"

    @rule(seconds=st.sampled_from([1, 60, IDLE - 30, IDLE + 30, LONGEST // 2, LONGEST]))
    def wait(self, seconds: int) -> None:
        self.hospital.clock.advance(seconds)
        self.now += seconds

    @rule()
    def sweep(self) -> None:
        self.library.sweep()
        for known in self.sessions:
            self._settle(known)

    @precondition(lambda self: not self.is_ended and self.sessions)
    @rule()
    def offboard(self) -> None:
        registrar = self.hospital.handshaker.registrar
        registrar.end_practitioner(self.hospital.administrator, self.holder.actor.actor_id)
        self.is_ended = True

    # ---- what must hold ----------------------------------------------------------------------------------------------

    @invariant()
    def nobody_signs_without_a_live_session(self) -> None:
        for known in self.sessions:
            found = self._session(known, is_active=False)
            is_live = found is not None and not found.is_locked
            assert not (is_live and self.is_ended)
            if found is not None and found.is_locked and known.state == "live":
                known.state = "locked"
            if is_live:
                assert self._signs(known.secret)
            elif found is not None or known.state == "over" or self.is_ended:
                assert not self._signs(known.secret), known.state
        assert self._signs(self.holder.secret) is not self.is_ended

    # ---- how -------------------------------------------------------------------------------------------------------

    @property
    def library(self) -> Any:
        return self.hospital.handshaker.sessions

    def _one(self, data: st.DataObject) -> Known:
        return self.sessions[data.draw(st.integers(0, len(self.sessions) - 1))]

    def _settle(self, known: Known) -> None:
        """Let the model's clock do to a session what the library's does; half a minute is left to coarse writing."""
        if self.now >= known.ends:
            known.state = "over"
        elif known.state == "live" and self.now - known.seen > IDLE + 15:
            known.state = "locked"

    def _session(self, known: Known, is_active: bool) -> Any:
        try:
            return self.library.authenticate(known.text, is_active=is_active)
        except NotAuthenticated:
            return None

    def _signs(self, secret: bytes) -> bool:
        try:
            self.hospital.handshaker.vault.sign(self.holder.actor.actor_id, secret, DIGEST)
        except VaultError:
            return False
        return True


def test_the_vault_signs_only_for_a_live_unlocked_session_or_a_token(hospital: Instance) -> None:
    machine = type("Machine", (SessionMachine,), {"hospital": hospital})
    limits = settings(max_examples=25, stateful_step_count=20, deadline=None, suppress_health_check=[*HealthCheck])
    run_state_machine_as_test(machine, settings=limits)


@pytest.mark.parametrize("attribute", ["is_locked", "needs", "credential", "session_id"])
def test_a_session_cannot_be_altered_by_who_holds_it(hospital: Instance, attribute: str) -> None:
    text = hospital.handshaker.sessions.open(hospital.nurse.actor.actor_id, hospital.nurse.secret)
    session = hospital.handshaker.sessions.authenticate(text)
    with pytest.raises(AttributeError):
        setattr(session, attribute, None)
