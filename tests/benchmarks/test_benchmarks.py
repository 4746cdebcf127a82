"""The benchmarks work, and their page says what was measured and nothing else."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import pytest
from click.testing import CliRunner

from benchmarks import gas
from benchmarks.__main__ import main
from benchmarks.page import PAGE, REFERENCE, gas_table, page, parts_table, throughput_table
from benchmarks.run import QUICK, run
from tests.contracts.gas import OPERATIONS
from tests.contracts.hospital import Hospital


@pytest.fixture(scope="module")
def reference() -> dict[str, Any]:
    return dict(json.loads(REFERENCE.read_text()))


def test_the_page_is_what_the_reference_result_gives(reference: dict[str, Any]) -> None:
    assert PAGE.read_text() == page(reference)


def test_the_page_tells_every_figure(reference: dict[str, Any]) -> None:
    text = page(reference)
    for _, rows in (throughput_table(reference), gas_table(reference), parts_table(reference)):
        assert rows
        for row in rows:
            assert f"| {' | '.join(row)} |" in text
    assert reference["commit"] in text
    assert reference["machine"]["processor"] in text


def test_the_reference_knows_every_operation_of_the_contracts(reference: dict[str, Any]) -> None:
    assert [item["operation"] for item in reference["gas"]] == [operation.name for operation in OPERATIONS]


def test_no_operation_goes_below_its_floor() -> None:
    measured = gas.measure_gas()
    assert all(0 < cost.floor < cost.gas for cost in measured)


def test_watching_storage_changes_no_cost() -> None:
    grant = OPERATIONS[0]
    assert gas.measure_gas()[0].gas == grant.measure(Hospital())


def test_a_tiny_run_measures_everything() -> None:
    told: list[str] = []
    tiny = replace(QUICK, name="tiny", records={"anvil": 4}, requests=2, part_seconds=0.01, entries=2_000, patients=2)
    result = run(tiny, told.append, ["anvil"])
    assert len(told) == tiny.steps(["anvil"])
    assert [item["asks_first"] for item in result["throughput"]] == [True, False]
    for item in result["throughput"]:
        rates = [*item["acknowledged"], *item["intake"], *item["bare"], item["ratio"]]
        assert all(rate > 0 for rate in rates)
    (latency,) = result["latency"]
    assert 0 < latency["p50"] <= latency["p99"] <= latency["worst"]
    assert all(item["rate"] > 0 for item in result["parts"])
    assert (result["verification"]["entries"], result["verification"]["goal"]) == (2_000, 20_000)
    assert "## Verifying the audit log" in page(result)
    assert page(json.loads(json.dumps(result))) == page(result)


def test_a_reference_is_a_whole_run() -> None:
    for half in (["--quick"], ["--node", "anvil"]):
        outcome = CliRunner().invoke(main, ["--reference", *half])
        assert outcome.exit_code == 2
        assert "whole run" in outcome.output
