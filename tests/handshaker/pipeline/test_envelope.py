"""Whatever arrives as a request: an envelope, or a refusal that says what is wrong, and never anything else."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from handshaker.commitments import canonical
from handshaker.envelope import read_envelope
from handshaker.errors import EnvelopeInvalid, NotAuthenticated
from tests.instances import Instance

LIMIT = 10_000

scalars = st.none() | st.booleans() | st.integers() | st.floats() | st.text()
values = st.recursive(
    scalars, lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner, max_size=4)
)
json_scalars = (
    st.none() | st.booleans() | st.integers(-(2**53) + 1, 2**53 - 1) | st.floats(allow_nan=False, allow_infinity=False)
)
texts = st.text(st.characters(exclude_categories=["Cs"]), max_size=20)
json_values = st.recursive(
    json_scalars | texts, lambda inner: st.lists(inner, max_size=4) | st.dictionaries(texts, inner, max_size=4)
)
payloads = st.dictionaries(texts, json_values, max_size=5)
names = st.sampled_from(
    ("template", "patient", "payload", "idempotencyKey", "supersedes", "signature", "preparation", "more")
)


def read(request: Any, limit: int = LIMIT) -> object:
    """The envelope, or the refusal."""
    try:
        return read_envelope(request, limit)
    except EnvelopeInvalid as refusal:
        json.dumps(refusal.to_json())
        return refusal


@given(st.binary(max_size=300))
def test_any_bytes_are_an_envelope_or_a_refusal(request: bytes) -> None:
    read(request)


@given(values)
def test_any_json_is_an_envelope_or_a_refusal(document: Any) -> None:
    read(json.dumps(document).encode("utf-8", "surrogatepass"))


@given(st.dictionaries(names, values))
def test_the_right_names_with_anything_behind_them(document: dict[str, Any]) -> None:
    read(json.dumps(document).encode("utf-8", "surrogatepass"))
    read(document)


@given(st.sampled_from(["[", '{"a":', '[{"a":']), st.integers(1, 100_000))
@settings(max_examples=15)
def test_however_deep_the_nesting(opening: str, depth: int) -> None:
    read((opening * depth).encode(), limit=10**7)
    closing = "".join({"[": "]", "{": "}"}[c] for c in reversed(opening) if c in "[{")
    body = opening * min(depth, 5_000) + "1" + closing * min(depth, 5_000)
    read(f'{{"template": "t", "idempotencyKey": "k", "payload": {{"p": {body}}}}}'.encode(), limit=10**7)


def request_of(payload: Any, **more: Any) -> dict[str, Any]:
    return {"template": "vital-signs", "payload": payload, "idempotencyKey": "k", **more}


def stands_for(request: Any) -> bytes:
    """What an idempotency key is bound to."""
    return canonical(read_envelope(request, 10**6).request)


@given(payloads)
def test_bytes_and_mapping_say_the_same(payload: dict[str, Any]) -> None:
    request = request_of(payload)
    assert read_envelope(json.dumps(request).encode(), 10**6) == read_envelope(request, 10**6)


@given(payloads, payloads)
def test_the_key_stands_for_what_is_asked_and_not_for_its_spelling(one: dict[str, Any], two: dict[str, Any]) -> None:
    spelled = json.dumps(request_of(one), indent=3, ensure_ascii=False).encode()
    first = stands_for(json.dumps(request_of(one)).encode())
    assert first == stands_for(spelled)
    if json.dumps(one, sort_keys=True) == json.dumps(two, sort_keys=True):
        assert stands_for(request_of(two)) == first
    signed = request_of(
        one,
        signature="0x00",
        preparation={"salt": "00" * 32, "reference": "A" * 26, "deadline": 1, "version": 1, "epoch": 0},
    )
    assert stands_for(signed) == first


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ({"a": 1}, {"a": 2}),
        ({"a": 1}, {"a": "1"}),
        ({"a": [1, 2]}, {"a": [2, 1]}),
        ({"a": None}, {}),
        ({"a": 0}, {"a": False}),
    ],
)
def test_another_body_is_another_hash(one: Any, other: Any) -> None:
    assert stands_for(request_of(one)) != stands_for(request_of(other))
    assert stands_for(request_of(one, patient="0x" + "00" * 32)) != stands_for(request_of(one))


def test_a_refusal_names_places_and_not_contents() -> None:
    refusal = read({"template": 7, "payload": "Xylander-Quux", "idempotencyKey": ["Xylander-Quux"]})
    assert isinstance(refusal, EnvelopeInvalid)
    assert "Xylander" not in str(refusal)
    assert "Xylander" not in json.dumps(refusal.to_json())


@given(st.text(max_size=120) | st.from_regex(r"hsk_[0-9a-f]{0,16}_[A-Za-z0-9_=-]{0,60}", fullmatch=True))
def test_any_text_is_no_token(hospital: Instance, text: str) -> None:
    with pytest.raises(NotAuthenticated):
        hospital.handshaker.tokens.authenticate(text)
