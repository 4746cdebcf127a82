"""Server-sent events (WHATWG HTML, section 9.2): bounded in number and in time, resumed by the last id.

A stream keeps a thread, so there are places for half of the threads, and for one person half of these, with however
many tokens. A client that goes away is noticed at the next heartbeat at the latest, and frees its place.
"""

from __future__ import annotations

import json
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Protocol

from flask import Flask, Response, current_app

from handshaker import HandshakerError
from webapp.api.calls import Call
from webapp.refusals import StreamsExhausted

MEDIA_TYPE = "text/event-stream"
CLOSING = "api-closing"
"""Where an application keeps the event that ends every stream: clients open theirs again, elsewhere or later."""


@dataclass(frozen=True, slots=True)
class Message:
    """One event."""

    number: int
    """Its id: hand it back as ``Last-Event-ID``."""
    name: str
    data: Mapping[str, Any]

    def encoded(self) -> bytes:
        """Return it as it goes over the wire; JSON has no line break of its own."""
        text = json.dumps(self.data, ensure_ascii=False)
        return f"id: {self.number}\nevent: {self.name}\ndata: {text}\n\n".encode()


class Source(Protocol):
    """Where events come from."""

    is_over: bool
    """Whether nothing will follow what ``news`` returned last."""

    def news(self) -> list[Message]:
        """Return what happened since it was asked last."""
        ...


@dataclass(frozen=True, slots=True)
class Patience:
    """How long a stream takes for what, in seconds."""

    pause: float = 0.25
    """Between two looks."""
    heartbeat: float = 15
    longest: float = 300


class Places:
    """The places for streams of one application."""

    def __init__(self, number: int) -> None:
        self.number = max(1, number)
        self.for_one = max(1, number // 2)
        self._taken: Counter[str] = Counter()
        self._guard = threading.Lock()

    def take(self, owner: str) -> Callable[[], None]:
        """Take a place and return what gives it back, once; raises ``StreamsExhausted``."""
        with self._guard:
            if self._taken.total() >= self.number or self._taken[owner] >= self.for_one:
                raise StreamsExhausted("All places for streams are taken.")
            self._taken[owner] += 1
        given_back = threading.Event()

        def give_back() -> None:
            with self._guard:
                if not given_back.is_set():
                    given_back.set()
                    self._taken[owner] -= 1

        return give_back

    def taken(self) -> int:
        """Return how many are taken."""
        with self._guard:
            return self._taken.total()


def register(app: Flask, threads: int) -> None:
    """Give an application that answers with ``threads`` threads its places, and what ends all streams."""
    app.extensions[CLOSING] = threading.Event()
    app.extensions["api-places"] = Places(threads // 2)
    app.extensions["api-patience"] = Patience()


def places() -> Places:
    """Return the places of this application."""
    found: Places = current_app.extensions["api-places"]
    return found


def streamed(call: Call, source: Source, credential_text: str) -> Response:
    """Return the events of ``source`` as they happen; raises ``StreamsExhausted``."""
    patience: Patience = current_app.extensions["api-patience"]
    closing: threading.Event = current_app.extensions[CLOSING]
    give_back = places().take(call.credential.actor.actor_id)

    def is_still_allowed() -> bool:
        # Whose role has changed comes again, and is told what they may know now.
        return call.handshaker.tokens.authenticate(credential_text).actor == call.credential.actor

    response = Response(_told(source, patience, closing, is_still_allowed), mimetype=MEDIA_TYPE)
    response.headers["X-Accel-Buffering"] = "no"  # a proxy that collects an answer would keep the events
    response.call_on_close(give_back)
    return response


def _told(
    source: Source, patience: Patience, closing: threading.Event, is_still_allowed: Callable[[], bool]
) -> Iterator[bytes]:
    """Yield events and heartbeats. What fails ends the stream: the client opens it again and is told why."""
    started = beaten = time.monotonic()
    yield b"retry: 1000\n\n"
    try:
        while True:
            for message in source.news():
                yield message.encoded()
            if source.is_over:
                return
            now = time.monotonic()
            if now - beaten >= patience.heartbeat:
                if not is_still_allowed():
                    return
                beaten = now
                yield b": still here\n\n"
            if now - started >= patience.longest:
                return
            if closing.wait(patience.pause):
                return
    except HandshakerError:
        return
