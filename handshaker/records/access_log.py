"""The access log: nothing of a patient is shown to anybody before it is an entry of the audit log.

Whoever opens a body or an identity for a person does it within a `Look`, which becomes one entry when it ends, or asks
`AccessLog.consented` first, which decides and writes in one. Where neither can be written, nothing is shown.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import replace

from handshaker.messages import Access, Actor
from handshaker.ports import Clock
from handshaker.records.gateway import Permission
from handshaker.store.sql_store import SqlStore
from handshaker.tokens import Credential
from handshaker.vocabulary import CATEGORY_BY_CODE, AccessReason, ActorKind, Category, Purpose

DEMOGRAPHICS = CATEGORY_BY_CODE["demographics"]
_TRIES = 5
"""How often an access is decided anew when the patient speaks of consent meanwhile."""


class Look:
    """One view of a person's: what was opened for it becomes one entry. Belongs to one request."""

    def __init__(self, log: AccessLog, actor: Actor, view: str) -> None:
        self._log = log
        self._actor = actor
        self._view = view
        self._patients: set[str] = set()
        self._categories = 0
        self._is_own = False
        self._searched = False

    def identity(self, *patient_ids: str) -> None:
        """Note that these patients are shown by name."""
        if patient_ids:
            self._patients.update(patient_ids)
            self._categories |= DEMOGRAPHICS.mask

    def own(self, patient_id: str | None, category: str) -> None:
        """Note that authors are shown what they sent themselves; ``category`` is its code, or empty."""
        self._is_own = True
        if patient_id is not None:
            self._patients.add(patient_id)
        if category:
            self._categories |= CATEGORY_BY_CODE[category].mask

    def search(self, patient_ids: Iterable[str]) -> None:
        """Note a search and whom it found; one that found nobody is an entry too."""
        self._searched = True
        self.identity(*patient_ids)
        self._categories |= DEMOGRAPHICS.mask

    def write(self) -> None:
        """Write the entry, unless nothing was opened. Raises ``StoreUnavailable`` and ``LogHeld``."""
        if not (self._patients or self._is_own or self._searched):
            return
        is_one = len(self._patients) == 1 and not self._searched
        reason = AccessReason.OWN_SUBMISSION if self._is_own else AccessReason.IDENTIFICATION
        access = _access(self._actor, self._view, next(iter(self._patients)) if is_one else None, reason)
        self._log.add(replace(access, asked=self._categories, granted=self._categories, patients=len(self._patients)))


class AccessLog:
    """Writes accesses, granted and denied."""

    def __init__(self, store: SqlStore, clock: Clock) -> None:
        self._store = store
        self._clock = clock

    def look(self, credential: Credential, view: str) -> Look:
        """Return a look that whoever shows it writes; `looking` does that by itself."""
        return Look(self, credential.actor, view)

    @contextmanager
    def looking(self, credential: Credential, view: str, within: Look | None = None) -> Iterator[Look]:
        """Look at something, as a part of the look ``within`` or as one that is written at the end of the block.

        Raises ``StoreUnavailable`` and ``LogHeld`` there: then nothing of it may be shown.
        """
        look = within or self.look(credential, view)
        yield look
        if within is None:
            look.write()

    def consented(
        self,
        credential: Credential,
        patient_id: str,
        view: str,
        categories: Iterable[Category],
        decide: Callable[[], Permission],
    ) -> Permission:
        """Let ``decide`` say what may be read, and write that down before it is.

        What the patient says of consent between the decision and the writing counts: then it is decided again, in the
        end against the reader. Raises ``StoreUnavailable`` and ``LogHeld``.
        """
        access = _access(credential.actor, view, patient_id, AccessReason.DENIED)
        access = replace(access, asked=DEMOGRAPHICS.mask | _mask(categories))
        for _ in range(_TRIES):
            standing = self._store.accesses.standing(patient_id)
            permission = decide()
            decided = replace(
                access,
                granted=DEMOGRAPHICS.mask | _mask(CATEGORY_BY_CODE[code] for code in permission.allowed),
                reason=_reason(permission),
            )
            if self._store.accesses.add(decided, self._clock.now(), standing) is not None:
                return permission
        self.add(access)
        return Permission(frozenset(), True)

    def add(self, access: Access) -> None:
        """Write an access. Raises ``StoreUnavailable`` and ``LogHeld``."""
        self._store.accesses.add(access, self._clock.now())


def _access(actor: Actor, view: str, patient_id: str | None, reason: AccessReason) -> Access:
    """Return an access to nothing but who a patient is."""
    return Access(
        actor_id=actor.actor_id,
        role=actor.role,
        organisation_id=actor.organisation_id,
        patient_id=patient_id,
        view=view,
        purpose=_PURPOSES[actor.kind].name,
        asked=DEMOGRAPHICS.mask,
        granted=DEMOGRAPHICS.mask,
        reason=reason,
    )


_PURPOSES = {
    ActorKind.PRACTITIONER: Purpose.TREAT,
    ActorKind.PATIENT: Purpose.PATRQT,
    ActorKind.ADMINISTRATOR: Purpose.HOPERAT,
}


def _reason(permission: Permission) -> AccessReason:
    if not permission.reachable:
        return AccessReason.CHAIN_UNREACHABLE
    return AccessReason.CONSENT if permission.allowed else AccessReason.DENIED


def _mask(categories: Iterable[Category]) -> int:
    mask = 0
    for category in categories:
        mask |= category.mask
    return mask
