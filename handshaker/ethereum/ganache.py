"""Ganache: the local chain that the Handshaker brings along, with a database that outlives it.

Its options are data (``ganache.json``). It mines ``strict``: a send is answered at once, even one whose predecessor is
still to come, where ``eager`` holds the request until the block is made (one connection 430 against 290 sends a second,
eight 2,300 against 400). It mines no blocks by time, for a block time strands pipelined transactions.

Its mnemonic is made once for each instance, lives in ``instance/keys/mnemonic`` and reaches Ganache through a pipe.
"""

from __future__ import annotations

import contextlib
import json
import os
import secrets
import shutil
import stat
from collections.abc import Mapping
from pathlib import Path
from types import TracebackType
from typing import Any

from eth_account import Account
from eth_account.hdaccount import ETHEREUM_DEFAULT_PATH, generate_mnemonic, key_from_seed, seed_from_mnemonic
from eth_account.types import Language

from handshaker.errors import ChainError, ChainMismatch, ChainUnreachable, InputInvalid
from handshaker.ethereum.processes import ROOT, NodeFailed, NodeMissing, NodeProcess, PortTaken, ask
from handshaker.messages import Json

OPTIONS = ROOT / "ganache.json"
SCRIPT = Path("scripts/ganache.js")

PORT_TAKEN = 3
DATABASE_LOCKED = 4
"""Exit codes of ``scripts/ganache.js``."""


class MnemonicUnusable(ChainError):
    """The mnemonic is missing though its chain exists, readable by others, or not a mnemonic. Data: ``path``."""

    code = "mnemonic-unusable"
    mend = "Put the right file back with mode 0600, or move the instance folder away for a fresh chain."


class DatabaseLocked(NodeFailed):
    """Another Ganache has this instance's chain open. Data: ``program``, ``complaint``."""

    code = "database-locked"
    mend = "Use the chain that runs, or stop it first."


def read_options(path: Path = OPTIONS) -> dict[str, Any]:
    """Return Ganache's options by section. Raises ``InputInvalid`` naming what is wrong with the file."""
    try:
        content: Json = json.loads(path.read_text())
    except (OSError, ValueError) as error:
        raise InputInvalid(f"{path.name} cannot be read as JSON.", path=str(path), problem=str(error)) from error
    options: dict[str, Any] = content if isinstance(content, dict) else {}
    for section, key in (("server", "host"), ("server", "port"), ("chain", "chainId"), ("database", "dbPath")):
        if key not in (options.get(section) or {}):
            problem = f"{section}.{key} is missing"
            raise InputInvalid(f"{path.name} is incomplete: {problem}.", path=str(path), problem=problem)
    return options


def make_mnemonic() -> str:
    """Return a new mnemonic of twelve words (128 bits, BIP-39)."""
    return generate_mnemonic(num_words=12, lang=Language.ENGLISH)


