"""The Blockchain Handshaker: a carrier of signed statements between hospital applications and an Ethereum chain.

``messages`` names what flows, ``ports`` what the outside must offer, ``bootstrap`` puts a working Handshaker
together. The library knows no web framework; what is exported here is all that a face such as ``webapp`` may use.
"""

from handshaker import errors
from handshaker.bootstrap import Handshaker, make_handshaker
from handshaker.envelope import SCHEMA as TRANSACTION_SCHEMA
from handshaker.envelope import parse_json
from handshaker.errors import (
    CodeRefused,
    HandshakerError,
    LoginRefused,
    NotAuthenticated,
    PasswordRefused,
    UsernameRefused,
    UsernameTaken,
)
from handshaker.logins import TotpEnrolment
from handshaker.messages import Acknowledgement, EventKind
from handshaker.reasons import reason_of
from handshaker.schemas import compile_schema, problems_of
from handshaker.sessions import OpenSession, Session
from handshaker.settings import Settings, read_settings
from handshaker.tokens import Credential

__all__ = [
    "TRANSACTION_SCHEMA",
    "Acknowledgement",
    "CodeRefused",
    "Credential",
    "EventKind",
    "Handshaker",
    "HandshakerError",
    "LoginRefused",
    "NotAuthenticated",
    "OpenSession",
    "PasswordRefused",
    "Session",
    "Settings",
    "TotpEnrolment",
    "UsernameRefused",
    "UsernameTaken",
    "compile_schema",
    "errors",
    "make_handshaker",
    "parse_json",
    "problems_of",
    "read_settings",
    "reason_of",
]
