"""Sessions: logins that are under way, whose cookie alone opens the key of the person who logged in.

A session reads ``hss_<id>_<secret>``. The store keeps the hash of the secret, the vault a wrap of the signing key that
only the secret opens. Locked, idle too long or over, a session opens nothing: its wrap is deleted.
"""

from __future__ import annotations

import secrets
import threading
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from handshaker.bearer import SECRET_BYTES, hashed, is_secret, parsed, spelled
from handshaker.errors import HandshakerError, KeyAlreadyExists, KeyLocked, KeyUnknown, NotAuthenticated
from handshaker.messages import Act, Actor
from handshaker.ports import Clock, Vault
from handshaker.store.logins import LoginStore, SessionRow
from handshaker.store.people import PeopleStore
from handshaker.tokens import Credential, complete_scopes
from handshaker.vocabulary import ActCode

_PREFIX = "hss"
_SWEEP_SECONDS = 60
_COARSE = timedelta(seconds=10)
"""How exactly it is written down when somebody was last there: not for every request a write to the disk."""


@dataclass(frozen=True, slots=True)
class Session:
    """A login that is under way, as one request finds it."""

    credential: Credential
    """Without scopes and secret while the session is locked or needs something."""
    session_id: str
    needs: str
    """What must be done before anything else: ``totp``, or nothing."""
    is_locked: bool
    idle_limit: timedelta
    opened_at: datetime
    expires_at: datetime


@dataclass(frozen=True, slots=True)
class OpenSession:
    """One of somebody's sessions, for a list."""

    session_id: str
    opened_at: datetime
    seen_at: datetime
    expires_at: datetime
    is_locked: bool


