"""A nurse's day: vital signs become valid by themselves; refused ones wait for the patient's consent."""

from __future__ import annotations

import re

from playwright.sync_api import expect

from scripts.demo_stack import DemoStack
from tests.e2e.acts import (
    banner,
    enter_vital_signs,
    expect_stayed,
    expect_valid,
    find_patient,
    stays,
)
from tests.e2e.axe import faults
from tests.e2e.browsing import Visitors, log_in


def test_a_nurse_finds_a_patient_enters_vital_signs_and_sees_them_become_valid(
    visit: Visitors, stack: DemoStack
) -> None:
    page = visit()
    log_in(page, stack, "nurse-1")
    find_patient(page, "brims", "BRIMSTAD, Halvard")
    enter_vital_signs(page, systolic="128", diastolic="82", heart_rate="72")
    expect(banner(page)).to_contain_text("BRIMSTAD, Halvard")
    stays(page)
    expect_valid(page, 2)
    expect_stayed(page)
    assert faults(page) == {}

    page.get_by_role("link", name="To the chart").click()
    expect(page.get_by_role("main")).to_contain_text("128")


def test_a_refused_reading_waits_for_consent_and_is_signed_again_with_one_click(
    visit: Visitors, stack: DemoStack
) -> None:
    page = visit("nurse-1")
    find_patient(page, "24 Sep 1993", "ASHRAFZODA, Nilufar")
    enter_vital_signs(page, temperature="37.2")
    refusal = page.get_by_role("main")
    expect(refusal).to_contain_text("The patient has not allowed writing vital signs for treatment.")
    expect(refusal).to_contain_text("Nothing is lost")
    assert faults(page) == {}

    page.get_by_role("button", name="Ask the patient for consent").click()
    expect(page.get_by_role("status").first).to_contain_text("The patient was asked")
    page.goto("/drafts")
    stays(page)
    draft = page.locator("article.draft", has_text="ASHRAFZODA")
    expect(draft).to_contain_text("The patient was asked")
    stack.consent("patient-5")
    expect(draft).to_contain_text("Consent has come")
    expect_stayed(page)
    assert faults(page) == {}

    draft.get_by_role("button", name="Sign and send").click()
    expect_valid(page)
    page.goto("/requests")
    expect(page.get_by_role("main")).to_contain_text(re.compile("Granted"))


def test_a_form_keeps_what_was_typed_when_something_is_wrong(visit: Visitors) -> None:
    page = visit("nurse-1")
    find_patient(page, "brims", "BRIMSTAD, Halvard")
    enter_vital_signs(page, systolic="70", diastolic="82", heart_rate="72")
    expect(page.get_by_role("alert")).to_be_focused()
    expect(page.get_by_label(re.compile("systolic", re.I))).to_have_value("70")
    expect(page.get_by_label(re.compile("heart rate", re.I))).to_have_value("72")
    expect(page.get_by_label(re.compile("systolic", re.I))).to_have_attribute("aria-invalid", "true")
    assert faults(page) == {}
