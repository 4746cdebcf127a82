"""Nesting without end is noticed before anything walks it."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from handshaker.commitments import canonical
from handshaker.errors import EnvelopeInvalid
from handshaker.nesting import is_too_deep, text_is_too_deep


def nested(levels: int, by: str) -> Any:
    document: Any = [] if by == "list" else {}
    for _ in range(levels - 1):
        document = [document] if by == "list" else {"a": document}
    return document


@pytest.mark.parametrize("by", ["list", "object"])
@given(st.integers(1, 40), st.integers(1, 40))
def test_a_document_and_its_text_are_too_deep_together(by: str, levels: int, limit: int) -> None:
    document = nested(levels, by)
    assert text_is_too_deep(json.dumps(document), limit) is (levels > limit)
    assert is_too_deep([document], limit) is (levels >= limit + 1)


@given(st.text())
def test_brackets_inside_text_do_not_count(text: str) -> None:
    assert not text_is_too_deep(json.dumps({"a": text + "[" * 300}))


@pytest.mark.parametrize("text", ["[" * 1_000_000, '{"a":' * 100_000, r'["\\",' * 300])
def test_text_that_never_closes_is_too_deep(text: str) -> None:
    assert text_is_too_deep(text)


def test_what_nests_too_deeply_has_no_canonical_form() -> None:
    canonical(nested(190, "list"))
    with pytest.raises(EnvelopeInvalid, match="nested too deeply"):
        canonical(nested(100_000, "list"))
