"""Any mix of requests, kills, lost answers, strangers and passing time: every TI ends with one ACK, and it is true."""

from __future__ import annotations

import contextlib
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from eth_account import Account
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

from handshaker.errors import ChainError
from handshaker.intake import Submission
from handshaker.messages import Acknowledgement, SendOutcome, SignedCall, VerdictKind
from handshaker.tokens import Credential
from tests.handshaker.pipeline.crashes import Fuse, Killed, fused
from tests.handshaker.pipeline.test_kills import assert_every_nonce_is_accounted_for
from tests.instances import Instance, blood_pressure, copied
from tests.strangers import carry, stored_call

DAY = 86_400


@dataclass
class Case:
    """One accepted TI, with what a stranger may have got hold of."""

    submission: Submission
    public: SignedCall | None = None
    ack: Acknowledgement | None = None


class Chaos(RuleBasedStateMachine):
    pattern: Instance
    folder: tempfile.TemporaryDirectory[str] | None = None

    @initialize()
    def open(self) -> None:
        self.folder = tempfile.TemporaryDirectory(prefix="handshaker-chaos-")
        self.instance = copied(self.pattern, Path(self.folder.name))
        self.wallet = Account.create()
        self.nurse = self.instance.hire_with_wallet(self.wallet)
        self.cases: list[Case] = []
        self.faults: list[str] = []
        self.send = self.instance.handshaker.chain.send
        self.instance.handshaker.chain.send = self.faulty  # type: ignore[method-assign]

    def faulty(self, raw: bytes) -> SendOutcome:
        fault = self.faults.pop(0) if self.faults else "none"
        if fault in ("none", "answer lost"):
            outcome = self.send(raw)
            return outcome if fault == "none" else SendOutcome.UNKNOWN
        return SendOutcome.REJECTED if fault == "rejected" else SendOutcome.UNKNOWN

    def keep(self, submission: Submission, *, public: bool = False) -> None:
        assert submission.refusal is None
        call = stored_call(self.instance, submission) if public else None
        self.cases.append(Case(submission, call))

    def patient(self, consented: bool) -> Credential:
        return self.instance.consented if consented else self.instance.silent

    # ---- what people do ---------------------------------------------------------------------------------------

    @rule(consented=st.booleans(), count=st.integers(1, 3))
    def measure(self, consented: bool, count: int) -> None:
        for _ in range(count):
            self.keep(self.instance.measure(self.patient(consented)))

    @rule(consented=st.booleans())
    def measure_with_a_wallet(self, consented: bool) -> None:
        patient = self.patient(consented).actor.actor_id
        self.keep(
            self.instance.sign_and_submit(self.wallet, self.nurse, "vital-signs", blood_pressure(), patient=patient),
            public=True,
        )

    @rule(consented=st.booleans(), allow=st.booleans())
    def change_consent(self, consented: bool, allow: bool) -> None:
        patient = self.patient(consented)
        if allow:
            self.keep(self.instance.consent(patient))
        else:
            revocation = {"grantee": "organisation/1", "purpose": "TREAT"}
            self.keep(self.instance.submit(patient, "consent-revoke", revocation))

    # ---- what happens -----------------------------------------------------------------------------------------

    @rule(passes=st.integers(1, 4))
    def work(self, passes: int) -> None:
        self.instance.steps(passes)

    @rule()
    def restart(self) -> None:
        self.instance.restart()

    @rule(at=st.integers(1, 40), after=st.booleans())
    def die(self, at: int, after: bool) -> None:
        fuse = Fuse(at, after)
        worker = fused(self.instance.handshaker, fuse).worker()
        fuse.armed = True
        with contextlib.suppress(Killed):
            for _ in range(3):
                worker.step()
        self.instance.restart()

    @rule(faults=st.lists(st.sampled_from(["lost", "answer lost", "rejected"]), min_size=1, max_size=3))
    def trouble(self, faults: Sequence[str]) -> None:
        self.faults = list(faults)

    @rule(name=st.sampled_from(["receipt", "ask", "nonce", "told", "head", "block"]))
    def the_node_fails_once(self, name: str) -> None:
        def fail(*_: Any, **__: Any) -> None:
            raise ChainError("The node refused a question: anything.")

        chain: Any = self.instance.handshaker.chain
        setattr(chain, name, fail)
        try:
            with contextlib.suppress(ChainError):
                self.instance.worker.step()
        finally:
            delattr(chain, name)

    @precondition(lambda self: any(case.public for case in self.cases))
    @rule(choice=st.randoms(use_true_random=False))
    def a_stranger_carries(self, choice: Any) -> None:
        """Before, meanwhile, or long after its ACK: what a wallet signed may be anybody's."""
        call = choice.choice([case.public for case in self.cases if case.public])
        carry(self.instance, call)

    @rule(seconds=st.sampled_from([1, 6, 31, 700]))
    def time_passes(self, seconds: int) -> None:
        self.instance.clock.advance(seconds)

    @rule()
    def a_day_passes(self) -> None:
        self.instance.travel(DAY + 600)

    # ---- what always holds ------------------------------------------------------------------------------------

    @invariant()
    def no_acknowledgement_changes(self) -> None:
        for case in getattr(self, "cases", []):
            found = self.instance.ack(case.submission)
            assert case.ack is None or found == case.ack
            case.ack = found

    def teardown(self) -> None:
        if self.folder is None:
            return
        try:
            self.end()
        finally:
            self.instance.handshaker.chain.__dict__.pop("send", None)
            self.instance.close()
            self.folder.cleanup()

    def end(self) -> None:
        """Let trouble cease and every deadline pass; then all must be settled, and truly."""
        self.faults = []
        for _ in range(4):
            self.instance.restart()
            self.instance.steps(6)
            self.instance.travel(DAY + 600)
        for _ in range(10):
            self.instance.steps(6)
            self.instance.clock.advance(10)
        self.instance.drain()
        self.no_acknowledgement_changes()
        self.every_acknowledgement_is_true()
        assert_every_nonce_is_accounted_for(self.instance)

    def every_acknowledgement_is_true(self) -> None:
        chain = self.instance.handshaker.chain
        deployment = chain.deployment
        assert deployment is not None
        effects: dict[bytes, int] = {}
        for effect in chain.told(deployment.block_number, chain.head().number)[0]:
            effects[effect.statement_hash] = effects.get(effect.statement_hash, 0) + 1
        for case in self.cases:
            assert case.ack is not None, "none is lost"
            statement = case.submission.statement_hash
            assert statement is not None
            assert effects.get(statement, 0) == (case.ack.kind is VerdictKind.VALID), case.ack
            kinds = self.instance.kinds(case.submission)
            assert kinds.count("valid") + kinds.count("invalid") == 1
            assert kinds[-1] in ("valid", "invalid")


@pytest.mark.slow
def test_whatever_happens_every_ti_ends_with_one_true_acknowledgement(pattern_hospital: Instance) -> None:
    machine = type("ChaosHere", (Chaos,), {"pattern": pattern_hospital})
    run_state_machine_as_test(
        machine,
        settings=settings(
            max_examples=settings.default.max_examples // 5 if settings.default else 10,
            stateful_step_count=20,
            deadline=None,
            suppress_health_check=list(HealthCheck),
        ),
    )
