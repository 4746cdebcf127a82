"""Fixtures of the contract tests."""

from __future__ import annotations

import pytest

from tests.contracts.harness import Evm
from tests.contracts.hospital import Hospital


@pytest.fixture(scope="session")
def opened_hospital() -> Hospital:
    """The hospital, built once for each process. A property test takes this one and reopens it for each example."""
    return Hospital()


@pytest.fixture
def hospital(opened_hospital: Hospital) -> Hospital:
    """The hospital on its first day."""
    return opened_hospital.reopen()


@pytest.fixture
def evm() -> Evm:
    """An empty chain."""
    return Evm()
