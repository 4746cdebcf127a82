"""Processes that belong to a command: they end when it does, however it ends."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import IO

from handshaker.cli.instance import PartStopped
from handshaker.settings import Settings

_PATIENCE = 20


@contextmanager
def child(settings: Settings, *module: str, says: bool = False, **changes: str) -> Iterator[subprocess.Popen[bytes]]:
    """Run ``python -m module… --attached`` over the same instance, with ``changes`` to its environment.

    It stops when its standard input ends: with us. ``says`` keeps its standard output for `first_words`.
    """
    environment = {
        "HANDSHAKER_INSTANCE": str(settings.instance.resolve()),
        "HANDSHAKER_CHAIN_URL": settings.chain_url,
        # The tables are there by now, and whoever serves has no business with the right to change them.
        "HANDSHAKER_STORE_OWNER_URL": "",
        "HANDSHAKER_LOG_LEVEL": "WARNING" if settings.log_level == "INFO" else settings.log_level,
        **changes,
    }
    process = subprocess.Popen(
        [sys.executable, "-m", *module, "--attached"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE if says else subprocess.DEVNULL,
        env=settings.environment(**environment),
        start_new_session=True,
    )
    try:
        yield process
    finally:
        if process.stdin is not None:
            process.stdin.close()
        try:
            process.wait(_PATIENCE)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def first_words(process: subprocess.Popen[bytes], part: str) -> dict[str, str]:
    """Return the JSON line with which a child says that it listens; raises ``PartStopped`` when it says nothing."""
    output: IO[bytes] | None = process.stdout
    line = output.readline() if output is not None else b""
    if not line:
        raise PartStopped(f"The {part} has stopped with {process.wait(_PATIENCE)}.", part=part)
    words: dict[str, str] = json.loads(line)
    return words
