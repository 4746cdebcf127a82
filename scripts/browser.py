"""Which browser the tests and the screenshots of the web application use, and how it is started."""

from __future__ import annotations

import os
import shutil
import sys
from pathlib import Path
from typing import Any

from playwright.sync_api import Browser, Playwright, sync_playwright

VARIABLE = "HANDSHAKER_TEST_BROWSER"
NAMES = ("chromium", "chromium-browser", "google-chrome")


def find_browser(playwright: Playwright) -> Path | None:
    """Return the program: the one that ``HANDSHAKER_TEST_BROWSER`` names, the system's, or what Playwright brought."""
    named = os.environ.get(VARIABLE)
    if named:
        return _program(named)
    for name in NAMES:
        if found := _program(name):
            return found
    own = Path(playwright.chromium.executable_path)
    return own if own.exists() else None


def launch(playwright: Playwright, **options: Any) -> Browser:
    """Start the browser, headless; raises ``RuntimeError`` where there is none."""
    program = find_browser(playwright)
    if program is None:
        raise RuntimeError("No Chromium is here. `make browser` finds or installs one, or says what to do.")
    return playwright.chromium.launch(executable_path=program, args=arguments(), **options)


def arguments() -> list[str]:
    """Return the browser's switches. Root cannot use Chromium's sandbox."""
    return ["--disable-gpu", "--disable-quic", *(["--no-sandbox"] if os.geteuid() == 0 else [])]


def _program(name: str) -> Path | None:
    found = shutil.which(name)
    return Path(found) if found else None


def main() -> int:
    """Print the browser's path; return 1 where there is none."""
    with sync_playwright() as playwright:
        program = find_browser(playwright)
    if program is None:
        return 1
    print(program)
    return 0


if __name__ == "__main__":
    sys.exit(main())
