"""People who come: invited by an administrator, they choose a login; a token lets a program act for them."""

from __future__ import annotations

import secrets

import requests
from playwright.sync_api import expect

from scripts.demo_stack import DemoStack
from tests.e2e.axe import faults
from tests.e2e.browsing import Visitors


def test_somebody_new_is_registered_invited_and_comes_in_with_a_login_of_their_own(
    visit: Visitors, stack: DemoStack
) -> None:
    page = visit("administrator")
    page.goto("/administration/people/new")
    page.get_by_label("Name").fill("Noa Silvander")
    page.get_by_label("Role").select_option("nurse")
    page.get_by_label("Organisation").select_option("1")
    page.get_by_role("button", name="Sign and register").click()
    code = page.locator("#code").inner_text()
    expect(page.get_by_role("link", name=f"{stack.url}/welcome")).to_be_visible()
    assert faults(page) == {}
    expect(page.get_by_role("main")).to_contain_text("Valid")

    newcomer, password = visit(), secrets.token_urlsafe(16)
    newcomer.goto(f"/welcome#{code}")
    expect(newcomer.get_by_label("Invitation")).to_have_value(code)
    assert "#" not in newcomer.url
    newcomer.get_by_label("Username").fill("noa")
    newcomer.get_by_label("New password").fill(password)
    newcomer.get_by_label("The new one again").fill("something else altogether")
    newcomer.get_by_role("button", name="Make my login").click()
    expect(newcomer.get_by_role("alert")).to_be_focused()
    assert faults(newcomer) == {}
    newcomer.get_by_label("New password").fill(password)
    newcomer.get_by_label("The new one again").fill(password)
    newcomer.get_by_role("button", name="Make my login").click()

    newcomer.get_by_label("Username").fill("noa")
    newcomer.get_by_label("Password").fill("not this one at all")
    newcomer.get_by_role("button", name="Log in").click()
    expect(newcomer.get_by_role("alert")).to_be_focused()
    expect(newcomer.get_by_label("Username")).to_have_value("noa")
    newcomer.get_by_label("Password").fill(password)
    newcomer.get_by_role("button", name="Log in").click()
    expect(newcomer.locator(".me-name")).to_contain_text("Noa Silvander")


def test_a_token_is_shown_once_and_ends_when_its_owner_says_so(visit: Visitors, stack: DemoStack) -> None:
    page = visit("pathologist-1")
    page.goto("/account/tokens/new")
    page.get_by_label("What is it for?").fill("Analyser 7")
    page.get_by_label("Read what you may read").check()
    page.get_by_role("button", name="Make it").click()
    header = {"Authorization": f"Bearer {page.locator('.secret').inner_text().strip()}"}
    assert faults(page) == {}
    address = f"{stack.url}/api/v1/templates"
    assert requests.get(address, headers=header, timeout=30).status_code == 200

    page.goto("/account")
    page.get_by_role("button", name="End the token for Analyser 7").click()
    expect(page.get_by_role("main")).to_contain_text("That token has ended.")
    assert requests.get(address, headers=header, timeout=30).status_code == 401
