"""Bearer tokens: 256 random bits that prove who asks and open the asker's own vault-kept key.

A token reads ``hsk_<id>_<secret>``. The store keeps the hash of the secret, the vault a wrap of the signing key that
only the secret opens, nobody keeps the secret.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import secrets
from dataclasses import dataclass, field
from datetime import timedelta

from handshaker.errors import NotAuthenticated
from handshaker.messages import Actor, Token
from handshaker.ports import Clock, Vault
from handshaker.store.people import PeopleStore

LIFETIME = timedelta(days=90)
_PREFIX = "hsk"


@dataclass(frozen=True, slots=True)
class Credential:
    """Somebody who proved who they are."""

    actor: Actor
    token_id: str
    scopes: tuple[str, ...]
    secret: bytes = field(repr=False)
    """Opens the actor's vault-kept key; never written anywhere."""


class Tokens:
    """Issues, checks and ends tokens."""

    def __init__(self, people: PeopleStore, vault: Vault, clock: Clock) -> None:
        self._people = people
        self._vault = vault
        self._clock = clock

    def enroll(self, actor_id: str, scopes: tuple[str, ...] = ("submit", "read")) -> tuple[str, str]:
        """Make a vault-kept key for ``actor_id`` with its first token; return ``(address, token)``."""
        token_id, secret = secrets.token_hex(8), secrets.token_bytes(32)
        address = self._vault.create_signing_key(actor_id, secret, token_id)
        self._keep(token_id, actor_id, secret, scopes)
        return address, _text(token_id, secret)

    def issue(self, holder: Credential, scopes: tuple[str, ...]) -> str:
        """Make another token for the holder of a valid one, with no more scopes than that has."""
        token_id, secret = secrets.token_hex(8), secrets.token_bytes(32)
        if holder.actor.custodial:
            self._vault.add_secret(holder.actor.actor_id, holder.secret, secret, token_id)
        kept = tuple(scope for scope in scopes if scope in holder.scopes)
        self._keep(token_id, holder.actor.actor_id, secret, kept)
        return _text(token_id, secret)

    def revoke(self, actor_id: str, token_id: str) -> None:
        """End a token: it proves nothing and opens nothing from now on."""
        self._people.revoke_token(token_id, self._clock.now())
        self._vault.remove_secret(actor_id, token_id)

    def authenticate(self, text: str) -> Credential:
        """Return whose token this is; raises ``NotAuthenticated``, in the same words whatever is wrong."""
        refusal = NotAuthenticated("There is no valid token.")
        parts = text.strip().split("_", 2)
        if len(parts) != 3 or parts[0] != _PREFIX:
            raise refusal
        try:
            secret = base64.urlsafe_b64decode(parts[2] + "=" * (-len(parts[2]) % 4))
        except (binascii.Error, ValueError):
            raise refusal from None
        token = self._people.token(parts[1])
        known = token.secret_hash if token else bytes(32)
        if not hmac.compare_digest(hashlib.sha256(secret).digest(), known) or token is None:
            raise refusal
        if token.revoked_at is not None or token.expires_at <= self._clock.now():
            raise refusal
        actor = self._people.actor(token.actor_id)
        if actor is None:
            raise refusal
        return Credential(actor, token.token_id, token.scopes, secret)

    def _keep(self, token_id: str, actor_id: str, secret: bytes, scopes: tuple[str, ...]) -> None:
        now = self._clock.now()
        self._people.put_token(Token(token_id, actor_id, hashlib.sha256(secret).digest(), scopes, now, now + LIFETIME))


def _text(token_id: str, secret: bytes) -> str:
    return f"{_PREFIX}_{token_id}_{base64.urlsafe_b64encode(secret).decode().rstrip('=')}"
