"""Whatever is killed at whatever call: the next life finishes, with one ACK and one effect for each accepted TI."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from pathlib import Path

import pytest
import sqlalchemy as sa

from handshaker.audit.errors import LogHeld
from handshaker.intake import Submission
from handshaker.messages import Head
from tests.handshaker.pipeline.crashes import Fuse, Killed, fused
from tests.instances import Instance, blood_pressure, copied


def assert_one_effect_and_one_ack(instance: Instance, submission: Submission, code: str) -> None:
    ack = instance.ack(submission)
    assert ack is not None
    assert ack.code == code
    with instance.handshaker.store._database.read() as connection:
        query = sa.text("SELECT count(*) FROM effects WHERE statement_hash = :hash")
        effects = connection.execute(query, {"hash": submission.statement_hash}).scalar_one()
        query = sa.text("SELECT count(*) FROM acknowledgements WHERE ti_id = :ti")
        assert connection.execute(query, {"ti": submission.ti_id}).scalar_one() == 1
    assert effects == (code == "effect")
    kinds = instance.kinds(submission)
    assert (kinds[0], kinds[-1]) == ("received", str(ack.kind))
    assert kinds.count(str(ack.kind)) == 1


def assert_every_nonce_is_accounted_for(instance: Instance, worker: str = "worker-1") -> None:
    """Dense from 0, each used once, as many as the chain has, all settled; the log is dense too."""
    relayer = instance.handshaker.vault.create_relayer(worker)
    with instance.handshaker.store._database.read() as connection:
        query = sa.text("SELECT nonce, outcome FROM network_transactions WHERE relayer = :relayer ORDER BY nonce")
        rows = connection.execute(query, {"relayer": relayer}).all()
        query = sa.text("SELECT position, kind FROM audit_positions JOIN audit_entries USING (entry_id) ORDER BY 1")
        log = connection.execute(query).all()
        outbox = connection.execute(sa.text("SELECT position FROM outbox ORDER BY 1")).scalars().all()
    assert [nonce for nonce, _ in rows] == list(range(len(rows)))
    assert instance.handshaker.chain.nonce(relayer) == len(rows)
    assert {outcome for _, outcome in rows} == {"mined"}
    assert [position for position, _ in log] == list(range(len(log)))
    assert outbox == [position for position, kind in log if kind in ("acknowledgement", "contradiction")]


@pytest.fixture
def anchored_hospital(pattern_hospital: Instance, tmp_path: Path) -> Iterator[Instance]:
    """A hospital whose log is anchored with every pass that has something new."""
    instance = copied(pattern_hospital, tmp_path, anchor_entries=1, anchor_seconds=0.01)
    yield instance
    instance.close()


@pytest.mark.parametrize("after", [False, True], ids=["before", "after"])
def test_a_worker_killed_at_any_call_leaves_nothing_that_the_next_cannot_finish(
    anchored_hospital: Instance, after: bool
) -> None:
    at, places = 0, set()
    while True:
        at += 1
        valid, invalid = anchored_hospital.measure(), anchored_hospital.measure(anchored_hospital.silent)
        fuse = Fuse(at, after)
        worker = fused(anchored_hospital.handshaker, fuse).worker()
        fuse.armed = True
        try:
            while anchored_hospital.handshaker.store.queue.counts():
                worker.step()
        except Killed:
            places.add(fuse.place)
            anchored_hospital.restart()
            anchored_hospital.drain()
            anchored_hospital.steps(2)
        assert_one_effect_and_one_ack(anchored_hospital, valid, "effect")
        assert_one_effect_and_one_ack(anchored_hospital, invalid, "not-permitted")
        if not fuse.place:
            break
    anchored_hospital.steps(5)
    assert_every_nonce_is_accounted_for(anchored_hospital)
    assert places >= {
        "take",
        "ask",
        "conclude",
        "allocate",
        "sign_as_relayer",
        "add_attempt",
        "send",
        "settle",
        "extend",
        "add_tiles",
        "allocate_anchor",
    }
    assert anchored_hospital.handshaker.chain.anchored().size == anchored_hospital.handshaker.store.log.size()


@pytest.mark.parametrize("after", [False, True], ids=["before", "after"])
def test_a_worker_killed_while_it_holds_the_log_leaves_it_held_or_the_next_one_holds_it(
    anchored_hospital: Instance, after: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    log, chain = anchored_hospital.handshaker.store.log, anchored_hospital.handshaker.chain
    monkeypatch.setattr(chain, "anchored", lambda: Head(log.size() + 1, bytes(32)))
    fuse = Fuse(1, after)
    dying = fused(anchored_hospital.handshaker, fuse)
    worker = dying.worker()
    fuse.armed = True
    for at in range(1, 20):
        fuse.calls, fuse.at, fuse.place = 0, at, ""
        with pytest.raises((Killed, LogHeld)):
            worker.step()
        if fuse.place == "hold":
            break
    assert fuse.place == "hold"
    assert (log.held() is not None) == after
    for _ in range(2):
        anchored_hospital.restart()
        with pytest.raises(LogHeld):
            anchored_hospital.steps(1)
    with anchored_hospital.handshaker.store._database.read() as connection:
        assert connection.execute(sa.text("SELECT reason FROM log_holds")).scalars().all() == ["behind"]


@pytest.mark.parametrize("after", [False, True], ids=["before", "after"])
def test_a_relayer_killed_at_its_first_nonce_still_spends_it_on_nothing(own_hospital: Instance, after: bool) -> None:
    chain, vault = own_hospital.handshaker.chain, own_hospital.handshaker.vault
    for at in range(1, 12):
        name = f"fresh-{at}-{after}"
        address = vault.create_relayer(name)
        own_hospital.node.transfer(own_hospital.node.funded_private_key, address, 10**18)
        fuse = Fuse(at, after)
        worker = fused(own_hospital.handshaker, fuse).worker(name)
        fuse.armed = True
        with contextlib.suppress(Killed):
            for _ in range(8):
                worker.step()
        assert fuse.place
        fresh = own_hospital.handshaker.worker(name)
        for _ in range(3):
            fresh.step()
        assert chain.nonce(address) == 1, f"killed at {fuse.place}"
        assert own_hospital.handshaker.store.network.unsettled(address) == []


@pytest.mark.parametrize("after", [False, True], ids=["before", "after"])
def test_a_request_killed_at_any_call_can_be_sent_again_and_is_one_ti(own_hospital: Instance, after: bool) -> None:
    at, places = 0, set()
    patient = own_hospital.consented.actor.actor_id
    while True:
        at += 1
        request = {
            "template": "vital-signs",
            "payload": blood_pressure(100 + at),
            "patient": patient,
            "idempotencyKey": f"request {at} {after}",
        }
        fuse = Fuse(at, after, armed=True)
        try:
            first = fused(own_hospital.handshaker, fuse).intake.submit(request, own_hospital.nurse)
        except Killed:
            places.add(fuse.place)
        again = own_hospital.handshaker.intake.submit(request, own_hospital.nurse)
        own_hospital.drain()
        assert_one_effect_and_one_ack(own_hospital, again, "effect")
        if not fuse.place:
            assert (again.ti_id, again.known) == (first.ti_id, True)
            break
    assert {"accept", "seal", "sign", "digest", "patient"} <= places
    with own_hospital.handshaker.store._database.read() as connection:
        query = (
            "SELECT count(*), count(DISTINCT idempotency_key) FROM transactions WHERE template = 'vital-signs' "
            f"AND actor_id = '{own_hospital.nurse.actor.actor_id}'"
        )
        assert connection.execute(sa.text(query)).one() == (at, at)


@pytest.mark.parametrize("after", [False, True], ids=["before", "after"])
def test_a_registration_killed_at_any_call_can_be_repeated(own_hospital: Instance, after: bool) -> None:
    """The person at the desk tries again: one patient, who can be written about."""
    at = 0
    while True:
        at += 1
        identifier, demographics = f"urn:x|{at}{after}", {"resourceType": "Patient", "name": [{"family": "Again"}]}
        fuse = Fuse(at, after)
        registrar = own_hospital.handshaker.registrar
        parts = (registrar._store, registrar._vault, registrar._intake)
        dying = fused(own_hospital.handshaker, fuse)
        registrar._store, registrar._vault, registrar._intake = dying.store, dying.vault, dying.intake
        fuse.armed = True
        try:
            registrar.register_patient(own_hospital.administrator, demographics, identifier)
        except Killed:
            pass
        finally:
            registrar._store, registrar._vault, registrar._intake = parts
        again = registrar.register_patient(own_hospital.administrator, demographics, identifier)
        own_hospital.drain()
        patient = own_hospital.handshaker.store.people.actor(again.actor_id)
        assert patient is not None
        assert patient.active, f"killed at {fuse.place}"
        index = own_hospital.handshaker.vault.blind_index("patient", identifier)
        known = own_hospital.handshaker.store.people.patient_by_identifier(index)
        assert known is not None
        assert known.patient_id == again.actor_id
        if not fuse.place:
            return
