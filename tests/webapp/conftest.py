"""Fixtures of the web application's tests. ``web.client("nurse")`` is the browser of a nurse who is logged in."""

from __future__ import annotations

import pytest

from tests.instances import Instance, hospital, own_hospital, pattern_hospital
from tests.webapp.web import Web

__all__ = ["hospital", "own_hospital", "own_web", "pattern_hospital", "web"]


@pytest.fixture(scope="module")
def web(hospital: Instance) -> Web:
    """The application over a hospital that the tests of a module share."""
    return _web(hospital)


@pytest.fixture
def own_web(own_hospital: Instance) -> Web:
    """The application over a hospital for one test alone."""
    return _web(own_hospital)


def _web(instance: Instance) -> Web:
    from webapp.application import make_app

    # Tests ask more often than people may.
    instance.handshaker.settings = instance.handshaker.settings.model_copy(update={"web_rate_limits": False})
    return Web(make_app(instance.handshaker), instance)
