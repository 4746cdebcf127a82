"""Logins: a username, a password and, for those who need one, a second factor.

A refusal says the same and costs the same whatever was wrong: unknown names are checked against a login of nobody.
Every attempt is counted as failed before it is looked at, so many at once are no more guesses than many in a row.
"""

from __future__ import annotations

import secrets
import threading
from dataclasses import dataclass, field
from datetime import timedelta

from handshaker import totp
from handshaker.errors import CodeRefused, KeyAlreadyExists, KeyLocked, KeyUnknown, LoginRefused, NotAuthenticated
from handshaker.messages import Act, Actor
from handshaker.passwords import Hashed, Passwords, normal_username, require_strong, usable_username
from handshaker.ports import Clock, Vault
from handshaker.sessions import Session, Sessions
from handshaker.store.logins import LoginRow, LoginStore
from handshaker.store.people import PeopleStore
from handshaker.tokens import Tokens
from handshaker.vocabulary import ActCode, ActorKind

FREE_FAILURES = 5
PAUSES = tuple(timedelta(minutes=minutes) for minutes in (1, 2, 4, 8, 15))
"""How long a login rests after that many failures in a row, and after each one more."""

_NOBODY = "nobody"
_CONTEXT = b"totp"


@dataclass(frozen=True, slots=True)
class TotpEnrolment:
    """A second factor that is not confirmed yet."""

    secret: str = field(repr=False)
    """Base 32, for people whose authenticator reads no QR code."""
    uri: str = field(repr=False)
    """``otpauth://…``, for the QR code."""


