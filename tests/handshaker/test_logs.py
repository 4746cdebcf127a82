"""A line of the log, for people and for machines, and what neither ever quotes."""

from __future__ import annotations

import json
import logging
import sys
from datetime import UTC, datetime
from typing import Any

import pytest

from handshaker.logs import REQUEST, AsJson, AsText, place_of

MOMENT = datetime(2026, 11, 21, 8, 30, 0, 123456, tzinfo=UTC)
SECRET = "the reading of Mrs Xylander"


def record(message: str = "something", level: int = logging.INFO, **more: Any) -> logging.LogRecord:
    made = logging.getLogger("handshaker.tests").makeRecord(
        "handshaker.tests", level, __file__, 1, message, (), more.pop("exc_info", None), extra=more or None
    )
    made.created = MOMENT.timestamp()
    return made


def as_json(made: logging.LogRecord) -> dict[str, Any]:
    line = AsJson().format(made)
    assert "\n" not in line
    found: dict[str, Any] = json.loads(line)
    return found


def test_an_event_is_one_document_with_its_ids() -> None:
    assert as_json(record("sent", event="sent", tis=["a", "b"], nonce=7)) == {
        "time": "2026-11-21T08:30:00.123456Z",
        "level": "INFO",
        "logger": "handshaker.tests",
        "event": "sent",
        "tis": ["a", "b"],
        "nonce": 7,
    }


def test_words_for_people_are_a_message() -> None:
    assert as_json(record("the worker waits"))["message"] == "the worker waits"


def test_an_event_is_told_with_the_time_at_which_it_happened() -> None:
    earlier = MOMENT.replace(minute=1)
    assert as_json(record("sent", event="sent", at=earlier))["time"] == "2026-11-21T08:01:00.123456Z"
    assert AsText().format(record("sent", event="sent", at=earlier)).startswith("2026-11-21T08:01:00.123456Z ")


def test_people_read_the_same_in_one_line() -> None:
    line = AsText().format(record("sent", event="sent", tis=["a", "b"], nonce=7))
    assert line == "2026-11-21T08:30:00.123456Z INFO handshaker.tests sent tis=a,b nonce=7"


def test_a_line_carries_the_number_of_the_request_that_is_being_answered() -> None:
    token = REQUEST.set("11111111-2222-3333-4444-555555555555")
    try:
        assert as_json(record())["request"] == "11111111-2222-3333-4444-555555555555"
        assert AsText().format(record()).endswith(" request=11111111-2222-3333-4444-555555555555")
    finally:
        REQUEST.reset(token)
    assert "request" not in as_json(record())


@pytest.mark.parametrize("formatter", [AsText(), AsJson()])
def test_of_an_exception_the_type_and_the_place_are_told_and_never_its_words(formatter: logging.Formatter) -> None:
    try:
        raise ValueError(SECRET)
    except ValueError as error:
        line = formatter.format(record("failed", logging.ERROR, exc_info=sys.exc_info()))
        place = place_of(error)
    assert SECRET not in line
    assert f"ValueError at {place}" in line
    assert place.startswith("test_logs.py:")
