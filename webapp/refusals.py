"""What HTTP itself or the web application refuses, as errors like those of the library."""

from __future__ import annotations

from handshaker import HandshakerError


class RequestInvalid(HandshakerError):
    """A parameter or the body is not of the form that the API's document describes. Data: ``errors``."""

    code = "request-invalid"
    mend = "Send it as /api/v1/openapi.json describes it."


class ScopeMissing(HandshakerError):
    """The token is not for this. Data: ``scope``."""

    code = "scope-missing"
    mend = "Use a token that has the scope."


class NotPermitted(HandshakerError):
    """The patient has not allowed this person to read what was asked for."""

    code = "not-permitted"
    mend = "Ask the patient for consent, and read again when it is given."


class MethodNotAllowed(HandshakerError):
    """Nothing at this address is done with this method."""

    code = "method-not-allowed"
    mend = "The header Allow names the methods."


class NotAcceptable(HandshakerError):
    """The answer does not exist in any of the media types that the header Accept names."""

    code = "not-acceptable"
    mend = "Send Accept: application/json, or no such header."


class MediaTypeUnknown(HandshakerError):
    """The body is not JSON by its header Content-Type."""

    code = "unsupported-media-type"
    mend = "Send Content-Type: application/json."


class BodyTooLarge(HandshakerError):
    """The body is over the limit."""

    code = "body-too-large"
    mend = "Send attachments through the attachment store and keep the request small."


class TooManyRequests(HandshakerError):
    """Too many requests came with this token or from this address in the last minute. Data: ``seconds``."""

    code = "too-many-requests"
    mend = "Wait for the seconds that the header Retry-After names."


class StreamsExhausted(HandshakerError):
    """All places for streams of events are taken."""

    code = "streams-exhausted"
    mend = "Try again after the seconds that the header Retry-After names, or ask for the list from time to time."


class NotReady(HandshakerError):
    """Something that this system needs is missing. Data: ``checks``."""

    code = "not-ready"
    mend = "What is stored is safe; the checks name what the operator has to look at."


class Broken(HandshakerError):
    """A fault of this system, none of the request's."""

    code = "internal-error"
    mend = "Tell the operator the number in `instance`; repeating with the same idempotency key is safe."


class BadRequest(HandshakerError):
    """The request cannot be understood."""

    code = "bad-request"
