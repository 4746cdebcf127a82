"""What people do on the pages, in their own words."""

from __future__ import annotations

import re

from playwright.sync_api import Locator, Page, expect


def find_patient(page: Page, typed: str, name: str) -> None:
    """Search as one types, and open the chart."""
    page.goto("/today")
    page.get_by_label("Find a patient").fill(typed)
    page.locator("#found").get_by_role("link", name=re.compile(f"^{name}")).click()
    expect(banner(page)).to_contain_text(name)


def banner(page: Page) -> Locator:
    """Whose page it is."""
    return page.get_by_role("region", name="Patient", exact=True)


def enter_vital_signs(page: Page, **values: str) -> None:
    """Fill in the quick form of the patient whose page is open, and send it. ``heart_rate="72"``."""
    page.get_by_role("link", name=re.compile("vital signs", re.I)).first.click()
    for name, value in values.items():
        page.get_by_label(re.compile(name.replace("_", " "), re.I)).first.fill(value)
    page.get_by_role("button", name="Sign and send").click()


def expect_valid(page: Page, count: int = 1) -> None:
    """Wait until the page says by itself that all is valid, with evidence."""
    expect(page.locator("main .badge.good", has_text="Valid")).to_have_count(count)
    evidence = page.locator("dl.evidence").first
    for name in ("Block", "Transaction", "Statement", "Audit log"):
        expect(evidence).to_contain_text(name)


def stays(page: Page) -> None:
    """Mark the document, so that `expect_stayed` tells whether it was loaded again."""
    page.evaluate("window.stayed = true")


def expect_stayed(page: Page) -> None:
    assert page.evaluate("window.stayed === true"), "the page was loaded again"
