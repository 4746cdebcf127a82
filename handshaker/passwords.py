"""Passwords: which are taken (NIST SP 800-63B, 5.1.1.2), how they are checked, and what they open.

A password is hashed twice with argon2id (RFC 9106) under two salts: once for the verifier that the store keeps, and
once for the secret that opens the vault's key, which nobody keeps.
"""

from __future__ import annotations

import re
import secrets
import threading
import unicodedata
from dataclasses import dataclass

from argon2 import PasswordHasher, extract_parameters
from argon2.exceptions import InvalidHashError, VerificationError
from argon2.low_level import ARGON2_VERSION, hash_secret_raw

from handshaker.errors import PasswordRefused, UsernameRefused

SHORTEST, LONGEST = 12, 200
"""Characters of a password."""
LONGEST_TRIED = 1_000
"""Characters beyond which nothing is even hashed."""
AT_ONCE = 4
"""Passwords that are hashed at the same time; the others wait. Each takes 64 MiB, whoever sent it."""

_USERNAME = re.compile(r"[a-z0-9][a-z0-9._-]{1,63}")
_OBVIOUS = re.compile(
    r"block|chain|hand|shake(?:r|n)?|ethereum|ganache|hospital|clinic(?:al)?|medical|health|record|patient|doctor|nurse"
    r"|pathologist|administrat(?:or|ion)|admin|consent|lakeside|northgate|laboratory|password|passwort|passphrase"
    r"|pass|word|secret|welcome|login|change|letmein|please|qwert[yz]|asdf|iloveyou|[\W\d_]+"
)
"""The words of this system and of everybody, and what people put between and after them."""
_DIFFERENT = 4
"""How many different characters must be left of a password when those are taken out."""


@dataclass(frozen=True, slots=True)
class Hashed:
    """What the store keeps of a password."""

    verifier: str
    """In PHC string format, parameters included."""
    key_salt: bytes


class Passwords:
    """Checks and derives, all with the same cost."""

    def __init__(self, hasher: PasswordHasher | None = None) -> None:
        self._hasher = hasher or PasswordHasher()
        self._places = threading.BoundedSemaphore(AT_ONCE)

    def hash(self, password: str) -> Hashed:
        """Return what to keep of a new password."""
        with self._places:
            return Hashed(self._hasher.hash(_bytes(password)), secrets.token_bytes(16))

    def is_right(self, password: str, kept: Hashed) -> bool:
        """Whether ``password`` is the one that ``kept`` is of."""
        try:
            with self._places:
                return self._hasher.verify(kept.verifier, _bytes(password))
        except (VerificationError, InvalidHashError):
            return False

    def is_dated(self, kept: Hashed) -> bool:
        """Whether the cost has been raised since."""
        return self._hasher.check_needs_rehash(kept.verifier)

    def secret(self, password: str, kept: Hashed) -> bytes:
        """Return the 32 bytes that ``password`` opens the key with; the cost is that of the verifier."""
        cost = extract_parameters(kept.verifier)
        with self._places:
            return hash_secret_raw(
                _bytes(password),
                kept.key_salt,
                cost.time_cost,
                cost.memory_cost,
                cost.parallelism,
                32,
                cost.type,
                ARGON2_VERSION,
            )


def usable_username(text: str) -> str:
    """Return ``text`` as usernames are kept, so that nobody is called almost like somebody else.

    Raises ``UsernameRefused`` unless it is 2 to 64 letters a to z, digits, dots, hyphens and underscores.
    """
    username = normal_username(text)
    if not username:
        raise UsernameRefused("A username has 2 to 64 letters a to z, digits, dots, hyphens and underscores.")
    return username


def normal_username(text: str) -> str:
    """Return ``text`` in the form in which usernames are compared (NFKC, case folded); nothing if it can be none."""
    username = unicodedata.normalize("NFKC", text[:LONGEST_TRIED]).casefold().strip()
    return username if _USERNAME.fullmatch(username) else ""


def require_strong(password: str, username: str) -> None:
    """Raise ``PasswordRefused`` for a password that is short, long, obvious, or says the username."""
    folded = _folded(password)
    if len(folded) < SHORTEST:
        raise PasswordRefused(f"The password is shorter than {SHORTEST} characters.", problem="too-short")
    if len(folded) > LONGEST:
        raise PasswordRefused(f"The password is longer than {LONGEST} characters.", problem="too-long")
    spoken = folded.casefold()
    if username and username in spoken:
        raise PasswordRefused("The password contains the username.", problem="username")
    if len(set(_OBVIOUS.sub("", spoken))) < _DIFFERENT:
        raise PasswordRefused("The password is made of words and numbers that are tried first.", problem="obvious")


def _folded(password: str) -> str:
    """Return a password the same however the keyboard composed it."""
    return unicodedata.normalize("NFKC", password[:LONGEST_TRIED])


def _bytes(password: str) -> bytes:
    return _folded(password).encode("utf-8", "surrogatepass")
