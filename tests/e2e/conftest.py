"""One demo hospital and one browser for all tests of this folder. They end with the folder, not with the session:
Playwright keeps an event loop in its thread, which other tests could not live with.
"""

from __future__ import annotations

from collections.abc import Generator, Iterator
from typing import Any

import pytest
from playwright.sync_api import Browser, expect, sync_playwright

from scripts.browser import launch
from scripts.demo_stack import DemoStack, demo_stack
from tests.databases import Databases
from tests.e2e.browsing import PATIENCE, Visitors

FAILED = pytest.StashKey[bool]()


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    report = yield
    if report.when == "call":
        item.stash[FAILED] = report.failed
    return report


@pytest.fixture(scope="package")
def stack(databases: Databases, tmp_path_factory: pytest.TempPathFactory) -> Iterator[DemoStack]:
    folder = tmp_path_factory.mktemp("demo")
    places = databases.of(folder / "instance")
    with demo_stack(folder, web_rate_limits="false", log_level="WARNING", **places) as found:
        yield found


@pytest.fixture(scope="package")
def chromium() -> Iterator[Browser]:
    with sync_playwright() as playwright:
        expect.set_options(timeout=PATIENCE)
        found = launch(playwright)
        yield found
        found.close()


@pytest.fixture(scope="package")
def logins() -> dict[str, Any]:
    return {}


@pytest.fixture
def visit(
    chromium: Browser, stack: DemoStack, logins: dict[str, Any], request: pytest.FixtureRequest
) -> Iterator[Visitors]:
    """Opens pages: ``visit("nurse-1")`` for somebody who is logged in, ``visit()`` for nobody."""
    visitors = Visitors(chromium, stack, logins, request.node.name)
    yield visitors
    faults = visitors.close(failed=request.node.stash.get(FAILED, True))
    assert faults == []
