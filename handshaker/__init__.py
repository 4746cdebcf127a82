"""The Blockchain Handshaker: a carrier of signed statements between hospital applications and an Ethereum chain.

``messages`` names what flows, ``ports`` what the outside must offer, ``bootstrap`` puts a working Handshaker
together. The library knows no web framework; what is exported here is all that a face such as ``webapp`` may use.
"""

from handshaker.bootstrap import Handshaker, make_handshaker
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
from handshaker.sessions import OpenSession, Session
from handshaker.settings import Settings, read_settings
from handshaker.tokens import Credential

__all__ = [
    "CodeRefused",
    "Credential",
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
    "make_handshaker",
    "read_settings",
]
