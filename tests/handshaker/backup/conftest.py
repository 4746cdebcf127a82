"""Fixtures of the tests about backup and restore."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.handshaker.backup.drill import Drill
from tests.instances import Instance, copied, pattern_hospital
from tests.postgres import TOOLS

__all__ = ["pattern_hospital"]


@pytest.fixture
def drill(pattern_hospital: Instance, tmp_path: Path) -> Iterator[Drill]:
    """A hospital whose log is anchored when a test says so, and a place for backups."""
    instance = copied(pattern_hospital, tmp_path, anchor_seconds=60.0, anchor_entries=10_000, postgresql_tools=TOOLS)
    drill = Drill(instance, tmp_path)
    drill.as_owner()
    yield drill
    drill.instance.close()
