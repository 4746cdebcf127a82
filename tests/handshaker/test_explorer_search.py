"""The explorer's search meets every TI that fits, once and in order, and reads no more than it shows."""

from __future__ import annotations

import secrets
import uuid
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import sqlalchemy as sa
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from handshaker.clock import SystemClock
from handshaker.codes import code_of, error_of
from handshaker.errors import CursorInvalid
from handshaker.ethereum.contracts import errors
from handshaker.explorer import Explorer, Page
from handshaker.store import schema as s
from handshaker.store.sql_store import SqlStore
from tests.databases import Databases, unguarded
from tests.instances import Instance, hospital, own_hospital, pattern_hospital

__all__ = ["hospital", "own_hospital", "pattern_hospital"]

START = datetime(2026, 11, 1, tzinfo=UTC)
ACTORS = tuple("0x" + digit * 32 for digit in "ab")
PATIENTS = tuple("0x" + digits * 32 for digits in ("12", "1f", "aa"))
OPEN = ("received", "sent", "deferred", "mined", "requeued")
DONE = ("valid", "invalid", "contradicted")
CODES = ("effect", "not-permitted", "implausible")


@dataclass(frozen=True)
class Made:
    """A TI as a test lays it into the tables."""

    ti_id: str
    at: datetime
    status: str
    code: str
    actor: str
    patient: str | None
    template: str
    version: int
    is_queued: bool


made = st.builds(
    Made,
    ti_id=st.uuids(version=4).map(str),
    # Few different moments, so that several TIs share one.
    at=st.integers(0, 5).map(lambda hours: START + timedelta(hours=hours)),
    status=st.sampled_from(OPEN + DONE),
    code=st.sampled_from(CODES),
    actor=st.sampled_from(ACTORS),
    patient=st.sampled_from((*PATIENTS, None)),
    template=st.sampled_from(("vital-signs", "clinical-note")),
    version=st.integers(1, 2),
    is_queued=st.booleans(),
)
wanted = st.fixed_dictionaries(
    {},
    optional={
        "status": st.sampled_from(OPEN + DONE),
        "reason": st.sampled_from(CODES),
        "actor_id": st.sampled_from([*ACTORS, "0xA", "0x", "nobody"]),
        "patient_id": st.sampled_from([*PATIENTS, "0x1", "0x12", "0xF"]),
        "template": st.sampled_from(["vital-signs", "clinical-note@2", "clinical-note@x"]),
        "since": st.integers(0, 5).map(lambda hours: START + timedelta(hours=hours)),
        "until": st.integers(0, 5).map(lambda hours: START + timedelta(hours=hours)),
    },
)


@pytest.fixture(scope="module")
def store(databases: Databases, tmp_path_factory: pytest.TempPathFactory) -> Iterator[SqlStore]:
    store = SqlStore.open(databases.store_url(tmp_path_factory.mktemp("store")))
    with unguarded(store):
        pass
    yield store
    store.close()


def explorer_of(store: SqlStore, found: list[Made]) -> Explorer:
    """The explorer of a store that holds exactly these TIs."""
    with store._database.write() as connection:
        for table in s.metadata.sorted_tables[::-1]:
            connection.execute(sa.delete(table))
        for position, each in enumerate(found):
            _lay(connection, each, position)
    return Explorer(store, SystemClock())


def _lay(connection: sa.Connection, each: Made, position: int) -> None:
    kinds = ["received", *(["valid"] if each.status == "contradicted" else []), each.status]
    connection.execute(
        sa.insert(s.transactions).values(
            ti_id=each.ti_id,
            origin="api",
            template=each.template,
            template_version=each.version,
            actor_id=each.actor,
            patient_id=each.patient,
            idempotency_key=secrets.token_hex(32),
            received_at=each.at,
        )
    )
    connection.execute(
        sa.insert(s.events), [{"ti_id": each.ti_id, "kind": kind, "at": each.at, "data": {}} for kind in kinds]
    )
    statement = uuid.UUID(each.ti_id).bytes * 2
    # Queued, or come from the chain a moment ago.
    connection.execute(
        sa.insert(s.statements).values(
            statement_hash=statement,
            ti_id=each.ti_id,
            contract="HealthRecords",
            function="record",
            words=bytes(224) if each.is_queued else None,
            signer="0x",
            custodial=False,
        )
    )
    if each.status in DONE:
        _conclude(connection, each, position)
    elif each.is_queued:
        refusal = {"error": error_of(each.code), "arguments": {}} if each.code != "effect" else None
        connection.execute(
            sa.insert(s.queue).values(
                ti_id=each.ti_id,
                statement_hash=statement,
                state="waiting",
                urgency=1,
                available_at=each.at,
                alone=False,
                sent=False,
                refusal=refusal,
            )
        )


