"""A hospital at work in processes of its own: what its figures count, and what its logs tell from TI to ACK."""

from __future__ import annotations

import json
import os
import secrets
import socket
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import requests
from prometheus_client.parser import text_string_to_metric_families

from handshaker.cli.figures import offered
from handshaker.errors import SettingsInvalid
from handshaker.ethereum.nodes import ANVIL
from handshaker.health import NAMES
from handshaker.worker_lock import claim
from tests.databases import Databases
from tests.handshaker.cli.conftest import Shell
from tests.instances import Instance, blood_pressure, make_instance
from tests.integration.services import Service, call, wait_until, web, worker
from tests.nodes import Node, anvil, with_finality

VALID = 3
UNANCHORED = {"anchor_seconds": "1e9", "anchor_entries": "1000000000"}
GIVEN_NUMBER = "0123456789abcdef0123456789abcdef"

Samples = dict[tuple[str, tuple[tuple[str, str], ...]], float]


@dataclass
class Run:
    """A day's work: three valid readings, one that the network refuses, one that a gate refuses."""

    instance: Instance
    carrier: Service
    application: Service
    valid: list[str]
    refused: str
    implausible: str
    before: Samples
    """What the application told at its start."""
    told: Samples
    counted: Samples
    """What the worker told."""
    texts: str
    numbers: dict[str, str]
    """TI → the number of its request."""


@pytest.fixture(scope="module")
def run(databases: Databases, ganache_node: Node, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Run]:
    instance = make_instance(tmp_path_factory.mktemp("operation"), ganache_node)
    settings = UNANCHORED | {"log_format": "json", "log_level": "DEBUG"}
    with (
        worker(instance, "--metrics-port", "0", **settings) as one,
        web(instance, **settings) as two,
    ):
        administrator = instance.tokens["administrator"]
        before = scraped(call(two, "GET", "/metrics", administrator).text)
        numbers: dict[str, str] = {}
        readings = [(instance.consented, blood_pressure())] * VALID
        readings += [(instance.silent, blood_pressure()), (instance.consented, blood_pressure(937.03125, 80))]
        for patient, payload in readings:
            body = {
                "template": "vital-signs",
                "patient": patient.actor.actor_id,
                "payload": payload,
                "idempotencyKey": secrets.token_hex(8),
            }
            given = {} if numbers else {"X-Request-ID": GIVEN_NUMBER}
            answer = call(two, "POST", "/transactions", instance.tokens["nurse"], json=body, headers=given)
            told = answer.json()
            numbers[told.get("id") or told["transaction"]] = answer.headers["X-Request-ID"]
        tis = list(numbers)
        wait_until(lambda: all(instance.handshaker.store.audit.acknowledgement(ti) for ti in tis), one, two)
        acknowledged = 'handshaker_acknowledged_total{code="effect",verdict="valid"} 3.0'
        wait_until(lambda: acknowledged in figures_of(one), one)
        text = call(two, "GET", "/metrics", administrator).text
        counted = figures_of(one)
        assert one.stop() == 0
        assert two.stop() == 0
        yield Run(
            instance, one, two, tis[:VALID], tis[VALID], tis[VALID + 1], before,
            scraped(text), scraped(counted), text + counted, numbers,
        )  # fmt: skip
    instance.close()


def figures_of(service: Service) -> str:
    return requests.get(f"http://127.0.0.1:{service.said['metricsPort']}/metrics", timeout=10).text


def scraped(text: str) -> Samples:
    """Every sample by name and labels."""
    return {
        (sample.name, tuple(sorted(sample.labels.items()))): sample.value
        for family in text_string_to_metric_families(text)
        for sample in family.samples
    }


def of(samples: Samples, name: str, **labels: str) -> float:
    return samples.get((name, tuple(sorted(labels.items()))), 0.0)


@pytest.mark.ganache
def test_a_worker_counts_every_acknowledgement_once_and_every_stage_that_it_went_through(run: Run) -> None:
    acknowledged = {
        key: value for key, value in run.counted.items() if key[0] == "handshaker_acknowledged_total" and value
    }
    assert acknowledged == {
        ("handshaker_acknowledged_total", (("code", "effect"), ("verdict", "valid"))): VALID,
        ("handshaker_acknowledged_total", (("code", "not-permitted"), ("verdict", "invalid"))): 1,
    }
    stages = {
        stage: of(run.counted, "handshaker_stage_seconds_count", stage=stage)
        for stage in ("taken", "sent", "mined", "final", "acknowledged")
    }
    assert stages == {"taken": VALID + 1, "sent": VALID, "mined": VALID, "final": VALID, "acknowledged": VALID + 1}
    assert of(run.counted, "handshaker_acknowledgement_seconds_count", verdict="valid") == VALID
    assert of(run.counted, "handshaker_refusals_total", stage="asked", code="not-permitted") == 1
    parts = sum(of(run.counted, "handshaker_stage_seconds_sum", stage=stage) for stage in stages)
    whole = sum(of(run.counted, "handshaker_acknowledgement_seconds_sum", verdict=v) for v in ("valid", "invalid"))
    assert parts == pytest.approx(whole), "the stages are all of the time that there is"


