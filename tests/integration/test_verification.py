"""What nodes and forks do to a log raises no alarm."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from handshaker.audit.verification import Report
from handshaker.ethereum.chain import EthereumChain
from handshaker.ethereum.nodes import ANVIL
from handshaker.verifying import verifier
from tests.databases import Databases
from tests.handshaker.audit.watched import SECONDS, anchor, life
from tests.instances import Instance, make_instance
from tests.integration.test_forks import DEPTH, mine, reorganise
from tests.integration.test_import import Told, first, hospital, source
from tests.nodes import Node, anvil, with_finality

__all__ = ["first", "hospital", "source"]


def verified(instance: Instance) -> Report:
    profile = instance.handshaker.chain.profile
    with verifier(instance.handshaker.settings, chain=EthereumChain(instance.node.provider, profile)) as found:
        return found.verify()


@pytest.mark.parametrize(
    "kind", [pytest.param("ganache", marks=pytest.mark.ganache), pytest.param("anvil", marks=pytest.mark.anvil)]
)
def test_an_untouched_log_is_proven_on_every_kind_of_node(
    databases: Databases, request: pytest.FixtureRequest, tmp_path: Path, kind: str
) -> None:
    node: Node = request.getfixturevalue(f"{kind}_node")
    instance = make_instance(tmp_path, node, anchor_seconds=SECONDS, anchor_entries=10**6)
    for _ in range(2):
        anchor(instance)
        life(instance)
    report = verified(instance)
    assert report.findings == ()
    assert report.anchors_checked == 2
    assert report.proven_up_to is not None
    assert report.unanchored == report.entries - report.proven_up_to.size == 4
    instance.close()


@pytest.mark.ganache
def test_an_import_raises_no_alarm(hospital: Instance, first: Told) -> None:
    assert first.summary.to_json()
    report = verified(hospital)
    assert report.findings == ()
    assert report.remarks == ()


@pytest.fixture
def deep(databases: Databases, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Instance]:
    """A hospital where two blocks must lie on top, and the test makes the blocks."""
    with anvil("300") as node:
        profile = with_finality(ANVIL, DEPTH)
        instance = make_instance(tmp_path, node, profile=profile, anchor_seconds=SECONDS, anchor_entries=10**6)
        monkeypatch.setattr(instance.handshaker.chain, "beat", lambda: False)
        yield instance
        instance.close()


@pytest.mark.anvil
def test_a_fork_below_finality_is_a_remark_before_and_after_it_was_written_down(deep: Instance) -> None:
    submission = deep.measure()
    deep.steps(3)
    mine(deep, DEPTH)
    deep.steps(3)
    assert deep.ack(submission) is not None
    assert verified(deep).findings == ()
    reorganise(deep, DEPTH + 1)
    report = verified(deep)
    assert report.findings == ()
    assert any("fork" in remark for remark in report.remarks), "nobody has walked it yet"
    deep.steps(3)
    assert deep.kinds(submission)[-1] == "contradicted"
    report = verified(deep)
    assert report.findings == ()
    assert any("contradicted openly" in remark for remark in report.remarks)


@pytest.mark.anvil
def test_what_took_effect_again_after_a_fork_raises_no_alarm(deep: Instance) -> None:
    submission = deep.measure()
    deep.steps(3)
    mine(deep, DEPTH)
    deep.steps(3)
    assert deep.ack(submission) is not None
    reorganise(deep, DEPTH + 1)
    for _ in range(8):
        deep.clock.advance(6)
        deep.steps(2)
        mine(deep, 1)
    deep.clock.advance(SECONDS)
    deep.steps(2)
    mine(deep, DEPTH)
    deep.steps(2)
    report = verified(deep)
    assert report.findings == ()
    assert report.proven_up_to is not None
