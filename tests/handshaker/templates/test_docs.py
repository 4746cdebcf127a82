"""What ``docs/templates.md`` says is so."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from handshaker.errors import TemplateInvalid
from handshaker.expressions import _StatementFunctions
from handshaker.sentences import _ENVIRONMENT
from handshaker.template_check import sample_values
from handshaker.vocabulary import ActorKind, Role
from tests.handshaker.templates.fakes import manager, ward

PAGE = (Path(__file__).parents[3] / "docs" / "templates.md").read_text("utf-8")
EXAMPLE = re.search(r"<!-- example -->\n```yaml\n(.*?)```", PAGE, re.DOTALL)
MISTAKE = re.search(r"<!-- mistake: (\S+) -> (\S+) -->\n```text\nline (\d+), (\S+): (.*?)\n```", PAGE, re.DOTALL)


def test_the_example_is_a_template_that_can_be_added(tmp_path: Path) -> None:
    assert EXAMPLE is not None
    path = tmp_path / "immunization.yaml"
    path.write_text(EXAMPLE[1])
    templates = manager()
    assert templates.check_file(path).example is not None
    assert templates.add(templates.load_file(path), "0xaa").reference == "immunization@1"


def test_the_mistake_is_answered_as_the_page_says(tmp_path: Path) -> None:
    assert EXAMPLE is not None
    assert MISTAKE is not None
    right, wrong, line, place, words = MISTAKE.groups()
    path = tmp_path / "immunization.yaml"
    path.write_text(EXAMPLE[1].replace(right, wrong))
    with pytest.raises(TemplateInvalid) as refusal:
        manager().check_file(path)
    assert refusal.value.data["problems"] == [{"path": place, "problem": words, "line": int(line)}]


def test_the_page_names_every_function_filter_role_and_name_of_the_context() -> None:
    own = [name for name in vars(_StatementFunctions) if name.startswith("_func_")]
    filters = {"categories", "date", "named", "named_or_numbered", "purpose"}
    names = sample_values(ward(), ActorKind.ADMINISTRATOR, "administrator") | {"terms": ""}
    assert len(own) == 7
    assert filters <= _ENVIRONMENT.filters.keys()
    for function in own:
        assert f"`{function.removeprefix('_func_')}(" in PAGE
    for word in (*filters, *(role.code for role in Role), "patient", "administrator"):
        assert f"`{word}`" in PAGE
    for name in names:
        assert f"`context.{name}`" in PAGE


def test_the_page_explains_every_field_of_a_document() -> None:
    from handshaker.template_check import _document_schema

    schema = _document_schema().schema
    assert isinstance(schema, dict)
    for name in schema["properties"]:
        assert f"`{name}`" in PAGE
