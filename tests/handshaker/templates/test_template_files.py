"""A template file means one thing, and what is wrong with it is found by line and column."""

from __future__ import annotations

import itertools
import json
from pathlib import Path
from typing import Any

import pytest
import yaml

from handshaker.errors import InputInvalid, TemplateInvalid
from tests.handshaker.templates.fakes import manager, ward


def test_yaml_and_json_say_the_same(tmp_path: Path) -> None:
    for name, text in (("a.yaml", yaml.safe_dump(ward())), ("a.json", json.dumps(ward()))):
        (tmp_path / name).write_text(text)
        assert manager().load_file(tmp_path / name) == ward()
        assert manager().check_file(tmp_path / name).reference == "open-ward@1"


def test_a_date_in_yaml_stays_the_text_that_was_written(tmp_path: Path) -> None:
    path = tmp_path / "a.yaml"
    path.write_text("when: 2026-11-21T00:00:00Z\nday: 2026-11-21\n")
    assert manager().load_file(path) == {"when": "2026-11-21T00:00:00Z", "day": "2026-11-21"}


@pytest.mark.parametrize(
    ("name", "text", "line", "column", "words"),
    [
        ("a.yaml", "name: a\nroles: [doctor\n", 3, 1, "expected ',' or ']'"),
        ("a.yaml", "name: a\nname: b\n", 2, 1, "'name' is written twice"),
        ("a.yaml", "a: &x [1]\nb: *x\n", 2, 4, "aliases"),
        ("a.yaml", "a:\n  <<: {b: 1}\n", 2, 3, "a key must be text"),
        ("a.yaml", "1: a\n", 1, 1, "a key must be text"),
        ("a.yaml", "- a\n- b\n", 1, 1, "not a list"),
        ("a.yaml", "", 1, 1, "not a list or a single value"),
        ("a.yaml", "a: !!python/object/apply:os.getcwd []\n", 1, 4, "could not determine a constructor"),
        ("a.yaml", "a: 1\n---\nb: 2\n", 2, 1, "another document"),
        ("a.json", '{"a": 1,\n "b": }', 2, 7, "Expecting value"),
        ("a.json", '{"a": 1, "a": 2}', None, None, "'a' is written twice"),
        ("a.json", '{"a": NaN}', None, None, "NaN is not JSON"),
        ("a.json", "[" * 100_000, None, None, "nested too deeply"),
    ],
)
def test_a_malformed_file_is_refused_with_its_place(
    tmp_path: Path, name: str, text: str, line: int | None, column: int | None, words: str
) -> None:
    path = tmp_path / name
    path.write_text(text)
    with pytest.raises(InputInvalid) as refusal:
        manager().load_file(path)
    data: dict[str, Any] = refusal.value.data
    assert (data["line"], data["column"]) == (line, column)
    assert words in data["problem"]
    assert data["path"] == str(path)


@pytest.mark.parametrize(
    ("raw", "words"), [(b"a: \xff\n", "not UTF-8"), (b"#" * 100_001, "larger than"), (b"a: \x00\n", "characters")]
)
def test_bytes_that_are_no_text_are_refused(tmp_path: Path, raw: bytes, words: str) -> None:
    path = tmp_path / "a.yaml"
    path.write_bytes(raw)
    with pytest.raises(InputInvalid, match=words):
        manager().load_file(path)


def test_a_file_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(InputInvalid, match="No such file"):
        manager().load_file(tmp_path / "none.yaml")


def test_a_mistake_inside_a_file_is_told_with_its_line(tmp_path: Path) -> None:
    path = tmp_path / "a.yaml"
    document = ward(plausibility=[{"code": "8867-4", "display": "x", "units": {"mm[Hg]": [3, 1]}}])
    document["statement"]["deadline"] = "context.deadlin"
    text = yaml.safe_dump(document, sort_keys=False)
    path.write_text(text)
    with pytest.raises(TemplateInvalid) as refusal:
        manager().check_file(path)
    lines = text.splitlines()
    told = {problem["path"]: problem["line"] for problem in refusal.value.data["problems"]}
    assert told["statement.deadline"] == lines.index("  deadline: context.deadlin") + 1
    assert told["plausibility[0].units.mm[Hg]"] == lines.index("    mm[Hg]:") + 1


def test_what_is_missing_is_told_with_the_line_of_what_it_is_missing_from(tmp_path: Path) -> None:
    path = tmp_path / "a.yaml"
    document = ward()
    del document["statement"]["deadline"]
    text = yaml.safe_dump(document, sort_keys=False)
    path.write_text(text)
    with pytest.raises(TemplateInvalid) as refusal:
        manager().check_file(path)
    assert [problem["line"] for problem in refusal.value.data["problems"]] == [
        text.splitlines().index("statement:") + 1
    ]


def test_a_text_with_many_problems_is_read_once_for_all_their_lines(monkeypatch: pytest.MonkeyPatch) -> None:
    compose, count = yaml.compose, itertools.count()

    def counted(*given: Any, **more: Any) -> Any:
        next(count)
        return compose(*given, **more)

    monkeypatch.setattr(yaml, "compose", counted)
    text = yaml.safe_dump(ward(lifetime="long", roles=["king", "queen"], covers=["1", "2", "3"]))
    with pytest.raises(TemplateInvalid) as refusal:
        manager().check_text(text)
    assert len(refusal.value.data["problems"]) > 3
    assert next(count) == 1
