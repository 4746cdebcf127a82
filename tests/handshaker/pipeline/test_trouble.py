"""No chain, another chain, no disk: nothing lost, nothing half-written, and a sentence that names the mend."""

from __future__ import annotations

import logging
import shutil
import sqlite3
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from eth_account import Account

from handshaker.bootstrap import make_handshaker
from handshaker.errors import ChainError, ChainMismatch, ChainUnreachable, NotDeployed, StoreUnavailable
from handshaker.ethereum.chain import EthereumChain, connect
from handshaker.settings import read_settings
from tests.databases import Databases
from tests.handshaker.pipeline.test_gates import written
from tests.instances import Instance, blood_pressure, consent_payload
from tests.nodes import eth_tester

NOBODY = "http://127.0.0.1:9"
"""The discard port: nobody listens there."""


@contextmanager
def chain_of(hospital: Instance, chain: EthereumChain) -> Iterator[None]:
    """Let the hospital talk to another node (or to none) meanwhile."""
    own = hospital.handshaker.chain
    state = (own._web3, own._identity)
    own._web3, own._identity = chain._web3, None
    try:
        yield
    finally:
        own._web3, own._identity = state


def test_without_a_chain_records_are_accepted_and_acknowledged_later(hospital: Instance) -> None:
    with chain_of(hospital, EthereumChain(connect(NOBODY))):
        submission = hospital.measure()
        assert submission.refusal is None
        with pytest.raises(ChainUnreachable) as caught:
            hospital.worker.step()
    assert "chain start" in str(caught.value)
    assert hospital.kinds(submission) == ["received"]
    hospital.restart()
    assert hospital.acknowledged(submission).code == "effect"


def test_without_a_chain_a_consent_says_so_and_leaves_nothing(hospital: Instance) -> None:
    before = written(hospital)
    with chain_of(hospital, EthereumChain(connect(NOBODY))), pytest.raises(ChainUnreachable):
        hospital.consent(hospital.consented, write=[])
    assert written(hospital) == before
    assert hospital.acknowledged(hospital.measure()).code == "effect"


def test_a_chain_that_goes_away_in_the_middle_is_waited_for(hospital: Instance) -> None:
    submissions = [hospital.measure() for _ in range(3)]
    hospital.worker.step()
    with chain_of(hospital, EthereumChain(connect(NOBODY))), pytest.raises(ChainUnreachable):
        hospital.worker.step()
    assert {hospital.acknowledged(submission).code for submission in submissions} == {"effect"}


def test_a_question_that_was_never_answered_does_not_hold_up_the_statement(
    hospital: Instance, monkeypatch: pytest.MonkeyPatch
) -> None:
    submission = hospital.measure()

    def unreachable(*_: object) -> None:
        raise ChainUnreachable("No Ethereum node answers.", url="")

    with monkeypatch.context() as patched:
        patched.setattr(hospital.handshaker.chain, "ask", unreachable)
        with pytest.raises(ChainUnreachable):
            hospital.worker.step()
    hospital.steps(5)
    assert hospital.ack(submission) is not None, "without waiting for a lease to run out"


def test_a_wiped_chain_is_recognised_and_nothing_is_concluded(own_hospital: Instance) -> None:
    open_, done = own_hospital.measure(own_hospital.silent), own_hospital.handshaker.store.audit.latest(100)
    before = written(own_hospital)
    with chain_of(own_hospital, EthereumChain(eth_tester().provider)):
        for _ in range(3):
            with pytest.raises(ChainMismatch) as caught:
                own_hospital.worker.step()
        with pytest.raises(ChainMismatch):
            own_hospital.handshaker.worker()
        with pytest.raises(ChainError):
            own_hospital.consent(own_hospital.consented, write=[])
    assert "own database again" in str(caught.value)
    assert written(own_hospital) == before
    assert own_hospital.handshaker.store.audit.latest(100) == done
    own_hospital.restart()
    assert own_hospital.acknowledged(open_).code == "not-permitted"


def test_a_longer_foreign_chain_is_recognised_too(own_hospital: Instance) -> None:
    stranger = eth_tester()
    stranger.ask("evm_mine", 40)
    before = written(own_hospital)
    with chain_of(own_hospital, EthereumChain(stranger.provider)):
        for _ in range(2):
            with pytest.raises(ChainMismatch):
                own_hospital.worker.step()
        with pytest.raises(ChainMismatch):
            own_hospital.consent(own_hospital.consented, write=[])
    assert written(own_hospital) == before


def test_without_contracts_there_is_no_worker(databases: Databases, tmp_path: Path) -> None:
    settings = read_settings(instance=tmp_path, **databases.of(tmp_path))
    handshaker = make_handshaker(settings, chain=EthereumChain(eth_tester().provider))
    with pytest.raises(NotDeployed) as caught:
        handshaker.worker()
    assert "handshaker deploy" in str(caught.value)
    handshaker.close()


