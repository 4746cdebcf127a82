"""Every page, for somebody who may open it: no violation of WCAG 2.2 AA, no sideways scrolling, light and dark."""

from __future__ import annotations

import time
from typing import Any

import pytest
from flask import Flask
from playwright.sync_api import Page

from scripts.demo_life import live
from scripts.demo_stack import DemoStack
from tests.e2e.axe import faults
from tests.e2e.browsing import Visitors
from tests.webapp.addresses import address, arguments, declared, pages
from webapp.application import make_app

WHO = {"nurse": "nurse-1", "doctor": "doctor-1", "pathologist": "pathologist-1", "administrator": "administrator"}
ENDS = {"accounts.log_out"}


@pytest.fixture(scope="module")
def app(stack: DemoStack) -> Flask:
    return make_app(stack.handshaker)


@pytest.fixture(scope="module")
def values(stack: DemoStack) -> dict[str, Any]:
    life = live(stack)
    heads = proven(stack, life.reading)
    return arguments(
        life.patient_id,
        stack.practitioners["nurse-1"],
        life.reading,
        key=life.key,
        record_id=life.note,
        proposal_id=life.proposal_id,
        first=heads[0],
        second=heads[-1],
        **{"care.discard.ti_id": life.draft},
    )


def proven(stack: DemoStack, ti_id: str) -> list[int]:
    """The sizes of the anchored heads, once one of them covers the acknowledgement."""
    proofs, until = stack.handshaker.proofs, time.monotonic() + 30
    while proofs.examine(stack.credential("nurse-1"), ti_id).verdict is None and time.monotonic() < until:
        time.sleep(0.1)
    return [head.signed.head.size for head in proofs.heads() if head.anchor]


def addresses(app: Flask, values: dict[str, Any], role: str | None) -> list[str]:
    """The pages to look at as ``role``: each is looked at once, by the first who may open it."""
    found = []
    for rule in pages(app):
        allowed = declared(app, rule)
        first = next((each for each in WHO if each in allowed), None)
        if "GET" in (rule.methods or ()) and first == role and rule.endpoint not in ENDS:
            found.append(address(app, rule, values))
    return found


@pytest.mark.parametrize("role", [None, *WHO])
def test_every_page_is_accessible(visit: Visitors, app: Flask, values: dict[str, Any], role: str | None) -> None:
    page = visit(None if role is None else WHO[role])
    found = {where: wrong for where in addresses(app, values, role) if (wrong := looked_at(page, where))}
    assert found == {}


def looked_at(page: Page, where: str) -> Any:
    answer = page.context.request.get(where)
    if not answer.ok:
        return answer.status
    if "<!doctype html>" not in answer.text()[:200]:
        # A part of a page, which its page shows.
        return None
    page.goto(where)
    return faults(page)


def test_pages_that_tell_of_errors_are_accessible(visit: Visitors) -> None:
    page = visit("nurse-1")
    for where in ("/nowhere", "/administration"):
        page.goto(where)
        assert faults(page) == {}


def test_what_is_wrong_with_a_page_is_noticed(visit: Visitors) -> None:
    page = visit()
    page.goto("/login")
    page.evaluate("document.querySelector('label').remove()")
    page.evaluate("document.querySelector('h1').style.cssText = 'width: 500px; color: #eee'")
    found = faults(page)
    assert {fault["rule"] for fault in found["1280 light"]} >= {"label", "color-contrast"}
    assert found["390 dark"][-1] == "the page scrolls sideways"
