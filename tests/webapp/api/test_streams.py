"""Server-sent events: what happens is told as it happens, streams end, resume, and give back their places."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any

import pytest

from tests.instances import Instance
from tests.webapp.api.conftest import Caller, Callers, make_api
from webapp.api.streams import Message, Patience, Places
from webapp.refusals import StreamsExhausted

STREAM = {"Accept": "text/event-stream"}


@dataclass
class Told:
    """An event as a client reads it."""

    number: int
    name: str
    data: dict[str, Any]


def events(answer: Any) -> Iterator[Told]:
    """What a stream tells, heartbeats aside, as it comes."""
    text = ""
    for chunk in answer.response:
        text += chunk.decode()
        while "\n\n" in text:
            block, _, text = text.partition("\n\n")
            fields = dict(line.split(": ", 1) for line in block.splitlines() if not line.startswith(":"))
            if "data" in fields:
                yield Told(int(fields["id"]), fields["event"], json.loads(fields["data"]))


def follow(caller: Caller, ti_id: str, **headers: str) -> Any:
    return caller.get(f"/transactions/{ti_id}/events", headers=STREAM | headers)


@pytest.fixture
def swift(callers: Callers) -> Callers:
    """Streams that look often."""
    callers.app.extensions["api-patience"] = Patience(pause=0.005, heartbeat=60, longest=60)
    return callers


def test_the_history_is_told_as_it_happens_and_ends_with_the_acknowledgement(
    swift: Callers, hospital: Instance
) -> None:
    submission = hospital.measure()
    answer = follow(swift.nurse, submission.ti_id)
    assert answer.mimetype == "text/event-stream"
    told = events(answer)

    first = next(told)
    assert (first.number, first.name, first.data["kind"]) == (1, "status", "received")
    hospital.drain()
    rest = list(told)

    assert [each.data["kind"] for each in [first, *rest]] == hospital.kinds(submission)
    assert [each.number for each in rest] == list(range(2, len(rest) + 2))
    assert rest[-1].data["kind"] == "valid"


def test_a_stream_resumes_after_the_last_id(swift: Callers, hospital: Instance) -> None:
    submission = hospital.measure()
    hospital.drain()
    whole = list(events(follow(swift.nurse, submission.ti_id)))

    rest = list(events(follow(swift.nurse, submission.ti_id, **{"Last-Event-ID": "2"})))

    assert rest == whole[2:]
    over = follow(swift.nurse, submission.ti_id, **{"Last-Event-ID": str(len(whole))})
    assert (over.status_code, over.data) == (204, b"")


def test_somebody_elses_history_is_not_told(swift: Callers, hospital: Instance) -> None:
    assert follow(swift.doctor, hospital.measure().ti_id).status_code == 404
    hospital.drain()


def test_a_stream_that_waits_beats_and_ends_after_its_time(callers: Callers, hospital: Instance) -> None:
    callers.app.extensions["api-patience"] = Patience(pause=0, heartbeat=0, longest=0)
    submission = hospital.measure()

    text = follow(callers.nurse, submission.ti_id).text

    assert text.count("data: ") == 1
    assert ": still here\n\n" in text
    hospital.drain()


def test_a_stream_ends_when_its_token_does(callers: Callers, hospital: Instance) -> None:
    callers.app.extensions["api-patience"] = Patience(pause=0.005, heartbeat=0, longest=60)
    tokens = hospital.handshaker.tokens
    text = tokens.issue(hospital.nurse, ("read",))
    submission = hospital.measure()
    told = events(follow(callers.with_token(text), submission.ti_id))
    assert next(told).data["kind"] == "received"

    tokens.revoke(hospital.nurse.actor.actor_id, text.split("_")[1])

    assert list(told) == []
    hospital.drain()


def test_a_stream_ends_when_its_owner_has_another_role(own_hospital: Instance) -> None:
    auditor = own_hospital.hire("auditor", "auditor")
    callers = Callers(make_api(own_hospital), own_hospital)
    callers.app.extensions["api-patience"] = Patience(pause=0.005, heartbeat=0, longest=60)
    told = events(callers.auditor.get("/acknowledgements/stream", headers=STREAM))
    seen = own_hospital.measure()
    own_hospital.drain()
    assert next(told).data["id"] == seen.ti_id

    own_hospital.handshaker.store.people.put_actor(replace(auditor.actor, role="nurse"))
    own_hospital.measure()
    own_hospital.drain()

    assert list(told) == []


def test_acknowledgements_are_told_from_a_position_on_and_resumed(swift: Callers, hospital: Instance) -> None:
    hospital.measure()
    hospital.drain()
    last = swift.administrator.get("/acknowledgements?limit=500").json["last"]
    answer = swift.administrator.get(f"/acknowledgements/stream?after={last}", headers=STREAM)
    told = events(answer)
    submissions = [hospital.measure(), hospital.measure(hospital.silent)]
    hospital.drain()

    found = [next(told), next(told)]
    answer.close()

    assert {each.data["id"] for each in found} == {submission.ti_id for submission in submissions}
    assert [each.number for each in found] == [each.data["position"] for each in found]
    listed = swift.administrator.get(f"/acknowledgements?after={last}").json["acknowledgements"]
    assert [each.data for each in found] == listed
    again = swift.administrator.get(
        "/acknowledgements/stream", headers=STREAM | {"Last-Event-ID": str(found[0].number)}
    )
    assert next(events(again)) == found[1]
    again.close()


def test_a_stream_without_a_position_begins_with_the_next_one(swift: Callers, hospital: Instance) -> None:
    hospital.measure()
    hospital.drain()
    answer = swift.nurse.get("/acknowledgements/stream", headers=STREAM)
    told = events(answer)
    submission = hospital.measure()
    hospital.drain()
    assert next(told).data["id"] == submission.ti_id
    answer.close()


def test_beyond_the_bound_a_stream_is_refused_and_a_client_that_goes_away_frees_its_place(
    hospital: Instance,
) -> None:
    callers = Callers(make_api(hospital), hospital)
    app, ti_id = callers.app, hospital.measure().ti_id
    app.extensions["api-patience"] = Patience(pause=0.005, heartbeat=60, longest=60)
    app.extensions["api-places"] = Places(2)
    open_ones = [follow(callers.nurse, ti_id), follow(callers.administrator, ti_id)]

    refused = follow(callers.second_administrator, ti_id)
    assert (refused.status_code, refused.json["code"]) == (503, "streams-exhausted")
    assert int(refused.headers["Retry-After"]) > 0
    assert callers.nurse.get(f"/transactions/{ti_id}/events").status_code == 200

    next(events(open_ones[0]))
    open_ones[0].close()
    open_ones[1].close()  # not read at all: its place is given back too
    assert app.extensions["api-places"].taken() == 0
    hospital.drain()
    assert follow(callers.second_administrator, ti_id).status_code == 200


def test_another_token_of_the_same_person_gets_no_more_places(hospital: Instance) -> None:
    callers = Callers(make_api(hospital), hospital)
    ti_id = hospital.measure().ti_id
    callers.app.extensions["api-places"] = Places(2)
    open_one = follow(callers.nurse, ti_id)
    other = callers.with_token(hospital.handshaker.tokens.issue(hospital.nurse, ("read",)))

    assert follow(other, ti_id).status_code == 503

    open_one.close()
    hospital.drain()


def test_one_person_takes_half_of_the_places_at_most() -> None:
    places = Places(4)
    give_back = places.take("one")
    places.take("one")
    with pytest.raises(StreamsExhausted):
        places.take("one")
    places.take("another")
    give_back()
    give_back()
    assert places.taken() == 2
    places.take("one")


def test_places_are_not_given_twice_to_those_who_come_at_once() -> None:
    places, refused = Places(40), []

    def hurry() -> None:
        for _ in range(10):
            try:
                places.take(threading.current_thread().name)
            except StreamsExhausted:
                refused.append(1)

    threads = [threading.Thread(target=hurry) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert (places.taken(), len(refused)) == (40, 40)


def test_a_message_is_one_line_of_data() -> None:
    message = Message(7, "status", {"text": "two\nlines"})
    assert message.encoded() == b'id: 7\nevent: status\ndata: {"text": "two\\nlines"}\n\n'
