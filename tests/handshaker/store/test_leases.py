"""A worker that was paused, and whose lease another one has taken meanwhile, disturbs nobody."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor

import pytest

from handshaker.messages import Conclusion, Event, EventKind, Refusal, Verdict, VerdictKind, Waiting
from handshaker.store.queue import LEASE
from tests.instances import Instance

NO = Verdict(VerdictKind.INVALID, "not-permitted", {})


@pytest.fixture
def taken_over(own_hospital: Instance) -> Waiting:
    """A reading that "slow" has leased and, when that was over, "quick"."""
    own_hospital.measure()
    queue, now = own_hospital.handshaker.store.queue, own_hospital.clock.now()
    queue.take("slow", now, 10)
    (taken,) = queue.take("quick", now + LEASE, 10)
    return taken


def test_who_lost_the_lease_sets_nothing_aside(own_hospital: Instance, taken_over: Waiting) -> None:
    store, now, ti_id = own_hospital.handshaker.store, own_hospital.clock.now(), taken_over.call.ti_id
    before = own_hospital.handshaker.store.audit.events(ti_id)
    refused = Event(ti_id, EventKind.DEFERRED, now, {"code": "NotPermitted"})
    store.queue.set_aside("slow", [ti_id], now, refused, Refusal("NotPermitted"), alone=True)
    assert store.audit.events(ti_id) == before
    assert store.queue.take("other", now + LEASE, 10) == [], "it is still the new owner's"
    carried = store.network.allocate("0xquick", 0, [(ti_id, taken_over.call.statement_hash)], 1, "quick", now)
    assert carried is not None


def test_who_lost_the_lease_shows_the_signature_to_nobody(own_hospital: Instance, taken_over: Waiting) -> None:
    store, now = own_hospital.handshaker.store, own_hospital.clock.now()
    assert store.queue.disclose("slow", [taken_over.call.ti_id]) == set()
    # So that the new owner may still destroy it, and say truly that it never left.
    (written,) = store.audit.conclude(
        [Conclusion(taken_over.call.ti_id, NO, destroy_signature=True)], now, owner="quick"
    )
    assert written.code == "not-permitted"
    assert store.queue.disclose("quick", [taken_over.call.ti_id]) == set()


def test_who_holds_the_lease_may_show_the_signature(own_hospital: Instance, taken_over: Waiting) -> None:
    store, now = own_hospital.handshaker.store, own_hospital.clock.now()
    assert store.queue.disclose("quick", [taken_over.call.ti_id]) == {taken_over.call.ti_id}
    conclusion = Conclusion(taken_over.call.ti_id, NO, destroy_signature=True)
    assert store.audit.conclude([conclusion], now, owner="quick") == [], "it has left"


def test_who_lost_the_lease_concludes_nothing_that_rests_on_the_signature(
    own_hospital: Instance, taken_over: Waiting
) -> None:
    store, now, ti_id = own_hospital.handshaker.store, own_hospital.clock.now(), taken_over.call.ti_id
    assert store.audit.conclude([Conclusion(ti_id, NO, destroy_signature=True)], now, owner="slow") == []
    assert store.network.calls([taken_over.call.statement_hash]) != {}
    expired = Conclusion(ti_id, Verdict(VerdictKind.INVALID, "statement-expired", {}))
    (written,) = store.audit.conclude([expired], now, owner="slow")
    assert written.code == "statement-expired", "what is true whoever says it"


def test_a_paused_life_of_a_worker_finds_no_lease_of_the_next_one(own_hospital: Instance) -> None:
    submission = own_hospital.measure()
    store, now = own_hospital.handshaker.store, own_hospital.clock.now()
    paused, queue = own_hospital.handshaker.worker(), store.queue
    queue.take(paused._lease, now, 10)
    # What the next process of this name does first.
    queue.release_all("worker-1")
    following = own_hospital.handshaker.worker()
    (taken,) = queue.take(following._lease, now, 10)
    statements = [(taken.call.ti_id, taken.call.statement_hash)]
    assert store.network.allocate("0xr", 0, statements, 1, paused._lease, now) is None
    queue.set_aside(paused._lease, [taken.call.ti_id], now)
    queue.release_all(paused._lease)
    assert store.network.allocate("0xr", 0, statements, 1, following._lease, now) is not None
    assert own_hospital.kinds(submission) == ["received"]


def test_names_that_begin_alike_release_only_their_own(own_hospital: Instance) -> None:
    own_hospital.measure()
    queue, now = own_hospital.handshaker.store.queue, own_hospital.clock.now()
    queue.take("worker-10/aa", now, 10)
    for other in ("worker-1", "worker-10/a", "worker_10"):
        queue.release_all(other)
    assert queue.take("another", now, 10) == []
    queue.release_all("worker-10")
    assert len(queue.take("another", now, 10)) == 1


def test_of_many_workers_that_take_at_once_each_row_goes_to_one(own_hospital: Instance) -> None:
    submitted = {own_hospital.measure().ti_id for _ in range(24)}
    queue, now = own_hospital.handshaker.store.queue, own_hospital.clock.now()
    start = threading.Barrier(4)

    def take(number: int) -> list[str]:
        start.wait()
        found: list[str] = []
        while batch := queue.take(f"w{number}", now, 3):
            found += [waiting.call.ti_id for waiting in batch]
        return found

    with ThreadPoolExecutor(4) as pool:
        taken = [ti_id for found in pool.map(take, range(4)) for ti_id in found]
    assert sorted(taken) == sorted(submitted)
