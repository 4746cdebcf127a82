"""An older backup: what was lost is said position by position, and the log goes on openly or not at all."""

from __future__ import annotations

import json

import pytest

from handshaker.audit.errors import LogHeld
from handshaker.audit.merkle import CompactRange
from handshaker.backup import LossTooLarge, Restored, accept_loss, look, reconciling
from handshaker.errors import RoleNotAllowed
from tests.handshaker.backup.drill import Drill, anchor_elsewhere, unheard
from tests.instances import Instance


def lost(drill: Drill) -> Restored:
    """Back up, work on, let that be anchored, and restore."""
    drill.anchor()
    folder, _ = drill.back_up()
    for _ in range(3):
        drill.instance.measure()
    drill.instance.drain()
    drill.instance.measure(drill.instance.silent)
    drill.instance.drain()
    drill.anchor()
    return drill.restore(folder)


def assert_nonces_are_dense(instance: Instance) -> None:
    relayer = instance.handshaker.vault.create_relayer("worker-1")
    with instance.handshaker.store._database.read() as connection:
        query = f"SELECT nonce FROM network_transactions WHERE relayer = '{relayer}' ORDER BY nonce"
        nonces = connection.exec_driver_sql(query).scalars().all()
    assert list(nonces) == list(range(instance.handshaker.chain.nonce(relayer)))


def test_it_is_said_exactly_what_the_backup_does_not_know(drill: Drill) -> None:
    restored = lost(drill)
    found, kept = restored.reconciliation, restored.manifest.log_size
    anchored = drill.instance.handshaker.chain.anchored()
    assert found.is_held
    assert (found.log.state, found.log.kept, found.log.anchored) == ("behind", kept, anchored)
    assert found.log.missing == anchored.size - kept
    assert 0 < found.log.common < kept, "the last anchor before the backup"
    assert found.log.last_kept_at is not None
    assert found.log.anchored_at is not None
    assert found.effects is not None
    assert found.effects.unknown == {"HealthRecords.Recorded": 3}
    assert found.effects.known == {}
    assert found.records_without_payload == 3
    (nonces,) = found.nonces
    assert nonces.lost == nonces.used - restored.manifest.relayers["worker-1"].highest_nonce - 1 > 0  # type: ignore[operator]


def test_before_it_is_accepted_nothing_can_be_appended_by_anybody(drill: Drill) -> None:
    lost(drill)
    instance, size = drill.instance, drill.instance.handshaker.store.log.size()
    leaves, anchored = drill.leaves(), instance.handshaker.chain.anchored()
    with pytest.raises(LogHeld):
        instance.measure()
    with pytest.raises(LogHeld):
        instance.measure(payload={"resourceType": "Observation"})
    for _ in range(3):
        with pytest.raises(LogHeld):
            instance.worker.step()
    with pytest.raises(LogHeld):
        instance.handshaker.check_log()
    assert instance.handshaker.store.log.size() == size
    assert drill.leaves() == leaves
    assert instance.handshaker.chain.anchored() == anchored
    assert drill.rows(
        "SELECT count(*) FROM transactions WHERE received_at > (SELECT max(written_at) FROM audit_entries)"
    ) == [(0,)]


def test_it_stays_held_when_everything_is_started_again(drill: Drill) -> None:
    lost(drill)
    drill.stop()
    drill.start()
    with pytest.raises(LogHeld):
        drill.instance.measure()
    assert look(drill.instance.handshaker).is_held


def test_only_an_administrator_accepts_a_loss(drill: Drill) -> None:
    lost(drill)
    for person in (drill.instance.nurse, drill.instance.consented):
        with pytest.raises(RoleNotAllowed):
            accept_loss(drill.instance.handshaker, person, unheard)
    assert drill.instance.handshaker.store.log.held() is not None


