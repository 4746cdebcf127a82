"""Health says what is wrong, quickly and without telling where anything is."""

from __future__ import annotations

import threading
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from handshaker.errors import ChainUnreachable, StoreUnavailable
from handshaker.ethereum.chain import EthereumChain, connect
from handshaker.file_lock import hold, is_held
from handshaker.health import NAMES, Check, Health, State, judging, overall, overview
from handshaker.messages import ChainIdentity, Deployment, Head, SendOutcome
from handshaker.settings import read_settings
from handshaker.worker_lock import WorkerRunning, claim
from tests.instances import Instance, hospital, own_hospital, pattern_hospital
from tests.strangers import stored_call, transact

__all__ = ["hospital", "own_hospital", "pattern_hospital"]

NOWHERE = "http://operator:hidden@127.0.0.1:1/path"


def health_of(instance: Instance, **changes: Any) -> Health:
    """The instance's health, with other parts."""
    parts = instance.handshaker
    return Health(
        changes.get("settings", parts.settings),
        changes.get("store", parts.store),
        changes.get("vault", parts.vault),
        changes.get("chain", parts.chain),
        parts.clock,
    )


def checks(found: list[Check]) -> dict[str, str]:
    return {check.name: check.code for check in found}


def with_deployment(instance: Instance, deployment: Deployment | None) -> EthereumChain:
    return EthereumChain(instance.node.provider, deployment=deployment)


class Fails:
    """Stands for a part that raises whatever it is asked."""

    def __init__(self, error: Exception) -> None:
        self._error = error

    def __getattr__(self, name: str) -> Any:
        raise self._error


def test_an_instance_with_everything_at_work_is_ready(hospital: Instance) -> None:
    with claim(hospital.handshaker.settings.instance, "worker-1", hospital.handshaker.store):
        found = hospital.handshaker.health.ready()
    assert checks(found) == dict.fromkeys(NAMES, "ok")
    assert all(check.is_ok and check.detail.endswith(".") and not check.mend for check in found)
    assert overall(found) is State.OK


def test_without_a_worker_it_is_not_ready(hospital: Instance) -> None:
    assert checks(hospital.handshaker.health.ready())["worker"] == "worker-missing"


def test_a_worker_under_another_name_counts_too(own_hospital: Instance) -> None:
    own_hospital.handshaker.vault.create_relayer("night-shift")
    with claim(own_hospital.handshaker.settings.instance, "night-shift", own_hospital.handshaker.store):
        assert checks(own_hospital.handshaker.health.ready())["worker"] == "ok"


def test_a_node_that_does_not_answer_fails_the_chain_and_says_nothing_of_its_address(hospital: Instance) -> None:
    settings = read_settings(instance=hospital.handshaker.settings.instance, chain_url=NOWHERE)
    found = health_of(hospital, settings=settings, chain=EthereumChain(connect(NOWHERE)))
    failed = {check.name: check for check in found.ready() if not check.is_ok}
    assert {"chain", "contracts"} <= failed.keys()
    assert failed["chain"].code == "chain-unreachable"
    network = found.network()
    assert not network.is_reachable
    assert network.problem == "No Ethereum node answers."
    assert network.host == "127.0.0.1"
    assert (network.head, network.chain_id, network.relayers[0].balance) == (None, None, None)
    assert network.contracts.keys() == hospital.handshaker.chain.deployment.addresses.keys()  # type: ignore[union-attr]
    for told in ("hidden", "operator", "path", ":1"):
        assert told not in repr(failed) + repr(network).replace(network.walked.__repr__(), "")


def test_a_node_that_never_answers_is_given_up_in_time_and_asked_once(
    hospital: Instance, monkeypatch: pytest.MonkeyPatch
) -> None:
    chain, release, asked = with_deployment(hospital, None), threading.Event(), []

    def hangs() -> None:
        asked.append(1)
        release.wait(60)
        raise ChainUnreachable("late")

    monkeypatch.setattr(overview, "PATIENCE", 0.05)
    monkeypatch.setattr(chain, "head", hangs)
    found = health_of(hospital, chain=chain)
    try:
        for _ in range(3):
            assert checks(found.ready())["chain"] == "chain-unreachable"
            assert not found.network().is_reachable
        assert len(asked) == 2, "one for each question, however often it is asked"
    finally:
        release.set()


