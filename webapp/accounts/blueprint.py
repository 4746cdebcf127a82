"""The blueprint, and how often somebody at one address may guess."""

from __future__ import annotations

from flask import Blueprint
from werkzeug.wrappers import Response

from webapp.extensions import limiter

accounts = Blueprint("accounts", __name__)

REFUSED = 401
"""Status of a page that refuses a password, a code or an invitation."""


def _is_refusal(response: Response) -> bool:
    return response.status_code == REFUSED


guessing = limiter.shared_limit(
    "20 per minute; 200 per hour", scope="guessing", methods=["POST"], deduct_when=_is_refusal
)
"""Only refusals count: a whole hospital may come to work through one address."""
