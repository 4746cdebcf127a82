"""Relayer keys: they pay for gas and author nothing, so a running worker opens them without a person."""

from __future__ import annotations

from typing import Final

from eth_utils.address import to_checksum_address
from sqlalchemy import bindparam, insert, select
from sqlalchemy.exc import IntegrityError

from handshaker.errors import KeyAlreadyExists, KeyUnknown
from handshaker.vault.rooted import RootedDatabase, relayer_binding
from handshaker.vault.schema import ROOT_ID, relayers
from handshaker.vault.secp256k1 import address_of, is_private_key, new_private_key, sign_digest

_FIND: Final = select(relayers, ROOT_ID).where(relayers.c.address == bindparam("of_address"))
_ADDRESS: Final = select(relayers.c.address).where(relayers.c.name == bindparam("of_name"))


class RelayerKeys:
    """Makes, takes in and uses relayer keys, by name."""

    def __init__(self, rooted: RootedDatabase) -> None:
        self._rooted = rooted

    def create(self, name: str) -> str:
        """Return the address of the relayer of that name; the first time its key is made."""
        known = self.address(name)
        if known is not None:
            return known
        try:
            return self._keep(name, new_private_key())
        except KeyAlreadyExists:
            address = self.address(name)  # another process made it at the same moment
            if address is None:
                raise
            return address

    def take(self, name: str, private_key: bytes) -> str:
        """Return the address of ``private_key``, kept under ``name``. Raises ``KeyAlreadyExists``, ``ValueError``."""
        if not is_private_key(private_key):
            raise ValueError("A private key has 32 bytes, is not zero and is below the order of secp256k1.")
        if self.address(name) == address_of(private_key):
            return address_of(private_key)
        return self._keep(name, private_key)

    def address(self, name: str) -> str | None:
        """Return the relayer's address, or none."""
        with self._rooted.database.reading() as connection:
            return connection.execute(_ADDRESS, {"of_name": name}).scalar_one_or_none()

    def all(self) -> dict[str, str]:
        """Return every relayer's address by name, in order."""
        with self._rooted.database.reading() as connection:
            rows = connection.execute(select(relayers.c.name, relayers.c.address).order_by(relayers.c.name))
            return {row.name: row.address for row in rows}

    def sign(self, address: str, digest: bytes) -> bytes:
        """Return ``r ‖ s ‖ recovery id`` in {0, 1}. Raises ``KeyUnknown``, ``CiphertextInvalid``."""
        found = self._rooted.one(_FIND, {"of_address": to_checksum_address(address)})
        if found is None:
            raise KeyUnknown("The vault holds no relayer key of this address.", owner=address)
        row, root = found
        private_key = root.unwrap(row.wrapped, relayer_binding(row.name, row.address), owner=row.name)
        return sign_digest(private_key, digest)

    def _keep(self, name: str, private_key: bytes) -> str:
        address = address_of(private_key)
        try:
            with self._rooted.writing() as (connection, root):
                wrapped = root.wrap(private_key, relayer_binding(name, address))
                connection.execute(insert(relayers).values(name=name, address=address, wrapped=wrapped))
        except IntegrityError:
            problem = "A relayer of this name, or another one with this key, is there already."
            raise KeyAlreadyExists(problem, owner=name) from None
        return address
