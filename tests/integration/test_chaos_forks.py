"""The same chaos where blocks vanish: forks above finality, on a real Anvil. No acknowledgement is ever taken back."""

from __future__ import annotations

from collections.abc import Iterator
from typing import ClassVar

import pytest
from eth_account import Account
from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import initialize, rule, run_state_machine_as_test

from handshaker.ethereum.nodes import ANVIL
from handshaker.messages import VerdictKind
from tests.databases import Databases
from tests.instances import Instance, make_instance
from tests.integration.test_chaos import Case, Chaos
from tests.nodes import anvil, with_finality

pytestmark = pytest.mark.anvil

DEPTH = 2
EXAMPLES = settings.default.max_examples // 8 if settings.default else 6


class ForkingChaos(Chaos):
    """All examples share one hospital, whose chain only grows."""

    shared: ClassVar[Instance]

    @initialize()
    def open(self) -> None:
        self.instance = self.shared
        self.wallet = Account.create()
        self.nurse = self.instance.hire_with_wallet(self.wallet)
        self.cases: list[Case] = []
        self.faults: list[str] = []
        self.send = self.instance.handshaker.chain.send
        self.instance.handshaker.chain.send = self.faulty  # type: ignore[method-assign]

    @rule(depth=st.integers(1, DEPTH))
    def fork(self, depth: int) -> None:
        self.instance.node.ask("anvil_reorg", depth, [])

    @rule(blocks=st.integers(1, DEPTH + 1))
    def others_make_blocks(self, blocks: int) -> None:
        self.instance.node.ask("anvil_mine", hex(blocks))

    def teardown(self) -> None:
        try:
            self.end()
            log = self.instance.handshaker.store.log.entries(0, 10**9)
            assert not [entry for entry in log if entry.kind == "contradiction"]
        finally:
            self.instance.handshaker.chain.__dict__.pop("send", None)


class DeepChaos(ForkingChaos):
    """Forks below finality: what was acknowledged stays as it is, and each lie of the chain is written down."""

    @rule(depth=st.integers(DEPTH + 1, DEPTH + 4))
    def fork_deep(self, depth: int) -> None:
        self.instance.steps(1)
        self.instance.node.ask("anvil_reorg", depth, [])
        # Otherwise another fork could hide this one from the walk, and nobody would have been lied to.
        self.instance.steps(1)

    def teardown(self) -> None:
        try:
            self.faults = []
            self.instance.steps(1)
            self.end()
        finally:
            self.instance.handshaker.chain.__dict__.pop("send", None)

    def every_acknowledgement_is_true(self) -> None:
        chain = self.instance.handshaker.chain
        for case in self.cases:
            assert case.ack is not None, "none is lost"
            kinds = self.instance.kinds(case.submission)
            assert kinds.count("valid") + kinds.count("invalid") == 1
            if case.ack.kind is VerdictKind.VALID:
                block = chain.block(case.ack.block_number or 0)
                stands = block is not None and block.hash == case.ack.block_hash
                assert kinds.count("contradicted") == (not stands)
            else:
                assert "contradicted" not in kinds


@pytest.fixture(scope="module")
def forking(databases: Databases, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Instance]:
    with anvil("2000") as node:
        instance = make_instance(tmp_path_factory.mktemp("forks"), node, profile=with_finality(ANVIL, DEPTH))
        yield instance
        instance.close()


def run(machine: type[ForkingChaos], examples: int) -> None:
    run_state_machine_as_test(
        machine,
        settings=settings(
            max_examples=examples,
            # The chain goes on from example to example: a failure cannot be run again.
            phases=[Phase.generate],
            stateful_step_count=15,
            deadline=None,
            suppress_health_check=list(HealthCheck),
        ),
    )


@pytest.mark.slow
def test_forks_above_finality_make_no_acknowledgement_untrue(forking: Instance) -> None:
    run(type("ForkingChaosHere", (ForkingChaos,), {"shared": forking}), EXAMPLES)


@pytest.mark.slow
def test_forks_below_finality_are_written_down_and_the_work_goes_on(forking: Instance) -> None:
    run(type("DeepChaosHere", (DeepChaos,), {"shared": forking}), EXAMPLES)
