"""Local nodes as child processes: started, waited for, and never left behind.

A node runs in a session of its own, so that Ctrl-C in the terminal reaches only the parent, which stops the node when
it no longer needs it. The child reads a pipe that only the parent holds and ends when that pipe closes: so not even
SIGKILL of the parent leaves a node running.
"""

from __future__ import annotations

import contextlib
import http.client
import json
import os
import re
import select
import signal
import subprocess
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from typing import IO, cast
from urllib.parse import urlsplit

from handshaker.errors import ChainError, ChainUnreachable
from handshaker.messages import Json

ROOT = Path(__file__).resolve().parents[2]
"""Where ``node_modules`` and ``scripts`` are."""

READY_LINE = re.compile(r"127\.0\.0\.1:(\d+)")
PATIENCE = 5.0
"""Seconds that a node gets to end in order before it is killed."""


class NodeMissing(ChainError):
    """A program that a local node needs is not installed. Data: ``missing``."""

    code = "node-missing"
    mend = "Install Node 20 or later and run `npm ci`; `make setup` does the rest."


class NodeFailed(ChainError):
    """A local node did not start or refused a request. Data: ``program``, ``complaint``, ``exit_code``."""

    code = "node-failed"


class PortTaken(NodeFailed):
    """Something listens on the port already. Data: ``port``, ``ours``: whether it is this instance's own chain."""

    code = "port-taken"
    mend = "Stop what listens there, or choose another port."


def ask(url: str, method: str, *params: Json, timeout: float = PATIENCE) -> Json:
    """Return the result of one JSON-RPC request to a node on this machine.

    Raises ``ChainUnreachable`` when nothing that speaks JSON-RPC answers within ``timeout`` seconds, and
    ``NodeFailed`` when the answer is an error.
    """
    address = urlsplit(url)
    # Straight to the machine itself: the proxies of the environment have no business here.
    connection = http.client.HTTPConnection(address.hostname or "", address.port, timeout=timeout)
    body = json.dumps({"jsonrpc": "2.0", "id": 1, "method": method, "params": params})
    try:
        connection.request("POST", address.path or "/", body, {"content-type": "application/json"})
        answer = json.loads(connection.getresponse().read())
    except (OSError, http.client.HTTPException, ValueError) as error:
        raise ChainUnreachable(f"No node answers at {url}.", url=url) from error
    finally:
        connection.close()
    if not isinstance(answer, dict) or "result" not in answer:
        refusal = answer.get("error") if isinstance(answer, dict) else None
        complaint = str(refusal.get("message")) if isinstance(refusal, dict) else "it gave no JSON-RPC answer"
        raise NodeFailed(f"The node at {url} refused {method}: {complaint}.", program=url, complaint=complaint)
    return answer["result"]


class NodeProcess:
    """One child process that says on stdout where it listens and ends when its stdin closes."""

    def __init__(self, command: Sequence[str], *, first_line: str = "") -> None:
        """Start ``command``; ``first_line`` goes to its stdin, where no list of processes shows it."""
        self.complaint = ""
        """The last line that it wrote to stderr, known once it was stopped."""
        self._program = Path(command[0]).name
        self._complaints = tempfile.TemporaryFile()
        self._process = subprocess.Popen(
            command,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self._complaints,
            start_new_session=True,
        )
        self._input = cast("IO[bytes]", self._process.stdin)
        self._output = cast("IO[bytes]", self._process.stdout)
        with contextlib.suppress(BrokenPipeError):
            self._input.write(f"{first_line}\n".encode())
            self._input.flush()

    @property
    def pid(self) -> int:
        """The process id, which is also the id of its group and session."""
        return self._process.pid

    @property
    def is_running(self) -> bool:
        """Whether it has not ended."""
        return self._process.poll() is None

    def wait_until_listening(self, timeout: float) -> int:
        """Return the port that it listens on.

        Raises ``NodeFailed`` when it ends or says nothing within ``timeout`` seconds; then nothing is left of it.
        """
        try:
            found = READY_LINE.search(self._first_words(timeout))
        except BaseException:
            self.stop()
            raise
        if found is not None:
            return int(found[1])
        self.stop()
        raise NodeFailed(
            f"{self._program} did not start: {self.complaint or 'it said nothing'}.",
            program=self._program,
            complaint=self.complaint,
            exit_code=self._process.returncode,
        )

    def stop(self) -> None:
        """End it and everything that it started; a second call does nothing."""
        if self._input.closed:
            return
        with contextlib.suppress(BrokenPipeError):
            self._input.close()
        self._signal(signal.SIGTERM)
        try:
            self._process.wait(PATIENCE)
        except subprocess.TimeoutExpired:
            self._signal(signal.SIGKILL)
            self._process.wait()
        # The leader is gone; while others of its group live, the group's id belongs to nobody else.
        self._signal(signal.SIGKILL)
        self._output.close()
        self._complaints.seek(0)
        lines = self._complaints.read().decode(errors="replace").splitlines()
        self.complaint = lines[-1].strip() if lines else ""
        self._complaints.close()

    def _first_words(self, timeout: float) -> str:
        """Read the first line of its output: what came of it until the output ended or ``timeout`` seconds passed."""
        words, deadline = b"", time.monotonic() + timeout
        while b"\n" not in words and (left := deadline - time.monotonic()) > 0:
            if not select.select([self._output], [], [], left)[0]:
                break
            piece = os.read(self._output.fileno(), 4096)
            if not piece:
                # It is ending by itself: let it, for its exit code tells why.
                with contextlib.suppress(subprocess.TimeoutExpired):
                    self._process.wait(left)
                break
            words += piece
        return words.decode(errors="replace")

    def _signal(self, number: signal.Signals) -> None:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self._process.pid, number)
