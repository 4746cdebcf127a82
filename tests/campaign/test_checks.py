"""The judgement itself: it is content with what is right, and names each thing that is not."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from tests.campaign.checks import DOUBLED, LOST, WRONG, Fault, judge, root_of
from tests.campaign.evidence import Evidence
from tests.campaign.report import Report, percentiles, report_of, total

VALID, INVALID = frozenset({"valid"}), frozenset({"invalid"})
LEAVES = [b"leaf 0", b"leaf 1", b"leaf 2", b"leaf 3"]


def right() -> Evidence:
    """Three TIs and a contradiction: one valid, one refused at a gate, one that a patient did past us."""
    return Evidence(
        promised=[("a reading", VALID, ("ti-1", "ti-1")), ("a refused one", INVALID, ("ti-2",))],
        straight=["0xb"],
        transactions={"ti-1": "api", "ti-2": "api", "ti-3": "chain"},
        acknowledgements=[("ti-1", "valid", "0xa"), ("ti-2", "invalid", None), ("ti-3", "valid", "0xb")],
        statements={"0xa": "ti-1", "0xb": "ti-3"},
        log=[
            (0, "acknowledgement", "ti-1", LEAVES[0]),
            (1, "acknowledgement", "ti-2", LEAVES[1]),
            (2, "contradiction", "ti-1", LEAVES[2]),
            (3, "acknowledgement", "ti-3", LEAVES[3]),
        ],
        outbox=[(0, "ti-1"), (1, "ti-2"), (2, "ti-1"), (3, "ti-3")],
        final_events=["ti-1", "ti-2", "ti-3"],
        effects=["0xa", "0xb"],
        nonces={"relayer": [0, 1]},
        counted={"relayer": 2},
        attempts={"0x01", "0x02"},
        carried={"relayer": {"0x01", "0x02"}},
        anchored=(4, root_of(LEAVES)),
        seconds=[1.0, 3.0],
    )


def found(**changes: Any) -> Evidence:
    return replace(right(), **changes)


def without_ti(ti: str) -> Evidence:
    evidence = found()
    del evidence.transactions[ti]
    return evidence


def test_what_is_right_has_no_fault() -> None:
    assert judge(found()) == []


ACKS = found().acknowledgements
LOG = found().log
DOCTORED: dict[str, tuple[Callable[[], Evidence], str, str]] = {
    "a request without an answer": (
        lambda: found(promised=[*found().promised, ("a reading", VALID, ())]),
        LOST,
        "has no answer",
    ),
    "an answered TI that is not there": (lambda: without_ti("ti-2"), LOST, "ti-2 was answered"),
    "one key with two TIs": (
        lambda: found(promised=[("a reading", VALID, ("ti-1", "ti-3")), found().promised[1]]),
        DOUBLED,
        "one key",
    ),
    "a TI that nobody was told of": (
        lambda: found(transactions=right().transactions | {"ti-0": "api"}),
        DOUBLED,
        "ti-0 is one that nobody",
    ),
    "a TI without ACK": (lambda: found(acknowledgements=ACKS[:1] + ACKS[2:]), LOST, "ti-2 has no ACK"),
    "a TI with two ACKs": (lambda: found(acknowledgements=[*ACKS, ACKS[1]]), DOUBLED, "ti-2 has 2 ACKs"),
    "something still open": (lambda: found(unfinished=1), LOST, "still open"),
    "an ACK without its leaf": (lambda: found(log=LOG[:3]), LOST, "ti-3 has 0 leaves"),
    "an ACK with two leaves": (
        lambda: found(log=[*LOG, (4, "acknowledgement", "ti-3", b"again")]),
        DOUBLED,
        "ti-3 has 2 leaves",
    ),
    "an ACK that was told twice": (
        lambda: found(outbox=[*found().outbox, (4, "ti-3")]),
        DOUBLED,
        "ti-3 has 2 rows of the outbox",
    ),
    "a history with two ends": (
        lambda: found(final_events=[*found().final_events, "ti-1"]),
        DOUBLED,
        "ti-1 has 2 final events",
    ),
    "a verdict that cannot be": (
        lambda: found(promised=[("a reading", INVALID, ("ti-1",)), found().promised[1]]),
        WRONG,
        "ti-1 is valid",
    ),
    "an effect twice": (lambda: found(effects=["0xa", "0xa", "0xb"]), DOUBLED, "0xa has 2 effects"),
    "an effect without ACK": (lambda: found(effects=["0xa", "0xb", "0xc"]), LOST, "effect of 0xc"),
    "an effect of what is invalid": (
        lambda: found(acknowledgements=[("ti-1", "invalid", "0xa"), *ACKS[1:]]),
        LOST,
        "effect of 0xa has no valid ACK",
    ),
    "a valid ACK without effect": (
        lambda: found(effects=["0xb"], log=[LOG[0], LOG[1], (2, "access", "", LEAVES[2]), LOG[3]]),
        WRONG,
        "valid ACK of 0xa has no effect",
    ),
    "two valid ACKs of one statement": (
        lambda: found(acknowledgements=[ACKS[0], ("ti-2", "valid", "0xa"), ACKS[2]]),
        DOUBLED,
        "0xa has 2 valid ACKs",
    ),
    "a patient's own act that vanished": (lambda: found(straight=["0xb", "0xd"]), LOST, "0xd went to the chain"),
    "a hole in the nonces": (lambda: found(nonces={"relayer": [0, 2]}), LOST, "nonce 1 of relayer is nowhere"),
    "a nonce twice": (lambda: found(nonces={"relayer": [0, 1, 1]}), DOUBLED, "nonce 1 of relayer is written 2"),
    "fewer nonces than the chain counts": (lambda: found(counted={"relayer": 3}), WRONG, "2 nonces, and 3"),
    "a relayer of whom nothing is written": (lambda: found(nonces={}), LOST, "nonce 0 of relayer is nowhere"),
    "a transaction that was written nowhere": (
        lambda: found(carried={"relayer": {"0x01", "0x02", "0x03"}}),
        WRONG,
        "0x03 of relayer",
    ),
    "a hole in the log": (
        lambda: found(log=[*LOG[:3], (4, "acknowledgement", "ti-3", LEAVES[3])]),
        LOST,
        "not dense",
    ),
    "an outbox that is out of step": (lambda: found(outbox=found().outbox[::-1]), LOST, "the outbox is not"),
    "a log that is not all anchored": (lambda: found(anchored=(3, root_of(LEAVES[:3]))), LOST, "3 of 4 entries"),
    "another root on the chain": (lambda: found(anchored=(4, root_of(LEAVES[::-1]))), WRONG, "the anchored root"),
    "a log that does not verify": (lambda: found(verified=(1, "entry 2 was changed")), WRONG, "entry 2 was changed"),
}


@pytest.mark.parametrize("case", DOCTORED)
def test_what_is_wrong_is_named(case: str) -> None:
    doctored, kind, sentence = DOCTORED[case]
    assert [fault for fault in judge(doctored()) if fault.kind == kind and sentence in fault.sentence], case


def test_what_a_fork_took_away_and_the_log_contradicts_may_stay_away() -> None:
    assert judge(found(effects=["0xb"])) == []


def test_the_root_is_that_of_the_standard() -> None:
    """RFC 9162 section 2.1.1: of nothing, and of leaves that make an uneven tree."""
    from handshaker.audit.check_proof import leaf_hash, node_hash

    assert root_of([]).hex() == "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
    a, b, c = (leaf_hash(leaf) for leaf in LEAVES[:3])
    assert root_of(LEAVES[:3]) == node_hash(node_hash(a, b), c)


def test_the_line_counts_what_was_accepted_and_what_was_lost() -> None:
    evidence = found(acknowledgements=ACKS[:1])
    report = report_of("here", evidence, judge(evidence))
    assert report.line == ("here: accepted 3, valid 1, invalid 0, lost 3, doubled 6, TI → ACK p50 2.00 s, p99 2.98 s")
    assert not report.is_good
    assert total([report, report]).line.startswith("all: accepted 6, valid 2, invalid 0, lost 6, doubled 12")


def test_a_report_is_good_only_without_any_fault() -> None:
    assert report_of("here", found(), []).is_good
    assert not report_of("here", found(), [Fault(WRONG, "anything")]).is_good
    assert not Report("here", unreached=["worker.sent"]).is_good


def test_percentiles_of_little_are_what_there_is() -> None:
    assert percentiles([]) == (0.0, 0.0)
    assert percentiles([2.0]) == (2.0, 2.0)
    assert percentiles([float(each) for each in range(101)]) == (50.0, 99.0)
