"""What the web application's sources say: parsed Python, parsed templates, and the words in them that people read."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from functools import cache
from html.parser import HTMLParser
from pathlib import Path

from jinja2 import Environment, nodes

ROOT = Path(__file__).resolve().parents[2]
WEBAPP = ROOT / "webapp"
TEMPLATES = sorted((WEBAPP / "templates").rglob("*.html"))
MODULES = sorted(WEBAPP.rglob("*.py"))

TRANSLATORS = {"_", "gettext", "ngettext", "pgettext", "_l", "lazy_gettext"}
TOLD = {"title", "placeholder", "alt", "aria-label", "aria-description", "data-confirm", "data-message"}
"""Attributes that people read or hear."""
_CODE = re.compile(r"\{#.*?#\}|\{%.*?%\}|\{\{.*?\}\}", re.S)
_TRANSLATED_BLOCK = re.compile(r"\{%-?\s*trans\b.*?endtrans\s*-?%\}", re.S)
_WORD = re.compile(r"[^\W\d_]{2,}")


def named(path: Path) -> str:
    """Return ``path`` as git writes it."""
    return path.relative_to(ROOT).as_posix()


@cache
def tree(path: Path) -> ast.Module:
    """Return a parsed module."""
    return ast.parse(path.read_text())


class Markup(HTMLParser):
    """A template's markup without its code: its tags, and the words that stand in it as they are."""

    def __init__(self, text: str, allowed: frozenset[str] = frozenset()) -> None:
        super().__init__(convert_charrefs=True)
        self.tags: list[tuple[str, dict[str, str]]] = []
        self.words: list[str] = []
        self._allowed = allowed
        self._inside: list[str] = []
        self.feed(_CODE.sub(" ", _TRANSLATED_BLOCK.sub(" ", text)))

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        found = {name: value or "" for name, value in attrs}
        self.tags.append((tag, found))
        told = TOLD | ({"value"} if tag == "input" and found.get("type") in {"submit", "button"} else set())
        for name in told & found.keys():
            self._read(found[name])
        if tag in {"script", "style", "code", "kbd"}:
            self._inside.append(tag)

    def handle_endtag(self, tag: str) -> None:
        if self._inside and self._inside[-1] == tag:
            self._inside.pop()

    def handle_data(self, data: str) -> None:
        if not self._inside:
            self._read(data)

    def _read(self, text: str) -> None:
        self.words += [word for word in _WORD.findall(text) if word not in self._allowed]


def bare_strings(text: str) -> Iterator[str]:
    """Yield sentences and titles that a template's code holds outside of gettext."""
    environment = Environment(extensions=["jinja2.ext.i18n"], autoescape=True)
    yield from _bare(environment.parse(text))


def _bare(node: nodes.Node) -> Iterator[str]:
    if isinstance(node, nodes.Call) and isinstance(node.node, nodes.Name) and node.node.name in TRANSLATORS:
        return
    if isinstance(node, nodes.Const) and isinstance(node.value, str) and is_sentence(node.value):
        yield node.value
    for child in node.iter_child_nodes():
        yield from _bare(child)


def is_sentence(text: str) -> bool:
    """Whether somebody would read this: it begins with a capital and goes on in small letters, or has words."""
    return bool(re.match(r"[A-Z][a-z]+(?![\w-])", text) or re.search(r"[a-z]{2,} [a-z]{2,}.*[.?!…]$", text))
