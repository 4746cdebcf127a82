"""Any single change of any row of the audit tables is found, and the position that is named is the right one."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st
from sqlalchemy.exc import IntegrityError

from handshaker.audit.verification import What
from tests.handshaker.audit.forger import Forger
from tests.handshaker.audit.watched import Case, copy_of, watched
from tests.instances import Instance

pytestmark = [pytest.mark.sqlite, pytest.mark.slow]

KEYS = {
    "audit_entries": "entry_id",
    "audit_positions": "position",
    "acknowledgements": "entry_id",
    "outbox": "position",
    "audit_heads": "size",
    "anchors": "size",
    "transactions": "ti_id",
    "statements": "ti_id",
}
"""Table → what names its rows."""
HELD = {
    "transactions": ("template", "template_version", "actor_id", "patient_id", "origin"),
    "statements": ("statement_hash",),
}
"""Columns that a leaf speaks of, where it is not all of them."""


@dataclass(frozen=True)
class Vandal:
    """A copy of the databases, and a clean file to begin with each time."""

    case: Case
    clean: Path

    def begin(self) -> None:
        file = self.case.settings.instance / "handshaker.db"
        for path in (file, *file.parent.glob("handshaker.db-*")):
            path.unlink(missing_ok=True)
        shutil.copy(self.clean, file)


@pytest.fixture(scope="module")
def vandal(pattern_hospital: Instance, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Vandal]:
    with watched(pattern_hospital, tmp_path_factory.mktemp("watched")) as instance:
        folder = tmp_path_factory.mktemp("vandal")
        case = copy_of(instance, folder)
        clean = folder / "clean.db"
        shutil.copy(case.settings.instance / "handshaker.db", clean)
        yield Vandal(case, clean)


def position_of(forger: Forger, table: str, row: dict[str, Any]) -> int | None:
    """Where the entry stands that a row belongs to; of a head or an anchor, the last one that it covers."""
    if table in ("audit_positions", "outbox"):
        return int(row["position"])
    if table in ("audit_heads", "anchors"):
        return int(row["size"]) - 1
    column = "ti_id" if table in ("transactions", "statements") else "entry_id"
    found = forger.ask(
        "SELECT p.position FROM audit_positions p LEFT JOIN acknowledgements a ON a.entry_id = p.entry_id "
        f"WHERE {'a.ti_id' if column == 'ti_id' else 'p.entry_id'} = :key",
        key=row[column],
    )
    return int(found[0]["position"]) if found else None


def flipped(value: Any, where: int) -> Any:
    """The value with one bit, letter or unit changed."""
    if isinstance(value, bytes) and value:
        place = where % len(value)
        return value[:place] + bytes([value[place] ^ (1 << where % 8)]) + value[place + 1 :]
    if isinstance(value, str) and value:
        place = where % len(value)
        return value[:place] + ("x" if value[place] != "x" else "y") + value[place + 1 :]
    if isinstance(value, int):
        return value + 1
    return "x"


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    table=st.sampled_from(sorted(KEYS)),
    row=st.integers(0, 10_000),
    column=st.integers(0, 100),
    where=st.integers(0, 100_000),
    act=st.sampled_from(["change", "null", "delete"]),
)
@example(table="audit_positions", row=52, column=0, where=0, act="delete")
@example(table="audit_entries", row=0, column=0, where=0, act="change")
def test_any_change_of_one_row_is_found_where_it_is(
    vandal: Vandal, table: str, row: int, column: int, where: int, act: str
) -> None:
    vandal.begin()
    with vandal.case.forger() as forger:
        rows = forger.ask(f"SELECT * FROM {table} ORDER BY {KEYS[table]}")
        victim = rows[row % len(rows)]
        position = position_of(forger, table, victim)
        columns = HELD.get(table) or tuple(victim)
        name = columns[column % len(columns)]
        if position is None or not _changes(forger, table, name, victim, where, act):
            return
    report = vandal.case.verified()
    if table == "audit_heads" and act == "delete":
        assert any(f"size {position + 1}." in remark for remark in report.remarks), "a backup may not have it"
        return
    assert report.findings, (table, name, act, victim[KEYS[table]])
    right = {position}
    if table in ("audit_heads", "anchors") and name == "size" and act == "change":
        right.add(position + 1)  # the one that it was made of
    assert report.findings[0].position in right, (table, name, act, position, report.findings)


def _changes(forger: Forger, table: str, name: str, victim: dict[str, Any], where: int, act: str) -> bool:
    key = KEYS[table]
    if act == "delete":
        forger.run(f"DELETE FROM {table} WHERE {key} = :key", key=victim[key])
        return True
    value = None if act == "null" else flipped(victim[name], where)
    if value == victim[name]:
        return False
    try:
        forger.run(f"UPDATE {table} SET {name} = :value WHERE {key} = :key", value=value, key=victim[key])
    except IntegrityError:
        # What SQLite itself does not take (a null in a key, a key that is there) is no tampering.
        return False
    return True


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(one=st.integers(0, 52), other=st.integers(0, 52), seals=st.booleans())
def test_any_two_exchanged_entries_are_found(vandal: Vandal, one: int, other: int, seals: bool) -> None:
    vandal.begin()
    one, other = sorted((one, other))
    if one == other:
        return
    with vandal.case.forger() as forger:
        forger.swap(one, other, seals=seals)
    report = vandal.case.verified()
    assert [(found.what, found.position) for found in report.findings] == [(What.REORDERED, one)]


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(position=st.integers(0, 52), traces=st.booleans(), renumber=st.booleans(), stay=st.booleans())
def test_any_removed_entry_is_found(vandal: Vandal, position: int, traces: bool, renumber: bool, stay: bool) -> None:
    vandal.begin()
    with vandal.case.forger() as forger:
        last, kind = forger.size - 1, forger.said(position)["kind"]
        forger.remove(position, traces=traces, renumber=renumber, seals_stay=stay and renumber)
    report = vandal.case.verified()
    if position == last and kind != "acknowledgement":
        assert report.findings == (), "nothing but its seal ever knew of it, and that went with it"
        return
    assert report.findings[0].position == position
    assert report.findings[0].what in ((What.CUT_OFF,) if position == last else (What.REMOVED,))


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    position=st.integers(0, 53), copied=st.integers(0, 52), seal=st.sampled_from([None, bytes(32)]), stay=st.booleans()
)
def test_any_inserted_entry_is_found(
    vandal: Vandal, position: int, copied: int, seal: bytes | None, stay: bool
) -> None:
    vandal.begin()
    with vandal.case.forger() as forger:
        position = min(position, forger.size)
        forger.insert(position, forger.said(copied), seal=seal, seals_stay=stay)
    found = vandal.case.verified().findings[0]
    assert (found.what, found.position) == (What.INSERTED, position)
