"""Logins at work: locked workstations, people who leave, keyboards, and browsers without scripts."""

from __future__ import annotations

import re

import requests
from playwright.sync_api import Page, expect

from scripts.demo_stack import DemoStack
from tests.e2e.acts import banner, expect_valid, find_patient
from tests.e2e.axe import faults
from tests.e2e.browsing import PATIENCE, Visitors, log_in


def test_a_locked_workstation_shows_nothing_and_opens_with_the_password(visit: Visitors, stack: DemoStack) -> None:
    page = visit("nurse-2", own=True)
    find_patient(page, "brims", "BRIMSTAD, Halvard")
    page.get_by_role("button", name="Lock", exact=True).click()
    expect(page.get_by_role("heading", level=1)).to_contain_text(re.compile("lock", re.I))
    expect(page.locator("body")).not_to_contain_text("BRIMSTAD")
    assert faults(page) == {}
    page.goto("/today")
    expect(page).to_have_url(re.compile("/unlock"))

    page.get_by_label("Password").fill("not this one at all")
    page.get_by_role("button", name="Unlock").click()
    expect(page).to_have_url(re.compile("/unlock"))
    assert faults(page) == {}
    page.get_by_label("Password").fill(stack.login("nurse-2").password)
    page.get_by_role("button", name="Unlock").click()
    expect(page.get_by_role("button", name="Log out")).to_be_visible()


def test_an_idle_workstation_locks_itself(visit: Visitors) -> None:
    page = visit()
    page.clock.install()
    log_in(page, visit.stack, "nurse-2")
    page.goto("/today")
    page.clock.fast_forward("16:00")
    expect(page).to_have_url(re.compile("/unlock"))
    page.goto("/today")
    expect(page).to_have_url(re.compile("/unlock"))


def test_another_person_takes_over_a_locked_workstation_with_a_session_of_their_own(visit: Visitors) -> None:
    page = visit("nurse-2", own=True)
    page.get_by_role("button", name="Lock", exact=True).click()
    page.get_by_role("button", name=re.compile("Log out|somebody else", re.I)).first.click()
    expect(page).to_have_url(re.compile("/login"))
    log_in(page, visit.stack, "nurse-1")
    expect(page.locator(".me-name")).to_contain_text("Mara Lindqvist")
    page.go_back()
    expect(page.locator(".me-name")).not_to_contain_text("Jonas Petek")


def test_who_was_ended_is_out_at_once_with_browser_and_token(visit: Visitors, stack: DemoStack) -> None:
    leaving = visit("doctor-2", own=True)
    token = {"Authorization": f"Bearer {stack.token('doctor-2')}"}
    assert requests.get(f"{stack.url}/api/v1/templates", headers=token, timeout=30).status_code == 200

    page = visit("administrator")
    page.goto("/administration/people")
    page.get_by_role("link", name="Dr Tomas Okafor").click()
    page.get_by_role("link", name="End", exact=True).click()
    page.get_by_label("Yes, this is what I want").check()
    assert faults(page) == {}
    page.get_by_role("button", name="End Dr Tomas Okafor now").click()
    expect(page.get_by_role("main")).to_contain_text("They have no session, token or key")

    leaving.goto("/today")
    expect(leaving).to_have_url(re.compile("/login"))
    assert requests.get(f"{stack.url}/api/v1/templates", headers=token, timeout=30).status_code == 401


def test_everything_can_be_done_with_the_keyboard_alone(visit: Visitors, stack: DemoStack) -> None:
    page, login = visit(), stack.login("nurse-1")
    page.goto("/login")
    tab_to(page, "Username")
    page.keyboard.type(login.username)
    tab_to(page, "Password")
    page.keyboard.type(login.password)
    page.keyboard.press("Enter")
    expect(page.get_by_role("button", name="Log out")).to_be_visible()

    # The script that knows "/" is there when the page has loaded.
    page.wait_for_url("**/today", wait_until="load")
    page.locator("main").focus()
    page.keyboard.press("/")
    expect(page.get_by_label("Find a patient")).to_be_focused()
    page.keyboard.type("marchetti")
    expect(page.locator("#found").get_by_role("link", name=re.compile("^MARCHETTI-ROUX"))).to_be_visible()
    tab_to(page, "MARCHETTI-ROUX")
    page.keyboard.press("Enter")
    expect(banner(page)).to_contain_text("MARCHETTI-ROUX")
    tab_to(page, "vital signs")
    page.keyboard.press("Enter")
    page.wait_for_url("**/vital-signs")
    tab_to(page, "Heart rate")
    page.keyboard.type("64")
    tab_to(page, "Sign and send")
    page.keyboard.press("Enter")
    expect_valid(page)


def tab_to(page: Page, name: str) -> None:
    """Press Tab until what is called ``name`` has the focus, which must be seen wherever it stands."""
    for _ in range(60):
        focus = page.evaluate(_FOCUS)
        if focus and name.lower() in focus["name"].lower():
            return
        page.keyboard.press("Tab")
        focus = page.evaluate(_FOCUS)
        assert focus is None or focus["isSeen"], focus
    raise AssertionError(f"{name} cannot be reached by Tab")


_FOCUS = """() => {
  const here = document.activeElement;
  if (!here || here === document.body) return null;
  const style = getComputedStyle(here);
  const labels = [...(here.labels ?? [])].map((label) => label.textContent).join(" ");
  const outlined = style.outlineStyle !== "none" && parseFloat(style.outlineWidth) >= 2;
  return {
    name: (here.getAttribute("aria-label") ?? "") + " " + labels + " " + here.textContent,
    isSeen: outlined && here.getClientRects().length > 0,
    html: here.outerHTML.slice(0, 200),
  };
}"""


def test_without_scripts_one_logs_in_searches_and_enters_vital_signs(visit: Visitors, stack: DemoStack) -> None:
    page = visit(java_script_enabled=False)
    log_in(page, stack, "nurse-1")
    page.goto("/today")
    page.get_by_label("Find a patient").fill("Tuilagi")
    page.get_by_role("button", name="Find", exact=True).click()
    page.get_by_role("link", name=re.compile("^TUILAGI")).first.click()
    page.get_by_role("link", name=re.compile("vital signs", re.I)).first.click()
    page.get_by_label(re.compile("temperature", re.I)).fill("36.9")
    page.get_by_role("button", name="Sign and send").click()
    address = page.url
    for _ in range(PATIENCE // 500):
        if page.locator("main .badge.good").count():
            break
        page.wait_for_timeout(500)
        page.goto(address)
    expect_valid(page)
