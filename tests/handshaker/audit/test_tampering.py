"""Whoever tampers with entries of the log by hand is told which one it was, and what he did to it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from handshaker.audit.verification import What
from tests.handshaker.audit.forger import Forger
from tests.handshaker.audit.watched import Case, copy_of, headline, only, watched
from tests.instances import Instance

Act = Callable[[Forger], int]
"""Tampers, and says with which position."""

STRANGE = {"v": 1, "kind": "act", "act": "logged-in", "actor": "nobody", "subject": "", "details": {}}
STRANGE |= {"at": "2026-11-21T08:00:00.000000Z"}


@pytest.fixture(scope="module")
def log(pattern_hospital: Instance, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Instance]:
    with watched(pattern_hospital, tmp_path_factory.mktemp("watched")) as instance:
        yield instance


@pytest.fixture
def case(log: Instance, tmp_path: Path) -> Case:
    return copy_of(log, tmp_path)


def anchored(forger: Forger) -> int:
    """An acknowledgement of a reading that the last anchor covers."""
    return forger.positions("acknowledgement", verdict="valid", template="vital-signs@1")[-2]


def newest(forger: Forger) -> int:
    """One that no anchor covers."""
    return forger.positions("acknowledgement", verdict="valid")[-1]


def test_an_untouched_copy_is_proven(case: Case) -> None:
    report = case.verified()
    assert report.findings == ()
    assert report.proven_up_to is not None
    assert report.unanchored == report.entries - report.proven_up_to.size == 4


# ---- changed ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("where", [anchored, newest])
@pytest.mark.parametrize("rehash", [False, True])
@pytest.mark.parametrize("rows", [False, True])
def test_a_changed_verdict_is_named(case: Case, where: Act, rehash: bool, rows: bool) -> None:
    with case.forger() as forger:
        position = where(forger)
        entry = forger.entry(position)["entry_id"]
        forger.rewrite(position, rehash=rehash, verdict="invalid", code="not-permitted")
        if rows:
            forger.rewrite_row(position, verdict="invalid", code="not-permitted")
    found = only(case.verified())
    assert (found.what, found.position, found.entry_id, found.proven) == (What.CHANGED, position, entry, True)
    assert ("valid" in found.sentence.split("changed")[1]) is not rows, "the row still knows what it was"


def test_a_verdict_that_is_flipped_in_its_row_alone_is_named(case: Case) -> None:
    with case.forger() as forger:
        position = anchored(forger)
        forger.rewrite_row(position, verdict="invalid")
        ti_id = forger.said(position)["ti"]
    report = case.verified()
    found = only(report)
    assert (found.what, found.position, found.ti_id) == (What.CHANGED, position, ti_id)
    assert "says invalid for verdict, the entry valid" in found.sentence
    assert report.proven_up_to is not None, "the log itself is as it was"


ROWS: dict[str, Any] = {
    "UPDATE acknowledgements SET log_index = 77 WHERE entry_id = :entry": What.CHANGED,
    "UPDATE acknowledgements SET code = 'effects' WHERE entry_id = :entry": What.CHANGED,
    "UPDATE acknowledgements SET block_number = NULL WHERE entry_id = :entry": What.CHANGED,
    "UPDATE acknowledgements SET statement_hash = leaf_hash FROM audit_entries WHERE audit_entries.entry_id = :entry "
    "AND acknowledgements.entry_id = :entry": What.CHANGED,
    "UPDATE acknowledgements SET transaction_hash = NULL WHERE entry_id = :entry": What.CHANGED,
    'UPDATE acknowledgements SET arguments = \'{"event": "Retracted"}\' WHERE entry_id = :entry': What.CHANGED,
    "UPDATE acknowledgements SET acknowledged_at = '2026-01-01 00:00:00.000000' WHERE entry_id = :entry": What.CHANGED,
    "UPDATE acknowledgements SET detail_owner = 'somebody' WHERE entry_id = :entry": What.CHANGED,
    "DELETE FROM acknowledgements WHERE entry_id = :entry": What.REMOVED,
    "UPDATE transactions SET actor_id = '0x00' WHERE ti_id = :ti": What.CHANGED,
    "UPDATE transactions SET template_version = 2 WHERE ti_id = :ti": What.CHANGED,
    "UPDATE transactions SET patient_id = NULL WHERE ti_id = :ti": What.CHANGED,
    "DELETE FROM transactions WHERE ti_id = :ti": What.CHANGED,
    "UPDATE statements SET statement_hash = (SELECT min(leaf_hash) FROM audit_entries) WHERE ti_id = :ti": What.CHANGED,
    "DELETE FROM statements WHERE ti_id = :ti": What.CHANGED,
    "UPDATE outbox SET ti_id = 'another' WHERE position = :position": What.CHANGED,
    "UPDATE outbox SET topic = 'contradiction' WHERE position = :position": What.CHANGED,
    "DELETE FROM outbox WHERE position = :position": What.REMOVED,
    "UPDATE audit_entries SET kind = 'act' WHERE entry_id = :entry": What.CHANGED,
    "UPDATE audit_entries SET written_at = '2026-01-01 00:00:00.000000' WHERE entry_id = :entry": What.CHANGED,
    "UPDATE audit_entries SET leaf_hash = seal FROM audit_positions WHERE audit_positions.entry_id = :entry "
    "AND audit_entries.entry_id = :entry": What.CHANGED,
    "DELETE FROM audit_entries WHERE entry_id = :entry": What.REMOVED,
    "DELETE FROM audit_positions WHERE entry_id = :entry": What.REMOVED,
}


@pytest.mark.parametrize("statement", ROWS)
def test_a_row_that_rests_on_an_entry_is_held_against_it(case: Case, statement: str) -> None:
    with case.forger() as forger:
        position = anchored(forger)
        known = {"entry": forger.entry(position)["entry_id"], "ti": forger.said(position)["ti"], "position": position}
        forger.run(statement, **{name: value for name, value in known.items() if f":{name}" in statement})
    assert headline(case.verified()) == (ROWS[statement], position)


def test_a_sealed_detail_is_opened_and_held_against_its_commitment(case: Case) -> None:
    with case.forger() as forger:
        first, second = forger.positions("acknowledgement", verdict="invalid")[:2]
        columns = "detail_owner, detail_nonce, detail_ciphertext, detail_wrapped_key"
        (other,) = forger.ask(
            f"SELECT {columns} FROM acknowledgements WHERE entry_id = :entry", entry=forger.entry(second)["entry_id"]
        )
        forger.rewrite_row(first, **other)
    found = only(case.verified())
    assert (found.what, found.position) == (What.CHANGED, first)
    assert "detail" in found.sentence


@pytest.mark.sqlite
def test_a_leaf_that_became_a_text_is_named_and_so_is_a_text_that_is_none(case: Case) -> None:
    """SQLite's own functions make texts of bytes; and a forger can write what no driver can read."""
    with case.forger() as forger:
        entry = forger.entry(20)["entry_id"]
        forger.run("UPDATE audit_entries SET leaf = CAST(leaf AS TEXT) WHERE entry_id = :entry", entry=entry)
        forger.run(
            "UPDATE audit_entries SET kind = CAST(x'FF61' AS TEXT) WHERE entry_id = :entry",
            entry=forger.entry(22)["entry_id"],
        )
    report = case.verified()
    assert [(found.what, found.position) for found in report.findings] == [(What.CHANGED, 20), (What.CHANGED, 22)]


