"""The second factor: time-based one-time passwords (RFC 6238), six digits, steps of 30 seconds."""

from __future__ import annotations

import base64
import binascii
import hmac
import re
import secrets
from datetime import datetime

import pyotp

STEP = 30
DRIFT = 1
"""Steps by which the clock of a phone may be wrong (RFC 6238, section 5.2)."""
ISSUER = "Blockchain Handshaker"
_SECRET_BYTES = 20
"""RFC 4226, section 4, R6: 160 bits are recommended."""


def new_secret() -> str:
    """Return a fresh secret in base 32, 32 characters."""
    return base64.b32encode(secrets.token_bytes(_SECRET_BYTES)).decode()


def is_secret(text: str) -> bool:
    """Whether ``text`` is a secret as ``new_secret`` makes them."""
    try:
        return len(base64.b32decode(text)) == _SECRET_BYTES
    except (binascii.Error, ValueError):
        return False


def enrolment_uri(secret: str, account: str) -> str:
    """Return the ``otpauth:`` address that a QR code shows to an authenticator."""
    return pyotp.TOTP(secret).provisioning_uri(name=account, issuer_name=ISSUER)


def code_at(secret: str, moment: datetime) -> str:
    """Return the six digits of ``moment``."""
    return pyotp.TOTP(secret).generate_otp(_step(moment))


def matching_step(secret: str, code: str, moment: datetime) -> int | None:
    """Return the step whose code ``code`` is, at most ``DRIFT`` from ``moment``; ``None`` if it is none of them."""
    digits = re.sub(r"\s", "", code)
    otp, now, found = pyotp.TOTP(secret), _step(moment), None
    for step in range(now - DRIFT, now + DRIFT + 1):
        if hmac.compare_digest(otp.generate_otp(step).encode(), digits.encode("utf-8", "surrogatepass")):
            found = step
    return found


def _step(moment: datetime) -> int:
    return int(moment.timestamp()) // STEP
