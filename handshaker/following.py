"""Following: what an application reads of its transactions and of the log of acknowledgements.

Everybody sees what they handed in themselves; administrators and auditors in good standing see what everybody did,
never a payload. What is somebody else's and what does not exist are answered alike.
"""

from __future__ import annotations

from handshaker.errors import ActorInactive, NotFound
from handshaker.explorer import Explorer, Page, Row, Status
from handshaker.messages import Acknowledgement, Actor, Event
from handshaker.ports import Clock
from handshaker.store.sql_store import SqlStore
from handshaker.tokens import Credential
from handshaker.vocabulary import ActorKind, Role


class Following:
    """Reads for one who asks; changes nothing."""

    def __init__(self, store: SqlStore, explorer: Explorer, clock: Clock) -> None:
        self._store = store
        self._explorer = explorer
        self._clock = clock

    def check_standing(self, credential: Credential) -> None:
        """Let pass whoever is active and has a licence that has not run out; raises ``ActorInactive``."""
        actor = credential.actor
        if not self._is_in_good_standing(actor):
            raise ActorInactive(
                "You may not act: ended, not registered yet, or the licence has run out.",
                actor_id=actor.actor_id,
                licence_until=actor.licence_until.isoformat() if actor.licence_until else None,
            )

    def sees_everybody(self, credential: Credential) -> bool:
        """Whether somebody sees more than their own: an administrator or an auditor who is in good standing."""
        actor = credential.actor
        is_overseer = actor.kind is ActorKind.ADMINISTRATOR or actor.role == Role.AUDITOR.code
        return is_overseer and self._is_in_good_standing(actor)

    def transactions(
        self,
        credential: Credential,
        *,
        status: str | None = None,
        template: str | None = None,
        patient_id: str | None = None,
        before: str | None = None,
        limit: int = 100,
    ) -> Page:
        """Return TIs, newest first; raises ``CursorInvalid``."""
        return self._explorer.search(
            status=status,
            template=template,
            patient_id=patient_id,
            actor_id=self._own(credential),
            before=before,
            limit=limit,
        )

    def transaction(self, credential: Credential, ti_id: str) -> Row:
        """Return a TI by its whole id; raises ``NotFound``."""
        row = self._store.explorer.row(ti_id)
        if row is None or row.ti_id != ti_id or not self._may_see(credential, row.actor_id):
            raise _unknown("transaction", ti_id)
        return row

    def status(self, credential: Credential, ti_id: str) -> Status:
        """Return how far a TI is; raises ``NotFound``."""
        self.transaction(credential, ti_id)
        return self._explorer.status(ti_id)

    def events(self, credential: Credential, ti_id: str) -> list[Event]:
        """Return the history of a TI, oldest first: it only ever grows. Raises ``NotFound``."""
        self.transaction(credential, ti_id)
        return self._store.audit.events(ti_id)

    def acknowledgement(self, credential: Credential, ti_id: str) -> Acknowledgement:
        """Return the ACK of a TI; raises ``NotFound``, also while there is none."""
        found = self._store.audit.acknowledgement(ti_id)
        if found is None or not self._may_see(credential, found.actor_id):
            raise _unknown("acknowledgement", ti_id)
        return found

    def acknowledgements(
        self,
        credential: Credential,
        after: int = -1,
        limit: int = 100,
        *,
        verdict: str | None = None,
        code: str | None = None,
        template: str | None = None,
        patient_id: str | None = None,
        actor_id: str | None = None,
    ) -> list[Acknowledgement]:
        """Return ACKs in the order of the log, from the first one after position ``after``."""
        own = self._own(credential)
        if own is not None and actor_id not in (None, own):
            return []
        return self._store.audit.acknowledgements(
            after,
            limit,
            verdict=verdict,
            code=code,
            template=template,
            patient_id=patient_id,
            actor_id=own or actor_id,
        )

    def newest_position(self) -> int:
        """Return the position of the last ACK in the log, -1 while there is none."""
        newest = self._store.audit.latest(1)
        position = newest[0].position if newest else None
        return -1 if position is None else position

    def counts(self) -> dict[tuple[str, str], int]:
        """Return how many ACKs there are by ``(verdict, code)``."""
        return self._store.audit.counts()

    def _is_in_good_standing(self, actor: Actor) -> bool:
        return actor.active and (actor.licence_until is None or actor.licence_until >= self._clock.now())

    def _own(self, credential: Credential) -> str | None:
        return None if self.sees_everybody(credential) else credential.actor.actor_id

    def _may_see(self, credential: Credential, actor_id: str) -> bool:
        return actor_id == credential.actor.actor_id or self.sees_everybody(credential)


def _unknown(what: str, ti_id: str) -> NotFound:
    return NotFound(f"There is no such {what}, or it is not yours.", what=what, id=ti_id[:60])
