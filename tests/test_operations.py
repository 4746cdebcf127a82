"""The runbook, the alerts and the figures speak of the same things."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
import yaml

from handshaker import journal, metrics
from handshaker.health import NAMES
from handshaker.settings import Settings

ROOT = Path(__file__).resolve().parent.parent
TEXT = (ROOT / "docs" / "operations.md").read_text()
RUNBOOK = TEXT.split("\n## Runbook\n")[1]
HEADINGS = re.findall(r"^### (\w+)$", RUNBOOK, re.M)
RULES: list[dict[str, Any]] = [
    rule
    for group in yaml.safe_load((ROOT / "ops" / "prometheus-alerts.yml").read_text())["groups"]
    for rule in group["rules"]
]
EXPOSED = {name: figure for figure in metrics.ALL for name in figure.exposed}


def section(heading: str) -> str:
    """What the runbook says under a heading."""
    return re.split(r"^### ", RUNBOOK.split(f"### {heading}\n")[1], maxsplit=1, flags=re.M)[0]


def test_every_alert_has_its_heading_in_the_runbook_and_every_heading_its_alert() -> None:
    assert [rule["alert"] for rule in RULES] == HEADINGS
    assert len(set(HEADINGS)) == len(HEADINGS)


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule["alert"])
def test_an_alert_links_to_its_heading_and_says_what_is_the_matter(rule: dict[str, Any]) -> None:
    assert rule["annotations"]["runbook"] == f"docs/operations.md#{rule['alert'].lower()}"
    assert rule["annotations"]["summary"].endswith(".")
    assert rule["labels"]["severity"] in {"info", "warning", "critical"}


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule["alert"])
def test_an_alert_names_only_figures_and_labels_that_there_are(rule: dict[str, Any]) -> None:
    named = re.findall(r"\b(handshaker_\w+|up)\b(?:\{([^}]*)\})?", re.sub(r'job="[^"]*"', "", rule["expr"]))
    assert named
    for name, chosen in named:
        labels = {*EXPOSED[name].labels, "le"} if name != "up" else set()
        assert set(re.findall(r"(\w+)\s*(?:=~|!=|=)", chosen)) <= labels, name


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule["alert"])
def test_an_alert_asks_for_checks_that_there_are(rule: dict[str, Any]) -> None:
    assert set(re.findall(r'check="(\w+)"', rule["expr"])) <= set(NAMES)


@pytest.mark.parametrize("heading", HEADINGS)
def test_a_heading_says_what_to_look_at_what_to_do_and_what_not(heading: str) -> None:
    text = section(heading)
    assert re.search(r"^Look:\n\n    \S", text, re.M)
    assert re.search(r"^Do: ", text, re.M)
    assert re.search(r"^Do not ", text, re.M)


def test_a_check_that_can_be_ill_or_degraded_has_an_alert() -> None:
    asked = {check for rule in RULES for check in re.findall(r'check="(\w+)"\} (?:==|>=) [12]', rule["expr"])}
    assert asked | {"log"} == set(NAMES)
    assert "handshaker_log_held == 1" in next(rule["expr"] for rule in RULES if rule["alert"] == "LogHeld")


def test_the_table_of_checks_names_every_check_in_its_order() -> None:
    table = TEXT.split("| check | degraded | ill | threshold |")[1].split("\n\n")[0]
    assert tuple(re.findall(r"^\| `(\w+)` \|", table, re.M)) == NAMES


def test_the_tables_of_figures_are_the_code() -> None:
    rows = re.findall(r"^\| `(handshaker_\w+)` \| (\w+) \| ([^|]*) \| ([^|]*) \|$", TEXT, re.M)
    told = [(name, kind, tuple(re.findall(r"`(\w+)`", labels)), meaning) for name, kind, labels, meaning in rows]
    assert told == [
        (figure.name + ("_total" if figure.kind == "counter" else ""), figure.kind, figure.labels, figure.meaning)
        for figure in metrics.ALL
    ]


def test_the_table_of_events_names_every_one_that_is_told() -> None:
    source = Path(journal.__file__).read_text()
    told = set(re.findall(r'_say\(\s*[\w.]+,\s*"([\w-]+)"', source))
    table = TEXT.split("| event | level | fields | who |")[1].split("\n\n")[0]
    assert set(re.findall(r"^\| `([\w-]+)` \|", table, re.M)) == told


def test_every_setting_that_is_named_exists() -> None:
    named = {name.lower() for name in re.findall(r"HANDSHAKER_(\w+)", TEXT)}
    assert named <= set(Settings.model_fields)


def test_no_figure_has_a_label_that_could_hold_an_id() -> None:
    labels = {label for figure in metrics.ALL for label in figure.labels}
    what_happened = {"stage", "verdict", "code", "outcome", "status", "state"}
    assert labels == what_happened | {"origin", "method", "kind", "operation", "check", "relayer"}
