"""Waiting ends: with the acknowledgement, or with an error that says that nothing is lost."""

from __future__ import annotations

from random import Random
from typing import Any, cast

import pytest

from handshaker.fhir_import import ImportStalled
from handshaker.fhir_import.inbox import Inbox
from tests.handshaker.fhir_import.fakes import House


@pytest.fixture
def house() -> House:
    return House(Random(1), demo=True)


def submitted(house: House, identifier: str) -> str:
    """The TI of something that will be acknowledged."""
    for attempt in range(100):
        ti_id = house.register_patient(cast(Any, None), {}, f"{identifier}-{attempt}").submission.ti_id
        if ti_id:
            return ti_id
    raise AssertionError


def test_each_expected_acknowledgement_is_told_once_and_others_never(house: House) -> None:
    submitted(house, "before")
    inbox = Inbox(cast(Any, house.store), 1.0)
    expected = {submitted(house, f"p{number}") for number in range(5)}
    submitted(house, "foreign")
    for ti_id in expected:
        inbox.expect(ti_id)
    assert len(inbox) == 5
    told: list[str] = []
    while inbox:
        told.extend(found.ti_id for found in inbox.collect())
    assert sorted(told) == sorted(expected)
    assert inbox.collect() == []


def test_what_was_acknowledged_before_is_told_too(house: House) -> None:
    ti_id = submitted(house, "p")
    while house.acknowledgement(ti_id) is None:
        house.acknowledgements(-1, 1)
    inbox = Inbox(cast(Any, house.store), 1.0)
    inbox.expect(ti_id, earlier=True)
    assert len(inbox) == 1
    assert [found.ti_id for found in inbox.collect()] == [ti_id]
    assert not inbox


def test_when_nothing_moves_the_error_says_that_nothing_is_lost(house: House) -> None:
    inbox = Inbox(cast(Any, house.store), patience=0.0)
    inbox.expect("ti-never")
    assert inbox.collect() == []
    with pytest.raises(ImportStalled) as caught:
        inbox.pause()
    assert caught.value.data["waiting"] == 1
    assert "Nothing is lost." in str(caught.value)
    assert "run the same import again" in str(caught.value)


def test_a_chain_that_grows_is_not_at_rest(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("handshaker.fhir_import.inbox._TIP_EVERY", 0.0)
    monkeypatch.setattr("handshaker.fhir_import.inbox._PAUSE", 0.0)
    heights = iter(range(1_000))
    house.store.chain_view.tip = lambda: next(heights)
    inbox = Inbox(cast(Any, house.store), patience=0.0)
    inbox.expect("ti-late")
    for _ in range(100):
        inbox.pause()