def _conclude(connection: sa.Connection, each: Made, position: int) -> None:
    entry_id = str(uuid.uuid4())
    connection.execute(
        sa.insert(s.acknowledgements).values(
            ti_id=each.ti_id,
            entry_id=entry_id,
            verdict="invalid" if each.status == "invalid" else "valid",
            code=each.code,
            arguments={},
            acknowledged_at=each.at,
        )
    )
    connection.execute(
        sa.insert(s.audit_entries).values(
            entry_id=entry_id, kind="acknowledgement", leaf=b"{}", leaf_hash=b"", written_at=each.at
        )
    )
    connection.execute(sa.insert(s.audit_positions).values(position=position, entry_id=entry_id))
    topic = "contradiction" if each.status == "contradicted" else "acknowledgement"
    connection.execute(sa.insert(s.outbox).values(position=position, topic=topic, ti_id=each.ti_id))


def code_now(each: Made) -> str:
    if each.status in DONE:
        return each.code
    return each.code if each.is_queued and each.code != "effect" else ""


def fits(each: Made, wanted: dict[str, Any]) -> bool:
    name, _, version = wanted.get("template", each.template).partition("@")
    return (
        wanted.get("status", each.status) == each.status
        and wanted.get("reason", code_now(each)) == code_now(each)
        and each.actor.startswith(wanted.get("actor_id", "").lower())
        and (each.patient or "").startswith(wanted.get("patient_id", "").lower())
        and name == each.template
        and version in ("", str(each.version))
        and wanted.get("since", each.at) <= each.at
        and each.at < wanted.get("until", each.at + timedelta(1))
    )


def walk(explorer: Explorer, limit: int, **wanted: Any) -> list[Page]:
    pages = [explorer.search(limit=limit, **wanted)]
    while (cursor := pages[-1].next_cursor) is not None:
        pages.append(explorer.search(limit=limit, before=cursor, **wanted))
    return pages


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(found=st.lists(made, max_size=25, unique_by=lambda each: each.ti_id), wanted=wanted, limit=st.integers(1, 9))
def test_walking_the_cursor_meets_every_ti_that_fits_exactly_once_and_newest_first(
    store: SqlStore, found: list[Made], wanted: dict[str, Any], limit: int
) -> None:
    pages = walk(explorer_of(store, found), limit, **wanted)
    expected = sorted((each for each in found if fits(each, wanted)), key=lambda each: (each.at, each.ti_id))
    rows = [row for page in pages for row in page.rows]
    assert [row.ti_id for row in rows] == [each.ti_id for each in reversed(expected)]
    assert all(len(page.rows) == limit for page in pages[:-1])
    for row, each in zip(rows, reversed(expected), strict=True):
        assert (str(row.status), row.code, row.template) == (
            each.status,
            code_now(each),
            f"{each.template}@{each.version}",
        )


@pytest.mark.sqlite
def test_a_search_reads_no_more_than_it_shows(store: SqlStore) -> None:
    each = Made(str(uuid.uuid4()), START, "valid", "effect", ACTORS[0], None, "vital-signs", 1, True)
    explorer = explorer_of(store, [each, replace(each, ti_id=str(uuid.uuid4()))])
    cursor = explorer.search(limit=1).next_cursor
    asked: list[tuple[str, Any]] = []
    sa.event.listen(store._database.engine, "before_cursor_execute", lambda *event: asked.append((event[2], event[3])))
    explorer.search(before=cursor)
    query, parameters = next(each for each in asked if "FROM transactions" in each[0])
    with store._database.read() as connection:
        plan = " ".join(str(row[-1]) for row in connection.exec_driver_sql(f"EXPLAIN QUERY PLAN {query}", parameters))
    assert "ix_transactions_received" in plan
    assert "TEMP B-TREE" not in plan
    assert "SCAN" not in plan


@pytest.mark.parametrize("cursor", ["x", "e30", "bnVsbA", "WzEsMl0", "ü", "WyIyMDI2LTExLTAxVDAwOjAwOjAwIiwiYSJd"])
def test_a_cursor_that_nobody_gave_out_is_refused(hospital: Instance, cursor: str) -> None:
    with pytest.raises(CursorInvalid):
        hospital.handshaker.explorer.search(before=cursor)


def test_a_cursor_tells_nothing_of_what_was_searched_for(hospital: Instance) -> None:
    page = hospital.handshaker.explorer.search(limit=1, patient_id=hospital.consented.actor.actor_id)
    assert page.next_cursor is not None
    assert hospital.consented.actor.actor_id not in page.next_cursor
    assert page.next_cursor.replace("-", "").replace("_", "").isalnum()


def test_every_error_of_a_contract_is_found_again_by_its_code() -> None:
    names = {item.name for item in errors().values()}
    assert {error_of(code_of(name)) for name in names} == names
