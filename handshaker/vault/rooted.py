"""The database and the root key together: every row is read or written with the root key that wraps it.

Another process may rotate the root key at any time. Reads therefore take the ``root_id`` from the same moment as the
row, and writes hold it still for the length of their transaction.
"""

from __future__ import annotations

import secrets
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any, Final

from sqlalchemy import Connection, Row, Select, bindparam, insert, select, update

from handshaker.errors import RootKeyUnusable
from handshaker.vault.database import VaultDatabase
from handshaker.vault.root import RootFile, RootKey
from handshaker.vault.schema import owners, relayers, signing_key_secrets, signing_keys, vault
from handshaker.vault.sealing import KEY_BYTES, binding

MASTER_BINDING: Final = binding("master/v1")
_SEALED_FROM: Final = select(vault.c.sealed_from).where(vault.c.id == 1)


def salt_binding(owner: str) -> bytes:
    """Return what ties a data owner's wrapped salt to its row."""
    return binding("owner-salt/v1", owner)


def secret_binding(owner: str, address: str, secret_id: str) -> bytes:
    """Return what ties a wrapped signing key to its row."""
    return binding("signing-key/v1", owner, address, secret_id)


def relayer_binding(name: str, address: str) -> bytes:
    """Return what ties a relayer's wrapped key to its row."""
    return binding("relayer/v1", name, address)


@dataclass(frozen=True, slots=True)
class RootedDatabase:
    """The vault's database, opened with the root key that fits it."""

    database: VaultDatabase
    roots: RootFile
    master: bytes = field(repr=False)

    @classmethod
    def open(cls, database: VaultDatabase, roots: RootFile) -> RootedDatabase:
        """Migrate, find the root key and open the master; on the first start make both.

        Raises ``RootKeyUnusable`` if the key does not fit or a vault is there without its key.
        """
        with database.migrating() as connection:
            row = connection.execute(select(vault).where(vault.c.id == 1).with_for_update()).one_or_none()
            if row is None:
                root = roots.read() if roots.exists() else roots.create()
                master = secrets.token_bytes(KEY_BYTES)
                wrapped = root.wrap(master, MASTER_BINDING)
                connection.execute(insert(vault).values(id=1, root_id=root.root_id, wrapped_master=wrapped))
            else:
                root = roots.fitting(row.root_id)
                master = root.unwrap(row.wrapped_master, MASTER_BINDING, owner="master")
                roots.promote(root.root_id)
                roots.discard_staged()
        return cls(database, roots, master)

    def one(self, statement: Select[Any], values: Mapping[str, object]) -> tuple[Row[*tuple[Any, ...]], RootKey] | None:
        """Return the one row of ``statement``, which selects ``schema.ROOT_ID`` too, and its root key; or none."""
        # Between reading the row and the key's file a rotation may have finished; then the row is read again.
        for attempt in range(3):
            with self.database.reading() as connection:
                row = connection.execute(statement, values).one_or_none()
            if row is None:
                return None
            try:
                return row, self.roots.fitting(row.root_id)
            except RootKeyUnusable:
                if attempt == 2:
                    raise
        raise AssertionError("unreachable")

    @contextmanager
    def writing(self) -> Iterator[tuple[Connection, RootKey]]:
        """Give a writing transaction and the root key, which no one rotates while it lasts."""
        with self.database.writing() as connection:
            held = select(vault.c.root_id).where(vault.c.id == 1).with_for_update(read=True)
            yield connection, self.roots.fitting(connection.execute(held).scalar_one())

    def sealed_since(self) -> int | None:
        """Return the remembered position, if there is one yet."""
        with self.database.reading() as connection:
            known: int | None = connection.execute(_SEALED_FROM).scalar_one()
        return known

    def sealed_from(self, size: int) -> int:
        """Return the remembered position; the first time, ``size`` is remembered."""
        known = self.sealed_since()
        if known is not None:
            return known
        with self.database.writing() as connection:
            fresh = (vault.c.id == 1) & vault.c.sealed_from.is_(None)
            connection.execute(update(vault).where(fresh).values(sealed_from=size))
            return int(connection.execute(_SEALED_FROM).scalar_one())

    def rotate(self) -> None:
        """Wrap every row under a new root key, then put the new key in the old one's place and overwrite the old.

        All rows change in one transaction. The new key is on the disk before it commits and replaces the old one after;
        a crash at any point leaves a file that fits, under one name or the other, and the next start tidies up.
        Raises ``CiphertextInvalid`` and changes nothing if a row does not open.
        """
        with self.database.writing() as connection:
            held = select(vault.c.root_id).where(vault.c.id == 1).with_for_update()
            old = self.roots.fitting(connection.execute(held).scalar_one())
            self.roots.promote(old.root_id)  # a rotation that crashed after its commit is finished first
            new = self.roots.stage()
            _rewrap(connection, old, new)
        self.roots.promote(new.root_id)
        self.database.clean()


def _rewrap(connection: Connection, old: RootKey, new: RootKey) -> None:
    def again(wrapped: bytes, bound_to: bytes, owner: str) -> bytes:
        return new.wrap(old.unwrap(wrapped, bound_to, owner=owner), bound_to)

    master = connection.execute(select(vault.c.wrapped_master).where(vault.c.id == 1)).scalar_one()
    wrapped_master = again(master, MASTER_BINDING, "master")
    connection.execute(update(vault).values(root_id=new.root_id, wrapped_master=wrapped_master))

    salts = [
        {"key": row.owner, "new": again(row.wrapped_salt, salt_binding(row.owner), row.owner)}
        for row in connection.execute(select(owners))
    ]
    if salts:
        statement = update(owners).where(owners.c.owner == bindparam("key")).values(wrapped_salt=bindparam("new"))
        connection.execute(statement, salts)

    rows = signing_key_secrets.c
    named = select(rows.owner, rows.secret_id, rows.wrapped, signing_keys.c.address).join(signing_keys)
    keys = [
        {"key": row.owner, "id": row.secret_id, "new": again(row.wrapped, _place(row), row.owner)}
        for row in connection.execute(named)
    ]
    if keys:
        here = (rows.owner == bindparam("key")) & (rows.secret_id == bindparam("id"))
        connection.execute(update(signing_key_secrets).where(here).values(wrapped=bindparam("new")), keys)

    payers = [
        {"key": row.name, "new": again(row.wrapped, relayer_binding(row.name, row.address), row.name)}
        for row in connection.execute(select(relayers))
    ]
    if payers:
        statement = update(relayers).where(relayers.c.name == bindparam("key")).values(wrapped=bindparam("new"))
        connection.execute(statement, payers)


def _place(row: Row[*tuple[Any, ...]]) -> bytes:
    return secret_binding(row.owner, row.address, row.secret_id)
