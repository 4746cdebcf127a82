"""The log of acknowledgements: the list that is the truth, and the stream that hints at it."""

from __future__ import annotations

from flask import Response, request

from handshaker import Credential, Handshaker
from webapp.api import representations, streams
from webapp.api.calls import Answer, Call
from webapp.api.pages import next_link

_MOST = 100


def list_acknowledgements(call: Call) -> Answer:
    """Answer a page, in the order of the log."""
    asked = call.parameters
    after = -1 if asked["after"] is None else asked["after"]
    found = call.handshaker.following.acknowledgements(
        call.credential,
        after,
        asked["limit"] + 1,
        verdict=asked["verdict"],
        code=asked["code"],
        template=asked["template"],
        patient_id=asked["patient"],
        actor_id=asked["actor"],
    )
    page = found[: asked["limit"]]
    last = page[-1].position if page else asked["after"]
    headers = next_link(after=last) if len(found) > len(page) else {}
    listed = [representations.acknowledgement(one) for one in page]
    return Answer({"acknowledgements": listed, "last": last}, headers=headers)


def stream_acknowledgements(call: Call) -> Response:
    """Stream what is written from here on."""
    known, after = call.parameters["Last-Event-ID"], call.parameters["after"]
    if known is not None:
        after = int(known)
    if after is None:
        after = call.handshaker.following.newest_position()
    source = _Log(call.handshaker, call.credential, after)
    return streams.streamed(call, source, str(request.authorization.token if request.authorization else ""))


def read_acknowledgement(call: Call) -> Answer:
    """Answer one."""
    found = call.handshaker.following.acknowledgement(call.credential, call.parameters["id"])
    return Answer(representations.acknowledgement(found))


class _Log:
    """The ACKs after a position; never over."""

    is_over = False

    def __init__(self, handshaker: Handshaker, credential: Credential, after: int) -> None:
        self._handshaker = handshaker
        self._credential = credential
        self._after = after

    def news(self) -> list[streams.Message]:
        """Return what was written since."""
        told = []
        for found in self._handshaker.following.acknowledgements(self._credential, self._after, _MOST):
            self._after = found.position if found.position is not None else self._after
            told.append(streams.Message(self._after, "acknowledgement", representations.acknowledgement(found)))
        return told
