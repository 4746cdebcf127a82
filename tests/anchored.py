"""A hospital whose audit log is anchored."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from handshaker.messages import Acknowledgement
from tests.instances import Instance, copied

SECONDS = 60.0
"""How long entries wait."""


@pytest.fixture
def anchored(pattern_hospital: Instance, tmp_path: Path) -> Iterator[Instance]:
    """A hospital for one test alone, whose log was anchored twice with some entries each time."""
    instance = copied(pattern_hospital, tmp_path, anchor_seconds=SECONDS, anchor_entries=10_000)
    anchor(instance)
    for _ in range(3):
        instance.measure()
    instance.drain()
    anchor(instance)
    yield instance
    instance.close()


def anchor(instance: Instance) -> None:
    """Let so much time pass that what is there is anchored."""
    instance.clock.advance(SECONDS + 1)
    instance.steps(4)


def acknowledged(instance: Instance) -> list[Acknowledgement]:
    """Every acknowledgement, in the order of the log."""
    return instance.handshaker.store.audit.acknowledgements(limit=500)


def sizes(instance: Instance) -> list[int]:
    """The sizes of the heads that are anchored."""
    return [head.signed.head.size for head in instance.handshaker.proofs.heads() if head.anchor]
