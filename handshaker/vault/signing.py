"""Custodial signing keys of people. Each opens only with a secret that its owner's live session or token holds.

A private key rests once for each secret that opens it: inside under a key derived from that secret, outside under the
root key. So neither a stolen database, nor the root key's file, nor a server on which nobody is logged in can sign.
"""

from __future__ import annotations

import secrets
from typing import Final

from sqlalchemy import Connection, and_, bindparam, delete, insert, select
from sqlalchemy.exc import IntegrityError

from handshaker.errors import KeyAlreadyExists, KeyLocked, KeyUnknown
from handshaker.vault.root import RootKey
from handshaker.vault.rooted import RootedDatabase, secret_binding
from handshaker.vault.schema import ROOT_ID, signing_key_secrets, signing_keys
from handshaker.vault.sealing import SALT_BYTES, derive, unwrap, wrap
from handshaker.vault.secp256k1 import address_of, new_private_key, sign_digest

MIN_SECRET_BYTES: Final = 16
_ROWS: Final = signing_key_secrets.c
_FIND: Final = (
    select(signing_keys.c.address, _ROWS.secret_id, _ROWS.salt, _ROWS.wrapped, ROOT_ID)
    .select_from(signing_keys)
    .outerjoin(signing_key_secrets, and_(_ROWS.owner == signing_keys.c.owner, _ROWS.locator == bindparam("located_by")))
    .where(signing_keys.c.owner == bindparam("of_owner"))
)
_ADDRESS: Final = select(signing_keys.c.address).where(signing_keys.c.owner == bindparam("of_owner"))


class SigningKeys:
    """Makes, opens and destroys people's signing keys."""

    def __init__(self, rooted: RootedDatabase) -> None:
        self._rooted = rooted
        self._locator_key = derive(rooted.master, b"", "secret-locator/v1")

    def create(self, owner: str, secret: bytes, secret_id: str) -> str:
        """Return the address of a new key that ``secret`` opens. Raises ``KeyAlreadyExists``."""
        _require_entropy(secret)
        private_key = new_private_key()
        address = address_of(private_key)
        try:
            with self._rooted.writing() as (connection, root):
                connection.execute(insert(signing_keys).values(owner=owner, address=address))
                self._insert(connection, root, owner, address, private_key, secret, secret_id)
        except IntegrityError:
            raise KeyAlreadyExists("This owner has a signing key already.", owner=owner) from None
        return address

    def address(self, owner: str) -> str | None:
        """Return the address of the owner's key, or none."""
        with self._rooted.database.reading() as connection:
            return connection.execute(_ADDRESS, {"of_owner": owner}).scalar_one_or_none()

    def add_secret(self, owner: str, secret: bytes, new_secret: bytes, secret_id: str) -> None:
        """Let ``new_secret`` open the key too. Raises ``KeyUnknown``, ``KeyLocked``, ``KeyAlreadyExists``.

        The same secret under the same name again changes nothing.
        """
        _require_entropy(new_secret)
        private_key, address, _ = self._open(owner, secret)
        try:
            with self._rooted.writing() as (connection, root):
                # A key that was destroyed meanwhile must not come back to life.
                if connection.execute(_ADDRESS, {"of_owner": owner}).scalar_one_or_none() != address:
                    raise _unknown(owner)
                self._insert(connection, root, owner, address, private_key, new_secret, secret_id)
        except IntegrityError:
            if self._secret_id_of(owner, new_secret) != secret_id:
                problem = "This secret, or another one of this name, opens the key already."
                raise KeyAlreadyExists(problem, owner=owner, secret_id=secret_id) from None

    def remove_secret(self, owner: str, secret_id: str) -> None:
        """Let the secret of that name open nothing any more; nothing to do if it is gone."""
        with self._rooted.writing() as (connection, _):
            here = and_(_ROWS.owner == owner, _ROWS.secret_id == secret_id)
            connection.execute(delete(signing_key_secrets).where(here))
        self._rooted.database.clean_if_idle()

    def destroy(self, owner: str) -> None:
        """Delete the key with all its secrets; nothing to do if it is gone."""
        with self._rooted.writing() as (connection, _):
            connection.execute(delete(signing_key_secrets).where(_ROWS.owner == owner))
            connection.execute(delete(signing_keys).where(signing_keys.c.owner == owner))
        self._rooted.database.clean()

    def sign(self, owner: str, secret: bytes, digest: bytes) -> bytes:
        """Return ``r ‖ s ‖ v`` with v in {27, 28}. Raises ``KeyUnknown``, ``KeyLocked``, ``CiphertextInvalid``."""
        private_key, _, _ = self._open(owner, secret)
        signature = sign_digest(private_key, digest)
        return signature[:64] + bytes([27 + signature[64]])

    def _open(self, owner: str, secret: bytes) -> tuple[bytes, str, str]:
        found = self._rooted.one(_FIND, {"of_owner": owner, "located_by": self._locator(owner, secret)})
        if found is None:
            raise _unknown(owner)
        row, root = found
        if row.wrapped is None:
            raise KeyLocked("The secret does not open the key.", owner=owner)
        bound_to = secret_binding(owner, row.address, row.secret_id)
        inner = root.unwrap(row.wrapped, bound_to, owner=owner)
        private_key = unwrap(_secret_key(secret, row.salt), inner, bound_to, owner=owner)
        return private_key, row.address, row.secret_id

    def _secret_id_of(self, owner: str, secret: bytes) -> str | None:
        try:
            return self._open(owner, secret)[2]
        except KeyLocked:
            return None

    def _insert(
        self,
        connection: Connection,
        root: RootKey,
        owner: str,
        address: str,
        private_key: bytes,
        secret: bytes,
        secret_id: str,
    ) -> None:
        salt = secrets.token_bytes(SALT_BYTES)
        bound_to = secret_binding(owner, address, secret_id)
        inner = wrap(_secret_key(secret, salt), private_key, bound_to)
        row = {"owner": owner, "secret_id": secret_id, "locator": self._locator(owner, secret), "salt": salt}
        connection.execute(insert(signing_key_secrets).values(**row, wrapped=root.wrap(inner, bound_to)))

    def _locator(self, owner: str, secret: bytes) -> bytes:
        # Finds the row without trying them all. It needs the master, so a stolen database cannot test guesses.
        return derive(self._locator_key + secret, owner.encode(), "secret-locator/v1")


def _secret_key(secret: bytes, salt: bytes) -> bytes:
    return derive(secret, salt, "secret-key/v1")


def _require_entropy(secret: bytes) -> None:
    if len(secret) < MIN_SECRET_BYTES:
        raise ValueError(f"A secret that opens a key has at least {MIN_SECRET_BYTES} random bytes.")


def _unknown(owner: str) -> KeyUnknown:
    return KeyUnknown("The vault holds no signing key of this owner.", owner=owner)
