"""``docs/benchmarks.md``, made from one result and nothing else."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path
from statistics import median
from typing import Any

from benchmarks.bare import CONNECTIONS
from benchmarks.machine import ROOT
from benchmarks.run import Result

PAGE = ROOT / "docs" / "benchmarks.md"
REFERENCE = Path(__file__).resolve().parent / "results" / "reference.json"

_HEAD = """\
# Benchmarks

This page is made from `benchmarks/results/reference.json` by `python -m benchmarks --reference`; nothing in it is
typed by hand. `make bench` measures the same on your machine and prints it.

Absolute figures swing nearly threefold with the noise of a machine that others use too: below a factor of two, a
difference between two runs means nothing. Ratios do better, because both sides are measured in turns in the same run.
Gas is exact.
"""

_THROUGHPUT = """\
## From TI to ACK

Records of vital signs about {patients} consenting patients, one request after the other: token, gates, sealing and the
write of intake in one process, the worker in another, the node in a third. *TI → ACK* runs from the first request to
the last acknowledgement written. *Bare node* is the same contract call as single transactions, signed beforehand and
sent as raw bytes ({connections}), with no database and no checks, to another node of the same kind; rounds take
turns. *Asks first* is whether the worker tries each batch with `eth_call` before it sends (the profile's
default is yes). Figures are medians of the rounds, in records a second; the ratio is TI → ACK to bare node.
"""

_LATENCY = """\
## How long one record takes

From the request to its acknowledgement, one at a time on an idle system, asking first. Milliseconds.
"""

_GAS = """\
## Gas

Measured on the rules of the shanghai fork, exact and the same everywhere. *Floor* is 21,000, the calldata, and the
storage that the operation leaves: no contract can go below it with this calldata. *Budget* is what the tests hold each
operation to. For a batch, the figures are for one record in it.
"""

_PARTS = """\
## The parts

How often a second one core does each, on its own.
"""

_VERIFICATION = """\
## Verifying the audit log

What `handshaker verify` recomputes from the database alone, on SQLite: each entry's hash, its seal, the rows that rest
on it, and the tree; six entries in ten are acknowledgements. Figures are medians of the rounds; the one for a core's
second leaves out what the machine gave to others. *Memory* is the most that the process ever had, libraries and what
wrote the log included: a verification reads page by page.
"""


def page(result: Result) -> str:
    """Return the page of a result as Markdown."""
    patients = result["throughput"][0]["patients"] if result["throughput"] else 0
    return "\n".join(
        (
            _HEAD,
            _origin(result),
            _THROUGHPUT.format(patients=patients, connections=_connections()),
            _table(*throughput_table(result)),
            _LATENCY,
            _table(*latency_table(result)),
            _GAS,
            _table(*gas_table(result)),
            _PARTS,
            "\n".join((_table(*parts_table(result)), *_verification(result))).rstrip("\n"),
            "",
        )
    )


def _verification(result: Result) -> list[str]:
    """Return the section, where that was measured."""
    return [_VERIFICATION, _table(*verification_table(result))] if "verification" in result else []


Table = tuple[list[str], list[list[str]]]
"""Headings and rows; a heading that starts with ``#`` is of numbers."""


def throughput_table(result: Result) -> Table:
    """Return rates by node."""
    headings = ["node", "asks first", "#records × rounds", "#TI → ACK", "#intake alone", "#bare node", "#ratio"]
    rows = [
        [
            item["node"],
            "yes" if item["asks_first"] else "no",
            f"{item['records']} × {len(item['acknowledged'])}",
            _rate(median(item["acknowledged"])),
            _rate(median(item["intake"])),
            _rate(median(item["bare"])),
            f"{item['ratio']:.2f}",
        ]
        for item in result["throughput"]
    ]
    return headings, rows


def latency_table(result: Result) -> Table:
    """Return latencies by node."""
    headings = ["node", "#requests", "#p50", "#p99", "#longest"]
    rows = [
        [item["node"], str(item["requests"]), *(f"{1000 * item[name]:,.0f}" for name in ("p50", "p99", "worst"))]
        for item in result["latency"]
    ]
    return headings, rows


def gas_table(result: Result) -> Table:
    """Return gas by operation."""
    headings = ["operation", "#gas", "#floor", "#above floor", "#budget", "#goal", "#over goal"]
    return headings, [_gas_row(item) for item in result["gas"]]


def parts_table(result: Result) -> Table:
    """Return the rates of the parts."""
    return ["part", "#a second"], [[item["name"], _rate(item["rate"])] for item in result["parts"]]


def verification_table(result: Result) -> Table:
    """Return the rate of verification beside its goal; empty where it was not measured."""
    headings = ["#entries × rounds", "#entries a second", "#goal", "", "#a second of one core", "#memory, MiB"]
    item = result.get("verification")
    if item is None:
        return headings, []
    rate = median(item["rates"])
    counts = f"{item['entries']:,} × {len(item['rates'])}"
    verdict = "met" if rate >= item["goal"] else "missed"
    core = _rate(median(item["core_rates"]))
    return headings, [[counts, _rate(rate), f"{item['goal']:,}", verdict, core, f"{item['memory_mib']:,}"]]


def _gas_row(item: Mapping[str, Any]) -> list[str]:
    goal = item["goal"]
    return [
        item["operation"],
        f"{item['gas']:,}",
        f"{item['floor']:,}",
        f"{item['gas'] - item['floor']:,}",
        f"{item['budget']:,}",
        "" if goal is None else f"{goal:,}",
        "" if goal is None else "met" if item["gas"] <= goal else f"{item['gas'] - goal:,}",
    ]


def _origin(result: Result) -> str:
    found = result["machine"]
    versions = ", ".join(f"{name} {version}" for name, version in result["versions"].items())
    rows = [
        ["measured", f"{result['date']}, {result['size']} run, commit `{result['commit']}`"],
        ["machine", f"{found['cores']} cores of {found['processor']}, {found['memory_gib']} GiB, {found['system']}"],
        ["versions", versions],
    ]
    return _table(["", ""], rows)


def _connections() -> str:
    return ", ".join(f"{node} over {count}" for node, count in CONNECTIONS.items()) + " connections at once"


def _rate(rate: float) -> str:
    return f"{rate:,.0f}" if rate >= 100 else f"{rate:,.1f}"


def _table(headings: list[str], rows: Iterable[list[str]]) -> str:
    lines = [[heading.removeprefix("#") for heading in headings]]
    lines += [["---:" if heading.startswith("#") else "---" for heading in headings], *rows]
    return "".join(f"| {' | '.join(line)} |\n" for line in lines)
