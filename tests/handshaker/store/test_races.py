"""Two at once, and late comers: leases, nonces, destroyed signatures, walks and contradictions."""

from __future__ import annotations

from datetime import timedelta

import pytest

from handshaker.messages import Attempt, Block, Conclusion, Effect, Refusal, Verdict, VerdictKind
from handshaker.store.queue import LEASE
from tests.instances import Instance

NO = Verdict(VerdictKind.INVALID, "not-permitted", {})
SECOND = timedelta(seconds=1)


def test_what_one_worker_holds_no_other_takes_until_its_lease_is_over(own_hospital: Instance) -> None:
    own_hospital.measure()
    queue, now = own_hospital.handshaker.store.queue, own_hospital.clock.now()
    (held,) = queue.take("a", now, 10)
    assert queue.take("b", now, 10) == []
    assert queue.take("a", now, 10) == [], "not even the same one again"
    assert queue.take("b", now + LEASE - SECOND, 10) == []
    (taken,) = queue.take("b", now + LEASE, 10)
    assert taken.call == held.call


def test_the_next_life_of_a_worker_gets_back_what_it_held(own_hospital: Instance) -> None:
    own_hospital.measure()
    queue, now = own_hospital.handshaker.store.queue, own_hospital.clock.now()
    queue.take("a", now, 10)
    queue.release_all("b")
    assert queue.take("a", now, 10) == []
    queue.release_all("a")
    assert len(queue.take("a", now, 10)) == 1


def test_who_lost_the_lease_gets_no_nonce(own_hospital: Instance) -> None:
    own_hospital.measure()
    store, now = own_hospital.handshaker.store, own_hospital.clock.now()
    (waiting,) = store.queue.take("slow", now, 10)
    statements = [(waiting.call.ti_id, waiting.call.statement_hash)]
    store.queue.take("quick", now + LEASE, 10)
    assert store.network.allocate("0xslow", 0, statements, 1, "slow", now) is None
    carried = store.network.allocate("0xquick", 0, statements, 1, "quick", now)
    assert carried is not None
    assert carried.statements == (waiting.call.statement_hash,)
    assert store.network.allocate("0xquick", 0, statements, 1, "quick", now) is None, "it is in flight"


def test_a_signature_that_left_meanwhile_is_not_destroyed_and_its_ti_stays_open(own_hospital: Instance) -> None:
    """A slow worker means to conclude what a quick one has just sent."""
    submission = own_hospital.measure()
    store, now = own_hospital.handshaker.store, own_hospital.clock.now()
    (late,) = store.queue.take("slow", now, 10)
    store.queue.take("quick", now + LEASE, 10)
    carried = store.network.allocate("0xquick", 0, [(late.call.ti_id, late.call.statement_hash)], 1, "quick", now)
    assert carried is not None
    conclusion = Conclusion(late.call.ti_id, NO, destroy_signature=True)
    assert store.audit.conclude([conclusion], now) == []
    store.network.add_attempt(carried.network_id, Attempt(b"hash", b"raw", 1, 1), now)
    assert store.audit.conclude([conclusion], now) == []
    assert own_hospital.ack(submission) is None
    assert store.network.calls([late.call.statement_hash]) != {}


def test_a_conclusion_comes_once_however_often_it_is_drawn(own_hospital: Instance) -> None:
    submission = own_hospital.measure()
    store, now = own_hospital.handshaker.store, own_hospital.clock.now()
    conclusion = Conclusion(submission.ti_id, NO, destroy_signature=True)
    (first,) = store.audit.conclude([conclusion, conclusion], now)
    assert store.audit.conclude([conclusion], now) == []
    other = Conclusion(submission.ti_id, Verdict(VerdictKind.VALID, "effect", {}))
    assert store.audit.conclude([other], now) == []
    assert own_hospital.ack(submission) == first
    assert store.queue.counts() == {}
    assert own_hospital.kinds(submission) == ["received", "invalid"]


def test_a_nonce_is_taken_once_and_none_is_left_out(own_hospital: Instance) -> None:
    network, now = own_hospital.handshaker.store.network, own_hospital.clock.now()
    taken = [network.allocate("0xr", 3, [], 21_000, "a", now) for _ in range(3)]
    assert [transaction.nonce for transaction in taken if transaction] == [3, 4, 5]
    later = network.allocate("0xr", 9, [], 21_000, "a", now)
    assert later is not None
    assert later.nonce == 9, "what the chain has counted is never used again"
    other = network.allocate("0xother", 0, [], 21_000, "a", now)
    assert other is not None
    assert other.nonce == 0


def test_nonces_that_a_fork_gave_back_are_open_again(own_hospital: Instance) -> None:
    network, now = own_hospital.handshaker.store.network, own_hospital.clock.now()
    taken = [network.allocate("0xr", 0, [], 21_000, "a", now) for _ in range(4)]
    for transaction in taken:
        assert transaction is not None
        network.settle(transaction, "mined", now)
    assert network.unsettled("0xr") == []
    assert network.reopen("0xr", 2) == 2
    assert network.reopen("0xr", 2) == 0
    assert [transaction.nonce for transaction in network.unsettled("0xr")] == [2, 3]
    new = network.allocate("0xr", 2, [], 21_000, "a", now)
    assert new is not None
    assert new.nonce == 4


