"""A browser that watches: what its pages ask of other origins, refuse to run or complain about is a fault."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from playwright.sync_api import Browser, BrowserContext, ConsoleMessage, Page, Request

from scripts.demo_stack import DemoStack

RESULTS = Path(__file__).resolve().parents[2] / "test-results"
DESKTOP = {"width": 1280, "height": 800}
PHONE = {"width": 390, "height": 844}
PATIENCE = 15_000
"""Milliseconds that a page may take to show what is waited for; two cores are shared with other tests."""

_REFUSED = re.compile(r"Failed to load resource: the server responded with a status of 4\d\d")


@dataclass
class Watch:
    """What went wrong on the pages of one context."""

    origin: str
    faults: list[str] = field(default_factory=list)

    def follow(self, page: Page) -> None:
        page.on("console", self._heard)
        page.on("pageerror", lambda error: self.faults.append(f"{page.url}: {error}"))

    def asked(self, request: Request) -> None:
        address = urlsplit(request.url)
        if address.scheme not in {"data", "blob", "about"} and f"{address.scheme}://{address.netloc}" != self.origin:
            self.faults.append(f"asked another origin: {request.url}")

    def _heard(self, message: ConsoleMessage) -> None:
        # A form that is refused is answered with 4xx, and the browser notes that.
        is_refusal = _REFUSED.match(message.text) and "/static/" not in message.location.get("url", "")
        if message.type in {"error", "warning"} and not is_refusal:
            self.faults.append(f"{message.location.get('url')}: {message.text}")


@dataclass
class Visitors:
    """Makes contexts: each is a person at a computer of their own."""

    browser: Browser
    stack: DemoStack
    logins: dict[str, Any]
    """Label → storage state of a login that is shared between tests."""
    name: str
    opened: list[tuple[BrowserContext, Watch]] = field(default_factory=list)

    def __call__(self, label: str | None = None, *, own: bool = False, **options: Any) -> Page:
        """A page of somebody who is logged in already (``own``: in a session of their own), or of nobody."""
        state = None if label is None or own else self._state(label)
        page = self._open(storage_state=state, **options)
        if own and label is not None:
            log_in(page, self.stack, label)
        return page

    def _state(self, label: str) -> Any:
        if label not in self.logins:
            page = self._open()
            log_in(page, self.stack, label)
            self.logins[label] = page.context.storage_state()
        return self.logins[label]

    def _open(self, **options: Any) -> Page:
        context = self.browser.new_context(
            **{"base_url": self.stack.url, "viewport": DESKTOP, "reduced_motion": "reduce", "locale": "en-GB"} | options
        )
        context.set_default_timeout(PATIENCE)
        watch = Watch(self.stack.url)
        context.on("page", watch.follow)
        context.on("request", watch.asked)
        context.tracing.start(screenshots=True, snapshots=True)
        self.opened.append((context, watch))
        return context.new_page()

    def close(self, *, failed: bool) -> list[str]:
        """End all contexts; of a failed test keep trace and pictures. Returns the faults that were noticed."""
        faults = []
        for number, (context, watch) in enumerate(self.opened):
            faults += watch.faults
            with kept(self.name, number, context, keep=failed or bool(watch.faults)):
                context.close()
        return faults


@contextmanager
def kept(name: str, number: int, context: BrowserContext, *, keep: bool) -> Iterator[None]:
    """Keep what the pages of ``context`` show and how they came there, before the block ends them."""
    folder = RESULTS / re.sub(r"[^\w.-]+", "-", name)
    if keep:
        folder.mkdir(parents=True, exist_ok=True)
        for each, page in enumerate(context.pages):
            page.screenshot(path=folder / f"{number}-{each}.png", full_page=True)
        context.tracing.stop(path=folder / f"{number}-trace.zip")
    else:
        context.tracing.stop()
    yield


def log_in(page: Page, stack: DemoStack, label: str) -> None:
    """Log in as people do."""
    login = stack.login(label)
    page.goto("/login")
    page.get_by_label("Username").fill(login.username)
    page.get_by_label("Password").fill(login.password)
    if login.totp_secret:
        page.get_by_label("Code").fill(stack.code(label))
    page.get_by_role("button", name="Log in").click()
    page.get_by_role("button", name="Log out").wait_for()