@contextmanager
def full_disk(hospital: Instance) -> Iterator[None]:
    """SQLite's own way to have no more room, on connections that are made meanwhile."""
    engine = hospital.handshaker.store._database.engine

    def limit(connection: sqlite3.Connection, _record: object) -> None:
        pages = connection.execute("PRAGMA page_count").fetchone()[0]
        free = connection.execute("PRAGMA freelist_count").fetchone()[0]
        assert connection.execute(f"PRAGMA max_page_count={pages}").fetchone()[0] == pages
        assert free < 50

    engine.dispose()
    sa.event.listen(engine, "connect", limit)
    try:
        yield
    finally:
        sa.event.remove(engine, "connect", limit)
        engine.dispose()


@pytest.mark.sqlite
def test_a_full_disk_refuses_what_it_cannot_keep_and_writes_no_half(own_hospital: Instance) -> None:
    payload = blood_pressure() | {"note": [{"text": "n" * 500_000}]}
    request: dict[str, Any] = {
        "payload": payload,
        "patient": own_hospital.consented.actor.actor_id,
        "idempotencyKey": "large",
    }
    before = written(own_hospital)
    with full_disk(own_hospital):
        with pytest.raises(StoreUnavailable) as caught:
            own_hospital.submit(own_hospital.nurse, "vital-signs", **request)
        assert "Free disk space" in str(caught.value)
        assert "nnnn" not in str(caught.value)
        assert written(own_hospital) == before
    submission = own_hospital.submit(own_hospital.nurse, "vital-signs", **request)
    assert own_hospital.acknowledged(submission).code == "effect"


@pytest.mark.sqlite
def test_a_worker_outlives_a_full_disk(own_hospital: Instance) -> None:
    submissions = [own_hospital.measure() for _ in range(3)]
    with full_disk(own_hospital):
        failures = 0
        for _ in range(30):
            try:
                own_hospital.worker.step()
            except StoreUnavailable:
                failures += 1
    own_hospital.restart()
    assert {own_hospital.acknowledged(submission).code for submission in submissions} == {"effect"}


def test_the_running_worker_says_once_that_it_waits_and_once_that_it_goes_on(
    own_hospital: Instance, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("handshaker.worker.TROUBLE_PAUSE", 0.01)
    caplog.set_level(logging.INFO, "handshaker")
    worker, stop = own_hospital.worker, threading.Event()
    heads: list[int] = []
    head = own_hospital.handshaker.chain.head

    def sometimes() -> object:
        heads.append(1)
        if len(heads) <= 5:
            raise ChainUnreachable("No Ethereum node answers.", url=NOBODY)
        if len(heads) > 8:
            stop.set()
        return head()

    monkeypatch.setattr(own_hospital.handshaker.chain, "head", sometimes)
    worker.run(stop)
    messages = [record.getMessage() for record in caplog.records if record.name == "handshaker.worker"]
    assert [message.split(":")[0].removeprefix("worker worker-1 ") for message in messages[1:]] == [
        "waits",
        "goes on",
        "has stopped",
    ]


def test_a_relayer_without_ether_waits_for_some(own_hospital: Instance, monkeypatch: pytest.MonkeyPatch) -> None:
    submission = own_hospital.measure()
    with monkeypatch.context() as patched:
        patched.setattr(own_hospital.handshaker.chain, "balance", lambda account: 17)
        with pytest.raises(ChainError, match="has 17 wei"):
            own_hospital.steps(3)
    assert own_hospital.kinds(submission) == ["received"]
    own_hospital.steps(4)
    assert own_hospital.ack(submission) is not None


def test_an_instance_opens_again_where_it_was(own_hospital: Instance, tmp_path: Path) -> None:
    submission = own_hospital.measure()
    own_hospital.handshaker.close()
    settings, moved = own_hospital.handshaker.settings, tmp_path / "moved"
    shutil.copytree(settings.instance, moved)
    again = make_handshaker(
        settings.model_copy(update={"instance": moved}), chain=EthereumChain(own_hospital.node.provider)
    )
    worker = again.worker()
    for _ in range(6):
        worker.step()
    ack = again.store.audit.acknowledgement(submission.ti_id)
    assert ack is not None
    assert ack.code == "effect"
    again.close()


def test_what_a_wallet_prepared_needs_no_chain_for_a_record(hospital: Instance) -> None:
    account = Account.create()
    nurse = hospital.hire_with_wallet(account)
    patient = hospital.consented.actor.actor_id
    with chain_of(hospital, EthereumChain(connect(NOBODY))):
        submission = hospital.sign_and_submit(account, nurse, "vital-signs", blood_pressure(), patient=patient)
    assert hospital.acknowledged(submission).code == "effect"
    with chain_of(hospital, EthereumChain(connect(NOBODY))), pytest.raises(ChainUnreachable):
        hospital.sign_and_submit(account, hospital.admit_with_wallet(account), "consent-grant", consent_payload())