class Logins:
    """Who may log in, and with what."""

    def __init__(
        self,
        store: LoginStore,
        people: PeopleStore,
        vault: Vault,
        tokens: Tokens,
        sessions: Sessions,
        clock: Clock,
        *,
        totp_for_everyone: bool = False,
        passwords: Passwords | None = None,
    ) -> None:
        self._store = store
        self._people = people
        self._vault = vault
        self._tokens = tokens
        self._sessions = sessions
        self._clock = clock
        self._totp_for_everyone = totp_for_everyone
        self._passwords = passwords or Passwords()
        self._nobody: LoginRow | None = None
        self._making_nobody = threading.Lock()

    # ---- invitations ----------------------------------------------------------------------------------------------

    def accept(self, invitation: str, username: str, password: str) -> Actor:
        """Give whoever was invited a username and a password; return who that is. An invitation serves once.

        A login that they had before is replaced, its sessions and its second factor end. Raises ``NotAuthenticated``
        for what is no open invitation, ``UsernameRefused``, ``UsernameTaken`` and ``PasswordRefused``, and leaves the
        invitation as it was then.
        """
        invited = self._tokens.invitation(invitation)
        actor, now = invited.actor, self._clock.now()
        username = usable_username(username)
        require_strong(password, username)
        before, kept = self._store.of_actor(actor.actor_id), self._passwords.hash(password)
        self._wrap(actor, invited.secret, password, kept)
        row = LoginRow(actor.actor_id, username, kept.verifier, kept.key_salt, None, 0)
        try:
            self._store.enroll(row, invited.token_id, now, _act(ActCode.LOGIN_MADE, actor.actor_id))
        except BaseException:
            self._unwrap(actor, kept.key_salt)
            raise
        self._vault.remove_secret(actor.actor_id, invited.token_id)
        if before is not None:
            self._unwrap(actor, before.key_salt)
        self._sessions.sweep()
        return actor

    def username(self, actor_id: str) -> str | None:
        """Return under which name somebody logs in, if they can."""
        login = self._store.of_actor(actor_id)
        return login.username if login else None

    # ---- logging in -----------------------------------------------------------------------------------------------

    def log_in(self, username: str, password: str, code: str = "") -> str:
        """Return the text of a new session. ``code`` is the one-time password, for those who have a second factor.

        The session needs ``totp`` before anything else where the policy asks for a second factor and there is none.
        Raises ``LoginRefused`` in the same words for an unknown name, a wrong password, a wrong, missing or used code,
        a login that rests after failures, and a person who was ended.
        """
        login = self._store.by_username(normal_username(username)) or self._stand_in()
        is_open = self._charge(login.actor_id)
        kept = Hashed(login.password_hash, login.key_salt)
        # All of it, in this order, whatever came out of the one before: the time it takes tells nothing.
        is_right = self._passwords.is_right(password, kept)
        step = self._matching_step(login, code)
        actor = self._people.actor(login.actor_id)
        is_known = actor is not None and actor.active
        if not (is_open and is_right and is_known) or (login.totp is not None and step is None):
            raise _refusal()
        if step is not None and not self._store.use_step(login.actor_id, step):
            raise _refusal()
        assert actor is not None
        secret = self._kept_up(actor, login, password)
        text = self._session_of(actor, secret, "totp" if self._lacks_totp(actor, login) else "")
        self._store.clear(actor.actor_id)
        return text

    def unlock(self, session_text: str, password: str) -> str:
        """Return the text of the session that goes on where a locked one stood; the old text is worth nothing then.

        Raises ``LoginRefused`` for a wrong password, and ``NotAuthenticated`` for a session that is over.
        """
        session = self._sessions.authenticate(session_text, is_active=False)
        login = self._checked(session, password)
        self._sessions.lock(session)
        secret = self._kept_up(session.credential.actor, login, password)
        text = self._sessions.reopen(session, secret)
        self._store.clear(login.actor_id)
        return text

    def change_password(self, session: Session, old: str, new: str) -> None:
        """Replace a password, and end the other sessions of its owner.

        Raises ``NotAuthenticated`` unless the session is live, ``LoginRefused`` where ``old`` is wrong and
        ``PasswordRefused``.
        """
        _require_live(session)
        actor = session.credential.actor
        require_strong(new, self.username(actor.actor_id) or "")
        login = self._checked(session, old)
        secret = self._passwords.secret(old, Hashed(login.password_hash, login.key_salt))
        act = _act(ActCode.PASSWORD_CHANGED, actor.actor_id)
        if self._replace_password(actor, login, secret, new, act) is None:
            raise _refusal()
        self._store.clear(actor.actor_id)
        self._sessions.end_all(actor.actor_id, session.session_id)

    # ---- the second factor ----------------------------------------------------------------------------------------

    def has_totp(self, actor_id: str) -> bool:
        """Whether somebody has a second factor."""
        login = self._store.of_actor(actor_id)
        return login is not None and login.totp is not None

    def begin_totp(self, session: Session) -> TotpEnrolment:
        """Return a fresh second factor; nothing is kept until ``confirm_totp``. Raises ``NotAuthenticated``."""
        _require_live(session, "totp")
        return self.totp_of(session, totp.new_secret())

    def totp_of(self, session: Session, secret: str) -> TotpEnrolment:
        """Return a second factor that was begun, to be shown again. Raises ``CodeRefused`` if it is none of ours."""
        if not totp.is_secret(secret):
            raise _wrong_code()
        username = self.username(session.credential.actor.actor_id) or ""
        return TotpEnrolment(secret, totp.enrolment_uri(secret, username))

    def confirm_totp(self, session: Session, secret: str, code: str, password: str = "") -> None:
        """Keep a second factor of which ``code`` shows that it works; ends the other sessions of its owner.

        The session that was opened because none was there needs nothing else. To enrol one later, or another one, takes
        the ``password`` again: an unlocked screen is no proof. Raises ``CodeRefused``, ``LoginRefused`` for a wrong
        password and ``NotAuthenticated`` unless the session is live.
        """
        _require_live(session, "totp")
        actor_id, now = session.credential.actor.actor_id, self._clock.now()
        step = totp.matching_step(secret, code, now) if totp.is_secret(secret) else None
        if step is None:
            raise _wrong_code()
        if not session.needs:
            self._checked(session, password)
            self._store.clear(actor_id)
        self._vault.create_owner(_owner(actor_id))
        sealed = self._vault.seal(_owner(actor_id), secret.encode(), _CONTEXT)
        act = _act(ActCode.SECOND_FACTOR_SET, actor_id)
        if not self._store.set_totp(actor_id, sealed, step, now, act, replacing=not session.needs):
            raise NotAuthenticated("There is a second factor already: log in with it.")
        self._sessions.end_all(actor_id, session.session_id)
        self._sessions.satisfy(session)

    # ---- what they share ------------------------------------------------------------------------------------------

    def _checked(self, session: Session, password: str) -> LoginRow:
        """Return the login of a session whose owner says the password right; counts the attempt."""
        login = self._store.of_actor(session.credential.actor.actor_id)
        if login is None:
            raise _refusal()
        is_open = self._charge(login.actor_id)
        if not self._passwords.is_right(password, Hashed(login.password_hash, login.key_salt)) or not is_open:
            raise _refusal()
        return login

    def _charge(self, actor_id: str) -> bool:
        """Count an attempt; ``False`` while the login rests. That it begins to rest is logged, of known people only.

        Not each failure: whoever guesses cannot fill the log, and what a refusal costs does not tell who is known.
        """
        rests = None if actor_id == _NOBODY else _act(ActCode.LOGIN_RESTS, actor_id)
        return self._store.charge(actor_id, self._clock.now(), FREE_FAILURES, PAUSES, rests)

    def _matching_step(self, login: LoginRow, code: str) -> int | None:
        sealed = login.totp or self._stand_in().totp
        if sealed is None:
            return None
        secret = self._vault.unseal(sealed, _CONTEXT).decode()
        step = totp.matching_step(secret, code, self._clock.now())
        return step if login.totp is not None else None

    def _lacks_totp(self, actor: Actor, login: LoginRow) -> bool:
        return login.totp is None and (self._totp_for_everyone or actor.kind is ActorKind.ADMINISTRATOR)

    def _session_of(self, actor: Actor, secret: bytes, needs: str) -> str:
        try:
            return self._sessions.open(actor.actor_id, secret, needs)
        except NotAuthenticated:
            raise _refusal() from None

    def _kept_up(self, actor: Actor, login: LoginRow, password: str) -> bytes:
        """Return what opens the key; where hashing has become dearer since, hash again first."""
        kept = Hashed(login.password_hash, login.key_salt)
        secret = self._passwords.secret(password, kept)
        if not self._passwords.is_dated(kept):
            return secret
        return self._replace_password(actor, login, secret, password) or secret

    def _replace_password(
        self, actor: Actor, login: LoginRow, secret: bytes, password: str, act: Act | None = None
    ) -> bytes | None:
        """Hash ``password`` anew; return what opens the key now, or ``None`` where another request was first."""
        kept = self._passwords.hash(password)
        opener = self._wrap(actor, secret, password, kept)
        now = self._clock.now()
        try:
            is_first = self._store.set_password(actor.actor_id, login.key_salt, kept.verifier, kept.key_salt, now, act)
        except BaseException:
            self._unwrap(actor, kept.key_salt)
            raise
        if not is_first:
            self._unwrap(actor, kept.key_salt)
            return None
        self._unwrap(actor, login.key_salt)
        return opener

    def _wrap(self, actor: Actor, secret: bytes, password: str, kept: Hashed) -> bytes:
        """Let ``password`` open the key that ``secret`` opens; return what it is turned into."""
        opener = self._passwords.secret(password, kept)
        if actor.custodial:
            try:
                self._vault.add_secret(actor.actor_id, secret, opener, _secret_name(kept.key_salt))
            except (KeyUnknown, KeyLocked, KeyAlreadyExists):
                raise NotAuthenticated("The invitation is not valid any more.") from None
        return opener

    def _unwrap(self, actor: Actor, key_salt: bytes) -> None:
        self._vault.remove_secret(actor.actor_id, _secret_name(key_salt))

    def _stand_in(self) -> LoginRow:
        """Return the login of nobody, which no password opens and no username can name."""
        with self._making_nobody:
            if self._nobody is None:
                self._vault.create_owner(_owner(_NOBODY))
                sealed = self._vault.seal(_owner(_NOBODY), totp.new_secret().encode(), _CONTEXT)
                kept = self._passwords.hash(secrets.token_urlsafe(32))
                row = LoginRow(_NOBODY, "", kept.verifier, kept.key_salt, sealed, 0)
                self._nobody = self._store.put_nobody(row, self._clock.now())
            return self._nobody


def _act(code: ActCode, actor_id: str) -> Act:
    """Return what somebody did, or was done, with their own login."""
    return Act(code, actor_id, actor_id)


def _require_live(session: Session, *allowed: str) -> None:
    if session.is_locked or (session.needs and session.needs not in allowed):
        raise NotAuthenticated("There is no valid session.")


def _owner(actor_id: str) -> str:
    return f"staff/{actor_id}"


def _secret_name(key_salt: bytes) -> str:
    """Return under which name the vault keeps the wrap that a password opens."""
    return f"password/{key_salt.hex()}"


def _refusal() -> LoginRefused:
    return LoginRefused("Username, password or code is not right, or this login rests after failures.")


def _wrong_code() -> CodeRefused:
    return CodeRefused("The code does not belong to this second factor.")
