"""Doctors read charts and write notes; pathologists report."""

from __future__ import annotations

import re

from playwright.sync_api import expect

from scripts.demo_stack import DemoStack
from tests.e2e.acts import expect_stayed, expect_valid, find_patient, stays
from tests.e2e.browsing import Visitors, log_in

_INK = """(canvas) => {
  const pixels = canvas.getContext("2d").getImageData(0, 0, canvas.width, canvas.height);
  return new Set(new Uint32Array(pixels.data.buffer)).size;
}"""
"""How many colours a canvas shows: one, if nothing is drawn on it."""


def test_a_doctor_sees_trends_drawn_and_writes_a_note(visit: Visitors, stack: DemoStack) -> None:
    page = visit()
    log_in(page, stack, "doctor-1")
    find_patient(page, "Marchetti", "MARCHETTI-ROUX, Odile")
    canvas = page.locator(".trend canvas")
    expect(canvas.first).to_be_visible()
    assert canvas.count() >= 3
    for each in canvas.all():
        assert each.evaluate(_INK) > 3

    page.get_by_role("link", name="Write a note").click()
    page.get_by_label("Text").fill("Walks without help. No fever.")
    page.get_by_role("button", name="Sign and send").click()
    stays(page)
    expect_valid(page)
    expect_stayed(page)
    page.get_by_role("link", name="To the chart").click()
    expect(page.get_by_role("region", name="Notes")).to_contain_text("Walks without help. No fever.")


def test_a_doctor_asks_for_consent_and_sees_the_request_wait(visit: Visitors, stack: DemoStack) -> None:
    page = visit("doctor-1")
    find_patient(page, "quern", "QUERNSTEIN, Anselm")
    expect(page.get_by_role("main")).to_contain_text("has not allowed you to read")
    page.get_by_role("link", name=re.compile("consent")).first.click()
    page.get_by_role("button", name=re.compile("^(Ask|Send)")).click()
    request = page.get_by_role("main")
    expect(request).to_contain_text("QUERNSTEIN")
    expect(request).to_contain_text("Waiting")


def test_a_pathologist_reports_from_the_work_list(visit: Visitors, stack: DemoStack) -> None:
    page = visit()
    log_in(page, stack, "pathologist-1")
    page.goto("/laboratory")
    page.get_by_role("link", name=re.compile("^Report MARCHETTI-ROUX")).first.click()
    page.get_by_role("link", name=re.compile("Complete blood count")).click()
    # The script that flags values is there when the page has loaded.
    page.wait_for_url("**/report/58410-2", wait_until="load")
    page.get_by_label("Haemoglobin").fill("9.8")
    expect(page.get_by_role("row", name=re.compile("Haemoglobin"))).to_contain_text("low")
    page.get_by_label("White cells").fill("7.1")
    page.get_by_label("Conclusion").fill("Anaemia.")
    page.get_by_role("button", name="Sign and send").click()
    expect_valid(page)