def test_once_accepted_every_lost_position_says_so_and_the_log_goes_on(drill: Drill) -> None:
    restored = lost(drill)
    kept, before = restored.manifest.log_size, drill.leaves()
    anchored = drill.instance.handshaker.chain.anchored()
    found = drill.accept()
    log = drill.instance.handshaker.store.log
    assert drill.leaves()[:kept] == before
    missing = anchored.size - kept
    assert drill.kinds(kept)[: missing + 1] == ["lost"] * missing + ["restore"]
    assert found.declared_at == anchored.size
    declared = log.entry_at(anchored.size)
    assert declared is not None
    leaf = json.loads(declared.leaf)
    assert (leaf["common"], leaf["kept"]) == (found.log.common, kept)
    assert (leaf["anchoredSize"], leaf["anchoredRoot"]) == (anchored.size, "0x" + anchored.root.hex())
    assert leaf["actor"] == drill.instance.administrator.actor.actor_id
    tree = CompactRange()
    tree.extend(log.leaf_hashes(0, found.log.common))
    assert tree.root() in {anchor.head.root for anchor in log.anchors() if anchor.head.size == found.log.common}
    assert log.held() is None


def test_after_that_anchoring_goes_on_and_the_new_branch_is_proven(drill: Drill) -> None:
    lost(drill)
    before = drill.instance.handshaker.chain.anchored()
    drill.accept()
    drill.instance.acknowledged(drill.instance.measure())
    anchored = drill.anchor()
    assert anchored.size > before.size
    tree = CompactRange()
    tree.extend(drill.leaves())
    assert anchored.root == tree.root()
    drill.stop()
    drill.start()
    drill.instance.steps(2)
    drill.instance.handshaker.check_log()


def test_what_took_effect_meanwhile_is_acknowledged_at_once(drill: Drill) -> None:
    drill.anchor()
    waiting = drill.instance.measure()
    folder, _ = drill.back_up()
    drill.instance.drain()
    drill.instance.acknowledged(drill.instance.measure())
    drill.anchor()
    restored = drill.restore(folder)
    effects = restored.reconciliation.effects
    assert effects is not None
    assert effects.known == {"vital-signs": 1}
    assert effects.unknown == {"HealthRecords.Recorded": 1}
    assert drill.instance.ack(waiting) is None
    found = drill.accept()
    ack = drill.instance.ack(waiting)
    assert ack is not None
    assert ack.code == "effect"
    assert found.acknowledged == 2
    (adopted,) = drill.rows("SELECT template FROM transactions WHERE origin = 'chain'")
    assert adopted == ("HealthRecords.Recorded",)


def test_nonces_that_the_backup_does_not_know_are_written_as_lost(drill: Drill) -> None:
    restored = lost(drill)
    (nonces,) = restored.reconciliation.nonces
    drill.accept()
    found = drill.rows("SELECT count(*), min(nonce), max(nonce) FROM network_transactions WHERE outcome = 'lost'")
    assert found == [(nonces.lost, nonces.first, nonces.used - 1)]
    assert_nonces_are_dense(drill.instance)
    drill.instance.acknowledged(drill.instance.measure())
    assert_nonces_are_dense(drill.instance)


def test_what_was_open_may_be_invalid_by_now_and_is_never_sent(drill: Drill) -> None:
    drill.anchor()
    silent, consented = drill.instance.measure(drill.instance.silent), drill.instance.measure()
    folder, _ = drill.back_up()
    # Acknowledged as invalid, its signature destroyed; then the patient allows it.
    assert drill.instance.acknowledged(silent).code == "not-permitted"
    drill.instance.acknowledged(drill.instance.consent(drill.instance.silent))
    drill.anchor()
    took_effect = drill.instance.ack(consented)
    assert took_effect is not None
    drill.restore(folder)
    found = drill.accept()
    assert (found.open_work.withheld, found.open_work.going_on) == (1, 0)
    assert found.open_work.until is not None
    again = drill.instance.ack(consented)
    assert again is not None
    assert again.transaction_hash == took_effect.transaction_hash
    drill.instance.steps(10)
    assert drill.instance.ack(silent) is None
    drill.instance.travel(int((found.open_work.until - drill.instance.clock.now()).total_seconds()) + 5)
    drill.instance.drain()
    ack = drill.instance.ack(silent)
    assert ack is not None
    assert ack.code == "statement-expired"
    assert "sent" not in drill.instance.kinds(silent)
    assert drill.rows(
        f"SELECT count(*) FROM network_items i JOIN statements s USING (statement_hash) "
        f"WHERE s.ti_id = '{silent.ti_id}'"
    ) == [(0,)]


