"""A hospital that is backed up, works on, loses everything, and is restored."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import sqlalchemy as sa

from handshaker.backup import Manifest, Reconciliation, Restored, accept_loss, make_backup, restore
from handshaker.bootstrap import make_handshaker
from handshaker.ethereum.chain import EthereumChain
from handshaker.messages import Head, NetworkTransaction
from handshaker.store.copies import Hear
from tests.databases import HERE
from tests.instances import PEOPLE, Instance


def unheard(what: str, done: int, of: int) -> None:
    """Nobody looks at the progress."""


@dataclass
class Drill:
    """One hospital and its backups."""

    instance: Instance
    place: Path
    known: dict[str, Any] = field(default_factory=dict)

    def as_owner(self) -> None:
        """Let whoever restores have the tables' owner, where there is one."""
        owner = {k: v for k, v in HERE.of(self.instance.folder / "instance").items() if k == "store_owner_url"}
        self.instance.handshaker.settings = self.instance.handshaker.settings.model_copy(update=owner)

    # ---- doing -------------------------------------------------------------------------------------------------------

    def anchor(self) -> Head:
        """Let the log's head go to the chain."""
        self.instance.clock.advance(61)
        self.instance.steps(5)
        anchored = self.instance.handshaker.chain.anchored()
        assert anchored.size == self.instance.handshaker.store.log.size()
        return anchored

    def anchor_without_carrying(self) -> Head:
        """Let only the log's head go to the chain, whatever waits."""
        self.instance.clock.advance(61)
        worker = self.instance.worker
        for _ in range(5):
            worker._indexer.advance()
            worker._anchor(1)
        return self.instance.handshaker.chain.anchored()

    def back_up(self, name: str = "backup", hear: Hear = unheard) -> tuple[Path, Manifest]:
        folder = self.place / name
        return folder, make_backup(self.instance.handshaker, folder, hear)

    def restore(self, folder: Path, hear: Hear = unheard, **options: Any) -> Restored:
        """Restore a backup over the hospital, and open it again."""
        self.stop()
        known: dict[str, Any] = {"replacing": True, "clock": self.instance.clock, "chain": self.chain()}
        restored = restore(self.instance.handshaker.settings, folder, hear, **(known | options))
        self.start()
        return restored

    def accept(self) -> Reconciliation:
        return accept_loss(self.instance.handshaker, self.instance.administrator, unheard)

    def stop(self) -> None:
        self.instance.handshaker.close()

    def start(self) -> None:
        """Open the hospital again, with a worker that has just begun."""
        settings = self.instance.handshaker.settings
        handshaker = make_handshaker(settings, clock=self.instance.clock, chain=self.chain())
        people = {name: getattr(self.instance, name) for name in PEOPLE}
        self.instance = replace(self.instance, handshaker=handshaker, **people)

    def chain(self) -> EthereumChain:
        """The node as one finds it who knows nothing of it yet."""
        chain = EthereumChain(self.instance.node.provider)
        chain.asker = self.instance.handshaker.chain.asker
        return chain

    # ---- looking -----------------------------------------------------------------------------------------------------

    def rows(self, query: str) -> Sequence[tuple[Any, ...]]:
        with self.instance.handshaker.store._database.read() as connection:
            return [tuple(row) for row in connection.execute(sa.text(query))]

    def leaves(self) -> list[bytes]:
        return self.instance.handshaker.store.log.leaf_hashes(0, 10**9)

    def kinds(self, first: int = 0) -> list[str]:
        """The kinds of the log's entries from a position on."""
        return [entry.kind for entry in self.instance.handshaker.store.log.entries(first, 10**9)]


def anchor_elsewhere(drill: Drill, relayer: str, size: int) -> None:
    """Let somebody with the same keys, who has another copy of the log, anchor a head of it."""
    chain, vault = drill.instance.handshaker.chain, drill.instance.handshaker.vault
    head = Head(size, bytes(range(32)))
    transaction = NetworkTransaction(0, relayer, chain.nonce(relayer), (), chain.anchor_gas(), head=head)
    attempt = chain.attempt(lambda digest: vault.sign_as_relayer(relayer, digest), transaction, [], chain.fees())
    chain.send(attempt.raw)
    assert chain.anchored() == head