def test_attempts_are_all_remembered_cheapest_first(own_hospital: Instance) -> None:
    network, now = own_hospital.handshaker.store.network, own_hospital.clock.now()
    transaction = network.allocate("0xr", 0, [], 21_000, "a", now)
    assert transaction is not None
    for fee in (10, 12, 14):
        network.add_attempt(transaction.network_id, Attempt(bytes([fee]), b"raw", fee, 1), now)
    (found,) = network.unsettled("0xr")
    assert [attempt.max_fee for attempt in found.attempts] == [10, 12, 14]


def test_urgent_statements_come_first_and_the_others_in_order(own_hospital: Instance) -> None:
    first, second = own_hospital.measure(), own_hospital.measure()
    revoke = {"grantee": "organisation/2", "purpose": "TREAT"}
    urgent = own_hospital.submit(own_hospital.silent, "consent-revoke", revoke)
    taken = own_hospital.handshaker.store.queue.take("a", own_hospital.clock.now(), 10)
    assert [waiting.call.ti_id for waiting in taken] == [urgent.ti_id, first.ti_id, second.ti_id]


def test_what_was_refused_is_looked_at_after_what_is_new(own_hospital: Instance) -> None:
    old = own_hospital.measure()
    queue, now = own_hospital.handshaker.store.queue, own_hospital.clock.now()
    queue.take("a", now, 10)
    queue.set_aside("a", [old.ti_id], now, None, Refusal("NotPermitted"))
    new = own_hospital.measure()
    later = own_hospital.clock.now() + SECOND
    taken = [queue.take("a", later, 1)[0] for _ in range(2)]
    assert [waiting.call.ti_id for waiting in taken] == [new.ti_id, old.ti_id]
    assert (taken[1].refusal, taken[1].checks) == (Refusal("NotPermitted"), 1)


# ---- the walk ------------------------------------------------------------------------------------------------------


def after(tip: Block, *, branch: int = 0) -> Block:
    return Block(tip.number + 1, bytes([tip.number % 256, branch]) * 16, tip.hash, tip.timestamp + 1)


def effect_of(block: Block, statement: bytes, index: int = 0) -> Effect:
    return Effect(statement, "HealthRecords", "Recorded", {}, block.number, block.hash, bytes(32), index)


@pytest.fixture
def tip(own_hospital: Instance) -> Block:
    own_hospital.steps(1)
    found = own_hospital.handshaker.store.chain_view.tip()
    assert found is not None
    return found


def test_of_two_that_walk_at_once_one_is_told_that_it_came_late(own_hospital: Instance, tip: Block) -> None:
    view = own_hospital.handshaker.store.chain_view
    block = after(tip)
    assert view.extend([block], [effect_of(block, b"s" * 32)])
    assert not view.extend([block], [effect_of(block, b"s" * 32)])
    assert not view.extend([after(tip, branch=1)], []), "nor on another branch"
    assert view.tip() == block


def test_a_gap_is_never_walked_over(own_hospital: Instance, tip: Block) -> None:
    view = own_hospital.handshaker.store.chain_view
    assert not view.extend([after(after(tip))], [])
    assert view.tip() == tip


def test_a_fork_is_contradicted_once_by_whoever_sees_it_first(own_hospital: Instance, tip: Block) -> None:
    store, now = own_hospital.handshaker.store, own_hospital.clock.now()
    ack = own_hospital.handshaker.store.audit.latest(1)[0]
    assert ack.block_number is not None
    size = len(store.log.entries(0, 10**9))
    contradicted = store.chain_view.roll_back(tip, ack.block_number - 1, now)
    assert contradicted == [ack.ti_id]
    assert store.chain_view.roll_back(tip, ack.block_number - 1, now) == [], "another worker, a moment later"
    assert len(store.log.entries(0, 10**9)) == size + 1
    assert store.audit.acknowledgement(ack.ti_id) == ack


def test_one_statement_is_one_ti_for_two_indexers_too(own_hospital: Instance, tip: Block) -> None:
    from handshaker.messages import InitialTransaction, Origin

    view = own_hospital.handshaker.store.chain_view
    block = after(tip)
    effect = effect_of(block, b"t" * 32)
    ids = []
    for ti_id in ("one", "two"):
        ti = InitialTransaction(
            ti_id, "HealthRecords.Recorded", 0, "a", None, {}, f"chain/{ti_id}", own_hospital.clock.now(), Origin.CHAIN
        )
        ids.append(view.adopt(ti, effect, "record", ""))
    assert ids == ["one", "one"]


def test_a_second_effect_of_one_statement_is_seen(own_hospital: Instance, tip: Block) -> None:
    store = own_hospital.handshaker.store
    ack = store.audit.latest(1)[0]
    assert ack.statement_hash is not None
    block = after(tip)
    store.chain_view.extend([block], [effect_of(block, ack.statement_hash)])
    found = store.chain_view.unsettled_effects(tip.number, block.number)
    assert [(effect.block_number, ti_id) for effect, ti_id in found] == [(block.number, ack.ti_id)]
    assert store.chain_view.unsettled_effects(0, tip.number) == [], "what is an ACK's evidence is done with"
