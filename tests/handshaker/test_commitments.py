"""Commitments: the same for the same payload, and for no other."""

from __future__ import annotations

from hashlib import sha256
from typing import Any

import pytest
import rfc8785
from hypothesis import given

from handshaker.commitments import canonical, commitment, verify_commitment
from handshaker.errors import EnvelopeInvalid
from tests.handshaker.payloads import PAYLOADS, SALTS


@given(PAYLOADS, SALTS)
def test_a_commitment_is_the_hash_of_salt_and_canonical_payload(payload: dict[str, Any], salt: bytes) -> None:
    assert commitment(payload, salt) == sha256(salt + rfc8785.dumps(payload)).digest()
    assert verify_commitment(commitment(payload, salt), payload, salt)


@given(PAYLOADS, PAYLOADS, SALTS)
def test_another_payload_has_another_commitment(one: dict[str, Any], other: dict[str, Any], salt: bytes) -> None:
    same = rfc8785.dumps(one) == rfc8785.dumps(other)
    assert (commitment(one, salt) == commitment(other, salt)) is same
    assert verify_commitment(commitment(one, salt), other, salt) is same


@given(PAYLOADS, SALTS, SALTS)
def test_another_salt_has_another_commitment(payload: dict[str, Any], one: bytes, other: bytes) -> None:
    assert (commitment(payload, one) == commitment(payload, other)) is (one == other)


@given(PAYLOADS)
def test_the_order_of_names_does_not_matter(payload: dict[str, Any]) -> None:
    assert canonical(payload) == canonical(dict(reversed(payload.items())))


@pytest.mark.parametrize("size", [0, 31, 33])
def test_a_salt_of_another_length_is_refused(size: int) -> None:
    with pytest.raises(ValueError, match="32 bytes"):
        commitment({}, bytes(size))


@pytest.mark.parametrize(
    ("payload", "words"),
    [
        ({"x": float("nan")}, "NaN"),
        ({"x": float("inf")}, "NaN or an infinity"),
        ({"x": 2**53}, "send it as text"),
        ({"x": "\ud800"}, "does not know"),
        ({"x": b"bytes"}, "does not know"),
        ({1: "x"}, "does not know"),
    ],
)
def test_what_has_no_canonical_form_is_refused(payload: Any, words: str) -> None:
    with pytest.raises(EnvelopeInvalid, match=words):
        canonical(payload)