# ---- removed, inserted, reordered ------------------------------------------------------------------------------------


@pytest.mark.parametrize("where", [anchored, newest])
@pytest.mark.parametrize("traces", [True, False])
@pytest.mark.parametrize("way", [{}, {"renumber": True}, {"renumber": True, "seals_stay": True}])
def test_a_removed_entry_is_named(case: Case, where: Act, traces: bool, way: dict[str, bool]) -> None:
    with case.forger() as forger:
        position = where(forger)
        ti_id = forger.said(position)["ti"]
        forger.remove(position, traces=traces, **way)
    found = only(case.verified())
    assert (found.what, found.position, found.ti_id) == (What.REMOVED, position, ti_id)


def test_several_removed_entries_are_one_finding(case: Case) -> None:
    with case.forger() as forger:
        for _ in range(3):
            forger.remove(20, renumber=True)
    found = only(case.verified())
    assert (found.what, found.position) == (What.REMOVED, 20)
    assert "Entries 20 to 22" in found.sentence


def test_what_happened_after_a_removal_is_named_too(case: Case) -> None:
    with case.forger() as forger:
        forger.remove(20, renumber=True)
        forger.rewrite(30, rehash=True, v=2)
    findings = case.verified().findings
    assert [(found.what, found.position) for found in findings] == [(What.REMOVED, 20), (What.CHANGED, 30)]


