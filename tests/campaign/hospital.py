"""The hospital that suffers: a real node, real databases, contracts, people with tokens and with wallets."""

from __future__ import annotations

import os
import signal
import socket
import threading
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from eth_account import Account
from eth_account.signers.local import LocalAccount

from handshaker.audit.leaf import access_leaf
from handshaker.ethereum.anvil import AnvilNode
from handshaker.ethereum.ganache import GanacheNode
from handshaker.ethereum.processes import ask
from handshaker.messages import Access
from handshaker.store.sequencer import entry, new_entry_id
from handshaker.tokens import Credential
from handshaker.vocabulary import AccessReason
from tests.databases import HERE
from tests.instances import Instance, make_instance
from tests.nodes import Node
from tests.postgres import server

WORKERS = ("left", "right")
_BLOCK_TIME = 0.1
ENTRIES = 256
"""Leaves below the first tile: the log begins with as many, or its tiles would never be reached in a short campaign."""


@dataclass(frozen=True)
class Person:
    """Somebody with a token, and perhaps a wallet."""

    actor_id: str
    token: str = field(repr=False)
    wallet: LocalAccount | None = field(default=None, repr=False)


@dataclass
class Hospital:
    """What the campaign needs to know of it; the processes learn the rest from ``environment``."""

    database: str
    chain: str
    folder: Path
    node: GanacheNode | AnvilNode
    environment: dict[str, str]
    contracts: dict[str, str]
    relayers: dict[str, str]
    """Address by name, of every worker there ever was."""
    traveller_key: bytes = field(repr=False)
    """Of a stranger's account with ether, for statements that go straight to the chain."""
    people: dict[str, Person] = field(default_factory=dict)

    @property
    def workers(self) -> tuple[str, ...]:
        """SQLite has one writer, so one worker; on PostgreSQL two, each with a relayer of its own."""
        return WORKERS[:1] if self.database == "sqlite" else WORKERS

    @property
    def web_url(self) -> str:
        return f"http://127.0.0.1:{self.environment['HANDSHAKER_WEB_PORT']}"

    def ask(self, method: str, *parameters: Any) -> Any:
        """Ask the node itself, past everything that is tried here."""
        return ask(self.node.url, method, *parameters, timeout=30)

    @contextmanager
    def slow_blocks(self, wanted: bool) -> Iterator[None]:
        """Meanwhile let Anvil make a block each tenth of a second; Ganache takes its time by itself."""
        if not wanted or self.chain != "anvil":
            yield
            return
        over = threading.Event()
        clockwork = threading.Thread(target=self._tick, args=(over,), daemon=True)
        self.ask("evm_setAutomine", False)
        clockwork.start()
        try:
            yield
        finally:
            over.set()
            clockwork.join()
            self.ask("evm_setAutomine", True)
            self.ask("evm_mine")

    def _tick(self, over: threading.Event) -> None:
        while not over.wait(_BLOCK_TIME):
            self.ask("evm_mine")

    def restart_node(self) -> None:
        """SIGKILL Ganache and start it again over its database, where it was."""
        assert isinstance(self.node, GanacheNode)
        assert self.node.pid is not None
        os.kill(self.node.pid, signal.SIGKILL)
        self.node.stop()
        self.node.start()


@contextmanager
def hospital(database: str, chain: str, folder: Path) -> Iterator[Hospital]:
    """Found one in ``folder``; its node and its database server end with it."""
    with ExitStack() as stack:
        HERE.is_asked_for = True
        HERE.server = stack.enter_context(server(fast=False)) if database == "postgresql" else None
        node = stack.enter_context(_node(chain, folder))
        key = node.funding_key() if isinstance(node, GanacheNode) else node.fund()
        instance = make_instance(folder, Node(chain, node.url, key), workers=WORKERS)
        try:
            _write_history(instance)
            yield _described(instance, database, chain, node)
        finally:
            instance.close()


@contextmanager
def _node(chain: str, folder: Path) -> Iterator[GanacheNode | AnvilNode]:
    if chain == "anvil":
        with AnvilNode() as anvil:
            yield anvil
        return
    # On a port of its own, so that it comes back where it was.
    with GanacheNode(folder / "chain", port=_free_port()) as ganache:
        yield ganache


def _described(instance: Instance, database: str, chain: str, node: GanacheNode | AnvilNode) -> Hospital:
    handshaker, tokens = instance.handshaker, instance.handshaker.tokens
    deployment = handshaker.chain.deployment
    assert deployment is not None
    traveller = instance.node.fund()
    # Ganache runs a first transaction again when it hears it again.
    instance.node.transfer(traveller, "0x" + "11" * 20, 1)
    places = {f"HANDSHAKER_{name.upper()}": value for name, value in instance.places().items() if value}
    found = Hospital(
        database,
        chain,
        instance.folder,
        node,
        environment={
            **places,
            "HANDSHAKER_CHAIN_URL": node.url,
            "HANDSHAKER_WEB_PORT": str(_free_port()),
            "HANDSHAKER_WEB_RATE_LIMITS": "false",
            "HANDSHAKER_ANCHOR_SECONDS": "0.5",
            "HANDSHAKER_ANCHOR_ENTRIES": "20",
            "HANDSHAKER_LOG_LEVEL": "WARNING",
        },
        contracts=dict(deployment.addresses),
        relayers={name: handshaker.vault.create_relayer(name) for name in (handshaker.settings.worker, *WORKERS)},
        traveller_key=traveller,
    )
    for name in ("nurse", "consented", "silent"):
        found.people[name] = Person(getattr(instance, name).actor.actor_id, instance.tokens[name])
    fickle = instance.admit("fickle", "urn:test|3")
    found.people["fickle"] = Person(fickle.actor.actor_id, instance.tokens["fickle"])
    for name, admitted in _with_wallets(instance):
        credential, wallet = admitted
        token = tokens.issue(credential, ("submit", "read"))
        found.people[name] = Person(credential.actor.actor_id, token, wallet)
    return found


def _with_wallets(instance: Instance) -> Iterator[tuple[str, tuple[Credential, LocalAccount]]]:
    wallet: LocalAccount = Account.create()
    yield "patient with a wallet", (instance.admit_with_wallet(wallet), wallet)
    wallet = Account.create()
    yield "nurse with a wallet", (instance.hire_with_wallet(wallet), wallet)


def _write_history(instance: Instance) -> None:
    """Fill the log up to its first tile, all at once: with looks at charts, which no other table is about."""
    log, at = instance.handshaker.store.log, instance.clock.now()
    nurse, patient = instance.nurse.actor.actor_id, instance.consented.actor.actor_id
    seen = Access(nurse, "nurse", 1, patient, "chart", "TREAT", 2, 2, AccessReason.CONSENT)
    ids = [new_entry_id() for _ in range(ENTRIES - log.size())]
    with log._database.write() as connection:
        log._sequencer.append(connection, [entry(each, "access", access_leaf(each, seen, at), at) for each in ids])


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port
