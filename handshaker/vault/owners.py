"""Data owners: whose key seals a payload. A patient, or a quarantine bucket that expires.

An owner's key is HKDF-SHA-256 of the master with the owner's random salt, so deleting the salt's row destroys it.
"""

from __future__ import annotations

import secrets
import threading
from collections import OrderedDict
from collections.abc import Collection, Sequence
from contextlib import suppress
from datetime import datetime
from typing import Final

from sqlalchemy import Connection, bindparam, delete, insert, select
from sqlalchemy.exc import IntegrityError

from handshaker.errors import KeyUnknown
from handshaker.ports import Clock
from handshaker.vault.rooted import RootedDatabase, salt_binding
from handshaker.vault.schema import ROOT_ID, owners
from handshaker.vault.sealing import SALT_BYTES, derive

CACHED_KEYS: Final = 1024
_KNOWN: Final = select(owners.c.expires_at).where(owners.c.owner == bindparam("owner"))
_FIND: Final = select(owners.c.wrapped_salt, owners.c.expires_at, ROOT_ID).where(owners.c.owner == bindparam("owner"))
_EXPIRED: Final = select(owners.c.owner).where(owners.c.expires_at <= bindparam("now")).order_by(owners.c.owner)


class OwnerKeys:
    """Makes, finds and destroys the keys of data owners."""

    def __init__(self, rooted: RootedDatabase, clock: Clock) -> None:
        self._rooted = rooted
        self._clock = clock
        self._lock = threading.Lock()
        self._keys: OrderedDict[str, tuple[bytes, bytes]] = OrderedDict()
        """Owner → (wrapped salt that the key came from, key); the least recently used first."""

    def create(self, owner: str, expires_at: datetime | None) -> None:
        """Give ``owner`` a key unless there is one that has not expired."""
        expires = None if expires_at is None else _seconds(expires_at)
        # IntegrityError: on PostgreSQL another process can give it one at the same moment.
        with suppress(IntegrityError), self._rooted.writing() as (connection, root):
            known = connection.execute(_KNOWN, {"owner": owner}).one_or_none()
            expired = known is not None and self._is_over(known.expires_at)
            if expired:
                _delete(connection, [owner])
            if known is None or expired:
                salt = root.wrap(secrets.token_bytes(SALT_BYTES), salt_binding(owner))
                connection.execute(insert(owners).values(owner=owner, wrapped_salt=salt, expires_at=expires))

    def key_of(self, owner: str) -> bytes:
        """Return the owner's key. Raises ``KeyUnknown`` if there is none any more, whatever is cached.

        The row is read each time: its absence is how an erasure in another process takes effect here.
        """
        found = self._rooted.one(_FIND, {"owner": owner})
        if found is None or self._is_over(found[0].expires_at):
            self.forget([owner])
            raise KeyUnknown("The vault holds no key of this data owner, or it was destroyed.", owner=owner)
        row, root = found
        with self._lock:
            known = self._keys.get(owner)
            if known is not None and known[0] == row.wrapped_salt:
                self._keys.move_to_end(owner)
                return known[1]
        salt = root.unwrap(row.wrapped_salt, salt_binding(owner), owner=owner)
        key = derive(self._rooted.master, salt, "owner-key/v1")
        with self._lock:
            self._keys[owner] = (row.wrapped_salt, key)
            self._keys.move_to_end(owner)
            if len(self._keys) > CACHED_KEYS:
                self._keys.popitem(last=False)
        return key

    def destroy(self, owner: str) -> None:
        """Delete the owner's salt, here and in the database's files; nothing to do if it is gone."""
        with self._rooted.writing() as (connection, _):
            _delete(connection, [owner])
        self.forget([owner])
        self._rooted.database.clean()

    def expired(self) -> list[str]:
        """Return every owner whose time is over, in order."""
        with self._rooted.database.reading() as connection:
            return list(connection.execute(_EXPIRED, {"now": self._now()}).scalars())

    def destroy_expired(self, among: Collection[str] | None) -> list[str]:
        """Destroy every owner whose time is over, or those of ``among``; return them in order."""
        with self._rooted.writing() as (connection, _):
            due = list(connection.execute(_EXPIRED, {"now": self._now()}).scalars())
            expired = [owner for owner in due if among is None or owner in among]
            _delete(connection, expired)
        if expired:
            self.forget(expired)
            self._rooted.database.clean()
        return expired

    def forget(self, names: Sequence[str] | None = None) -> None:
        """Drop the cached keys of ``names``, or all."""
        with self._lock:
            for owner in list(self._keys) if names is None else names:
                self._keys.pop(owner, None)

    def _is_over(self, expires_at: int | None) -> bool:
        return expires_at is not None and expires_at <= self._now()

    def _now(self) -> int:
        return _seconds(self._clock.now())


def _delete(connection: Connection, names: Sequence[str]) -> None:
    if names:
        statement = delete(owners).where(owners.c.owner == bindparam("key"))
        connection.execute(statement, [{"key": owner} for owner in names])


def _seconds(moment: datetime) -> int:
    if moment.tzinfo is None:
        raise ValueError("A moment needs its time zone.")
    return int(moment.timestamp())
