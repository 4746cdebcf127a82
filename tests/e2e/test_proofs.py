"""Proofs in the browser: a page turns green by itself, and what it hands out is checked without us."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from pathlib import Path

from playwright.sync_api import Page, expect

from scripts.demo_stack import DemoStack
from tests.e2e.acts import enter_vital_signs, expect_stayed, expect_valid, find_patient, stays
from tests.e2e.axe import faults
from tests.e2e.browsing import Visitors
from tests.e2e.test_sessions import tab_to


def open_new_proof(page: Page) -> None:
    """Send a reading, and open its proof as soon as it is acknowledged."""
    find_patient(page, "marchetti", "MARCHETTI-ROUX")
    enter_vital_signs(page, heart_rate="66")
    expect_valid(page)
    page.get_by_role("link", name=re.compile("All about it")).click()
    page.get_by_role("link", name="Proof", exact=True).click()
    expect(page.get_by_role("heading", name=re.compile("Proof of transaction"))).to_be_visible()


def expect_proven(page: Page) -> None:
    expect(page.locator(".verdict")).to_contain_text("Proven.")
    expect(page.locator(".checks > .good")).to_have_count(8)


def test_a_proof_turns_green_by_itself_and_is_checked_without_us(
    visit: Visitors, stack: DemoStack, tmp_path: Path
) -> None:
    page = visit("nurse-1")
    open_new_proof(page)
    stays(page)
    expect_proven(page)
    expect_stayed(page)
    assert faults(page) == {}
    expect(page.get_by_role("img", name=re.compile("The way from the entry up to the block"))).to_be_visible()

    for name in ("Download the proof", "Download the verifier"):
        with page.expect_download() as download:
            page.get_by_role("link", name=name).click()
        download.value.save_as(tmp_path / download.value.suggested_filename)
    command = page.locator(".command").inner_text().replace("\\\n", " ").split()
    words = [sys.executable, *command[1:]]
    words[words.index("NODE")] = stack.handshaker.settings.chain_url
    done = subprocess.run(words, cwd=tmp_path, check=False, capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "✗" not in done.stdout

    (proof,) = tmp_path.glob("proof-*.json")
    proof.write_text(proof.read_text().replace("effect", "defect"))
    done = subprocess.run(words, cwd=tmp_path, check=False, capture_output=True, text=True, timeout=60)
    assert done.returncode == 1, done.stdout + done.stderr


def test_a_proof_that_somebody_changed_is_red_and_says_why(visit: Visitors, stack: DemoStack, tmp_path: Path) -> None:
    page = visit("nurse-1")
    open_new_proof(page)
    expect_proven(page)
    with page.expect_download() as download:
        page.get_by_role("link", name="Download the proof").click()
    right = Path(download.value.path()).read_text()
    page.get_by_role("link", name="Check another proof").click()
    (tmp_path / "proof.json").write_text(right.replace("effect", "defect"))
    page.get_by_label("Or its file").first.set_input_files(tmp_path / "proof.json")
    page.get_by_role("button", name="Check", exact=True).click()
    expect(page.locator(".verdict")).to_contain_text("Not proven.")
    expect(page.locator(".checks > .bad")).to_have_count(1)
    expect(page.locator(".checks > .bad")).to_contain_text("another root than the one that was signed")
    assert faults(page) == {}

    page.get_by_label("Proof", exact=True).fill("nothing of the kind")
    page.get_by_role("button", name="Check", exact=True).click()
    expect(page.get_by_role("alert")).to_contain_text("not JSON")
    assert faults(page) == {}

    page.get_by_label("Proof", exact=True).fill(json.dumps(json.loads(right)))
    tab_to(page, "Check")
    page.get_by_role("button", name="Check", exact=True).focus()
    page.keyboard.press("Enter")
    expect(page.locator(".verdict")).to_contain_text("Proven.")


def test_an_administrator_sees_that_the_log_only_grew(visit: Visitors, stack: DemoStack) -> None:
    page = visit("administrator")
    page.goto("/administration/audit")
    expect(page.locator(".figure.good")).to_contain_text("In time")
    expect(page.locator(".chart.anchors canvas")).to_be_visible()
    page.get_by_role("button", name="Check", exact=True).click()
    expect(page.get_by_role("heading", name=re.compile("From .* to .* entries"))).to_be_visible()
    expect(page.locator(".verdict")).to_contain_text("Between these two heads the log only grew")
    expect(page.locator(".checks > .good")).to_have_count(13)
    with page.expect_download() as download:
        page.get_by_role("link", name="Download the proof").click()
    assert json.loads(Path(download.value.path()).read_text())["kind"] == "audit-consistency"

    page.get_by_role("link", name="Back to the audit log").click()
    page.get_by_label("Kind").select_option(label="Act")
    page.get_by_role("button", name="Show", exact=True).click()
    expect(page.locator("#entries tbody")).to_contain_text("Somebody logged in.")
    expect(page.locator("#entries tbody .tag", has_text="Acknowledgement")).to_have_count(0)
