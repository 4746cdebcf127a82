"""Administrators: the file of every transaction, and templates that take two of them."""

from __future__ import annotations

import re

from playwright.sync_api import Page, expect

from scripts.demo_stack import DemoStack
from tests.e2e.acts import enter_vital_signs, expect_valid, find_patient
from tests.e2e.axe import faults
from tests.e2e.browsing import Visitors, log_in


def test_an_administrator_finds_what_was_valid_and_what_was_not_and_opens_the_file_of_each(
    visit: Visitors, stack: DemoStack
) -> None:
    page = visit()
    log_in(page, stack, "second-administrator")
    search(page, "Valid", "vital-signs")
    page.locator("tbody th[scope=row] a").first.click()
    timeline = page.locator("ol.timeline")
    for step in ("Received", "Sent", "block"):
        expect(timeline).to_contain_text(re.compile(step, re.I))
    file = page.get_by_role("main")
    for part in ("What was signed", "Statement hash", "How it travelled", "Gates", "Leaf"):
        expect(file).to_contain_text(part)
    expect(file).not_to_contain_text("BRIMSTAD")

    search(page, "Invalid", "vital-signs")
    page.locator("tbody th[scope=row] a").first.click()
    expect(page.get_by_role("main")).to_contain_text("The patient has not allowed writing vital signs for treatment.")
    expect(page.get_by_role("main")).to_contain_text("never sent")
    assert faults(page) == {}


def search(page: Page, status: str, template: str) -> None:
    """Filter the acknowledgements."""
    page.goto("/administration/acknowledgements")
    page.get_by_label("Status").select_option(label=status)
    page.get_by_label("Template").fill(template)
    page.get_by_role("button", name="Search", exact=True).click()
    expect(page.locator("tbody .badge").first).to_have_text(status)


def test_a_template_is_mended_tried_proposed_approved_and_used(visit: Visitors, stack: DemoStack) -> None:
    page = visit("administrator")
    page.goto("/administration/templates/vital-signs")
    page.get_by_role("link", name="Write the next version").click()
    area = page.locator("textarea")
    right = area.input_value()
    assert "version: 2" in right
    area.fill(right.replace("- nurse\n", "- nurze\n", 1))
    page.get_by_role("button", name="Check", exact=True).click()
    line = 1 + area.input_value().split("\n").index("- nurze")
    expect(page.get_by_role("alert").first).to_contain_text(f"line {line}")
    assert faults(page) == {}

    area.fill(right)
    page.get_by_role("button", name="Dry run").click()
    run = page.get_by_role("main")
    for part in ("HealthRecords.record", "can be proposed", "Dry run of its example"):
        expect(run).to_contain_text(part)
    assert faults(page) == {}
    page.get_by_role("button", name="Propose", exact=True).click()
    expect(page.get_by_role("main")).to_contain_text("another administrator approves")
    expect(page.get_by_role("button", name="Approve")).to_have_count(0)
    address = page.url

    second = visit("second-administrator")
    second.goto(address)
    expect(second.locator(".diff ins")).to_contain_text(["version: 2"])
    second.get_by_role("button", name="Approve").click()
    expect(second).to_have_url(re.compile("/administration/templates/vital-signs"))
    expect(second.get_by_role("navigation", name="Versions")).to_contain_text("Version 2")

    nurse = visit("nurse-2")
    find_patient(nurse, "brims", "BRIMSTAD, Halvard")
    enter_vital_signs(nurse, heart_rate="70")
    expect_valid(nurse)
    nurse.get_by_role("link", name=re.compile("All about it")).click()
    expect(nurse.get_by_role("main")).to_contain_text("vital-signs@2")
