"""The trees of cases: each leaf is the sentence of one test."""

from __future__ import annotations

from pathlib import Path
from types import ModuleType

OWN_TEST = "test_the_tree_names_the_tests"
"""The one test that has no leaf: the one that compares."""

_BRANCH = "├── "
_LAST = "└── "


def leaves(name: str) -> list[str]:
    """Return the names of the tests that ``<name>.tree`` asks for: its lines that have nothing below them."""
    lines = (Path(__file__).parent / f"{name}.tree").read_text().splitlines()
    depths = [_depth(line) for line in lines] + [0]
    return [
        "test_" + line[depth:].lower().replace("-", "_").replace(" ", "_")
        for line, depth, following in zip(lines, depths, depths[1:], strict=False)
        if depth and following <= depth
    ]


def assert_tree_is_tested(name: str, *modules: ModuleType) -> None:
    """Each leaf of ``<name>.tree`` has a test in ``modules`` and each test has a leaf."""
    asked = leaves(name)
    present = {
        name
        for module in modules
        for name, value in vars(module).items()
        if name.startswith("test_") and callable(value) and name != OWN_TEST
    }
    assert len(asked) == len(set(asked)), "two leaves with one name"
    untested, unasked = sorted(set(asked) - present), sorted(present - set(asked))
    assert not untested, f"leaves without a test: {untested}"
    assert not unasked, f"tests without a leaf: {unasked}"


def _depth(line: str) -> int:
    for mark in (_BRANCH, _LAST):
        if mark in line:
            return line.index(mark) + len(mark)
    return 0
