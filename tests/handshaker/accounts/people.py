"""People of an instance with logins, for tests."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest

from handshaker.errors import HandshakerError, LoginRefused
from handshaker.sessions import Session
from handshaker.tokens import Credential
from handshaker.totp import code_at
from tests.instances import Instance

PASSWORD = "seven lilac umbrellas"


def enroll(instance: Instance, credential: Credential, username: str, password: str = PASSWORD) -> str:
    """Give somebody a login by an invitation; return the username."""
    invitation = instance.handshaker.tokens.invite(credential)
    instance.handshaker.logins.accept(invitation, username, password)
    return username


def session_of(instance: Instance, text: str) -> Session:
    return instance.handshaker.sessions.authenticate(text)


def code_of(instance: Instance, secret: str, steps: int = 0) -> str:
    """The one-time password of now, or some steps of 30 seconds away."""
    return code_at(secret, instance.clock.now() + timedelta(seconds=30 * steps))


def enroll_totp(instance: Instance, session: Session, password: str = PASSWORD) -> str:
    """Give somebody a second factor, with the code of half a minute ago; return its secret."""
    secret = instance.handshaker.logins.begin_totp(session).secret
    instance.handshaker.logins.confirm_totp(session, secret, code_of(instance, secret, -1), password)
    return secret


def refused(work: Callable[[], object]) -> str:
    """The words of a refused login."""
    with pytest.raises(LoginRefused) as caught:
        work()
    return str(caught.value)


def attempt(work: Callable[[], Any]) -> Any:
    """What ``work`` returns, or the failure that it raises."""
    try:
        return work()
    except HandshakerError as error:
        return error
