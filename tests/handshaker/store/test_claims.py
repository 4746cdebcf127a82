"""A worker's name belongs to one process, wherever the others run, and whoever loses it is told."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from typing import Any

import pytest
import sqlalchemy as sa

from handshaker.errors import StoreUnavailable
from handshaker.store.sql_store import SqlStore
from handshaker.worker_lock import WorkerRunning, claim
from tests.databases import Databases
from tests.instances import Instance

pytestmark = pytest.mark.postgresql


@pytest.fixture
def elsewhere(own_hospital: Instance) -> Iterator[SqlStore]:
    """The same database, from another machine."""
    store = SqlStore.open(own_hospital.handshaker.settings.store)
    yield store
    store.close()


def claims(store: SqlStore) -> list[int]:
    """The processes of the server that hold a worker's name."""
    query = (
        "SELECT pid FROM pg_locks WHERE locktype = 'advisory' AND granted"
        " AND database = (SELECT oid FROM pg_database WHERE datname = current_database())"
    )
    with store._database.read() as connection:
        return list(connection.execute(sa.text(query)).scalars())


def cut(databases: Databases, store: SqlStore) -> None:
    """End the sessions that hold names, as a server that restarts would."""
    assert databases.server is not None
    for pid in claims(store):
        databases.server.execute(f"SELECT pg_terminate_backend({pid}, 5000)")


def test_a_name_is_taken_once_and_free_when_it_is_let_go(own_hospital: Instance, elsewhere: SqlStore) -> None:
    ours, theirs = own_hospital.handshaker.store.claim("worker-1"), elsewhere.claim("worker-1")
    assert ours.is_ours()
    assert ours.is_ours(), "still"
    assert not theirs.is_ours()
    assert elsewhere.claim("worker-2").is_ours(), "another name is another's"
    ours.release()
    assert theirs.is_ours()
    assert not ours.is_ours()
    theirs.release()


def test_on_two_machines_only_one_worker_of_a_name_runs(
    own_hospital: Instance, elsewhere: SqlStore, tmp_path_factory: pytest.TempPathFactory
) -> None:
    settings, store = own_hospital.handshaker.settings, own_hospital.handshaker.store
    other_machine = tmp_path_factory.mktemp("machine")
    with (
        claim(settings.instance, "worker-1", store),
        pytest.raises(WorkerRunning, match="runs already"),
        claim(other_machine, "worker-1", elsewhere),
    ):
        pass
    with claim(other_machine, "worker-1", elsewhere):
        pass
    assert claims(store) == []


def test_health_sees_a_worker_on_another_machine(
    own_hospital: Instance, elsewhere: SqlStore, tmp_path_factory: pytest.TempPathFactory
) -> None:
    def is_worked() -> bool:
        return next(check.is_ok for check in own_hospital.handshaker.health.ready() if check.name == "worker")

    with claim(tmp_path_factory.mktemp("machine"), "worker-1", elsewhere):
        assert is_worked()
    assert not is_worked()


def test_whoever_lost_the_connection_takes_the_name_again_if_it_is_free(
    own_hospital: Instance, databases: Databases
) -> None:
    store = own_hospital.handshaker.store
    with claim(own_hospital.handshaker.settings.instance, "worker-1", store) as confirm:
        cut(databases, store)
        assert claims(store) == []
        confirm()
        assert len(claims(store)) == 1


def test_whoever_lost_the_name_to_another_is_told_until_it_is_free(
    own_hospital: Instance, elsewhere: SqlStore, databases: Databases
) -> None:
    store = own_hospital.handshaker.store
    theirs = elsewhere.claim("worker-1")
    with claim(own_hospital.handshaker.settings.instance, "worker-1", store) as confirm:
        cut(databases, store)
        assert theirs.is_ours()
        for _ in range(2):
            with pytest.raises(WorkerRunning):
                confirm()
        theirs.release()
        confirm()


