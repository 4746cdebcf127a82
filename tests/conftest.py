"""Fixtures of all tests: real nodes, started when the first test of a process asks for them."""

from __future__ import annotations

import os
from collections.abc import Iterator
from typing import TYPE_CHECKING

import pytest
from hypothesis import settings

if TYPE_CHECKING:
    # Imported where they are used: web3 and the virtual machine take seconds that most tests need not wait for.
    from web3.providers.eth_tester import EthereumTesterProvider

    from tests.nodes import Node

# The time of an example depends on the machine, not on the rule that it tries.
settings.register_profile("swift", max_examples=50, deadline=None)
settings.register_profile("thorough", max_examples=1_000, deadline=None)
settings.load_profile("thorough" if os.environ.get("HYPOTHESIS_PROFILE") == "thorough" else "swift")


def pytest_configure(config: pytest.Config) -> None:
    config.addinivalue_line("markers", "ganache: runs on a real Ganache")
    config.addinivalue_line("markers", "anvil: runs on a real Anvil")
    config.addinivalue_line("markers", "slow: takes more than ten seconds")


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
