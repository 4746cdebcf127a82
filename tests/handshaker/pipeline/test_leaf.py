"""Leaves of the audit log: one form for one entry, hashed as RFC 9162 says, and nothing but codes and hashes."""

from __future__ import annotations

import hashlib
import json
from dataclasses import fields, replace
from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import pytest
import rfc8785
from hypothesis import given
from hypothesis import strategies as st

from handshaker.audit.leaf import (
    access_leaf,
    acknowledgement_leaf,
    act_leaf,
    contradiction_leaf,
    erasure_leaf,
    leaf_hash,
)
from handshaker.messages import Access, Acknowledgement, Act, Origin, VerdictKind
from handshaker.vocabulary import AccessReason, ActCode

AT = datetime(2026, 11, 21, 8, 30, tzinfo=UTC)
ACK = Acknowledgement(
    ti_id="11111111-1111-4111-8111-111111111111",
    position=None,
    kind=VerdictKind.VALID,
    code="effect",
    arguments={"event": "Recorded"},
    template="vital-signs@1",
    actor_id="0x" + "b2" * 16,
    patient_id="0x" + "c3" * 32,
    origin=Origin.API,
    statement_hash=bytes(32),
    block_number=7,
    block_hash=bytes([1] * 32),
    transaction_hash=bytes([2] * 32),
    log_index=0,
    acknowledged_at=AT,
)
ACCESS = Access(
    actor_id="0x" + "b2" * 16,
    role="doctor",
    organisation_id=1,
    patient_id="0x" + "c3" * 32,
    view="chart",
    purpose="TREAT",
    asked=0x207,
    granted=0x201,
    reason=AccessReason.CONSENT,
)
ACT = Act(ActCode.TOKEN_MADE, "0x" + "b2" * 16, "0x" + "b3" * 16, {"days": 90})
OTHER: dict[str, Any] = {
    "ti_id": "22222222-2222-4222-8222-222222222222",
    "kind": VerdictKind.INVALID,
    "code": "not-permitted",
    "arguments": {},
    "template": "vital-signs@2",
    "actor_id": "0x" + "b3" * 16,
    "patient_id": None,
    "origin": Origin.CHAIN,
    "statement_hash": None,
    "block_number": 8,
    "block_hash": None,
    "transaction_hash": bytes([3] * 32),
    "log_index": 1,
    "acknowledged_at": AT + timedelta(microseconds=1),
}


def test_the_format_is_settled() -> None:
    """A change of these bytes would make every log that exists unverifiable: it needs a new ``v``."""
    leaf = acknowledgement_leaf("entry", ACK, bytes([4] * 32))
    assert leaf == (
        b'{"actor":"0xb2b2b2b2b2b2b2b2b2b2b2b2b2b2b2b2","arguments":{"event":"Recorded"},'
        b'"at":"2026-11-21T08:30:00.000000Z","block":7,"blockHash":"0x' + b"01" * 32 + b'","code":"effect",'
        b'"detail":"0x' + b"04" * 32 + b'","entry":"entry","kind":"acknowledgement","logIndex":0,"origin":"api",'
        b'"patient":"0x' + b"c3" * 32 + b'","statement":"0x' + b"00" * 32 + b'","template":"vital-signs@1",'
        b'"ti":"11111111-1111-4111-8111-111111111111","transaction":"0x' + b"02" * 32 + b'","v":1,"verdict":"valid"}'
    )
    assert contradiction_leaf("entry", "ti", "before", 7, AT) == (
        b'{"at":"2026-11-21T08:30:00.000000Z","block":7,"contradicts":"before","entry":"entry",'
        b'"kind":"contradiction","ti":"ti","v":1}'
    )
    assert access_leaf("entry", ACCESS, AT) == (
        b'{"actor":"0xb2b2b2b2b2b2b2b2b2b2b2b2b2b2b2b2","asked":"0x207","at":"2026-11-21T08:30:00.000000Z",'
        b'"entry":"entry","granted":"0x201","kind":"access","organisation":1,"patient":"0x' + b"c3" * 32 + b'",'
        b'"patients":1,"purpose":"TREAT","reason":"consent","role":"doctor","v":1,"view":"chart"}'
    )
    assert act_leaf("entry", ACT, AT) == (
        b'{"act":"token-made","actor":"0xb2b2b2b2b2b2b2b2b2b2b2b2b2b2b2b2","at":"2026-11-21T08:30:00.000000Z",'
        b'"details":{"days":90},"entry":"entry","kind":"act","subject":"0xb3b3b3b3b3b3b3b3b3b3b3b3b3b3b3b3","v":1}'
    )
    assert erasure_leaf("entry", "quarantine/2026-W47", "expired", AT) == (
        b'{"at":"2026-11-21T08:30:00.000000Z","entry":"entry","kind":"erasure","owner":"quarantine/2026-W47",'
        b'"reason":"expired","v":1}'
    )


@given(st.binary(max_size=500))
def test_a_leaf_is_hashed_as_rfc_9162_says(leaf: bytes) -> None:
    assert leaf_hash(leaf) == hashlib.sha256(b"\x00" + leaf).digest()


@pytest.mark.parametrize("name", [field.name for field in fields(Acknowledgement) if field.name != "position"])
def test_every_part_of_an_acknowledgement_is_in_its_leaf(name: str) -> None:
    changed = replace(ACK, **{name: OTHER[name]})
    assert acknowledgement_leaf("entry", changed, None) != acknowledgement_leaf("entry", ACK, None)


@pytest.mark.parametrize(
    ("name", "other"),
    [
        ("actor_id", "0x" + "b3" * 16),
        ("role", "nurse"),
        ("organisation_id", None),
        ("patient_id", None),
        ("view", "older"),
        ("purpose", "PATRQT"),
        ("asked", 3),
        ("granted", 1),
        ("reason", AccessReason.DENIED),
        ("patients", 2),
    ],
)
def test_every_part_of_an_access_is_in_its_leaf(name: str, other: Any) -> None:
    assert {field.name for field in fields(Access)} >= {name}
    assert access_leaf("entry", replace(ACCESS, **{name: other}), AT) != access_leaf("entry", ACCESS, AT)


def test_the_detail_is_in_the_leaf_as_its_commitment() -> None:
    assert acknowledgement_leaf("entry", ACK, bytes(32)) != acknowledgement_leaf("entry", ACK, None)


@given(st.integers(-720, 720), st.datetimes(datetime(2000, 1, 1), datetime(2100, 1, 1)))  # noqa: DTZ001
def test_a_moment_has_one_spelling(minutes: int, naive: datetime) -> None:
    moment = naive.replace(tzinfo=UTC)
    elsewhere = moment.astimezone(timezone(timedelta(minutes=minutes)))
    assert acknowledgement_leaf("entry", replace(ACK, acknowledged_at=elsewhere), None) == acknowledgement_leaf(
        "entry", replace(ACK, acknowledged_at=moment), None
    )


@given(st.dictionaries(st.text(st.characters(exclude_categories=["Cs"])), st.integers(-(2**53) + 1, 2**53 - 1)))
def test_a_leaf_read_and_written_again_is_the_same(arguments: dict[str, int]) -> None:
    leaf = acknowledgement_leaf("entry", replace(ACK, arguments=arguments), None)
    assert rfc8785.dumps(json.loads(leaf)) == leaf
