"""Logins and sessions: how people prove who they are in the web application.

What two requests could race for is decided in one SQL statement, or under the lock of the actor's row.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.exc import IntegrityError

from handshaker.errors import NotAuthenticated, UsernameTaken
from handshaker.messages import Act, Sealed
from handshaker.store import schema as s
from handshaker.store.database import Database
from handshaker.store.rows import sealed_columns, sealed_of
from handshaker.store.sequencer import Sequencer


@dataclass(frozen=True, slots=True)
class LoginRow:
    """How somebody logs in."""

    actor_id: str
    username: str
    password_hash: str
    key_salt: bytes
    totp: Sealed | None
    totp_step: int


@dataclass(frozen=True, slots=True)
class SessionRow:
    """A login that is under way, or was."""

    session_id: str
    actor_id: str
    secret_hash: bytes
    needs: str
    opened_at: datetime
    seen_at: datetime
    expires_at: datetime
    locked_at: datetime | None = None
    ended_at: datetime | None = None


class LoginStore:
    """The tables ``logins`` and ``sessions``.

    Where an ``act`` is given, it becomes an entry of the audit log in the same SQL transaction (``LogHeld``).
    """

    def __init__(self, database: Database, sequencer: Sequencer) -> None:
        self._database = database
        self._sequencer = sequencer

    # ---- logins ---------------------------------------------------------------------------------------------------

    def by_username(self, username: str) -> LoginRow | None:
        """Return the login with that username."""
        return self._login(s.logins.c.username == username)

    def of_actor(self, actor_id: str) -> LoginRow | None:
        """Return somebody's login."""
        return self._login(s.logins.c.actor_id == actor_id)

    def usernames(self) -> dict[str, str]:
        """Return every username by its actor."""
        with self._database.read() as connection:
            rows = connection.execute(sa.select(s.logins.c.actor_id, s.logins.c.username))
            return {row[0]: row[1] for row in rows}

    def enroll(self, login: LoginRow, invitation_id: str, at: datetime, act: Act) -> None:
        """Use up an invitation and write the login that it was for, in place of an earlier one.

        Ends every invitation and session of the actor. Raises ``NotAuthenticated`` where the invitation was used or
        revoked meanwhile, and ``UsernameTaken``; nothing is written then.
        """
        mine = s.tokens.c.actor_id == login.actor_id
        live = sa.and_(mine, s.tokens.c.revoked_at.is_(None), s.tokens.c.expires_at > at)
        values = {
            "username": login.username,
            "password_hash": login.password_hash,
            "key_salt": login.key_salt,
            **sealed_columns("totp", None),
            "totp_step": 0,
            "failures": 0,
            "blocked_until": None,
            "changed_at": at,
        }
        insert = sqlite.insert if self._database.is_sqlite else postgresql.insert
        statement = insert(s.logins).values(actor_id=login.actor_id, **values)
        try:
            with self._database.write() as connection:
                self._sequencer.take_turn(connection)
                used = sa.update(s.tokens).where(live, s.tokens.c.token_id == invitation_id).values(revoked_at=at)
                if connection.execute(used).rowcount != 1:
                    raise NotAuthenticated("The invitation is not valid any more.")
                connection.execute(sa.update(s.tokens).where(live, _is_invitation()).values(revoked_at=at))
                connection.execute(statement.on_conflict_do_update(index_elements=["actor_id"], set_=values))
                connection.execute(_ending(login.actor_id, None, at))
                self._sequencer.append_act(connection, act, at)
        except IntegrityError:
            raise UsernameTaken("Somebody else has that username.", username=login.username) from None

    def put_nobody(self, login: LoginRow, at: datetime) -> LoginRow:
        """Keep the login that stands in for unknown usernames, unless there is one; return the one that counts."""
        insert = sqlite.insert if self._database.is_sqlite else postgresql.insert
        statement = insert(s.logins).values(
            actor_id=login.actor_id,
            username=login.username,
            password_hash=login.password_hash,
            key_salt=login.key_salt,
            changed_at=at,
            **sealed_columns("totp", login.totp),
        )
        with self._database.write() as connection:
            connection.execute(statement.on_conflict_do_nothing())
        return self.of_actor(login.actor_id) or login

    def charge(self, actor_id: str, at: datetime, free: int, pauses: Sequence[timedelta], rests: Act | None) -> bool:
        """Count an attempt as failed before it is looked at, so that many at once are counted each.

        ``False``, and nothing counted, while the login rests. After ``free`` attempts in a row it rests for the first
        of ``pauses``, after one more for the second, and so on; the last one counts for all that follow. ``rests`` is
        the act to log when it does, and told how many failures there were.
        """
        count = s.logins.c.failures + 1
        until = sa.case(
            *[(count == free + index, sa.literal(at + pause, s.UtcDateTime())) for index, pause in enumerate(pauses)],
            (count > free, sa.literal(at + pauses[-1], s.UtcDateTime())),
            else_=None,
        )
        open_ = sa.or_(s.logins.c.blocked_until.is_(None), s.logins.c.blocked_until <= at)
        charging = (
            sa.update(s.logins)
            .where(s.logins.c.actor_id == actor_id, open_)
            .values(failures=sa.case((count > 1_000_000, 1_000_000), else_=count), blocked_until=until)
            .returning(s.logins.c.failures, s.logins.c.blocked_until)
        )
        with self._database.write() as connection:
            self._sequencer.take_turn(connection)
            charged = connection.execute(charging).first()
            if charged is not None and charged.blocked_until is not None and rests is not None:
                self._sequencer.append_act(connection, replace(rests, details={"failures": charged.failures}), at)
        return charged is not None

    def failures(self, actor_id: str) -> int:
        """Return how many failures in a row somebody's login has; 0 where there is no login."""
        query = sa.select(s.logins.c.failures).where(s.logins.c.actor_id == actor_id)
        with self._database.read() as connection:
            return connection.execute(query).scalar() or 0

    def clear(self, actor_id: str) -> None:
        """Forget the failures: the person was there."""
        self._changed(sa.update(s.logins).where(s.logins.c.actor_id == actor_id).values(failures=0, blocked_until=None))

    def use_step(self, actor_id: str, step: int) -> bool:
        """Use up the one-time password of a time step; ``False`` where it, or a later one, was used before."""
        using = sa.update(s.logins).where(s.logins.c.actor_id == actor_id, s.logins.c.totp_step < step)
        return self._changed(using.values(totp_step=step)) == 1

    def set_totp(self, actor_id: str, totp: Sealed, step: int, at: datetime, act: Act, *, replacing: bool) -> bool:
        """Keep a second factor; ``False``, and nothing written, where there is one and it may not be replaced."""
        setting = sa.update(s.logins).where(s.logins.c.actor_id == actor_id)
        if not replacing:
            setting = setting.where(s.logins.c.totp_ciphertext.is_(None))
        values = {**sealed_columns("totp", totp), "totp_step": step, "changed_at": at}
        return self._done(setting.values(**values), act, at)

    def set_password(
        self, actor_id: str, old_salt: bytes, password_hash: str, key_salt: bytes, at: datetime, act: Act | None
    ) -> bool:
        """Replace a password, or hash it anew; ``False``, and nothing written, where another request did so first."""
        setting = sa.update(s.logins).where(s.logins.c.actor_id == actor_id, s.logins.c.key_salt == old_salt)
        values = {"password_hash": password_hash, "key_salt": key_salt, "changed_at": at}
        return self._done(setting.values(**values), act, at)

    def close_off(self, actor_id: str, at: datetime, act: Act) -> None:
        """Make an actor inactive and end their tokens, invitations, login and sessions, all at once or not at all."""
        live = sa.and_(s.tokens.c.actor_id == actor_id, s.tokens.c.revoked_at.is_(None))
        with self._database.write() as connection:
            self._sequencer.take_turn(connection)
            # Next, because whoever opens a session or keeps a token waits for this row.
            connection.execute(sa.update(s.actors).where(s.actors.c.actor_id == actor_id).values(active=False))
            ended = {
                "tokens": connection.execute(sa.update(s.tokens).where(live).values(revoked_at=at)).rowcount,
                "logins": connection.execute(sa.delete(s.logins).where(s.logins.c.actor_id == actor_id)).rowcount,
                "sessions": connection.execute(_ending(actor_id, None, at)).rowcount,
            }
            self._sequencer.append_act(connection, replace(act, details=ended), at)

    # ---- sessions ---------------------------------------------------------------------------------------------------

    def open(self, session: SessionRow, replacing: str | None, act: Act | None) -> bool:
        """Insert a session of an active actor, ending the one that it replaces.

        ``False``, and nothing written, where the actor was ended, or the session to replace has.
        """
        with self._database.write() as connection:
            self._sequencer.take_turn(connection)
            may = sa.select(s.actors.c.active).where(s.actors.c.actor_id == session.actor_id).with_for_update()
            if not connection.execute(may).scalar():
                return False
            if replacing is not None:
                ending = _ending(session.actor_id, replacing, session.seen_at)
                if connection.execute(ending.where(s.sessions.c.expires_at > session.seen_at)).rowcount != 1:
                    return False
            connection.execute(
                sa.insert(s.sessions).values(
                    session_id=session.session_id,
                    actor_id=session.actor_id,
                    secret_hash=session.secret_hash,
                    needs=session.needs,
                    opened_at=session.opened_at,
                    seen_at=session.seen_at,
                    expires_at=session.expires_at,
                )
            )
            self._sequencer.append_act(connection, act, session.opened_at)
            return True

    def session(self, session_id: str) -> SessionRow | None:
        """Return a session by id."""
        found = self._sessions(s.sessions.c.session_id == session_id)
        return found[0] if found else None

    def live(self, actor_id: str, at: datetime) -> list[SessionRow]:
        """Return somebody's sessions that go on, newest first."""
        return self._sessions(
            s.sessions.c.actor_id == actor_id, s.sessions.c.ended_at.is_(None), s.sessions.c.expires_at > at
        )

    def touch(self, session_id: str, at: datetime) -> None:
        """Note that somebody is there, unless the session is locked or has ended."""
        self._changed(_live(session_id).where(s.sessions.c.locked_at.is_(None)).values(seen_at=at))

    def lock(self, session_id: str, at: datetime) -> None:
        """Lock a session; one that is locked keeps its time."""
        self._changed(_live(session_id).where(s.sessions.c.locked_at.is_(None)).values(locked_at=at))

    def satisfy(self, session_id: str) -> None:
        """Note that what had to be done first is done."""
        self._changed(_live(session_id).values(needs=""))

    def end(self, actor_id: str, session_id: str | None, at: datetime, but: str | None = None) -> list[str]:
        """End one session of an actor, or all ``but`` one; return those that ended by this."""
        with self._database.write() as connection:
            ending = _ending(actor_id, session_id, at)
            if but is not None:
                ending = ending.where(s.sessions.c.session_id != but)
            return list(connection.execute(ending.returning(s.sessions.c.session_id)).scalars())

    def over(self, at: datetime, idle_since: datetime) -> list[SessionRow]:
        """Return the sessions whose key must not lie ready any more: ended, expired, locked or idle."""
        return self._sessions(
            sa.or_(
                s.sessions.c.ended_at.is_not(None),
                s.sessions.c.expires_at <= at,
                s.sessions.c.locked_at.is_not(None),
                s.sessions.c.seen_at < idle_since,
            )
        )

    def forget(self, session_ids: Sequence[str]) -> None:
        """Delete sessions that are over."""
        self._changed(sa.delete(s.sessions).where(s.sessions.c.session_id.in_(session_ids)))

    def _login(self, where: sa.ColumnElement[bool]) -> LoginRow | None:
        with self._database.read() as connection:
            row = connection.execute(sa.select(s.logins).where(where)).mappings().first()
        if row is None:
            return None
        totp = sealed_of(row, "totp")
        return LoginRow(row["actor_id"], row["username"], row["password_hash"], row["key_salt"], totp, row["totp_step"])

    def _sessions(self, *where: sa.ColumnElement[bool]) -> list[SessionRow]:
        query = sa.select(s.sessions).where(*where).order_by(s.sessions.c.opened_at.desc(), s.sessions.c.session_id)
        with self._database.read() as connection:
            return [SessionRow(**row) for row in connection.execute(query).mappings()]

    def _done(self, statement: sa.Update, act: Act | None, at: datetime) -> bool:
        """Change one row and log it; ``False``, and nothing logged, where there was none to change."""
        with self._database.write() as connection:
            self._sequencer.take_turn(connection)
            is_done = connection.execute(statement).rowcount == 1
            if is_done:
                self._sequencer.append_act(connection, act, at)
        return is_done

    def _changed(self, statement: Any) -> int:
        with self._database.write() as connection:
            return int(connection.execute(statement).rowcount)


def _is_invitation() -> sa.ColumnElement[bool]:
    return sa.cast(s.tokens.c.scopes, sa.Text) == '["enroll"]'


def _live(session_id: str) -> sa.Update:
    return sa.update(s.sessions).where(s.sessions.c.session_id == session_id, s.sessions.c.ended_at.is_(None))


def _ending(actor_id: str, session_id: str | None, at: datetime) -> sa.Update:
    ending = sa.update(s.sessions).where(s.sessions.c.actor_id == actor_id, s.sessions.c.ended_at.is_(None))
    if session_id is not None:
        ending = ending.where(s.sessions.c.session_id == session_id)
    return ending.values(ended_at=at)