def test_another_chain_and_missing_contracts_are_told_apart(hospital: Instance) -> None:
    deployment = hospital.handshaker.chain.deployment
    assert deployment is not None
    other = replace(deployment, identity=ChainIdentity(1, bytes(32)))
    assert checks(health_of(hospital, chain=with_deployment(hospital, other)).ready())["chain"] == "chain-mismatch"
    empty = replace(deployment, addresses={"Directory": "0x" + "11" * 20})
    found = checks(health_of(hospital, chain=with_deployment(hospital, empty)).ready())
    assert (found["chain"], found["contracts"]) == ("ok", "chain-mismatch")


def test_what_another_process_deployed_is_noticed(hospital: Instance, monkeypatch: pytest.MonkeyPatch) -> None:
    chain = with_deployment(hospital, None)
    found = health_of(hospital, chain=chain)
    kept = hospital.handshaker.store.catalogue.deployment
    monkeypatch.setattr(hospital.handshaker.store.catalogue, "deployment", lambda: None)
    assert checks(found.ready())["contracts"] == "not-deployed"
    monkeypatch.setattr(hospital.handshaker.store.catalogue, "deployment", kept)
    assert checks(found.ready())["contracts"] == "ok"
    assert chain.deployment is not None


def test_databases_that_do_not_answer_are_said_to_without_their_paths(hospital: Instance) -> None:
    fails = Fails(StoreUnavailable("The database /srv/secret/audit.db does not work."))
    found = health_of(hospital, store=fails, vault=fails).ready()
    assert checks(found)["store"] == checks(found)["vault"] == "store-unavailable"
    assert "secret" not in repr(found)


def test_the_network_page_has_head_balances_queue_and_verdicts(own_hospital: Instance) -> None:
    submission = own_hospital.measure()
    waiting = own_hospital.handshaker.health.network()
    assert waiting.queue == {"waiting": 1}
    assert waiting.oldest_open is not None
    own_hospital.acknowledged(submission)
    found = own_hospital.handshaker.health.network()
    assert found.is_reachable
    assert found.head == own_hospital.handshaker.chain.head()
    assert found.walked == found.head
    assert found.final_number == found.head.number
    assert found.finality == "at once"
    assert found.client.startswith("EthereumTester")
    assert (found.queue, found.oldest_open) == ({}, None)
    relayers = {relayer.name: relayer for relayer in found.relayers}
    assert relayers["worker-1"].balance == own_hospital.handshaker.chain.balance(relayers["worker-1"].address)
    assert not relayers["worker-1"].is_low
    assert found.verdicts["valid"] == sum(own_hospital.handshaker.store.audit.counts().values())


def states(found: list[Check]) -> dict[str, tuple[str, State]]:
    return {check.name: (check.code, check.state) for check in found if not check.is_ok}


def test_a_reading_that_nobody_takes_makes_the_queue_late_and_then_ill(own_hospital: Instance) -> None:
    own_hospital.measure()
    with claim(own_hospital.handshaker.settings.instance, "worker-1", own_hospital.handshaker.store):
        own_hospital.clock.advance(61)
        late = own_hospital.handshaker.health.ready()
        assert states(late) == {"queue": ("queue-old", State.DEGRADED)}
        assert overall(late) is State.DEGRADED
        own_hospital.clock.advance(600)
        assert states(own_hospital.handshaker.health.ready()) == {"queue": ("queue-old", State.ILL)}


def test_what_a_dead_worker_has_taken_counts_again_when_its_lease_is_over(own_hospital: Instance) -> None:
    own_hospital.measure()
    store, clock = own_hospital.handshaker.store, own_hospital.clock
    assert len(store.queue.take("gone/1", clock.now(), 10)) == 1
    assert store.figures.oldest_due(clock.now()) is None
    clock.advance(61)
    assert store.figures.oldest_due(clock.now()) is not None
    assert checks(own_hospital.handshaker.health.ready())["queue"] == "queue-old"


