"""Anvil: the second local node, for tests, fork drills and measurements. Its chain ends with it."""

from __future__ import annotations

import platform
import secrets
import sys
from pathlib import Path
from types import TracebackType

from eth_account import Account

from handshaker.ethereum.processes import ROOT, NodeMissing, NodeProcess, ask

BALANCE = 10**24
"""Wei of a funded account: a million ether."""

# Anvil knows nothing of its parent, so a shell stands between: whichever ends first, Anvil or the pipe from the
# parent, the shell ends the whole group (a session of its own). Of Anvil's output only the address passes.
GUARD = '( "$@" | grep --line-buffered "^Listening on "; kill -9 0 ) & cat >/dev/null; kill -9 0'


class AnvilNode:
    """One Anvil process on a free port of 127.0.0.1."""

    def __init__(self, *arguments: str, port: int = 0, root: Path = ROOT) -> None:
        """Prepare it; ``arguments`` are added to the command line, port 0 means any free one."""
        self._arguments = arguments
        self._port = port
        self._root = root
        self._process: NodeProcess | None = None
        self.url = ""

    @property
    def pid(self) -> int | None:
        """The id of its process group, if it was started."""
        return self._process.pid if self._process else None

    def start(self, timeout: float = 30.0) -> AnvilNode:
        """Start it and wait until it answers. Raises ``NodeMissing`` and ``NodeFailed``."""
        # Without pruning it writes the state of every block to disk. It has no accounts: keys that everybody knows
        # are no use here.
        settings = ["--host", "127.0.0.1", "--port", str(self._port), "--accounts", "0", "--prune-history"]
        command = ["sh", "-c", GUARD, "anvil", str(self._program()), *settings, *self._arguments]
        self._process = NodeProcess(command)
        try:
            self.url = f"http://127.0.0.1:{self._process.wait_until_listening(timeout)}"
            ask(self.url, "eth_chainId", timeout=timeout)
        except BaseException:
            self.stop()
            raise
        return self

    def stop(self) -> None:
        """End it; a second call does nothing."""
        if self._process is not None:
            self._process.stop()

    def fund(self) -> bytes:
        """Return the private key (32 bytes) of a new account with a million ether."""
        key = secrets.token_bytes(32)
        ask(self.url, "anvil_setBalance", Account.from_key(key).address, hex(BALANCE))
        return key

    def _program(self) -> Path:
        machine = {"x86_64": "amd64", "aarch64": "arm64"}.get(platform.machine(), platform.machine())
        program = self._root / f"node_modules/@foundry-rs/anvil-{sys.platform}-{machine}/bin/anvil"
        if not program.is_file():
            raise NodeMissing("Anvil is not installed.", missing=program.parts[-3])
        return program

    def __enter__(self) -> AnvilNode:
        return self.start()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()
