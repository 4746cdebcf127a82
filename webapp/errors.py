"""One table: what kind of error becomes which HTTP status, for pages and for the API alike."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from flask_babel import lazy_gettext as _l

from handshaker import HandshakerError, LogDoesNotVerify, LogHeld, NotAnchoredYet, errors
from webapp import refusals


@dataclass(frozen=True, slots=True)
class Problem:
    """An error as RFC 9457 tells it."""

    status: int
    code: str
    title: str
    detail: str
    mend: str
    data: dict[str, Any] = field(default_factory=dict)
    """What a client may know of the case; never an address, a path or a key of this system."""


@dataclass(frozen=True, slots=True)
class Kind:
    """How errors of one class, and of those below it that are not in the table, are told."""

    status: int
    title: Any
    """A lazy translation, as are the next two."""
    detail: Any = None
    """Instead of the error's own message, where that is for the operator only."""
    mend: Any = None
    """Instead of the error's own, where that speaks of the command line."""
    shows: tuple[str, ...] = ()
    """Members of the error's data that a client gets."""


_LATER = _l("Try again in a moment. Nothing was lost, and it is safe to repeat the same request.")
_OPERATOR = _l("Tell the operator; it is safe to repeat the same request later.")
_FAULTS = ("problems",)

TABLE: Mapping[type[HandshakerError], Kind] = {
    HandshakerError: Kind(400, _l("That did not work")),
    # ---- HTTP and the web application
    refusals.BadRequest: Kind(400, _l("The request cannot be understood")),
    refusals.RequestInvalid: Kind(400, _l("The request is not of the right form"), shows=("errors",)),
    refusals.ScopeMissing: Kind(403, _l("The token is not for this"), shows=("scope",)),
    refusals.NotPermitted: Kind(403, _l("Not permitted by the patient")),
    refusals.MethodNotAllowed: Kind(405, _l("Not with this method")),
    refusals.NotAcceptable: Kind(406, _l("Not in these media types")),
    refusals.BodyTooLarge: Kind(413, _l("Too large")),
    refusals.MediaTypeUnknown: Kind(415, _l("Not JSON")),
    refusals.TooManyRequests: Kind(429, _l("Too many requests"), shows=("seconds",)),
    refusals.Broken: Kind(500, _l("Something went wrong")),
    refusals.StreamsExhausted: Kind(503, _l("No place for another stream")),
    refusals.NotReady: Kind(503, _l("Not ready"), shows=("checks",)),
    # ---- who asks
    errors.NotAuthenticated: Kind(401, _l("Not authenticated"), mend=_l("Send a token that is valid.")),
    errors.LoginRefused: Kind(401, _l("Not logged in")),
    errors.UsernameTaken: Kind(409, _l("That username is taken")),
    errors.UsernameRefused: Kind(422, _l("Not a username")),
    errors.PasswordRefused: Kind(422, _l("Not a good password")),
    errors.CodeRefused: Kind(422, _l("Not the code")),
    errors.ActorUnknown: Kind(403, _l("Not in the directory")),
    errors.ActorInactive: Kind(403, _l("Not active")),
    errors.RoleNotAllowed: Kind(403, _l("Not for this role"), shows=("role", "allowed", "scope")),
    # ---- what is asked
    errors.EnvelopeInvalid: Kind(400, _l("The request is not well formed"), shows=(*_FAULTS, "line", "column")),
    errors.PayloadTooLarge: Kind(413, _l("Too large"), shows=("size", "limit")),
    errors.TemplateUnknown: Kind(
        404, _l("No such template"), mend=_l("Choose one of the list of templates."), shows=("name", "version")
    ),
    errors.PatientUnknown: Kind(404, _l("No such patient")),
    errors.NotFound: Kind(404, _l("Not found"), shows=("what",)),
    errors.CursorInvalid: Kind(400, _l("No such place in the list")),
    errors.IdempotencyConflict: Kind(422, _l("This key was used with another request"), shows=("ti_id",)),
    errors.SchemaViolated: Kind(422, _l("The entry does not have the form that is asked for"), shows=_FAULTS),
    errors.Implausible: Kind(422, _l("A value is not plausible"), shows=_FAULTS),
    errors.SignatureRefused: Kind(422, _l("The signature does not fit"), shows=("signer",)),
    errors.DeadlinePassed: Kind(422, _l("The deadline has passed"), shows=("deadline", "now")),
    errors.IntakeRefused: Kind(422, _l("Refused"), shows=_FAULTS),
    # ---- templates
    errors.TemplateInvalid: Kind(
        422, _l("The template does not hold"), mend=_l("Mend the named places and try again."), shows=_FAULTS
    ),
    errors.TemplateImmutable: Kind(409, _l("That version exists already"), shows=("name", "version", "next")),
    errors.SecondAdministratorNeeded: Kind(403, _l("A second administrator is needed")),
    errors.NotYourProposal: Kind(403, _l("Not your proposal")),
    errors.ProposalDecided: Kind(409, _l("It was decided before")),
    errors.ProposalExists: Kind(409, _l("It is proposed already"), shows=("name", "version")),
    errors.MappingFailed: Kind(422, _l("The template cannot be applied to this"), shows=("field", "expected")),
    # ---- proofs
    NotAnchoredYet: Kind(409, _l("Not anchored yet"), mend=_l("Ask again in a moment.")),
    LogDoesNotVerify: Kind(500, _l("The audit log does not verify"), mend=_l("Tell the operator.")),
    # ---- what is beneath
    errors.ChainUnreachable: Kind(503, _l("The chain does not answer"), _l("No node answers at the moment."), _LATER),
    errors.ChainError: Kind(503, _l("The chain cannot do this now"), _l("The chain cannot be used now."), _OPERATOR),
    errors.StoreUnavailable: Kind(
        503, _l("The database does not answer"), _l("The database does not answer or cannot write."), _LATER
    ),
    LogHeld: Kind(503, _l("The audit log is held"), mend=_OPERATOR),
    errors.StoreError: Kind(500, _l("The database failed"), _l("The database could not do this."), _OPERATOR),
    errors.KeyLocked: Kind(403, _l("The key stays closed"), _l("What you came with does not open this key.")),
    errors.KeyUnknown: Kind(404, _l("No longer readable"), _l("The key to this was destroyed.")),
    errors.VaultError: Kind(500, _l("The vault failed"), _l("The vault could not do this."), _OPERATOR),
    errors.SettingsInvalid: Kind(500, _l("Not set up"), _l("A setting of this system is wrong."), _OPERATOR),
    errors.InputInvalid: Kind(400, _l("That cannot be read"), _l("A file cannot be read as what it should be.")),
}
RETRY_AFTER = 5
"""Seconds after which it is worth to try again what failed with 503."""


def problem_of(error: HandshakerError) -> Problem:
    """Return how an expected failure is told over HTTP."""
    kind = kind_of(type(error))
    return Problem(
        status=kind.status,
        code=error.code,
        title=str(kind.title),
        detail=str(kind.detail) if kind.detail is not None else error.message,
        mend=str(kind.mend) if kind.mend is not None else error.mend,
        data={name: error.data[name] for name in kind.shows if name in error.data},
    )


def kind_of(error: type[HandshakerError]) -> Kind:
    """Return the table's entry for a class, or for the nearest one above it."""
    return next(TABLE[known] for known in error.__mro__ if known in TABLE)


def error_kinds(root: type[HandshakerError] = HandshakerError) -> Iterator[type[HandshakerError]]:
    """Yield every class of expected failure."""
    yield root
    for below in root.__subclasses__():
        yield from error_kinds(below)
