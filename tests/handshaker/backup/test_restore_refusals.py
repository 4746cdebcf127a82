"""What cannot be restored is refused in words that name the mend, and nothing is changed by it."""

from __future__ import annotations

import json
import secrets
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from handshaker.backup import BackupForeign, BackupUnusable, InstanceTaken
from handshaker.errors import ChainMismatch, ChainUnreachable, HandshakerError, RootKeyUnusable
from handshaker.ethereum.chain import EthereumChain, connect
from handshaker.vault.root import RootFile
from tests.handshaker.backup.drill import Drill
from tests.nodes import eth_tester


def altered(folder: Path, **changes: object) -> None:
    path = folder / "manifest.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | changes))


def flipped(path: Path) -> None:
    held = bytearray(path.read_bytes())
    held[len(held) // 2] ^= 1
    path.write_bytes(held)


def copy_of(folder: Path, name: str) -> dict[str, object]:
    found: dict[str, object] = json.loads((folder / "manifest.json").read_text())[name]
    return found


SPOILED: dict[str, tuple[Callable[[Path], object], type[HandshakerError]]] = {
    "no manifest": (lambda folder: (folder / "manifest.json").unlink(), BackupUnusable),
    "half a manifest": (lambda folder: (folder / "manifest.json").write_text('{"format": "hand'), BackupUnusable),
    "another manifest": (lambda folder: (folder / "manifest.json").write_text("[]"), BackupUnusable),
    "a member missing": (lambda folder: altered(folder, audit={}), BackupUnusable),
    "a file elsewhere": (
        lambda folder: altered(folder, audit=copy_of(folder, "audit") | {"file": "../audit.db"}),
        BackupUnusable,
    ),
    "a flipped bit": (lambda folder: flipped(folder / str(copy_of(folder, "audit")["file"])), BackupUnusable),
    "a flipped key": (lambda folder: flipped(folder / str(copy_of(folder, "vault")["file"])), BackupUnusable),
    "a file missing": (lambda folder: (folder / str(copy_of(folder, "vault")["file"])).unlink(), BackupUnusable),
    "another format": (lambda folder: altered(folder, version=2), BackupForeign),
    "a newer schema": (
        lambda folder: altered(folder, audit=copy_of(folder, "audit") | {"revision": "9999"}),
        BackupForeign,
    ),
    "a newer vault": (
        lambda folder: altered(folder, vault=copy_of(folder, "vault") | {"revision": "9999"}),
        BackupForeign,
    ),
    "other databases": (
        lambda folder: altered(folder, vault=copy_of(folder, "vault") | {"kind": "another"}),
        BackupForeign,
    ),
}


def assert_nothing_changed(drill: Drill, folder: Path, kind: type[HandshakerError], **options: Any) -> None:
    settings, before = drill.instance.handshaker.settings, drill.leaves()
    files = {path.name for path in settings.instance.rglob("*")}
    with pytest.raises(kind) as refused:
        drill.restore(folder, **options)
    assert refused.value.mend
    assert {path.name for path in settings.instance.rglob("*")} - files <= {".open.lock"}
    drill.start()
    assert drill.leaves() == before
    assert drill.instance.acknowledged(drill.instance.measure()).code == "effect"


@pytest.mark.parametrize("how", SPOILED)
def test_a_backup_that_is_damaged_or_foreign_changes_nothing(drill: Drill, how: str) -> None:
    folder, _ = drill.back_up()
    spoil, kind = SPOILED[how]
    spoil(folder)
    assert_nothing_changed(drill, folder, kind)


def test_another_root_key_changes_nothing(drill: Drill) -> None:
    folder, _ = drill.back_up()
    drill.instance.handshaker.vault.rotate_root()
    assert_nothing_changed(drill, folder, RootKeyUnusable)


def test_a_root_key_that_only_claims_to_fit_changes_nothing(drill: Drill) -> None:
    folder, manifest = drill.back_up()
    drill.instance.handshaker.vault.rotate_root()
    present = RootFile(drill.instance.handshaker.settings.root_key_path).read().root_id
    assert present != manifest.root_key
    altered(folder, root_key=present)
    if manifest.vault.kind == "sqlite":
        assert_nothing_changed(drill, folder, RootKeyUnusable)


def test_another_chain_changes_nothing(drill: Drill) -> None:
    folder, _ = drill.back_up()
    assert_nothing_changed(drill, folder, ChainMismatch, chain=EthereumChain(eth_tester().provider))


def test_without_the_chain_nothing_is_restored(drill: Drill) -> None:
    folder, _ = drill.back_up()
    nowhere = EthereumChain(connect(f"http://127.0.0.1:{1 + secrets.randbelow(9)}"))
    assert_nothing_changed(drill, folder, ChainUnreachable, chain=nowhere)


def test_without_replace_nothing_is_replaced(drill: Drill) -> None:
    folder, _ = drill.back_up()
    assert_nothing_changed(drill, folder, InstanceTaken, replacing=False)
