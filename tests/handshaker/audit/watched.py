"""A hospital whose log is anchored, with entries of every common kind, and copies of it for forgers to work on."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

from handshaker.audit.verification import Finding, Progress, Report, What
from handshaker.clock import SystemClock
from handshaker.ethereum.chain import EthereumChain
from handshaker.messages import Access, Act
from handshaker.settings import Settings
from handshaker.vault.sql_vault import SqlVault
from handshaker.verifying import verifier
from handshaker.vocabulary import AccessReason, ActCode
from tests.databases import HERE
from tests.handshaker.audit.forger import Forger
from tests.instances import Instance, blood_pressure, copied

SECONDS = 60.0
LIVES = 4


@dataclass(frozen=True)
class Case:
    """Databases that somebody may have tampered with, beside the chain that has not changed."""

    instance: Instance
    settings: Settings

    def verified(self, *, offline: bool = False, progress: Progress | None = None) -> Report:
        """What a verification says; it opens everything anew."""
        before = self.instance.handshaker.chain
        chain = EthereumChain(self.instance.node.provider, before.profile)
        chain.asker = before.asker
        with verifier(self.settings, chain=chain, offline=offline) as found:
            return found.verify(progress)

    @contextmanager
    def forger(self, *, has_vault: bool = False) -> Iterator[Forger]:
        with ExitStack() as closing:
            seal = None
            if has_vault:
                vault = SqlVault.open(self.settings.vault, self.settings.root_key_path, clock=SystemClock())
                closing.callback(vault.close)
                seal = vault.seal_entry
            found = Forger(self.settings, seal)
            closing.callback(found.close)
            yield found


@contextmanager
def watched(pattern: Instance, folder: Path) -> Iterator[Instance]:
    """A copy of ``pattern`` with several anchors, and four entries that are newer than the last."""
    instance = copied(pattern, folder, anchor_seconds=SECONDS, anchor_entries=10**6)
    anchor(instance)
    for _ in range(LIVES):
        life(instance)
        anchor(instance)
    life(instance)
    try:
        yield instance
    finally:
        instance.close()


def case_of(instance: Instance) -> Case:
    """The instance itself."""
    return Case(instance, instance.handshaker.settings)


def copy_of(instance: Instance, folder: Path) -> Case:
    """A copy of its databases."""
    known = instance.handshaker.settings
    instance.handshaker.close()
    there = HERE.of(folder / "instance", known.instance)
    shutil.copytree(known.instance, folder / "instance")
    return Case(instance, known.model_copy(update={"instance": folder / "instance", "root_key": None, **there}))


def anchor(instance: Instance) -> None:
    """Let the time pass after which the log is anchored."""
    instance.clock.advance(SECONDS + 1)
    instance.steps(4)


def life(instance: Instance) -> None:
    """A reading, an access to it, one that a gate refused, and an act."""
    now = instance.clock.now()
    assert instance.acknowledged(instance.measure()).code == "effect"
    access = Access(
        instance.nurse.actor.actor_id,
        "nurse",
        1,
        instance.consented.actor.actor_id,
        "chart",
        "TREAT",
        asked=3,
        granted=1,
        reason=AccessReason.CONSENT,
    )
    instance.handshaker.store.accesses.add(access, now)
    assert instance.acknowledged(instance.measure(payload=blood_pressure(systolic=999))).code != "effect"
    instance.handshaker.store.log.add_act(Act(ActCode.LOGGED_IN, instance.nurse.actor.actor_id, "nobody"), now)


def headline(report: Report) -> tuple[What, int | None]:
    """What the first finding says, and of which position."""
    assert report.findings, report
    return report.findings[0].what, report.findings[0].position


def only(report: Report) -> Finding:
    """The one finding."""
    assert len(report.findings) == 1, [(f.what, f.position, f.sentence) for f in report.findings]
    return report.findings[0]