def test_blocks_that_nobody_reads_are_noticed(own_hospital: Instance) -> None:
    own_hospital.travel(3_600)
    transact(own_hospital.node, "0x" + "11" * 20, b"")
    assert checks(own_hospital.handshaker.health.ready())["walk"] == "ok", "the block is new"
    own_hospital.clock.advance(61)
    found = own_hospital.handshaker.health.ready()
    assert states(found)["walk"] == ("walk-behind", State.DEGRADED)
    own_hospital.worker.step()
    assert checks(own_hospital.handshaker.health.ready())["walk"] == "ok"


def test_a_chain_on_which_something_waits_and_no_block_comes_stands_still(
    own_hospital: Instance, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(own_hospital.handshaker.chain, "send", lambda raw: SendOutcome.UNKNOWN)
    own_hospital.measure()
    own_hospital.steps(2)
    own_hospital.clock.advance(3_600)
    assert states(own_hospital.handshaker.health.ready())["head"] == ("head-stale", State.ILL)


def test_a_worker_without_ether_is_ill_and_one_with_little_is_only_low(own_hospital: Instance) -> None:
    parts, store = own_hospital.handshaker, own_hospital.handshaker.store
    poor = parts.vault.create_relayer("poor")
    with claim(parts.settings.instance, "poor", store):
        assert states(parts.health.ready())["relayer"] == ("relayer-unfunded", State.ILL)
        with claim(parts.settings.instance, "worker-1", store):
            assert states(parts.health.ready())["relayer"] == ("relayer-low", State.DEGRADED), "the other can pay"
        price = parts.chain.fees().max_fee
        own_hospital.node.transfer(own_hospital.node.fund(), poor, judging.SINGLE_GAS * price * 3)
        assert states(parts.health.ready())["relayer"] == ("relayer-low", State.DEGRADED)


def test_one_statement_never_needs_more_gas_than_an_account_is_called_empty_below(own_hospital: Instance) -> None:
    submissions = [own_hospital.measure(), own_hospital.consent(own_hospital.consented)]
    for submission in submissions:
        call = stored_call(own_hospital, submission)
        assert own_hospital.handshaker.chain.gas([call]) <= judging.SINGLE_GAS


def test_entries_that_are_not_anchored_are_late_in_time(own_hospital: Instance) -> None:
    settings = own_hospital.handshaker.settings.model_copy(update={"anchor_seconds": 36_000.0})
    found = health_of(own_hospital, settings=settings)
    own_hospital.clock.advance(3 * 36_000)
    assert checks(found.ready())["anchor"] == "ok"
    own_hospital.clock.advance(36_001)
    assert states(found.ready())["anchor"] == ("anchor-late", State.DEGRADED)


def test_a_log_that_is_held_is_ill(own_hospital: Instance) -> None:
    log = own_hospital.handshaker.store.log
    log.hold("behind", log.size(), Head(log.size() + 5, bytes(32)), own_hospital.clock.now())
    found = own_hospital.handshaker.health.ready()
    assert states(found)["log"] == ("log-held", State.ILL)


def test_an_empty_purse_is_low(own_hospital: Instance) -> None:
    own_hospital.handshaker.vault.create_relayer("poor")
    relayers = {relayer.name: relayer for relayer in own_hospital.handshaker.health.network().relayers}
    assert (relayers["poor"].balance, relayers["poor"].is_low) == (0, True)


def test_a_look_at_a_lock_neither_makes_it_nor_takes_it(tmp_path: Path) -> None:
    path = tmp_path / "worker.lock"
    assert not is_held(path)
    assert not path.exists()
    with hold(path) as is_ours:
        assert is_ours
        assert is_held(path)
        with hold(path) as also:
            assert not also
    assert not is_held(path)


def test_looking_never_keeps_a_worker_from_starting(hospital: Instance, tmp_path: Path) -> None:
    path, stop, refused = tmp_path / "worker-1.lock", threading.Event(), 0
    path.touch()

    def look() -> None:
        while not stop.is_set():
            is_held(path)

    lookers = [threading.Thread(target=look) for _ in range(2)]
    for thread in lookers:
        thread.start()
    try:
        for _ in range(200):
            try:
                with claim(tmp_path, "worker-1", hospital.handshaker.store):
                    pass
            except WorkerRunning:
                refused += 1
    finally:
        stop.set()
        for thread in lookers:
            thread.join()
    assert refused == 0
