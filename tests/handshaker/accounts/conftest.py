"""A hospital for tests of accounts."""

from __future__ import annotations

from tests.instances import hospital, own_hospital, pattern_hospital

__all__ = ["hospital", "own_hospital", "pattern_hospital"]
