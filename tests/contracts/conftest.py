"""Fixtures of the contract tests."""

from __future__ import annotations

import os

import pytest
from hypothesis import HealthCheck, settings

from tests.contracts.harness import Evm
from tests.contracts.hospital import Hospital

# The time of an example depends on the machine, not on the rule that it tries.
settings.register_profile(
    "contracts", max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
settings.register_profile("thorough", settings.get_profile("contracts"), max_examples=500)
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "contracts"))


@pytest.fixture(scope="session")
def opened_hospital() -> Hospital:
    """The hospital, built once for each process; use ``hospital``."""
    return Hospital()


@pytest.fixture
def hospital(opened_hospital: Hospital) -> Hospital:
    """The hospital on its first day. A property test calls ``hospital.reopen()`` before each example."""
    return opened_hospital.reopen()


@pytest.fixture
def evm() -> Evm:
    """An empty chain."""
    return Evm()
