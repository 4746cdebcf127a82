"""Rules of the web application's sources: a thin face over what ``handshaker`` exports, strict markup, translated."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

import handshaker
from tests.webapp.sources import MODULES, TEMPLATES, TRANSLATORS, WEBAPP, Markup, bare_strings, is_sentence, named, tree

LONGEST_ROUTE = 20
VERBS = {"route", "get", "post", "put", "patch", "delete"}
BEHIND = {"store", "vault", "chain"}
"""Attributes of a Handshaker that a face may not reach through."""
SYMBOLS = frozenset({"ETH", "TI", "YAML", "QR", "ABI", "html", "Ethereum", "Handshaker", "mmHg", "TOTP", "EIP", "FHIR"})
"""Words that are the same in every language."""


def parameters(paths: list[Path]) -> list[object]:
    return [pytest.param(path, id=named(path)) for path in paths]


def test_there_is_something_to_look_at() -> None:
    assert MODULES
    assert TEMPLATES


@pytest.mark.parametrize("path", parameters(MODULES))
def test_a_module_takes_from_the_library_only_what_it_exports(path: Path) -> None:
    trespasses = []
    for node in ast.walk(tree(path)):
        if isinstance(node, ast.Import):
            trespasses += [alias.name for alias in node.names if alias.name.partition(".")[0] == "handshaker"]
        elif isinstance(node, ast.ImportFrom) and (node.module or "").partition(".")[0] == "handshaker":
            names = {alias.name for alias in node.names}
            trespasses += (
                [node.module or ""] if node.module != "handshaker" else sorted(names - set(handshaker.__all__))
            )
    assert trespasses == []


@pytest.mark.parametrize("path", parameters(MODULES))
def test_a_module_reaches_neither_store_nor_vault_nor_chain(path: Path) -> None:
    reached = [
        ast.unparse(node) for node in ast.walk(tree(path)) if isinstance(node, ast.Attribute) and node.attr in BEHIND
    ]
    assert reached == []


@pytest.mark.parametrize("path", parameters(MODULES))
def test_routes_parse_call_and_answer(path: Path) -> None:
    long = {
        node.name: length
        for node in ast.walk(tree(path))
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) and any(map(is_route, node.decorator_list))
        if (length := (node.end_lineno or 0) - node.lineno + 1) > LONGEST_ROUTE
    }
    assert long == {}


def is_route(decorator: ast.expr) -> bool:
    called = decorator.func if isinstance(decorator, ast.Call) else decorator
    return isinstance(called, ast.Attribute) and called.attr in VERBS


@pytest.mark.parametrize("path", parameters(MODULES))
def test_what_python_tells_people_goes_through_gettext(path: Path) -> None:
    """Flashed messages, labels and errors of forms, and the words of error pages."""
    bare = []
    for node in ast.walk(tree(path)):
        if isinstance(node, ast.Call) and is_telling(node):
            told = [
                *node.args,
                *(keyword.value for keyword in node.keywords if keyword.arg in {"message", "description"}),
            ]
            bare += [value.value for value in told if isinstance(value, ast.Constant) and _is_told(value.value)]
    assert bare == []


def is_telling(node: ast.Call) -> bool:
    name = node.func.id if isinstance(node.func, ast.Name) else getattr(node.func, "attr", "")
    if name in TRANSLATORS:
        return False
    validators = {"ValidationError", "DataRequired", "InputRequired", "Length", "NumberRange", "Regexp", "EqualTo"}
    return name == "flash" or name.endswith("Field") or name in validators


def _is_told(value: object) -> bool:
    return isinstance(value, str) and is_sentence(value)


@pytest.mark.parametrize("path", parameters(TEMPLATES))
def test_a_template_speaks_through_gettext(path: Path) -> None:
    text = path.read_text()
    assert Markup(text, SYMBOLS).words == []
    assert [words for words in bare_strings(text) if words not in SYMBOLS] == []


@pytest.mark.parametrize("path", parameters(TEMPLATES))
def test_a_template_holds_neither_script_nor_style(path: Path) -> None:
    faults = []
    for tag, attributes in Markup(path.read_text()).tags:
        if tag == "style" or (
            tag == "script" and "src" not in attributes and attributes.get("type") != "application/json"
        ):
            faults.append(f"<{tag}>")
        faults += [name for name in attributes if name.startswith(("on", "hx-on")) or name == "style"]
        faults += [value for value in attributes.values() if value.lstrip().lower().startswith("javascript:")]
    assert faults == []


@pytest.mark.parametrize("path", parameters(TEMPLATES))
def test_a_template_escapes_what_it_shows(path: Path) -> None:
    text = path.read_text()
    assert "|safe" not in text.replace(" ", "")
    assert "autoescape false" not in text


def test_every_template_is_used() -> None:
    sources = "\n".join(path.read_text() for path in [*MODULES, *TEMPLATES])
    names = [path.relative_to(WEBAPP / "templates").as_posix() for path in TEMPLATES]
    assert [name for name in names if f'"{name}"' not in sources] == []


def test_the_scanner_notices_what_it_looks_for() -> None:
    faulty = """<p title="Close it">{{ _("Fine") }} Not fine {# a remark #}</p>{{ parts.heading("Bare words") }}"""
    assert Markup(faulty).words == ["Close", "it", "Not", "fine"]
    assert list(bare_strings(faulty)) == ["Bare words"]
    assert not list(bare_strings("{% trans %}Whole sentence.{% endtrans %}{{ url_for('care.home', kind='new') }}"))