def test_a_running_worker_that_lost_its_name_works_no_more_until_it_has_it_back(
    own_hospital: Instance, elsewhere: SqlStore, databases: Databases, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("handshaker.worker.TROUBLE_PAUSE", 0.01)
    store, stop, refusals, passes = own_hospital.handshaker.store, threading.Event(), [], []
    theirs, worker = elsewhere.claim("worker-1"), own_hospital.worker
    submission = own_hospital.measure()

    with claim(own_hospital.handshaker.settings.instance, "worker-1", store) as confirm:
        cut(databases, store)
        assert theirs.is_ours()

        def watched() -> None:
            try:
                confirm()
            except WorkerRunning:
                refusals.append(len(own_hospital.kinds(submission)))
                if len(refusals) == 3:
                    theirs.release()
                raise
            passes.append(1)
            if own_hospital.ack(submission) is not None or len(passes) > 200:
                stop.set()

        worker.run(stop, watched)
    assert refusals == [1, 1, 1], "nothing but its arrival had happened to it"
    assert own_hospital.acknowledged(submission).code == "effect"


def test_who_takes_a_reading_sees_the_consent_that_another_worker_is_just_taking(
    own_hospital: Instance, elsewhere: SqlStore
) -> None:
    """The first one stops in the middle of its transaction until the second one waits for it, or is through."""
    own_hospital.consent(own_hospital.silent)
    reading, patient = own_hospital.measure(own_hospital.silent), own_hospital.silent.actor.actor_id
    store, now = own_hospital.handshaker.store, own_hospital.clock.now()
    through, found = threading.Event(), list[Any]()

    def second() -> None:
        found.extend(waiting.call.ti_id for waiting in elsewhere.queue.take("second", now, 10))
        found.append(elsewhere.queue.busy_patients("second", now, [patient]))
        through.set()

    follower = threading.Thread(target=second)

    def pause(_connection: object, _cursor: object, statement: str, *_: object) -> None:
        if statement.startswith("UPDATE queue") and not follower.is_alive():
            follower.start()
            while not through.wait(0.01) and not is_waited_for(store):
                pass

    sa.event.listen(store._database.engine, "after_cursor_execute", pause)
    (taken,) = store.queue.take("first", now, 1)
    follower.join()
    assert taken.call.ti_id != reading.ti_id
    assert found == [reading.ti_id, {patient}]


def is_waited_for(store: SqlStore) -> bool:
    query = "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'"
    with store._database.engine.connect() as connection:
        return bool(connection.execute(sa.text(query)).scalar_one())


# ---- trouble of the server -----------------------------------------------------------------------------------------


def test_a_connection_that_was_lost_while_it_lay_idle_is_replaced(own_hospital: Instance, databases: Databases) -> None:
    store = own_hospital.handshaker.store
    assert databases.server is not None
    store.queue.counts()
    name = store._database.engine.url.database
    databases.server.execute(f"SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity WHERE datname = '{name}'")
    assert store.queue.counts() == {}


def lose_connection(connection: sa.Connection) -> None:
    connection.execute(sa.text("SELECT pg_terminate_backend(pg_backend_pid())"))


def wait_too_long(connection: sa.Connection) -> None:
    connection.execute(sa.text("SET LOCAL lock_timeout = '20ms'"))
    connection.execute(sa.text("SELECT pg_advisory_xact_lock(7349002)"))


def fail_to_serialise(connection: sa.Connection) -> None:
    connection.execute(sa.text("DO $$ BEGIN RAISE EXCEPTION 'x' USING ERRCODE = 'serialization_failure'; END $$"))


def meet_a_deadlock(connection: sa.Connection) -> None:
    connection.execute(sa.text("DO $$ BEGIN RAISE EXCEPTION 'x' USING ERRCODE = 'deadlock_detected'; END $$"))


def write_where_one_may_only_read(connection: sa.Connection) -> None:
    connection.execute(sa.text("SET TRANSACTION READ ONLY"))
    connection.execute(sa.text("DELETE FROM queue"))


def find_the_disk_full(connection: sa.Connection) -> None:
    connection.execute(sa.text("DO $$ BEGIN RAISE EXCEPTION 'x' USING ERRCODE = 'disk_full'; END $$"))


@pytest.mark.parametrize(
    "trouble",
    [
        lose_connection,
        wait_too_long,
        fail_to_serialise,
        meet_a_deadlock,
        write_where_one_may_only_read,
        find_the_disk_full,
    ],
)
def test_trouble_of_the_server_is_unavailable_and_the_next_request_works(
    own_hospital: Instance, trouble: Callable[[sa.Connection], None]
) -> None:
    database = own_hospital.handshaker.store._database
    with database.engine.begin() as other:
        other.execute(sa.text("SELECT pg_advisory_xact_lock(7349002)"))
        with pytest.raises(StoreUnavailable), database.write() as connection:
            trouble(connection)
    assert own_hospital.acknowledged(own_hospital.measure()).code == "effect"


def test_a_stopped_process_in_a_transaction_holds_up_the_others_for_a_minute_at_most(own_hospital: Instance) -> None:
    with own_hospital.handshaker.store._database.read() as connection:
        found = {
            name: connection.execute(sa.text(f"SHOW {name}")).scalar()
            for name in ("lock_timeout", "idle_in_transaction_session_timeout", "transaction_isolation")
        }
    assert found == {
        "lock_timeout": "30s",
        "idle_in_transaction_session_timeout": "1min",
        "transaction_isolation": "repeatable read",
    }


def test_what_a_reader_reads_is_of_one_moment(own_hospital: Instance) -> None:
    count = sa.text("SELECT count(*) FROM transactions")
    with own_hospital.handshaker.store._database.read() as connection:
        before = connection.execute(count).scalar_one()
        own_hospital.measure()
        assert connection.execute(count).scalar_one() == before
