"""Fixtures of the tests of the audit log."""

from __future__ import annotations

from tests.instances import hospital, own_hospital, pattern_hospital

__all__ = ["hospital", "own_hospital", "pattern_hospital"]