def load_mnemonic(path: Path) -> str:
    """Return the mnemonic kept in ``path``, made and written there (mode 0600) the first time.

    Of several processes that come first together, all get the same. Raises ``MnemonicUnusable``.
    """
    if not path.exists():
        mnemonic = make_mnemonic()
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        draft = path.with_name(f".{path.name}.{secrets.token_hex(8)}")
        with open(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
            file.write(f"{mnemonic}\n")
            file.flush()
            os.fsync(file.fileno())
        with contextlib.suppress(FileExistsError):
            os.link(draft, path)
        draft.unlink()
    if stat.S_IMODE(path.stat().st_mode) & 0o077:
        raise MnemonicUnusable("The chain's mnemonic is readable by others.", path=str(path))
    mnemonic = path.read_text().strip()
    try:
        funding_key(mnemonic)
    except Exception as error:
        raise MnemonicUnusable("The chain's mnemonic is not one.", path=str(path)) from error
    return mnemonic


def funding_key(mnemonic: str) -> bytes:
    """Return the private key (32 bytes) of the account that Ganache funds, the first of BIP-44's Ethereum path."""
    key: bytes = key_from_seed(seed_from_mnemonic(mnemonic, ""), ETHEREUM_DEFAULT_PATH)
    return key


class GanacheNode:
    """One Ganache on its instance's database."""

    def __init__(
        self,
        instance: Path,
        *,
        options: Mapping[str, Any] | None = None,
        port: int | None = None,
        root: Path = ROOT,
    ) -> None:
        """Prepare the node of the folder ``instance``; ``port`` replaces that of the options (0: any free one)."""
        self._options = dict(options) if options is not None else read_options()
        self._instance = instance
        self._root = root
        self._port: int = self._options["server"]["port"] if port is None else port
        self._process: NodeProcess | None = None
        self.url = f"http://{self._options['server']['host']}:{self._port}"

    @property
    def chain_id(self) -> int:
        """The chain id of the options."""
        chain_id: int = self._options["chain"]["chainId"]
        return chain_id

    @property
    def is_running(self) -> bool:
        """Whether the process of this object lives."""
        return self._process is not None and self._process.is_running

    @property
    def pid(self) -> int | None:
        """The process id, if it was started."""
        return self._process.pid if self._process else None

    def funding_key(self) -> bytes:
        """Return the private key (32 bytes) of the funded account."""
        return funding_key(self._mnemonic())

    def start(self, timeout: float = 60.0) -> GanacheNode:
        """Start it and wait until it answers as the chain that the options name.

        Raises ``NodeMissing``, ``PortTaken``, ``DatabaseLocked``, ``MnemonicUnusable``, ``ChainMismatch``,
        ``NodeFailed``; then nothing is left running.
        """
        command = self._command()
        configuration = self._configuration()
        self._refuse_taken_port()
        self._process = NodeProcess(command, first_line=json.dumps(configuration))
        try:
            port = self._process.wait_until_listening(timeout)
            self.url = f"http://{self._options['server']['host']}:{port}"
            self._check_chain(timeout)
        except NodeFailed as failure:
            self.stop()
            raise self._explain(failure) from failure
        except BaseException:
            self.stop()
            raise
        return self

    def stop(self) -> None:
        """End it in order, then by force; a second call does nothing."""
        if self._process is not None:
            self._process.stop()

    def _command(self) -> list[str]:
        node, script = shutil.which("node"), self._root / SCRIPT
        if node is None:
            raise NodeMissing("Node is not installed.", missing="node")
        if not (self._root / "node_modules/ganache/package.json").is_file():
            raise NodeMissing("Ganache is not installed.", missing="ganache")
        return [node, str(script)]

    def _configuration(self) -> dict[str, Any]:
        """Return the options with what only this instance knows."""
        database = self._instance / self._options["database"]["dbPath"]
        mnemonic = self._mnemonic()
        database.mkdir(parents=True, exist_ok=True, mode=0o700)
        wallet = {
            **self._options.get("wallet", {}),
            "mnemonic": mnemonic,
            # A locked account opens to nobody who reaches the port: its key is used here, never by the node.
            "passphrase": secrets.token_hex(16),
        }
        server = {**self._options["server"], "port": self._port}
        return {**self._options, "server": server, "wallet": wallet, "database": {"dbPath": str(database)}}

    def _mnemonic(self) -> str:
        path = self._instance / "keys" / "mnemonic"
        database = self._instance / self._options["database"]["dbPath"]
        if not path.exists() and database.is_dir() and any(database.iterdir()):
            # A new one would start, on the old chain, with an account that owns nothing.
            raise MnemonicUnusable("The chain is here and its mnemonic is not.", path=str(path))
        return load_mnemonic(path)

    def _refuse_taken_port(self) -> None:
        """Say who listens on the port, before Ganache would only say that somebody does."""
        if self._port == 0:
            return
        port = self._port
        try:
            chain_id = int(ask(self.url, "eth_chainId"), 16)
        except ChainUnreachable as silence:
            if isinstance(silence.__cause__, ConnectionRefusedError):
                return
            raise PortTaken(f"Port {port} is taken by something that is no node.", port=port, ours=False) from silence
        except (NodeFailed, TypeError, ValueError) as error:
            raise PortTaken(f"Port {port} is taken by something that is no node.", port=port, ours=False) from error
        if self._is_ours():
            raise PortTaken(f"This instance's chain runs on port {port} already.", port=port, ours=True)
        raise PortTaken(f"Another chain (id {chain_id}) runs on port {port}.", port=port, ours=False)

    def _is_ours(self) -> bool:
        """Whether the node at ``url`` knows our account: no other chain has funds for a mnemonic of our own."""
        address = Account.from_key(self.funding_key()).address
        try:
            return int(ask(self.url, "eth_getBalance", address, "latest"), 16) > 0
        except (ChainError, TypeError, ValueError):
            return False

    def _explain(self, failure: NodeFailed) -> NodeFailed:
        exit_code = failure.data.get("exit_code")
        if exit_code == PORT_TAKEN:
            return PortTaken(f"Port {self._port} was taken while Ganache started.", port=self._port, ours=False)
        if exit_code == DATABASE_LOCKED:
            return DatabaseLocked("Another Ganache has this instance's chain open.", **failure.data)
        return failure

    def _check_chain(self, timeout: float) -> None:
        found = int(ask(self.url, "eth_chainId", timeout=timeout), 16)
        if found != self.chain_id or not self._is_ours():
            raise ChainMismatch("The chain in the database is another one.", expected=self.chain_id, found=found)

    def __enter__(self) -> GanacheNode:
        return self.start()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()
