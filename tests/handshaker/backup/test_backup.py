"""A backup is whole or not there, is of one moment, opens only with the root key, and is an entry of the log."""

from __future__ import annotations

import hashlib
import json
import sqlite3
import stat
import threading
from contextlib import closing
from pathlib import Path

import pytest

from handshaker.audit.merkle import CompactRange
from handshaker.backup import FolderTaken, Manifest
from handshaker.messages import Head
from handshaker.vocabulary import ActCode
from tests.handshaker.backup.drill import Drill, unheard


def test_a_backup_says_what_it_is(drill: Drill) -> None:
    anchored = drill.anchor()
    drill.instance.measure()
    drill.instance.drain()
    folder, manifest = drill.back_up()
    handshaker = drill.instance.handshaker
    assert Manifest.read(folder) == manifest
    assert manifest.log_size == handshaker.store.log.size() > anchored.size
    tree = CompactRange()
    tree.extend(drill.leaves())
    assert manifest.log_root == "0x" + tree.root().hex()
    deployment, tip = handshaker.chain.deployment, handshaker.store.chain_view.tip()
    assert deployment is not None
    assert tip is not None
    assert manifest.chain is not None
    assert manifest.chain.genesis == "0x" + deployment.identity.genesis.hex()
    assert manifest.chain.contracts == deployment.addresses
    assert (manifest.chain.walked_number, manifest.chain.walked_hash) == (tip.number, "0x" + tip.hash.hex())
    worker = manifest.relayers["worker-1"]
    assert worker.address == handshaker.vault.relayer_address("worker-1")
    assert worker.highest_nonce == handshaker.chain.nonce(worker.address) - 1
    assert manifest.relayers["deployer"].highest_nonce is None


def test_a_backup_is_an_entry_of_the_log_that_it_holds(drill: Drill) -> None:
    before = drill.instance.handshaker.store.log.size()
    _, manifest = drill.back_up()
    (entry,) = drill.instance.handshaker.store.log.entries(before, before + 10)
    leaf = json.loads(entry.leaf)
    assert (leaf["act"], leaf["subject"]) == (str(ActCode.BACKUP_MADE), manifest.backup)
    assert manifest.log_size == before + 1


def test_a_backup_is_for_its_owner_only_and_holds_no_root_key_and_no_token(drill: Drill) -> None:
    folder, manifest = drill.back_up()
    settings = drill.instance.handshaker.settings
    assert sorted(path.name for path in folder.iterdir()) == sorted(
        [manifest.audit.file, manifest.vault.file, "manifest.json"]
    )
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    for path in folder.iterdir():
        assert stat.S_IMODE(path.stat().st_mode) == 0o600
        held = path.read_bytes()
        assert settings.root_key_path.read_bytes() not in held
        assert not any(token.encode() in held for token in drill.instance.tokens.values())
    for copy in (manifest.audit, manifest.vault):
        assert hashlib.sha256((folder / copy.file).read_bytes()).hexdigest() == copy.sha256


def test_nothing_is_ever_written_over(drill: Drill) -> None:
    taken = drill.place / "taken"
    taken.mkdir()
    before = drill.instance.handshaker.store.log.size()
    with pytest.raises(FolderTaken):
        drill.back_up("taken")
    assert list(taken.iterdir()) == []
    assert drill.instance.handshaker.store.log.size() == before


class Killed(BaseException):
    """No handler runs in a killed process."""


def test_a_backup_that_was_killed_is_never_taken_for_a_whole_one(drill: Drill) -> None:
    heard: list[str] = []
    drill.back_up("whole", lambda what, done, of: heard.append(what))
    for at in range(len(heard)):
        left = iter(range(at))

        def die(what: str, done: int, of: int, left: object = left) -> None:
            if next(left, None) is None:  # type: ignore[call-overload]
                raise Killed

        folder = drill.place / f"killed-{at}"
        try:
            drill.back_up(folder.name, die)
        except Killed:
            if folder.exists():
                Manifest.read(folder).check_files(folder, unheard)
    assert not (drill.place / "killed-0").exists()
    assert not (drill.place / f"killed-{len(heard) - 2}").exists()


def test_a_backup_that_fails_leaves_nothing_behind(drill: Drill) -> None:
    def fail(what: str, done: int, of: int) -> None:
        if what.startswith("hashing vault"):
            raise OSError("the disk is gone")

    before = sorted(drill.place.iterdir())
    with pytest.raises(OSError, match="disk"):
        drill.back_up("failed", fail)
    assert sorted(drill.place.iterdir()) == before


def test_a_backup_while_a_worker_writes_is_of_one_moment(drill: Drill) -> None:
    instance = drill.instance
    for _ in range(30):
        instance.measure()
    stop, failures = threading.Event(), []

    def work() -> None:
        try:
            while not stop.is_set():
                instance.worker.step()
        except Exception as error:
            failures.append(error)

    worker = threading.Thread(target=work)
    worker.start()
    try:
        backups = [drill.back_up(f"backup-{number}") for number in range(3)]
    finally:
        stop.set()
        worker.join()
    assert failures == []
    instance.drain()
    for folder, manifest in backups:
        drill.restore(folder)
        log = drill.instance.handshaker.store.log
        tree = CompactRange()
        tree.extend(log.leaf_hashes(0, manifest.log_size))
        assert "0x" + tree.root().hex() == manifest.log_root
        # Each ACK with its entry, each accepted TI with its signature and its row or its ACK.
        assert drill.rows(
            "SELECT count(*) FROM acknowledgements a LEFT JOIN audit_entries e USING (entry_id) "
            "WHERE e.entry_id IS NULL"
        ) == [(0,)]
        assert drill.rows(
            "SELECT count(*) FROM statements s LEFT JOIN queue q USING (ti_id) LEFT JOIN acknowledgements"
            " a ON a.ti_id = s.ti_id WHERE q.ti_id IS NULL AND a.ti_id IS NULL"
        ) == [(0,)]


@pytest.mark.sqlite
def test_the_copy_keeps_the_triggers_that_refuse_change(drill: Drill) -> None:
    folder, manifest = drill.back_up()
    with closing(sqlite3.connect(folder / manifest.audit.file)) as copy:
        with pytest.raises(sqlite3.IntegrityError, match="append-only"):
            copy.execute("UPDATE audit_entries SET leaf = x'00'")
        with pytest.raises(sqlite3.IntegrityError, match="append-only"):
            copy.execute("DELETE FROM acknowledgements")


def test_a_held_log_can_be_backed_up_and_gets_no_entry(drill: Drill) -> None:
    log = drill.instance.handshaker.store.log
    log.hold("behind", log.size(), Head(log.size() + 1, bytes(32)), drill.instance.clock.now())
    before = log.size()
    folder, manifest = drill.back_up()
    assert manifest.held
    assert log.size() == before == Manifest.read(folder).log_size


def test_a_place_for_the_backup_that_cannot_be_written_is_named(drill: Drill) -> None:
    (drill.place / "file").write_text("")
    with pytest.raises(OSError, match="file"):
        drill.back_up(str(Path("file") / "backup"))