def test_a_revocation_that_was_open_goes_on_at_once(drill: Drill) -> None:
    drill.anchor()
    payload = {"grantee": "organisation/1", "purpose": "TREAT"}
    revocation = drill.instance.submit(drill.instance.consented, "consent-revoke", payload)
    folder, _ = drill.back_up()
    worker = drill.instance.handshaker.store.queue.take("nobody", drill.instance.clock.now(), 10)
    assert [each.call.ti_id for each in worker] == [revocation.ti_id]
    drill.back_up("another")
    drill.anchor_without_carrying()
    restored = drill.restore(folder)
    assert restored.reconciliation.is_held
    found = drill.accept()
    assert (found.open_work.withheld, found.open_work.going_on) == (0, 1)
    assert drill.instance.acknowledged(revocation).code == "effect"


def test_what_was_in_flight_without_bytes_is_withheld_when_its_nonce_was_used_for_something_else(drill: Drill) -> None:
    drill.anchor()
    waiting, handshaker = drill.instance.measure(), drill.instance.handshaker
    relayer, now = handshaker.vault.create_relayer("worker-1"), drill.instance.clock.now()
    (taken,) = handshaker.store.queue.take("worker-1", now, 10)
    call = (taken.call.ti_id, taken.call.statement_hash)
    floor = handshaker.chain.nonce(relayer)
    assert handshaker.store.network.allocate(relayer, floor, [call], 500_000, "worker-1", now) is not None
    folder, _ = drill.back_up()
    # The life that goes on loses that transaction, and anchors with its nonce.
    anchor_elsewhere(drill, relayer, handshaker.store.log.size() + 5)
    drill.restore(folder)
    found = drill.accept()
    assert found.open_work.withheld == 1
    drill.instance.steps(10)
    assert drill.rows("SELECT state FROM queue") == [("withheld",)]
    assert drill.instance.ack(waiting) is None
    assert "sent" not in drill.instance.kinds(waiting)
    assert drill.rows(
        f"SELECT count(*) FROM effects e JOIN statements s USING (statement_hash) WHERE s.ti_id = '{waiting.ti_id}'"
    ) == [(0,)]


def test_more_than_ten_million_positions_are_not_declared(drill: Drill, monkeypatch: pytest.MonkeyPatch) -> None:
    restored = lost(drill)
    monkeypatch.setattr(reconciling, "MOST_LOST", restored.reconciliation.log.missing - 1)
    with pytest.raises(LossTooLarge) as refused:
        drill.accept()
    assert refused.value.data["lost"] == restored.reconciliation.log.missing
    assert drill.instance.handshaker.store.log.size() == restored.manifest.log_size


def test_an_acceptance_that_was_killed_goes_on_where_it_was(drill: Drill, monkeypatch: pytest.MonkeyPatch) -> None:
    restored = lost(drill)
    monkeypatch.setattr(reconciling, "_BATCH", 1)
    kept, anchored = restored.manifest.log_size, drill.instance.handshaker.chain.anchored()

    class Killed(BaseException):
        pass

    heard = []

    def die(what: str, done: int, of: int) -> None:
        heard.append(done)
        if done == 2:
            raise Killed

    with pytest.raises(Killed):
        accept_loss(drill.instance.handshaker, drill.instance.administrator, die)
    assert drill.instance.handshaker.store.log.size() == kept + 2
    with pytest.raises(LogHeld):
        drill.instance.measure()
    found = drill.accept()
    assert found.log.kept == kept
    assert drill.kinds(kept)[: anchored.size - kept + 1] == ["lost"] * (anchored.size - kept) + ["restore"]
    drill.instance.acknowledged(drill.instance.measure())
    drill.anchor()
