"""``backup`` and ``restore``: what they print, and how they fail."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

from handshaker.backup import Manifest, Reconciliation
from handshaker.backup.reconciling import LogState, Nonces
from handshaker.cli.reconciliation import lines, reconciliation_json
from handshaker.messages import Head
from handshaker.store.restoring import OpenWork, Unknown
from tests.handshaker.cli.conftest import Shell
from tests.postgres import TOOLS

THEN = datetime(2026, 11, 21, 8, 30, tzinfo=UTC)
LOST = Reconciliation(
    log=LogState("behind", 812, Head(840, bytes(32)), 800, THEN, THEN),
    is_held=True,
    nonces=(Nonces("worker-1", "0x01", 40, 47),),
    effects=Unknown({"vital-signs": 2}, {"HealthRecords.Recorded": 5}),
    open_work=OpenWork(3, THEN, 1),
    is_older=True,
    live_tokens=9,
    ended_sessions=4,
)
WHOLE = replace(
    LOST,
    log=LogState("whole", 812, Head(800, bytes(32)), 800, THEN, THEN),
    is_held=False,
    nonces=(),
    effects=Unknown({}, {}),
    is_older=False,
)


def test_a_backup_says_where_it_is_and_what_it_needs(ward: Shell, tmp_path: Path) -> None:
    folder = tmp_path / "backup"
    answer = ward.run("backup", folder, postgresql_tools=str(TOOLS))
    assert answer.exit_code == 0, answer.output
    assert str(folder) in answer.stdout
    assert "root.key" in answer.stdout
    assert f"{Manifest.read(folder).log_size} entries" in answer.stdout


def test_a_backup_as_json_is_its_manifest(ward: Shell, tmp_path: Path) -> None:
    folder = tmp_path / "backup"
    answer = ward.json("backup", folder, postgresql_tools=str(TOOLS))
    assert answer == {"folder": str(folder), **Manifest.read(folder).to_json()}


def test_a_folder_that_is_there_is_refused(ward: Shell, tmp_path: Path) -> None:
    ward.fails("backup", tmp_path, code="folder-taken", says="not there yet")


def test_a_folder_that_is_no_backup_is_refused(ward: Shell, tmp_path: Path) -> None:
    ward.fails("restore", tmp_path, code="backup-unusable", says="nothing was changed")


def test_an_instance_that_is_open_is_not_replaced(ward: Shell, tmp_path: Path) -> None:
    folder = tmp_path / "backup"
    ward.json("backup", folder, postgresql_tools=str(TOOLS))
    ward.fails("restore", folder, "--replace", code="instance-in-use", says="Stop the worker")


def test_what_is_replaced_must_be_named(ward: Shell) -> None:
    ward.fails("restore", "--replace", code="settings-invalid", says="FOLDER")


def test_looking_needs_the_chain(ward: Shell) -> None:
    ward.fails("restore", code="chain-unreachable", says="No Ethereum node answers")


def test_what_is_lost_is_said_in_sentences() -> None:
    text = "\n".join(lines(LOST))
    for part in (
        "positions 812 to 839",
        "the first 800 are proven",
        "Nothing can be appended",
        "handshaker restore --accept-loss --as ADMINISTRATOR",
        "read again from position 812",
        "nonces 40 to 46",
        "2 × vital-signs",
        "5 × HealthRecords.Recorded",
        "The text of 5 records",
        "3 transactions are open and are not carried",
        "1 revocations and denials go on at once",
        "4 ended",
        "9 tokens of the backup are valid",
    ):
        assert part in text, part


def test_what_is_whole_says_so_and_asks_for_nothing() -> None:
    text = "\n".join(lines(WHOLE))
    assert "All that the chain has anchored is here" in text
    assert "accept-loss" not in text
    assert "4 transactions are open, and go on" in text


def test_the_same_is_there_for_machines() -> None:
    found = reconciliation_json(LOST)
    assert found["log"]["lost"] == {"first": 812, "last": 839}
    assert found["nonces"][0]["lost"] == 7
    assert found["recordsWithoutPayload"] == 5
    assert reconciliation_json(WHOLE)["log"]["lost"] is None
