"""Photograph the main pages into ``docs/screenshots/`` (``make screenshots``), as each role sees them."""

from __future__ import annotations

import sys
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from playwright.sync_api import Browser, Page, ViewportSize, sync_playwright

from scripts.browser import launch
from scripts.demo_life import Life, live
from scripts.demo_stack import DemoStack, demo_stack

FOLDER = Path(__file__).resolve().parent.parent / "docs" / "screenshots"
DESKTOP = ViewportSize(width=1280, height=800)
PHONE = ViewportSize(width=390, height=844)
LARGEST = 200_000
"""Bytes of a picture."""


@dataclass(frozen=True, slots=True)
class Shot:
    """One picture."""

    name: str
    who: str
    """Label of a demo login; nobody if empty."""
    where: str
    is_phone: bool = False
    is_dark: bool = False
    before: Callable[[Page], None] | None = None
    """What is done on the page first."""


def shots(life: Life) -> list[Shot]:
    """Return the pictures of the tour in ``docs/web.md``."""
    chart = f"/patients/{life.patient_id}"
    together = f"/sent/together/{life.key}"
    return [
        Shot("log-in", "", "/login"),
        Shot("nurse-today", "nurse-1", "/today"),
        Shot("nurse-vital-signs", "nurse-1", f"{chart}/vital-signs", before=_fill_in),
        Shot("nurse-valid", "nurse-1", together),
        Shot("nurse-draft", "nurse-1", f"/sent/{life.draft}"),
        Shot("nurse-phone", "nurse-1", together, is_phone=True, is_dark=True),
        Shot("doctor-chart", "doctor-1", chart),
        Shot("doctor-chart-dark", "doctor-1", chart, is_dark=True),
        Shot("pathologist-report", "pathologist-1", f"{chart}/report/58410-2", before=_report),
        Shot("administrator-explorer", "administrator", "/administration/acknowledgements"),
        Shot("administrator-file", "administrator", f"/administration/acknowledgements/{life.reading}"),
        Shot("administrator-proposal", "second-administrator", f"/administration/proposals/{life.proposal_id}"),
        Shot("proof", "nurse-1", f"/proofs/{life.reading}", before=_proven),
        Shot("administrator-audit", "administrator", "/administration/audit"),
        Shot("administrator-network", "administrator", "/administration/network"),
    ]


def _fill_in(page: Page) -> None:
    for name, value in (("systolic", "128"), ("diastolic", "82"), ("heart-rate", "72"), ("temperature", "36.8")):
        page.locator(f"[name={name}]").fill(value)


def _proven(page: Page) -> None:
    page.locator(".verdict.good").wait_for()


def _report(page: Page) -> None:
    for code, value in (("718-7", "9.8"), ("6690-2", "7.1"), ("777-3", "243")):
        page.locator(f"[name='{code}']").fill(value)
    page.locator("#flag-777-3").wait_for()
    page.wait_for_load_state("networkidle")


def take(browser: Browser, stack: DemoStack, wanted: list[Shot]) -> None:
    """Log in once as each person, and take the pictures; raises ``RuntimeError`` for one that is too large."""
    states = {who: _logged_in(browser, stack, who) for who in sorted({shot.who for shot in wanted} - {""})}
    FOLDER.mkdir(parents=True, exist_ok=True)
    for shot in wanted:
        context = browser.new_context(
            base_url=stack.url,
            viewport=PHONE if shot.is_phone else DESKTOP,
            color_scheme="dark" if shot.is_dark else "light",
            storage_state=states.get(shot.who),
            reduced_motion="reduce",
            locale="en-GB",
        )
        page = context.new_page()
        page.goto(shot.where, wait_until="networkidle")
        if shot.before:
            shot.before(page)
        path = FOLDER / f"{shot.name}.png"
        page.screenshot(path=path, animations="disabled", caret="hide")
        context.close()
        if path.stat().st_size > LARGEST:
            raise RuntimeError(f"{path.name} has {path.stat().st_size} bytes; {LARGEST} are allowed.")
        print(f"{path.relative_to(FOLDER.parent.parent)}: {path.stat().st_size // 1000} kB")


def _logged_in(browser: Browser, stack: DemoStack, who: str) -> Path:
    """Log in; return the file of the browser's state."""
    context, login = browser.new_context(base_url=stack.url), stack.login(who)
    page = context.new_page()
    page.goto("/login")
    page.locator("[name=username]").fill(login.username)
    page.locator("[name=password]").fill(login.password)
    page.locator("[name=code]").fill(stack.code(who))
    page.locator("main button").first.click()
    page.locator(".me").wait_for()
    path = stack.instance / f"browser-{who}.json"
    context.storage_state(path=path)
    context.close()
    return path


def main() -> int:
    """Start everything, take the pictures, stop everything."""
    with (
        tempfile.TemporaryDirectory(prefix="handshaker-screenshots-") as folder,
        demo_stack(Path(folder), web_rate_limits="false", log_level="WARNING") as stack,
        sync_playwright() as playwright,
    ):
        browser = launch(playwright)
        take(browser, stack, shots(live(stack)))
        browser.close()
    return 0


if __name__ == "__main__":
    sys.exit(main())
