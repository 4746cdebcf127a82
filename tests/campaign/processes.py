"""The processes that are killed: ``handshaker work`` and ``python -m webapp``, each a process of its own.

They are forked from a server that has imported everything, so that a life begins in half a second instead of two; from
there on they run the very functions that the commands run. They end when the pipe from the campaign does.
"""

from __future__ import annotations

import multiprocessing
import os
import signal
import sys
import threading
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

_CONTEXT: Any = multiprocessing.get_context("forkserver")
_PRELOADED = ["handshaker.cli", "webapp.application", "webapp.__main__", "tests.campaign.processes"]
_KILLED_AT = "killed at "
_KILLED = -signal.SIGKILL
_LOOK = 0.005
_ALONE = threading.Lock()
"""The library looks after all its processes whenever one is started or asked for, and is not made for threads."""


@dataclass
class Life:
    """One process from its start to its death."""

    kind: str
    """``worker`` or ``web``."""
    name: str
    log: Path
    _process: Any = field(repr=False)
    _held: Connection = field(repr=False)
    """While this is open, the process has somebody to serve."""
    _exit_code: int | None = None

    @property
    def exit_code(self) -> int | None:
        """How it ended; ``None`` while it lives."""
        with _ALONE:
            if self._exit_code is None:
                self._exit_code = self._process.exitcode
                if self._exit_code is not None:
                    self._process.close()
                    self._held.close()
        return self._exit_code

    @property
    def died_at(self) -> str:
        """The crash point at which it killed itself, if it did."""
        last = self._lines()[-1]
        return last.removeprefix(_KILLED_AT) if self.exit_code == _KILLED and last.startswith(_KILLED_AT) else ""

    @property
    def failure(self) -> str:
        """What it said when it ended by itself and not at a crash point, which none may; else nothing."""
        if self.exit_code in (None, _KILLED):
            return ""
        return f"{self.name} ended by itself with {self.exit_code}: {' / '.join(self._lines()[-3:])}"

    def wait(self, seconds: float) -> bool:
        """Wait for its end; tell whether it came."""
        until = time.monotonic() + seconds
        while self.exit_code is None:
            if time.monotonic() >= until:
                return False
            time.sleep(_LOOK)
        return True

    def kill(self) -> None:
        """SIGKILL, and wait until it is gone."""
        if self.exit_code is None:
            with _ALONE:
                self._process.kill()
            self.wait(60)

    def _lines(self) -> list[str]:
        return self.log.read_text(errors="replace").splitlines() or [""]


class Nursery:
    """Starts processes over one instance, and ends all that are left."""

    def __init__(self, folder: Path, environment: Mapping[str, str]) -> None:
        self._folder = folder
        self._environment = dict(environment)
        self._lives: list[Life] = []
        self._count = 0
        _CONTEXT.set_forkserver_preload(_PRELOADED)

    def start(self, kind: str, name: str, *, armed: str = "", **more: str) -> Life:
        """Start a process; ``more`` are settings of the Handshaker for it alone."""
        changes = more | {"HANDSHAKER_WORKER": name} | ({"HANDSHAKER_CRASH_AT": armed} if armed else {})
        with _ALONE:
            self._count += 1
            log = self._folder / f"{self._count:04d}-{name}.log"
            log.touch(0o600)
            theirs, ours = _CONTEXT.Pipe(duplex=False)
            arguments = (kind, self._environment | changes, str(log), theirs)
            process = _CONTEXT.Process(target=_live, args=arguments, name=name, daemon=True)
            process.start()
            theirs.close()
            life = Life(kind, name, log, process, ours)
            self._lives.append(life)
        return life

    def close(self) -> None:
        """Kill what still lives."""
        for life in self._lives:
            life.kill()


def _live(kind: str, settings: dict[str, str], log: str, held: Connection) -> None:
    """Become the command: its environment, its streams, its words."""
    for name in [name for name in os.environ if name.startswith("HANDSHAKER_")]:
        del os.environ[name]
    os.environ.update(settings)
    # Ctrl-C in the terminal is for the campaign, which ends this one when it is done.
    os.setsid()
    os.dup2(held.fileno(), 0)
    output = os.open(log, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
    os.dup2(output, 1)
    os.dup2(output, 2)
    sys.stdin = open(0)
    sys.stdout, sys.stderr = open(1, "w", buffering=1), open(2, "w", buffering=1)
    if kind == "web":
        from webapp.__main__ import main as serve

        sys.argv = ["webapp", "--attached", "--json"]
        sys.exit(serve())
    from handshaker.cli import main

    main(["work", "--attached"])
