"""Patterns in templates: what would take hours for some texts is refused before any text is held against it."""

from __future__ import annotations

import pytest

from handshaker.patterns import pattern_problem
from handshaker.schemas import schema_problems
from handshaker.template_manager import shipped_documents


@pytest.mark.parametrize(
    "pattern",
    [
        "^(a+)+$",
        "^(a*)*$",
        "^(a|aa)+$",
        "^(?:a?){40}$",
        "^((a+))*$",
        "^(?P<word>[a-z]+ ?)*$",
        r"^(\(+x*)+$",
        "^([)]a+)*?$",
        "^(a{1,3}b){2,}$",
        "^(x(a+)?y)*+$",
    ],
)
def test_a_repetition_of_what_varies_in_length_is_refused(pattern: str) -> None:
    assert pattern_problem(pattern) == "repeats a group whose length varies: some texts would take hours"


@pytest.mark.parametrize(
    "pattern",
    [
        r"\S",
        "^[A-Z0-9-]{3,20}$",
        "^(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?$",
        "^(organisation/[1-9][0-9]{0,7}|practitioner/0x[0-9a-f]{32})$",
        r"^\d{4}(-\d{2}(-\d{2})?)?$",
        r"^(\(a\+\)|[(+*|]){1}$",
        "^(a[+*?|)])+$",
        "a{,b}",
        "^(?=.*[a-z])(?!x+)y",
    ],
)
def test_what_takes_a_time_that_grows_with_the_text_is_taken(pattern: str) -> None:
    assert pattern_problem(pattern) is None


@pytest.mark.parametrize("pattern", ["(", "[a", "a**", "a{9999999999999}"])
def test_what_is_no_pattern_is_refused(pattern: str) -> None:
    assert pattern_problem(pattern) == "is no regular expression"


@pytest.mark.parametrize("pattern", ["(?>a+)b", "(?i:a)", "(?#a)b", "(a)?(?(1)b|c)"])
def test_a_group_of_another_kind_is_refused(pattern: str) -> None:
    assert pattern_problem(pattern) == "has a group of a kind that patterns cannot have here"


def test_a_schema_tells_where_its_bad_patterns_are() -> None:
    schema = {
        "properties": {"lot": {"pattern": "^(a+)+$"}, "pattern": {"type": "string"}},
        "patternProperties": {"(": {}},
    }
    assert [problem["path"] for problem in schema_problems(schema)] == ["properties.lot.pattern", "patternProperties"]


def test_the_patterns_of_the_shipped_templates_are_taken() -> None:
    assert [problem for document in shipped_documents() for problem in schema_problems(document["payload"])] == []
