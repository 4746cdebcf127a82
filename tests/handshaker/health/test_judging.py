"""What each check says on both sides of its threshold."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from handshaker.audit.errors import LogHeld
from handshaker.errors import ChainMismatch, NotDeployed
from handshaker.ethereum.nodes import ANVIL, ETHEREUM, GANACHE
from handshaker.health import NAMES, Check, State, judging, overall
from handshaker.health.facts import Node, Stored, Together
from handshaker.messages import Block, Head
from handshaker.settings import Settings

NOW = datetime(2026, 11, 21, 12, 0, tzinfo=UTC)
LIMIT = timedelta(seconds=60)
GWEI = 10**9


def ago(seconds: float) -> datetime:
    return NOW - timedelta(seconds=seconds)


def block(seconds_ago: float, number: int = 7) -> Block:
    return Block(number, b"\1" * 32, b"\2" * 32, int(ago(seconds_ago).timestamp()))


def node(**changes: object) -> Node:
    quiet = Node(block(0), ETHEREUM, 2 * GWEI, 3, None, 1)
    return replace(quiet, **changes)  # type: ignore[arg-type]


QUIET = Stored(oldest_due=None, oldest_unsettled=None, walked=7, held=None)
TOGETHER = Together(unread=None, balances={"worker-1": 10**18}, unanchored_since=None, has_operator=True)


def said(check: Check) -> tuple[str, State, str]:
    return check.name, check.state, check.code


@pytest.mark.parametrize(("age", "state"), [(0, "ok"), (60, "ok"), (61, "ill"), (86_400, "ill")])
def test_a_chain_that_makes_blocks_by_itself_stands_still_when_none_has_come(age: int, state: str) -> None:
    check = judging.head(node(head=block(age)), QUIET, NOW, LIMIT)
    assert (check.name, check.state) == ("head", state)


def test_a_chain_with_a_heartbeat_may_have_an_old_head_while_nothing_waits() -> None:
    idle = node(head=block(86_400), profile=GANACHE)
    assert judging.head(idle, QUIET, NOW, LIMIT).is_ok
    assert judging.head(idle, replace(QUIET, oldest_unsettled=ago(59)), NOW, LIMIT).is_ok
    waiting = judging.head(idle, replace(QUIET, oldest_unsettled=ago(61)), NOW, LIMIT)
    assert said(waiting) == ("head", State.ILL, "head-stale")
    busy = node(head=block(2), profile=GANACHE)
    assert judging.head(busy, replace(QUIET, oldest_unsettled=ago(3_600)), NOW, LIMIT).is_ok, "blocks come"


@pytest.mark.parametrize(("age", "state"), [(None, "ok"), (60, "ok"), (61, "degraded")])
def test_an_indexer_is_behind_when_a_block_has_waited_to_be_read(age: int | None, state: str) -> None:
    together = replace(TOGETHER, unread=None if age is None else block(age))
    assert judging.walk(together, NOW, LIMIT).state == state


def test_a_purse_is_low_below_a_full_batch_and_empty_below_one_statement() -> None:
    full, single = ETHEREUM.batch_gas * 2 * GWEI, judging.SINGLE_GAS * 2 * GWEI
    for balances, code, state in (
        ({"a": full}, "ok", State.OK),
        ({"a": full - 1}, "relayer-low", State.DEGRADED),
        ({"a": single}, "relayer-low", State.DEGRADED),
        ({"a": single - 1}, "relayer-unfunded", State.ILL),
        ({"a": 0, "b": full}, "relayer-low", State.DEGRADED),
        ({"a": 0, "b": 0}, "relayer-unfunded", State.ILL),
    ):
        check = judging.relayer(replace(TOGETHER, balances=balances), node())
        assert (check.code, check.state) == (code, state), balances


def test_where_gas_is_free_an_empty_purse_is_well() -> None:
    assert judging.relayer(replace(TOGETHER, balances={"a": 0}), node(max_fee=0)).is_ok


@pytest.mark.parametrize(
    ("age", "state"), [(None, "ok"), (60, "ok"), (61, "degraded"), (600, "degraded"), (601, "ill")]
)
def test_a_queue_is_late_and_then_an_outage(age: int | None, state: str) -> None:
    stored = replace(QUIET, oldest_due=None if age is None else ago(age))
    assert judging.queue(stored, NOW, LIMIT).state == state


def test_an_anchor_is_late_after_four_intervals_but_never_within_a_minute(settings: Settings) -> None:
    assert judging.anchor_limit(settings, ETHEREUM) == timedelta(seconds=4 * 600)
    assert judging.anchor_limit(settings, ANVIL) == timedelta(seconds=60)
    named = settings.model_copy(update={"anchor_late_seconds": 5})
    assert judging.anchor_limit(named, ETHEREUM) == timedelta(seconds=5)


@pytest.fixture
def settings() -> Settings:
    return Settings()


def test_an_anchor_is_late_or_nobody_may_make_one() -> None:
    assert judging.anchor(TOGETHER, NOW, LIMIT).is_ok
    late = judging.anchor(replace(TOGETHER, unanchored_since=ago(61)), NOW, LIMIT)
    assert said(late) == ("anchor", State.DEGRADED, "anchor-late")
    nobody = judging.anchor(replace(TOGETHER, has_operator=False), NOW, LIMIT)
    assert said(nobody) == ("anchor", State.DEGRADED, "no-operator")


@pytest.mark.parametrize("reason", ["behind", "different"])
def test_a_held_log_is_an_outage_and_says_why(reason: str) -> None:
    check = judging.log(replace(QUIET, held=(reason, 3, Head(5, bytes(32)))))
    assert said(check) == ("log", State.ILL, LogHeld.code)
    assert check.mend == LogHeld.mend


def test_contracts_are_missing_in_two_ways() -> None:
    assert judging.contracts(node()).is_ok
    gone = ChainMismatch("gone", expected={"contract": "Relay"}, found={})
    for problem in (NotDeployed("not yet"), gone):
        assert said(judging.contracts(node(problem=problem))) == ("contracts", State.ILL, problem.code)


@given(st.floats(min_value=0, max_value=10**8))
def test_an_age_is_told_in_a_unit_of_which_there_are_two_at_least(seconds: float) -> None:
    number, unit = judging.spoken(timedelta(seconds=seconds)).split()
    size = {"seconds": 1, "minutes": 60, "hours": 3_600, "days": 86_400}[unit]
    assert int(number) * size <= seconds + 1e-6 < (int(number) + 1) * size + 1e-3
    assert int(number) >= 2 or unit == "seconds"
    assert unit == "days" or int(number) < 2 * {"seconds": 60, "minutes": 60, "hours": 24}[unit]


@given(st.lists(st.sampled_from(list(State))))
def test_the_whole_is_as_bad_as_its_worst_part(states: list[State]) -> None:
    worst = overall(Check("store", state, "") for state in states)
    order = [State.OK, State.DEGRADED, State.ILL]
    assert order.index(worst) == max((order.index(state) for state in states), default=0)


def test_every_trouble_has_a_code_a_sentence_and_what_to_do() -> None:
    troubles = [
        judging.head(node(head=block(99)), QUIET, NOW, LIMIT),
        judging.walk(replace(TOGETHER, unread=block(99)), NOW, LIMIT),
        judging.relayer(replace(TOGETHER, balances={"a": 0}), node()),
        judging.queue(replace(QUIET, oldest_due=ago(99)), NOW, LIMIT),
        judging.anchor(replace(TOGETHER, unanchored_since=ago(99)), NOW, LIMIT),
        judging.log(replace(QUIET, held=("behind", 1, Head(2, bytes(32))))),
    ]
    for check in troubles:
        assert check.name in NAMES
        assert check.code != "ok"
        assert check.detail.endswith(".")
        assert check.mend.endswith(".")