class Sessions:
    """Opens, checks, locks and ends sessions."""

    def __init__(
        self, store: LoginStore, people: PeopleStore, vault: Vault, clock: Clock, *, idle: timedelta, longest: timedelta
    ) -> None:
        self._store = store
        self._people = people
        self._vault = vault
        self._clock = clock
        self._idle = idle
        self._longest = longest
        self._bare: set[str] = set()
        """Sessions whose wraps this process has deleted."""

    def open(self, actor_id: str, secret: bytes, needs: str = "") -> str:
        """Open a session of somebody who proved who they are; return its text.

        ``secret`` opens their key (it is not looked at where they hold their own). Raises ``NotAuthenticated`` for
        somebody who was ended, or whose key is gone or does not open.
        """
        self.sweep()
        return self._open(actor_id, secret, needs, self._clock.now() + self._longest, None)

    def reopen(self, session: Session, secret: bytes) -> str:
        """Put a fresh session in the place of a locked one, with the same end; return its text. Raises as `open`."""
        return self._open(
            session.credential.actor.actor_id, secret, session.needs, session.expires_at, session.session_id
        )

    def authenticate(self, text: str, *, is_active: bool = True) -> Session:
        """Return whose session this is; raises ``NotAuthenticated``, in the same words whatever is wrong.

        A session that nobody used for longer than the idle limit is locked by this. ``is_active`` says whether a
        person is behind the request: what a page asks by itself does not keep a session open.
        """
        row, secret = self._found(text)
        now = self._clock.now()
        actor = self._people.actor(row.actor_id)
        if row.expires_at <= now or actor is None or not actor.active:
            # Whoever comes back after their end begins anew.
            self._end(row.actor_id, row.session_id)
            raise _refusal()
        if row.ended_at is not None:
            raise _refusal()
        if row.locked_at is None and now - row.seen_at > self._idle:
            self._lock(row, now)
            row = replace(row, locked_at=now)
        elif row.locked_at is None and is_active and now - row.seen_at >= _COARSE:
            self._store.touch(row.session_id, now)
        return self._session(row, actor, secret)

    def live(self, actor_id: str) -> list[OpenSession]:
        """Return somebody's sessions that go on, newest first."""
        now = self._clock.now()
        return [
            OpenSession(
                row.session_id,
                row.opened_at,
                row.seen_at,
                row.expires_at,
                row.locked_at is not None or now - row.seen_at > self._idle,
            )
            for row in self._store.live(actor_id, now)
        ]

    def lock(self, session: Session) -> None:
        """Lock a session until its owner says the password again. Safe to repeat."""
        row = self._store.session(session.session_id)
        if row is not None:
            self._lock(row, self._clock.now())

    def end(self, session: Session) -> None:
        """End a session. Safe to repeat."""
        self.end_one(session, session.session_id)

    def end_one(self, session: Session, session_id: str) -> None:
        """End another session of the same person; nothing to do where it is not theirs."""
        self._end(session.credential.actor.actor_id, session_id)

    def end_all(self, actor_id: str, but: str | None = None) -> None:
        """End all sessions of somebody, ``but`` the one with that id."""
        self._end(actor_id, None, but)

    def satisfy(self, session: Session) -> None:
        """Note that what the session needed is done."""
        self._store.satisfy(session.session_id)

    def sweep(self) -> int:
        """Lock what is idle, and delete the wraps of all that is locked or over; return how many there were.

        Finishes what a process that died left half done. Safe to repeat, and at any moment.
        """
        now = self._clock.now()
        over = self._store.over(now, now - self._idle)
        for row in over:
            if row.session_id not in self._bare:
                self._lock(row, now)
        gone = [row.session_id for row in over if row.ended_at is not None or row.expires_at <= now]
        if gone:
            self._store.forget(gone)
            self._bare.difference_update(gone)
        return len(over)

    def keep_sweeping(self, stop: threading.Event) -> None:
        """Sweep every minute until ``stop`` is set; what fails now is swept the next time."""
        while not stop.wait(_SWEEP_SECONDS):
            with suppress(HandshakerError):
                self.sweep()

    def _open(self, actor_id: str, secret: bytes, needs: str, expires_at: datetime, replacing: str | None) -> str:
        actor, now = self._people.actor(actor_id), self._clock.now()
        if actor is None or expires_at <= now:
            raise _refusal()
        session_id, own = secrets.token_hex(8), secrets.token_bytes(SECRET_BYTES)
        row = SessionRow(session_id, actor_id, hashed(own), needs, now, now, expires_at)
        # A locked session that goes on is the same login.
        failures = {"failures": max(0, self._store.failures(actor_id) - 1)}
        act = Act(ActCode.LOGGED_IN, actor_id, session_id, failures) if replacing is None else None
        if actor.custodial:
            try:
                self._vault.add_secret(actor_id, secret, own, secret_name(session_id))
            except (KeyUnknown, KeyLocked, KeyAlreadyExists):
                raise _refusal() from None
        try:
            if not self._store.open(row, replacing, act):
                raise _refusal()
        except BaseException:
            self._vault.remove_secret(actor_id, secret_name(session_id))
            raise
        if replacing is not None:
            self._vault.remove_secret(actor_id, secret_name(replacing))
        return spelled(_PREFIX, session_id, own)

    def _found(self, text: str) -> tuple[SessionRow, bytes]:
        parts = parsed(_PREFIX, text)
        row = self._store.session(parts[0]) if parts else None
        if parts is None or not is_secret(parts[1], row.secret_hash if row else None) or row is None:
            raise _refusal()
        return row, parts[1]

    def _lock(self, row: SessionRow, now: datetime) -> None:
        # The row first: from then on nothing asks for the wrap, even if it survives a crash until the next sweep.
        self._store.lock(row.session_id, now)
        self._vault.remove_secret(row.actor_id, secret_name(row.session_id))
        self._bare.add(row.session_id)

    def _end(self, actor_id: str, session_id: str | None, but: str | None = None) -> None:
        for ended in self._store.end(actor_id, session_id, self._clock.now(), but):
            self._vault.remove_secret(actor_id, secret_name(ended))

    def _session(self, row: SessionRow, actor: Actor, secret: bytes) -> Session:
        is_locked = row.locked_at is not None
        is_usable = not is_locked and not row.needs
        credential = Credential(
            actor,
            secret_name(row.session_id),
            complete_scopes(actor) if is_usable else (),
            secret if is_usable else b"",
        )
        return Session(credential, row.session_id, row.needs, is_locked, self._idle, row.opened_at, row.expires_at)


def secret_name(session_id: str) -> str:
    """Return under which name the vault keeps a session's wrap of the key."""
    return f"session/{session_id}"


def _refusal() -> NotAuthenticated:
    return NotAuthenticated("There is no valid session.")
