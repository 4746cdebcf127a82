"""Staff: practitioners and administrators as those who look after them see them.

Changes nothing; acts go through the registrar.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from handshaker.errors import NotFound
from handshaker.messages import Actor, Organisation
from handshaker.ports import Clock
from handshaker.store.sql_store import SqlStore
from handshaker.vocabulary import ActorKind

WARNING = timedelta(days=30)
"""How long before its end a licence is worth a word."""


@dataclass(frozen=True, slots=True)
class Member:
    """Somebody on the staff."""

    actor: Actor
    organisation: str
    """Its name, or empty."""
    username: str
    """Empty while they have no login."""
    invited_until: datetime | None
    """Until when their invitation can be used, where one waits."""
    state: str
    """``active``; ``registering`` until their registration is on the chain; ``ended``."""
    licence: str
    """``good``, ``ending`` within 30 days, ``over``, or empty where there is none."""


class Staff:
    """The staff of every organisation here."""

    def __init__(self, store: SqlStore, clock: Clock) -> None:
        self._store = store
        self._clock = clock

    def members(self, text: str = "", role: str = "", organisation: int | None = None, state: str = "") -> list[Member]:
        """Return those who fit all that is given, by name; ``text`` is words of a name or a username."""
        words = text.casefold().split()
        return [
            member
            for member in self._all()
            if all(word in f"{member.actor.name} {member.username}".casefold() for word in words)
            and role in ("", member.actor.role)
            and organisation in (None, member.actor.organisation_id)
            and state in ("", member.state)
        ]

    def member(self, actor_id: str) -> Member:
        """Return one of the staff; raises ``NotFound``."""
        for member in self._all():
            if member.actor.actor_id == actor_id:
                return member
        raise NotFound("Nobody on the staff has that id.", what="member of the staff", id=actor_id[:70])

    def licences_ending(self) -> list[Member]:
        """Return the active ones whose licence ends within 30 days or has ended, the most urgent first."""
        found = [each for each in self._all() if each.state == "active" and each.licence in ("ending", "over")]
        return sorted(found, key=lambda each: each.actor.licence_until or self._clock.now())

    def organisations(self) -> list[Organisation]:
        """Return all organisations by number."""
        return self._store.people.organisations()

    def organisation(self, number: int) -> Organisation:
        """Return one organisation; raises ``NotFound``."""
        for organisation in self.organisations():
            if organisation.organisation_id == number:
                return organisation
        raise NotFound("No organisation has that number.", what="organisation", id=str(number))

    def _all(self) -> list[Member]:
        people, now = self._store.people, self._clock.now()
        names = {each.organisation_id: each.name for each in people.organisations()}
        logins = self._store.logins.usernames()
        invited = {token.actor_id: token.expires_at for token in reversed(people.invitations(now))}
        kinds = (ActorKind.PRACTITIONER, ActorKind.ADMINISTRATOR)
        found = [
            Member(
                actor=actor,
                organisation=names.get(actor.organisation_id or 0, ""),
                username=logins.get(actor.actor_id, ""),
                invited_until=invited.get(actor.actor_id),
                state=_state(actor, is_awaited=actor.actor_id in invited or actor.actor_id in logins),
                licence=_licence(actor, now),
            )
            for kind in kinds
            for actor in people.actors(kind)
        ]
        return sorted(found, key=lambda each: (each.actor.name.casefold(), each.actor.actor_id))


def _state(actor: Actor, *, is_awaited: bool) -> str:
    if actor.active:
        return "active"
    return "registering" if is_awaited or not actor.version else "ended"


def _licence(actor: Actor, now: datetime) -> str:
    if actor.licence_until is None:
        return ""
    if actor.licence_until < now:
        return "over"
    return "ending" if actor.licence_until < now + WARNING else "good"
