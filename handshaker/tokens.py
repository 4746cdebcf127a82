"""Bearer tokens: 256 random bits that prove who asks and open the asker's own vault-kept key.

A token reads ``hsk_<id>_<secret>``. The store keeps the hash of the secret, the vault a wrap of the signing key that
only the secret opens, nobody keeps the secret.
"""

from __future__ import annotations

import secrets
from dataclasses import dataclass, field
from datetime import timedelta

from handshaker.bearer import SECRET_BYTES, hashed, is_secret, parsed, spelled
from handshaker.errors import NotAuthenticated
from handshaker.messages import Act, Actor, Token
from handshaker.ports import Clock, Vault
from handshaker.store.people import PeopleStore
from handshaker.vocabulary import ActCode, ActorKind

LIFETIME = timedelta(days=90)
LONGEST_LIFETIME = timedelta(days=366)
INVITATION_LIFETIME = timedelta(days=7)
INVITATION = ("enroll",)
"""The scopes of an invitation: a token that only serves to choose a password, once."""
_LABEL_LENGTH = 80
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

    def enroll(
        self, actor_id: str, scopes: tuple[str, ...] = ("submit", "read"), *, by: str = "system"
    ) -> tuple[str, str]:
        """Make a vault-kept key for ``actor_id`` with its first token; return ``(address, token)``.

        ``by`` is whoever enrolls them, for the audit log.
        """
        token_id, secret = secrets.token_hex(8), secrets.token_bytes(SECRET_BYTES)
        address = self._vault.create_signing_key(actor_id, secret, token_id)
        is_invitation = scopes == INVITATION
        lifetime = INVITATION_LIFETIME if is_invitation else LIFETIME
        label = "invitation" if is_invitation else "first token"
        self._keep(token_id, actor_id, secret, scopes, label, lifetime, by)
        return address, spelled(_PREFIX, token_id, secret)

    def issue(
        self, holder: Credential, scopes: tuple[str, ...], *, label: str = "", lifetime: timedelta = LIFETIME
    ) -> str:
        """Make another token for the holder of a valid one or of a live session, with no more scopes than that has.

        ``lifetime`` is at most a year (``ValueError``). Raises ``NotAuthenticated`` for an invitation, which opens
        nothing, for a session that is locked, and for somebody who was ended meanwhile.
        """
        kept = tuple(scope for scope in scopes if scope in holder.scopes and scope not in INVITATION)
        if not kept or set(holder.scopes) & set(INVITATION):
            raise _refusal()
        return self._issue(holder, kept, label, lifetime)

    def invite(self, holder: Credential) -> str:
        """Make an invitation for the holder of a token that may do all that they may; return its text.

        With it they choose a username and a password in the web application, also new ones in place of others. Earlier
        invitations end. Raises ``NotAuthenticated`` for any other credential, and for patients.
        """
        is_whole = set(complete_scopes(holder.actor)) <= set(holder.scopes)
        if not is_whole or holder.token_id.startswith("session/") or holder.actor.kind is ActorKind.PATIENT:
            raise _refusal()
        for earlier in self.of(holder.actor.actor_id):
            if earlier.scopes == INVITATION:
                self.revoke(holder.actor.actor_id, earlier.token_id)
        return self._issue(holder, INVITATION, "invitation", INVITATION_LIFETIME)

    def of(self, actor_id: str) -> list[Token]:
        """Return the tokens of ``actor_id`` that are neither revoked nor expired, newest first."""
        return self._people.tokens(actor_id, self._clock.now())

    def revoke(self, actor_id: str, token_id: str) -> None:
        """End a token of ``actor_id`` at their own word: it proves and opens nothing from now on. Safe to repeat."""
        act = Act(ActCode.TOKEN_REVOKED, actor_id, actor_id, {"token": token_id})
        self._people.revoke_token(actor_id, token_id, self._clock.now(), act)
        self._vault.remove_secret(actor_id, token_id)

    def revoke_all(self, actor_id: str) -> None:
        """End every token of ``actor_id``."""
        for token in self.of(actor_id):
            self.revoke(actor_id, token.token_id)

    def authenticate(self, text: str) -> Credential:
        """Return whose token this is; raises ``NotAuthenticated``, in the same words whatever is wrong.

        An invitation is no token here.
        """
        credential = self._authenticated(text)
        if set(credential.scopes) & set(INVITATION):
            raise _refusal()
        return credential

    def invitation(self, text: str) -> Credential:
        """Return who is invited by this; raises ``NotAuthenticated``, also for what is a token of another kind."""
        credential = self._authenticated(text)
        if credential.scopes != INVITATION:
            raise _refusal()
        return credential

    def _authenticated(self, text: str) -> Credential:
        parts = parsed(_PREFIX, text)
        token = self._people.token(parts[0]) if parts else None
        if parts is None or not is_secret(parts[1], token.secret_hash if token else None) or token is None:
            raise _refusal()
        if token.revoked_at is not None or token.expires_at <= self._clock.now():
            raise _refusal()
        actor = self._people.actor(token.actor_id)
        if actor is None:
            raise _refusal()
        return Credential(actor, token.token_id, token.scopes, parts[1])

    def _issue(self, holder: Credential, scopes: tuple[str, ...], label: str, lifetime: timedelta) -> str:
        if not timedelta() < lifetime <= LONGEST_LIFETIME:
            raise ValueError("A token lives for a year at most.")
        actor_id = holder.actor.actor_id
        token_id, secret = secrets.token_hex(8), secrets.token_bytes(SECRET_BYTES)
        if holder.actor.custodial:
            self._vault.add_secret(actor_id, holder.secret, secret, token_id)
        try:
            if not self._keep(token_id, actor_id, secret, scopes, label, lifetime, actor_id, to_active=True):
                raise _refusal()
        except BaseException:
            self._vault.remove_secret(actor_id, token_id)
            raise
        return spelled(_PREFIX, token_id, secret)

    def _keep(
        self,
        token_id: str,
        actor_id: str,
        secret: bytes,
        scopes: tuple[str, ...],
        label: str,
        lifetime: timedelta,
        by: str,
        *,
        to_active: bool = False,
    ) -> bool:
        now = self._clock.now()
        code = ActCode.INVITATION_MADE if scopes == INVITATION else ActCode.TOKEN_MADE
        act = Act(code, by, actor_id, {"token": token_id, "scopes": list(scopes), "days": lifetime.days})
        token = Token(
            token_id, actor_id, hashed(secret), scopes, now, now + lifetime, label=label.strip()[:_LABEL_LENGTH]
        )
        return self._people.put_token(token, act=act, to_active=to_active)


def complete_scopes(actor: Actor) -> tuple[str, ...]:
    """Return all that ``actor`` may be allowed."""
    own = ("submit", "read")
    return (*own, "administer") if actor.kind is ActorKind.ADMINISTRATOR else own


def _refusal() -> NotAuthenticated:
    return NotAuthenticated("There is no valid token.")