@pytest.mark.parametrize("seal", [None, b"\x07" * 32])
@pytest.mark.parametrize("seals_stay", [False, True])
@pytest.mark.parametrize("where", ["middle", "end"])
def test_an_inserted_entry_is_named(case: Case, where: str, seal: bytes | None, seals_stay: bool) -> None:
    with case.forger() as forger:
        position = forger.size if where == "end" else 20
        entry = forger.insert(position, STRANGE, seal=seal, seals_stay=seals_stay)
    found = only(case.verified())
    assert (found.what, found.position, found.entry_id) == (What.INSERTED, position, entry)


def test_a_copy_of_an_entry_is_no_entry(case: Case) -> None:
    with case.forger() as forger:
        copied = forger.said(14)
        forger.insert(30, copied, seal=forger.entry(14)["seal"])
    assert headline(case.verified()) == (What.INSERTED, 30)


def test_an_entry_that_is_written_over_with_another_is_changed(case: Case) -> None:
    with case.forger() as forger:
        other, entry = forger.entry(14), forger.entry(30)["entry_id"]
        forger.run(
            "UPDATE audit_entries SET leaf = :leaf, leaf_hash = :hash WHERE entry_id = :entry",
            leaf=other["leaf"],
            hash=other["leaf_hash"],
            entry=entry,
        )
    found = only(case.verified())
    assert (found.what, found.position, found.entry_id) == (What.CHANGED, 30, entry)
    assert "copy of entry 14" in found.sentence


@pytest.mark.parametrize("seals", [False, True])
@pytest.mark.parametrize("other", [13, 17])
def test_two_exchanged_entries_are_named(case: Case, other: int, seals: bool) -> None:
    with case.forger() as forger:
        forger.swap(12, other, seals=seals)
    found = only(case.verified())
    assert (found.what, found.position) == (What.REORDERED, 12)
    assert f"belongs at {other}" in found.sentence


@pytest.mark.parametrize("there", [-1, 5_000])
def test_an_entry_that_was_put_far_away_is_found_there(case: Case, there: int) -> None:
    with case.forger() as forger:
        forger.run(f"UPDATE audit_positions SET position = {there} WHERE position = 20")
    found = only(case.verified())
    assert (found.what, found.position) == (What.REORDERED, 20)
    assert f"position {there}" in found.sentence


def test_an_entry_that_was_moved_up_past_others_is_named(case: Case) -> None:
    with case.forger() as forger:
        forger.run(
            "UPDATE audit_positions SET position = -30 - 1000 WHERE position = 36",
            "UPDATE audit_positions SET position = -(position + 1) - 1000 WHERE position BETWEEN 30 AND 35",
            "UPDATE audit_positions SET position = -position - 1000 WHERE position < -1000",
        )
    found = only(case.verified())
    assert (found.what, found.position) == (What.REORDERED, 30)
    assert "belongs at 36" in found.sentence


def test_positions_that_were_renumbered_with_a_gap_are_named(case: Case) -> None:
    with case.forger() as forger:
        forger.shift(30, 1_000)
    assert headline(case.verified()) == (What.REORDERED, 30)


@pytest.mark.sqlite
def test_a_second_row_for_an_entry_is_one_too_many(case: Case) -> None:
    """Whoever makes a table anew can leave out what keeps its rows apart."""
    with case.forger() as forger:
        position = anchored(forger)
        forger.run(
            "CREATE TABLE another AS SELECT * FROM acknowledgements",
            "DROP TABLE acknowledgements",
            "ALTER TABLE another RENAME TO acknowledgements",
        )
        entry = forger.entry(position)["entry_id"]
        forger.run(
            "INSERT INTO acknowledgements SELECT * FROM acknowledgements WHERE entry_id = :entry",
            entry=entry,
        )
    found = only(case.verified())
    assert (found.what, found.position, found.entry_id) == (What.INSERTED, position, entry)
