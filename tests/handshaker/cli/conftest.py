"""The command line as people use it: words in, text and an exit code out."""

from __future__ import annotations

import json
import os
import signal
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from handshaker.cli import main
from handshaker.token_files import TokenFiles
from tests.databases import Databases
from tests.instances import Instance, hospital, own_hospital, pattern_hospital

__all__ = ["hospital", "own_hospital", "pattern_hospital"]

NOWHERE = "http://127.0.0.1:1"
"""No node answers there."""


@dataclass
class Shell:
    """A terminal with settings."""

    settings: dict[str, str] = field(default_factory=dict)

    def run(self, *words: object, standard_input: bytes = b"", **settings: Any) -> Result:
        """Run ``handshaker`` with ``words``; a traceback fails the test at once."""
        ours = {f"HANDSHAKER_{name.upper()}": value for name, value in (self.settings | settings).items()}
        foreign = {name: None for name in os.environ if name.startswith("HANDSHAKER_")}
        handlers = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)}
        try:
            result = CliRunner().invoke(
                main, [str(word) for word in words], input=standard_input, env={**foreign, **ours}
            )
        finally:
            for number, handler in handlers.items():
                signal.signal(number, handler)
        if result.exception is not None and not isinstance(result.exception, SystemExit):
            raise result.exception
        return result

    def json(self, *words: object, exit_code: int = 0, **settings: Any) -> Any:
        """Return what ``--json`` prints: one document and nothing else."""
        result = self.run(*words, "--json", **settings)
        assert result.exit_code == exit_code, result.output
        return json.loads(result.stdout)

    def fails(self, *words: object, code: str, says: str, standard_input: bytes = b"", **settings: Any) -> str:
        """Expect a failure: exit code 1, a readable line on stderr, and the same as JSON on stdout with ``--json``."""
        result = self.run(*words, standard_input=standard_input, **settings)
        assert result.exit_code == 1, result.output
        first = next(line for line in result.stderr.splitlines() if line.startswith(f"{code}: "))
        assert says in result.stderr
        assert len(first) > len(code) + 10
        assert "Traceback" not in result.output
        again = self.run(*words, "--json", standard_input=standard_input, **settings)
        assert again.exit_code == 1
        error = json.loads(again.stdout)["error"]
        assert error["code"] == code
        assert set(error) == {"code", "message", "mend", "data"}
        return first


def shell_of(hospital: Instance) -> Shell:
    """A terminal on a hospital of tests, of which no node answers."""
    return Shell(hospital.places() | {"chain_url": NOWHERE})


@pytest.fixture
def shell(databases: Databases, tmp_path: Path) -> Iterator[Shell]:
    """A terminal on an instance that is not there yet."""
    instance = tmp_path / "instance"
    yield Shell({"instance": str(instance), "chain_url": NOWHERE, **databases.of(instance)})
    databases.drop(instance)


@pytest.fixture
def ward(hospital: Instance) -> Shell:
    """A terminal in the hospital, whose people have their tokens in files."""
    tokens = TokenFiles(hospital.handshaker.settings.instance / "tokens")
    for name, token in hospital.tokens.items():
        tokens.keep(name, token)
    return shell_of(hospital)


@pytest.fixture
def patient(hospital: Instance) -> str:
    """The pseudonym of the one who consented."""
    return hospital.consented.actor.actor_id
