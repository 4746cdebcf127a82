"""Restoring: a backup takes the place of what is there, and is reconciled with the chain before anybody may use it."""

from __future__ import annotations

import json
from dataclasses import dataclass, replace
from pathlib import Path

from handshaker import private_files
from handshaker.audit.merkle import TiledTree
from handshaker.backup.errors import BackupForeign, BackupUnusable, InstanceTaken
from handshaker.backup.manifest import Manifest
from handshaker.backup.places import Places
from handshaker.backup.reconciling import Reconciliation, reconcile
from handshaker.bootstrap import make_chain, make_handshaker
from handshaker.clock import SystemClock
from handshaker.ethereum.chain import EthereumChain
from handshaker.messages import ChainIdentity, Deployment
from handshaker.occupancy import UNFINISHED, InstanceInUse, alone
from handshaker.ports import Clock
from handshaker.settings import Settings
from handshaker.store import frozen
from handshaker.store.copies import Copies, Hear, SqliteCopies
from handshaker.vault import copied


@dataclass(frozen=True, slots=True)
class Restored:
    """What a restore did."""

    manifest: Manifest
    aside: tuple[str, ...]
    """Where what was there is now."""
    reconciliation: Reconciliation


def restore(
    settings: Settings,
    folder: Path,
    hear: Hear,
    *,
    replacing: bool = False,
    clock: Clock | None = None,
    chain: EthereumChain | None = None,
) -> Restored:
    """Put a backup in the place of an instance's databases and reconcile it with the chain.

    All is checked before anything is changed: the copies, the version, the root key, that nobody uses the instance,
    and that the node has the backup's chain. Until the end nobody else can open the instance; killed at any moment it
    can be repeated. Raises ``BackupUnusable``, ``BackupForeign``, ``RootKeyUnusable``, ``InstanceInUse``,
    ``InstanceTaken``, ``ChainUnreachable``, ``ChainMismatch``, ``StoreUnavailable`` and their kinds.
    """
    clock = clock or SystemClock()
    manifest = Manifest.read(folder)
    places = Places.of(settings)
    _refuse_foreign(manifest, places, folder)
    manifest.check_files(folder, hear)
    copied.require_root(settings.root_key_path, manifest.root_key)
    settings.instance.mkdir(parents=True, exist_ok=True, mode=0o700)
    with alone(settings.instance):
        _refuse_users(places)
        for place in (places.audit, places.vault):
            place.require_rights()
        marker = settings.instance / UNFINISHED
        _refuse_taken(places, replacing=replacing or marker.exists())
        chain = _asked(manifest, chain or make_chain(settings))
        try:
            _stage(manifest, places, folder, settings, hear)
        except (Exception, KeyboardInterrupt):
            places.audit.unstage()
            places.vault.unstage()
            raise
        name = f"{'interrupted' if marker.exists() else 'before'}-{clock.now():%Y%m%dt%H%M%Sz}"
        hear("beginning", 0, 1)
        private_files.keep(marker, json.dumps({"backup": manifest.backup, "folder": str(folder.absolute())}) + "\n")
        aside = _exchange(manifest, places, folder, name, hear)
        found = _reconciled(settings, manifest, clock, chain, hear)
        marker.unlink()
        hear("done", 1, 1)
    return Restored(manifest, aside, found)


def _refuse_foreign(manifest: Manifest, places: Places, folder: Path) -> None:
    """Raise ``BackupForeign`` for what this program, or the databases that the settings name, cannot take."""
    kinds = (manifest.audit.kind, manifest.vault.kind)
    ours = (places.audit.kind, places.vault.kind)
    if kinds != ours:
        raise BackupForeign(
            f"The backup in {folder} is of {kinds[0]} and {kinds[1]}, and the settings name {ours[0]} and {ours[1]}.",
            path=str(folder),
            expected=list(kinds),
            found=list(ours),
        )
    revisions = (manifest.audit.revision, manifest.vault.revision)
    if not frozen.knows_revision(revisions[0]) or not copied.knows_revision(revisions[1]):
        raise BackupForeign(
            f"The backup in {folder} is of version {manifest.program} and has tables that this one does not know.",
            path=str(folder),
            expected=manifest.program,
            found=list(revisions),
        )


def _refuse_users(places: Places) -> None:
    """Raise ``InstanceInUse`` where somebody on another machine is connected."""
    users = [name for name, place in (("audit", places.audit), ("vault", places.vault)) if place.others()]
    if users:
        raise InstanceInUse(f"Somebody is connected to the database: {', '.join(users)}.", users=users)


def _refuse_taken(places: Places, *, replacing: bool) -> None:
    taken = [name for name, place in (("audit", places.audit), ("vault", places.vault)) if place.exists()]
    if taken and not replacing:
        raise InstanceTaken(f"The instance is not empty: {' and '.join(taken)} database.", databases=taken)


def _asked(manifest: Manifest, chain: EthereumChain) -> EthereumChain:
    """Return the chain after asking it whether it is the backup's: without it nothing can be reconciled."""
    place = manifest.chain
    if place is not None:
        identity = ChainIdentity(place.chain_id, bytes.fromhex(place.genesis[2:]))
        chain.deployment = Deployment(identity, place.contracts, place.deployment_block)
        chain.check_deployment()
    return chain


def _stage(manifest: Manifest, places: Places, folder: Path, settings: Settings, hear: Hear) -> None:
    """Bring both copies close, and look into them as far as that can be done before they are in their place."""
    hear("staging", 0, 2)
    audit = places.audit.stage(folder / manifest.audit.file)
    if audit is not None:
        with SqliteCopies(audit).moment() as moment:
            log = frozen.frozen(moment.connection).log
            size = log.size()
            if (size, "0x" + TiledTree(log).root(size).hex()) != (manifest.log_size, manifest.log_root):
                raise BackupUnusable(
                    f"{folder}: the log in the copy is not the one of the manifest.",
                    path=str(folder),
                    problem="another log",
                )
    hear("staging", 1, 2)
    vault = places.vault.stage(folder / manifest.vault.file)
    if vault is not None:
        with SqliteCopies(vault).moment() as moment:
            copied.require_opens(moment.connection, settings.root_key_path)


def _exchange(manifest: Manifest, places: Places, folder: Path, name: str, hear: Hear) -> tuple[str, ...]:
    """Move aside what is there and put the copies in its place, one database after the other."""
    aside = []
    pairs: tuple[tuple[Copies, str], ...] = (
        (places.audit, manifest.audit.file),
        (places.vault, manifest.vault.file),
    )
    for number, (place, file) in enumerate(pairs):
        hear("moving aside", 2 * number, 4)
        aside.append(place.move_aside(name))
        hear("putting in place", 2 * number + 1, 4)
        place.put(folder / file)
    return tuple(where for where in aside if where)


def _reconciled(
    settings: Settings, manifest: Manifest, clock: Clock, chain: EthereumChain, hear: Hear
) -> Reconciliation:
    hear("opening", 0, 1)
    handshaker = make_handshaker(settings, clock=clock, chain=chain, alone=True)
    try:
        hear("ending sessions", 0, 1)
        ended = handshaker.store.restoring.end_sessions(clock.now())
        handshaker.sessions.sweep()
        hear("asking the chain", 0, 1)
        found = reconcile(handshaker, manifest)
        return replace(found, ended_sessions=ended)
    finally:
        handshaker.close()
