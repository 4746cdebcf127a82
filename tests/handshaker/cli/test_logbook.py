"""``handshaker log``: an operator reads what the audit log says."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from handshaker.audit_log import KINDS, LogLine
from handshaker.cli import logbook
from tests.handshaker.cli.conftest import Shell
from tests.instances import Instance


@pytest.fixture
def shell(own_hospital: Instance) -> Shell:
    """A hospital in which something of every usual kind happened."""
    patient, parts = own_hospital.consented.actor.actor_id, own_hospital.handshaker
    parts.charts.open(patient, own_hospital.doctor)
    parts.charts.open(patient, own_hospital.pathologist)
    parts.patients.find(own_hospital.nurse, "zed")
    parts.registrar.end_practitioner(own_hospital.administrator, own_hospital.nurse.actor.actor_id)
    parts.erasures.erase("quarantine/2026-W01", "expired")
    settings = parts.settings
    return Shell({"instance": str(settings.instance), "store_url": settings.store, "vault_url": settings.vault})


def test_every_kind_is_told_in_words(shell: Shell) -> None:
    lines = shell.json("log", "--limit", 500)
    page = " ".join(line["says"] for line in lines)
    for said in (
        "effect",
        "clinical-note@",
        "chart of 0x",
        "The patient's consent allows what was shown.",
        "search of 2 patients",
        "A practitioner was ended",
        "The key of quarantine/2026-W01 is destroyed: expired.",
    ):
        assert said in page, said
    table = shell.run("log", "--limit", 500).stdout
    assert max(len(line) for line in table.splitlines()) <= 80
    for line in lines:
        assert f" {line['position']} " in table


def test_the_newest_come_last_and_one_kind_can_be_asked_for(shell: Shell) -> None:
    all_of_them = shell.json("log", "--limit", 500)
    positions = [line["position"] for line in all_of_them]
    assert positions == list(range(len(positions)))
    found = shell.json("log", "--kind", "access", "--limit", 3)
    assert [line["entry"]["view"] for line in found] == ["chart", "chart", "search"]
    granted, denied, searched = found
    assert granted["says"].endswith("vital-signs, laboratory, notes. The patient's consent allows what was shown.")
    assert "demographics. Asked for: demographics, vital-signs, laboratory, notes." in denied["says"]
    assert (searched["who"], searched["kind"]) == ("nurse", "access")
    earlier = shell.json("log", "--kind", "access", "--before", searched["position"], "--limit", 1)
    assert earlier == [denied]


def test_where_there_is_nothing_it_says_so(shell: Shell) -> None:
    assert "no such entries" in shell.run("log", "--kind", "restore").stdout
    assert shell.json("log", "--kind", "lost") == []


def test_there_are_words_for_every_kind() -> None:
    assert set(logbook._SENTENCES) == set(KINDS)


def test_an_entry_that_was_damaged_does_not_hide_the_others(
    shell: Shell, own_hospital: Instance, monkeypatch: pytest.MonkeyPatch
) -> None:
    lines = own_hospital.handshaker.audit_log.lines(2)
    broken = LogLine(lines[0].position, "access", lines[0].at, {"kind": "access", "patient": 7}, "")
    monkeypatch.setattr("handshaker.audit_log.AuditLog.lines", lambda *_: [broken, lines[1]])
    damaged, whole = shell.json("log")[::-1]
    assert "handshaker verify" in damaged["says"]
    assert "handshaker verify" not in whole["says"]
    assert shell.run("log").exit_code == 0


@pytest.mark.parametrize("kind", ["lost", "restore", "contradiction"])
def test_what_seldom_happens_is_told_too(kind: str) -> None:
    said = {"anchoredSize": 9, "kept": 7, "ti": "12345678-1", "block": 5}
    line = LogLine(3, kind, datetime(2026, 11, 1, tzinfo=UTC), said, "")
    assert "handshaker verify" not in logbook._what(line)
