"""Logins of the demo hospital's staff: usernames as their labels, passwords made up for each instance.

Safe to run twice, and over an instance that was made before there were logins.
"""

from __future__ import annotations

import secrets
from datetime import timedelta

from handshaker.bootstrap import Handshaker
from handshaker.errors import LoginRefused, NotAuthenticated
from handshaker.login_files import KeptLogin, LoginFiles
from handshaker.tokens import Credential
from handshaker.totp import STEP, code_at, new_secret
from handshaker.vocabulary import ActorKind

_SYLLABLES = [first + vowel for first in "bdfgklmnprstvz" for vowel in "aeiou"]
_WORDS = 4


def make_login(handshaker: Handshaker, files: LoginFiles, label: str, token: str) -> None:
    """Give the holder of ``token`` a login as ``label``, unless there is one; ``files`` keeps it.

    Nothing is done for somebody whose token is over: they were ended or invited again, and are no demo any more.
    """
    try:
        holder = handshaker.tokens.authenticate(token)
    except NotAuthenticated:
        return
    # Written down first: what was stopped halfway goes on with the same password.
    kept = files.find(label) or KeptLogin(label, new_password())
    if holder.actor.kind is ActorKind.ADMINISTRATOR and not kept.totp_secret:
        kept = KeptLogin(kept.username, kept.password, new_secret())
    files.keep(label, kept)
    if handshaker.logins.username(holder.actor.actor_id) is None:
        handshaker.logins.accept(handshaker.tokens.invite(holder), kept.username, kept.password)
    if kept.totp_secret and not handshaker.logins.has_totp(holder.actor.actor_id):
        _enroll_totp(handshaker, kept, holder)


def new_password() -> str:
    """Return a password that is easy to type: four words of three syllables, 73 bits."""
    words = ("".join(secrets.choice(_SYLLABLES) for _ in range(3)) for _ in range(_WORDS))
    return "-".join(words)


def _enroll_totp(handshaker: Handshaker, kept: KeptLogin, holder: Credential) -> None:
    """Confirm a second factor, with the code before the present one so that the present one can still be used."""
    try:
        text = handshaker.logins.log_in(kept.username, kept.password)
    except LoginRefused:
        # Somebody has changed the password since: it is theirs now.
        return
    session = handshaker.sessions.authenticate(text)
    before = handshaker.clock.now() - timedelta(seconds=STEP)
    handshaker.logins.confirm_totp(session, kept.totp_secret, code_at(kept.totp_secret, before), kept.password)
    handshaker.sessions.end(session)
