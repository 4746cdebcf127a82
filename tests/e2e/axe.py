"""What axe-core (Deque) finds wrong with a page: WCAG 2.2, levels A and AA, and its best practices."""

from __future__ import annotations

from functools import cache
from typing import Any

from playwright.sync_api import Page

from tests.e2e.browsing import DESKTOP, PHONE, RESULTS

SOURCE = RESULTS.parent / "node_modules" / "axe-core" / "axe.min.js"
ALL = {"type": "tag", "values": ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]}
COLOURS = {"type": "rule", "values": ["color-contrast", "link-in-text-block"]}
VIEWS = [(DESKTOP, "light", ALL), (DESKTOP, "dark", COLOURS), (PHONE, "dark", ALL), (PHONE, "light", COLOURS)]
"""Everything in each size; in the other scheme only what a scheme changes."""
_RUN = """async (rules) => {
  const found = await axe.run(document, {runOnly: rules, resultTypes: ["violations"]});
  return found.violations.map((fault) => ({
    rule: fault.id, help: fault.help,
    where: fault.nodes.slice(0, 4).map((node) => node.html.slice(0, 200) + " | " + node.failureSummary),
  }));
}"""
_OVERFLOW = """() => {
  const width = document.documentElement.clientWidth;
  if (document.documentElement.scrollWidth <= width && document.body.scrollWidth <= width) return [];
  return [...document.body.querySelectorAll("*")]
    .filter((each) => each.getBoundingClientRect().right > width + 1 && !each.closest(".scroll, .places, .diff, pre"))
    .map((each) => each.outerHTML.slice(0, 120)).slice(0, 5).concat("the page scrolls sideways");
}"""


def faults(page: Page) -> dict[str, Any]:
    """Look at the page that is shown, wide and narrow, light and dark; return what is wrong, by view."""
    found: dict[str, Any] = {}
    page.evaluate(_source())
    for size, scheme, rules in VIEWS:
        page.set_viewport_size(size)  # type: ignore[arg-type]
        page.emulate_media(color_scheme=scheme)  # type: ignore[arg-type]
        wrong = page.evaluate(_RUN, rules)
        if size == PHONE:
            wrong += page.evaluate(_OVERFLOW)
        if wrong:
            found[f"{size['width']} {scheme}"] = wrong
    page.set_viewport_size(DESKTOP)  # type: ignore[arg-type]
    page.emulate_media(color_scheme="light")
    return found


@cache
def _source() -> str:
    return SOURCE.read_text()
