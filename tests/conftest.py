"""Fixtures of all tests: real nodes, started when the first test of a process asks for them."""

from __future__ import annotations

import os
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import settings

if TYPE_CHECKING:
    # Imported where they are used: web3 and the virtual machine take seconds that most tests need not wait for.
    from web3.providers.eth_tester import EthereumTesterProvider

    from tests.databases import Databases
    from tests.nodes import Node

# The time of an example depends on the machine, not on the rule that it tries.
settings.register_profile("swift", max_examples=50, deadline=None)
settings.register_profile("thorough", max_examples=1_000, deadline=None)
settings.load_profile("thorough" if os.environ.get("HYPOTHESIS_PROFILE") == "thorough" else "swift")

TOGETHER = ("tests/e2e/", "tests/contracts/test_artifacts.py")
"""Tests that share something dear: a browser and a whole demo hospital, the compiler's output."""


DATABASES = "databases"
"""The fixture that all ask for, directly or not, who have an instance, a store or a vault."""


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption(
        "--database",
        choices=("sqlite", "postgresql"),
        default="sqlite",
        help="where instances keep their databases; with postgresql only the tests run that have one",
    )


def pytest_configure(config: pytest.Config) -> None:
    config.addinivalue_line("markers", "sqlite: is about SQLite and its files as such")
    config.addinivalue_line("markers", "postgresql: is about PostgreSQL as such")
    config.addinivalue_line("markers", "ganache: runs on a real Ganache")
    config.addinivalue_line("markers", "anvil: runs on a real Anvil")
    config.addinivalue_line("markers", "slow: takes more than ten seconds")


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Leave out what is about the other database, and on PostgreSQL also what has none: that ran on SQLite."""
    if config.getoption("--database") == "sqlite":
        left_out = [item for item in items if item.get_closest_marker("postgresql")]
    else:
        left_out = [item for item in items if DATABASES not in asked_for(item) or item.get_closest_marker("sqlite")]
    config.hook.pytest_deselected(items=left_out)
    items[:] = [item for item in items if item not in set(left_out)]


def pytest_runtest_setup(item: pytest.Item) -> None:
    from tests import databases

    databases.HERE.is_asked_for = DATABASES in asked_for(item)


def asked_for(item: pytest.Item) -> list[str]:
    """The names of the fixtures of a test, and of those that they ask for."""
    return getattr(item, "fixturenames", [])


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> Any:
    """Send all tests of a folder or file in ``TOGETHER`` to one process, and the others wherever there is time.

    By address, for the groups that marks name get lost where pytest 9.2 meets xdist 3.8.
    """
    from xdist.scheduler import LoadGroupScheduling

    class Together(LoadGroupScheduling):  # type: ignore[misc]
        def _split_scope(self, nodeid: str) -> str:
            return next((place for place in TOGETHER if nodeid.startswith(place)), nodeid)

    return Together(config, log)


@pytest.fixture(scope="session")
def databases(request: pytest.FixtureRequest) -> Iterator[Databases]:
    """Where this process's instances have their databases."""
    from tests.databases import serving

    with serving(request.config.getoption("--database")) as found:
        yield found


@pytest.fixture(scope="session")
def ganache_node() -> Iterator[Node]:
    from tests.nodes import ganache

    with ganache() as node:
        yield node


@pytest.fixture(scope="session")
def anvil_node() -> Iterator[Node]:
    from tests.nodes import anvil

    with anvil() as node:
        yield node


@pytest.fixture(scope="session")
def fast_node() -> Node:
    """eth-tester in this process; ``tests.nodes.eth_tester()`` makes a chain for one test alone."""
    from tests.nodes import eth_tester

    return eth_tester()


@pytest.fixture(scope="session")
def ganache_url(ganache_node: Node) -> str:
    return str(ganache_node.url_or_provider)


@pytest.fixture(scope="session")
def anvil_url(anvil_node: Node) -> str:
    return str(anvil_node.url_or_provider)


@pytest.fixture(scope="session")
def eth_tester_provider(fast_node: Node) -> EthereumTesterProvider:
    from web3.providers.eth_tester import EthereumTesterProvider

    assert isinstance(fast_node.provider, EthereumTesterProvider)
    return fast_node.provider


@pytest.fixture(
    scope="session",
    params=[
        pytest.param("ganache_node", marks=pytest.mark.ganache, id="ganache"),
        pytest.param("anvil_node", marks=pytest.mark.anvil, id="anvil"),
        pytest.param("fast_node", id="eth-tester"),
    ],
)
def node(request: pytest.FixtureRequest) -> Node:
    """Each kind of node in turn."""
    found: Node = request.getfixturevalue(request.param)
    return found
