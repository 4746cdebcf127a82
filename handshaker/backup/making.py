"""Making a backup, while worker and web application go on."""

from __future__ import annotations

import json
import os
import secrets
import shutil
import uuid
from dataclasses import replace
from importlib.metadata import version
from pathlib import Path
from typing import Any

from handshaker import private_files
from handshaker.audit.errors import LogHeld
from handshaker.audit.merkle import TiledTree
from handshaker.backup.errors import FolderTaken
from handshaker.backup.manifest import FILE, ChainPlace, DatabaseCopy, Manifest, RelayerPlace, digest
from handshaker.backup.places import Places
from handshaker.bootstrap import Handshaker
from handshaker.messages import Act
from handshaker.store import frozen
from handshaker.store.copies import Copies, Hear, Moment
from handshaker.store.sql_store import SqlStore
from handshaker.vault import copied
from handshaker.vocabulary import ActCode


def make_backup(handshaker: Handshaker, folder: Path, hear: Hear, actor_id: str = "system") -> Manifest:
    """Copy both databases into a new folder and return the manifest that lies beside them.

    The audit database goes first: whatever payload is in its copy, the key to it is in the vault's, which is younger.
    The folder has another name until it is whole. ``hear`` hears what is done. Raises ``FolderTaken`` and
    ``StoreUnavailable`` and its kinds, and leaves nothing behind then.
    """
    if folder.exists():
        raise FolderTaken(f"There is something in {folder} already.", path=str(folder))
    backup_id = str(uuid.uuid4())
    is_held = _enter(handshaker, backup_id, actor_id)
    draft = folder.with_name(f".{folder.name}.{secrets.token_hex(4)}.unfinished")
    draft.mkdir(parents=True, mode=0o700)
    try:
        manifest = _copy(handshaker, draft, backup_id, hear)
        manifest = replace(manifest, held=is_held)
        private_files.keep(draft / FILE, json.dumps(manifest.to_json(), indent=2) + "\n")
        _sync(draft)
        hear("finishing", 0, 1)
        _rename(draft, folder)
        hear("finishing", 1, 1)
    except (Exception, KeyboardInterrupt):
        shutil.rmtree(draft, ignore_errors=True)
        raise
    return manifest


def _enter(handshaker: Handshaker, backup_id: str, actor_id: str) -> bool:
    """Write into the log that there is a backup; return whether the log is held and takes no entry."""
    try:
        handshaker.store.log.add_act(Act(ActCode.BACKUP_MADE, actor_id, backup_id), handshaker.clock.now())
    except LogHeld:
        return True
    return False


def _copy(handshaker: Handshaker, draft: Path, backup_id: str, hear: Hear) -> Manifest:
    places = Places.of(handshaker.settings)
    made_at = handshaker.clock.now()
    with places.audit.moment() as moment:
        store = frozen.frozen(moment.connection)
        size = store.log.size()
        root = TiledTree(store.log).root(size)
        chain, nonces = _chain(store), store.restoring.highest_nonces()
        audit = _written(places.audit, moment, draft, "audit", frozen.revision_of(moment.connection), hear)
    with places.vault.moment() as moment:
        root_key = copied.root_id_of(moment.connection)
        vault = _written(places.vault, moment, draft, "vault", copied.revision_of(moment.connection), hear)
    return Manifest(
        backup=backup_id,
        made_at=made_at.isoformat(),
        program=version("blockchain-handshaker"),
        audit=audit,
        vault=vault,
        root_key=root_key,
        log_size=size,
        log_root="0x" + root.hex(),
        held=False,
        chain=chain,
        relayers={
            name: RelayerPlace(address, nonces.get(address)) for name, address in handshaker.vault.relayers().items()
        },
    )


def _chain(store: SqlStore) -> ChainPlace | None:
    deployment, tip = store.catalogue.deployment(), store.chain_view.tip()
    if deployment is None:
        return None
    return ChainPlace(
        chain_id=deployment.identity.chain_id,
        genesis="0x" + deployment.identity.genesis.hex(),
        contracts=dict(deployment.addresses),
        deployment_block=deployment.block_number,
        walked_number=tip.number if tip else None,
        walked_hash="0x" + tip.hash.hex() if tip else None,
    )


def _written(place: Copies, moment: Moment, draft: Path, name: str, revision: str, hear: Hear) -> DatabaseCopy:
    path = draft / f"{name}{place.suffix}"
    moment.copy(path, lambda done, of: hear(f"copying {path.name}", done, of))
    found = digest(path, lambda done, of: hear(f"hashing {path.name}", done, of))
    return DatabaseCopy(place.kind, path.name, path.stat().st_size, found, revision)


def _rename(draft: Path, folder: Path) -> None:
    """Give the whole backup its name; never over anything, not even an empty folder."""
    if folder.exists():
        raise FolderTaken(f"Something came into {folder} meanwhile.", path=str(folder))
    draft.rename(folder)
    _sync(folder.parent)


def _sync(folder: Path) -> None:
    handle: Any = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