@pytest.mark.ganache
def test_a_worker_counts_what_it_sent_and_how_long_node_and_database_took(run: Run) -> None:
    sent = of(run.counted, "handshaker_sends_total", outcome="accepted")
    assert sent >= 1
    assert 1 <= of(run.counted, "handshaker_settled_total", outcome="mined") <= sent
    assert of(run.counted, "handshaker_passes_total") > 0
    assert of(run.counted, "handshaker_node_seconds_count", method="eth_sendRawTransaction") == sent
    assert of(run.counted, "handshaker_node_seconds_count", method="eth_call") >= 1
    assert of(run.counted, "handshaker_node_seconds_sum", method="eth_call") > 0
    for kind in ("read", "write"):
        assert of(run.counted, "handshaker_database_seconds_count", kind=kind) > 0
    for never in ("handshaker_fee_bumps_total", "handshaker_contradictions_total", "handshaker_fork_blocks_count"):
        assert of(run.counted, never) == 0


@pytest.mark.ganache
def test_the_web_application_tells_what_the_databases_know_and_what_its_gates_refused(run: Run) -> None:
    def more(name: str, **labels: str) -> float:
        return of(run.told, name, **labels) - of(run.before, name, **labels)

    assert more("handshaker_acknowledgements", verdict="valid", code="effect") == VALID
    assert more("handshaker_acknowledgements", verdict="invalid", code="not-permitted") == 1
    assert more("handshaker_acknowledgements", verdict="invalid", code="implausible") == 1
    assert more("handshaker_log_entries", kind="acknowledgement") == VALID + 2
    assert more("handshaker_accepted_total", origin="api") == VALID + 1
    assert more("handshaker_refusals_total", stage="gate", code="implausible") == 1
    assert more("handshaker_gas_used_total", kind="statements") > 50_000
    assert more("handshaker_network_transactions", kind="statements", outcome="mined") >= 1
    assert of(run.told, "handshaker_gas_used_total", kind="no-op") == 21_000
    assert of(run.told, "handshaker_retries_total") == 0
    assert of(run.told, "handshaker_queue", state="waiting") == of(run.told, "handshaker_queue", state="in-flight") == 0
    assert of(run.told, "handshaker_log_anchored") == 0
    assert of(run.told, "handshaker_log_unanchored_seconds") > 0
    assert of(run.told, "handshaker_relayer_balance_wei", relayer="worker-1") > 10**18
    assert of(run.told, "handshaker_check", check="chain") == 0


@pytest.mark.ganache
def test_no_figure_carries_anybodys_id_or_name(run: Run) -> None:
    people = (run.instance.nurse, run.instance.consented, run.instance.silent, run.instance.administrator)
    for person in people:
        assert person.actor.actor_id not in run.texts
        assert person.actor.address.lower() not in run.texts.lower()
    for ti in (*run.valid, run.refused, run.implausible):
        assert ti not in run.texts


def story(run: Run, ti: str) -> list[dict[str, Any]]:
    """All lines of both processes that hold a TI, by time: what ``grep`` and ``sort`` would find."""
    found = [
        json.loads(line)
        for service in (run.application, run.carrier)
        for line in service.text.splitlines()
        if ti in line
    ]
    return sorted(found, key=lambda line: str(line["time"]))


@pytest.mark.ganache
def test_one_id_finds_the_whole_story_of_a_transaction_in_order(run: Run) -> None:
    for ti in run.valid:
        events = [line["event"] for line in story(run, ti)]
        assert events == ["accepted", "taken", "sent", "mined", "final", "acknowledged"]
        assert story(run, ti)[-1].items() >= {"ti": ti, "verdict": "valid", "code": "effect"}.items()
    refused = story(run, run.refused)
    assert [line["event"] for line in refused] == ["accepted", "taken", "refused", "acknowledged"]
    assert refused[-1].items() >= {"ti": run.refused, "verdict": "invalid", "code": "not-permitted"}.items()
    implausible = story(run, run.implausible)
    assert [line["event"] for line in implausible] == ["refused", "acknowledged"]
    assert implausible[0].items() >= {"gate": "plausibility", "code": "implausible"}.items()


@pytest.mark.ganache
def test_the_number_of_a_request_is_in_its_answer_and_in_its_line(run: Run) -> None:
    for ti, number in run.numbers.items():
        assert story(run, ti)[0]["request"] == number
    assert run.numbers[run.valid[0]].replace("-", "") == GIVEN_NUMBER
    assert len(set(run.numbers.values())) == len(run.numbers)


