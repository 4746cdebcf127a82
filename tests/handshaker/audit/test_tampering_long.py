"""A log of some thousand entries: tiles, many anchorless entries, and findings that do not drown the reader."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from benchmarks.log import BATCH, write_log
from handshaker.audit.merkle import new_tiles
from handshaker.audit.verification import Report, What
from handshaker.clock import SystemClock
from handshaker.settings import Settings, read_settings
from handshaker.store.sequencer import Sequencer
from handshaker.store.sql_store import SqlStore
from handshaker.vault.sql_vault import SqlVault
from handshaker.verifying import verifier
from tests.databases import Databases
from tests.handshaker.audit.forger import Forger

pytestmark = pytest.mark.sqlite


@pytest.fixture(scope="module")
def long_log(databases: Databases, tmp_path_factory: pytest.TempPathFactory) -> Settings:
    """A log with all its tiles, on no chain."""
    settings = read_settings(instance=tmp_path_factory.mktemp("long"))
    vault = SqlVault.open(settings.vault, settings.root_key_path, clock=SystemClock())
    store = SqlStore.open(settings.store, vault.seal_entry)
    vault.sealed_from(0)
    write_log(store._database, Sequencer(vault.seal_entry), 2 * BATCH)
    store.log.add_tiles(list(new_tiles({}, 2 * BATCH, store.log)))
    store.close()
    vault.close()
    return settings


@pytest.fixture
def copied(long_log: Settings, tmp_path: Path) -> Settings:
    shutil.copytree(long_log.instance, tmp_path / "instance")
    return long_log.model_copy(update={"instance": tmp_path / "instance"})


@pytest.fixture
def forger(copied: Settings) -> Iterator[Forger]:
    found = Forger(copied)
    yield found
    found.close()


def verified(settings: Settings) -> Report:
    with verifier(settings, offline=True) as found:
        return found.verify()


def test_a_long_log_is_as_it_was(copied: Settings) -> None:
    report = verified(copied)
    assert report.findings == ()
    assert report.entries == 2 * BATCH
    assert report.acknowledgements_checked == 2_400


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE audit_tiles SET hash = (SELECT min(leaf_hash) FROM audit_entries) WHERE level = 8 AND number = 3",
        "DELETE FROM audit_tiles WHERE level = 8 AND number = 3",
        "UPDATE audit_tiles SET level = 16 WHERE level = 8 AND number = 3",
    ],
)
def test_a_tile_that_was_changed_is_named_and_no_entry_is_slandered(
    copied: Settings, forger: Forger, statement: str
) -> None:
    forger.run(statement)
    found = verified(copied).findings[0]
    assert (found.what, found.position) == (What.TILE_CHANGED, 3 * 256)


def test_a_tile_of_entries_that_are_not_there_is_none(copied: Settings, forger: Forger) -> None:
    forger.run("INSERT INTO audit_tiles (level, number, hash) SELECT 8, 400, hash FROM audit_tiles WHERE number = 1")
    found = verified(copied).findings[0]
    assert (found.what, found.position) == (What.TILE_CHANGED, 400 * 256)


def test_tiles_that_were_made_anew_hide_no_changed_entry(copied: Settings, forger: Forger) -> None:
    forger.rewrite(1_500, rehash=True, v=2)
    forger.run("DELETE FROM audit_tiles")
    store = SqlStore.open(copied.store)
    store.log.add_tiles(list(new_tiles({}, 2 * BATCH, store.log)))
    store.close()
    (found,) = verified(copied).findings
    assert (found.what, found.position) == (What.CHANGED, 1_500)


def test_one_removal_is_one_finding_however_many_entries_follow(copied: Settings, forger: Forger) -> None:
    forger.remove(17, renumber=True, traces=False, seals_stay=False)
    (found,) = verified(copied).findings
    assert (found.what, found.position) == (What.REMOVED, 17)


def test_a_thousand_changes_are_some_findings_and_a_number(copied: Settings, forger: Forger) -> None:
    forger.run("UPDATE acknowledgements SET code = 'forged'")
    report = verified(copied)
    assert (report.findings[0].what, report.findings[0].position) == (What.CHANGED, 0)
    assert len(report.findings) == 20
    assert any("more rows" in remark for remark in report.remarks)


def test_a_log_that_was_turned_round_is_told_in_a_few_findings(copied: Settings, forger: Forger) -> None:
    forger.run(
        "UPDATE audit_positions SET position = -1 - position",
        f"UPDATE audit_positions SET position = {2 * BATCH} + position",
    )
    report = verified(copied)
    assert (report.findings[0].what, report.findings[0].position) == (What.REORDERED, 0)
    assert len(report.findings) <= 45


def test_a_log_without_any_seal_is_told_in_one_finding(copied: Settings, forger: Forger) -> None:
    forger.run("UPDATE audit_positions SET seal = NULL")
    (found,) = verified(copied).findings
    assert (found.what, found.position, found.proven) == (What.SEAL_CHANGED, 0, False)