@pytest.mark.ganache
def test_no_line_of_the_logs_tells_a_name_a_reading_a_token_or_a_signature(run: Run) -> None:
    text = run.application.text + run.carrier.text
    with run.instance.handshaker.store._database.read() as connection:
        kept = connection.exec_driver_sql("SELECT signature FROM signatures").scalars().all()
    secrets_ = [token.split("_", 2)[2] for token in run.instance.tokens.values()]
    assert kept
    for secret in (*secrets_, *(bytes(signature).hex() for signature in kept), "937.03", "mm[Hg]", "Zed"):
        assert secret not in text
    for service in (run.application, run.carrier):
        assert all(line.keys() >= {"time", "level", "logger"} for line in service.lines)
        assert any(line.get("message", "").endswith("has stopped") for line in service.lines)


@pytest.mark.ganache
def test_the_command_says_which_part_is_ill_or_late_and_ends_with_a_code_of_its_own(run: Run) -> None:
    parts = run.instance.handshaker
    shell = Shell(run.instance.places() | {"chain_url": str(run.instance.node.url_or_provider)} | UNANCHORED)
    ill = shell.json("health", exit_code=1)
    assert ill["status"] == "not-ready"
    assert [check["name"] for check in ill["checks"]] == list(NAMES)
    (worker_missing,) = [check for check in ill["checks"] if check["state"] != "ok"]
    assert (worker_missing["code"], worker_missing["mend"]) == ("worker-missing", "Start one: `handshaker work`.")
    with claim(parts.settings.instance, parts.settings.worker, parts.store):
        well = shell.json("health")
        assert well["status"] == "ready"
        assert {"name": "worker-1", "low": False}.items() <= well["relayers"][-1].items()
        late = shell.json("health", exit_code=2, anchor_late_seconds="0.001")
        assert late["status"] == "degraded"
        assert [check["code"] for check in late["checks"] if check["state"] != "ok"] == ["anchor-late"]
        page = shell.run("health", anchor_late_seconds="0.001")
        assert page.exit_code == 2
        assert "degraded" in page.stdout
        assert "has waited" in page.stdout
    silent = shell.json("health", exit_code=1, chain_url="http://127.0.0.1:1")
    assert [check["name"] for check in silent["checks"] if check["state"] == "ill"] == ["chain", "contracts", "worker"]


@pytest.mark.ganache
@pytest.mark.parametrize("words", ["health", "work"])
def test_the_password_in_a_nodes_address_is_said_nowhere_even_where_libraries_are_asked_to_say_all(
    run: Run, words: str
) -> None:
    places = run.instance.places() | {"log_format": "json", "log_level": "DEBUG"}
    places["chain_url"] = "http://operator:hidden-word@127.0.0.1:1/v3/hidden-key"
    ours = {f"HANDSHAKER_{name.upper()}": value for name, value in places.items()}
    command = [sys.executable, "-m", "handshaker", words, "--json"]
    told = subprocess.run(command, env=os.environ | ours, capture_output=True, text=True, timeout=60, check=False)
    assert told.returncode == 1
    assert "chain-unreachable" in told.stdout
    assert "hidden" not in told.stdout + told.stderr


@pytest.mark.ganache
def test_figures_are_offered_on_loopback_only_and_a_port_that_is_taken_is_said(run: Run) -> None:
    measures = run.instance.handshaker.journal.measures
    with offered(measures, 0) as port:
        assert port
        socket.create_connection(("127.0.0.1", port), 5).close()
        with pytest.raises(OSError, match=r"refused|unreachable|assign"):
            socket.create_connection(("127.0.0.2", port), 5)
        with pytest.raises(SettingsInvalid, match="cannot be used"), offered(measures, port):
            pass
    with offered(measures, None) as nowhere:
        assert nowhere is None


@pytest.mark.anvil
def test_a_fork_and_what_it_contradicts_are_counted(
    databases: Databases, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    depth = 2
    with anvil("300") as node:
        instance = make_instance(tmp_path, node, profile=with_finality(ANVIL, depth))
        monkeypatch.setattr(instance.handshaker.chain, "beat", lambda: False)
        with offered(instance.handshaker.journal.measures, 0) as port:

            def figure(name: str) -> float:
                return of(scraped(requests.get(f"http://127.0.0.1:{port}/metrics", timeout=10).text), name)

            submission = instance.measure()
            instance.steps(3)
            instance.node.ask("anvil_mine", hex(depth))
            instance.steps(3)
            assert instance.ack(submission) is not None
            assert (figure("handshaker_fork_blocks_count"), figure("handshaker_contradictions_total")) == (0, 0)
            instance.node.ask("anvil_reorg", depth + 1, [])
            instance.steps(3)
            assert figure("handshaker_fork_blocks_count") == 1
            assert figure("handshaker_fork_blocks_sum") == depth + 1
            assert figure("handshaker_contradictions_total") == 1
        instance.close()
