"""The gateway answers whether this person may read or write these categories of that patient now.

The rule is the contract's, asked at the later of clock and head, for an idle chain's time stands still; and whatever
the patient has taken back in our queue counts as taken back before the chain says so. Nothing is remembered between
questions, and where the chain cannot be asked the answer is no.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

from handshaker.errors import ChainError
from handshaker.ethereum.statements import statement_type
from handshaker.messages import Actor
from handshaker.ports import Chain, Clock
from handshaker.store.sql_store import SqlStore
from handshaker.vocabulary import (
    CATEGORY_BITS,
    Action,
    ActorKind,
    Category,
    EmergencyLevel,
    Purpose,
    organisation_grantee,
    practitioner_grantee,
)

_EVERYTHING = (1 << CATEGORY_BITS) - 1


@dataclass(frozen=True, slots=True)
class Permission:
    """What the chain allows at this moment."""

    allowed: frozenset[str]
    """Codes of the categories that are allowed."""
    reachable: bool
    """Whether the chain could be asked; if not, nothing is allowed."""

    def allows(self, *codes: str) -> bool:
        """Tell whether all these categories are allowed."""
        return self.allowed.issuperset(codes)


class Gateway:
    """The contract's rule, and no pending revocation."""

    def __init__(self, store: SqlStore, chain: Callable[[], Chain], clock: Clock) -> None:
        self._store = store
        self._chain = chain
        self._clock = clock

    def permitted(
        self,
        patient_id: str,
        actor: Actor,
        action: Action,
        categories: Iterable[Category],
        purpose: Purpose = Purpose.TREAT,
    ) -> Permission:
        """Return which of ``categories`` the actor may read or write now; never raises for the chain."""
        return self.inquiry().permitted(patient_id, actor, action, categories, purpose)

    def inquiry(self) -> Inquiry:
        """Return something to ask many questions in a row with, each only once; for one request, not for longer."""
        return Inquiry(self._store, self._chain(), self._clock)


class Inquiry:
    """Questions that belong together. Once the chain did not answer, all that follow are answered with no."""

    def __init__(self, store: SqlStore, chain: Chain, clock: Clock) -> None:
        self._store = store
        self._chain = chain
        self._clock = clock
        self._moment: int | None = None
        self._answers: dict[tuple[Any, ...], bool] = {}
        self._closed: dict[tuple[Any, ...], int] = {}
        self.reachable = True

    def permitted(
        self,
        patient_id: str,
        actor: Actor,
        action: Action,
        categories: Iterable[Category],
        purpose: Purpose = Purpose.TREAT,
    ) -> Permission:
        """Answer as `Gateway.permitted` does."""
        allowed = frozenset(
            category.code for category in categories if self._permits(patient_id, actor, action, category, purpose)
        )
        return Permission(allowed if self.reachable else frozenset(), self.reachable)

    def permits_all(
        self, patient_id: str, actor: Actor, action: Action, categories: Iterable[Category], purpose: Purpose
    ) -> bool:
        """Tell whether all are allowed; asks no further than the first that is not."""
        return all(self._permits(patient_id, actor, action, category, purpose) for category in categories)

    def _permits(self, patient_id: str, actor: Actor, action: Action, category: Category, purpose: Purpose) -> bool:
        if not self._is_in_service(actor) or not self.reachable:
            return False
        key = (patient_id, actor.actor_id, action, category.bit, purpose)
        if key not in self._answers:
            try:
                self._answers[key] = self._ask(patient_id, actor, action, category, purpose)
            except ChainError:
                self.reachable = False
                return False
        return self._answers[key]

    def _is_in_service(self, actor: Actor) -> bool:
        """Whether our own copy of the directory lets a practitioner act: it knows of an ending before the chain."""
        if actor.kind is not ActorKind.PRACTITIONER or not actor.active:
            return False
        return actor.licence_until is None or actor.licence_until >= self._clock.now()

    def _ask(self, patient_id: str, actor: Actor, action: Action, category: Category, purpose: Purpose) -> bool:
        if self._moment is None:
            self._moment = max(int(self._clock.now().timestamp()), self._chain.head().timestamp)
        # The queue before the chain: a revocation leaves the queue only after the chain knows it.
        if self._closed_by_queue(patient_id, actor, action, purpose) & category.mask:
            return False
        patient, requester = bytes.fromhex(patient_id[2:]), bytes.fromhex(actor.actor_id[2:])
        (is_permitted,) = self._chain.view(
            "ConsentRegistry", "isPermitted", patient, requester, int(action), category.bit, int(purpose), self._moment
        )
        return bool(is_permitted)

    # ---- what the patient has taken back, and the chain does not know yet --------------------------------------------

    def _closed_by_queue(self, patient_id: str, actor: Actor, action: Action, purpose: Purpose) -> int:
        """Return the mask of what statements without ACK take from the actor.

        A permit of another slot is not weighed against it: for the moments until the ACK too little is shown rather
        than too much.
        """
        key = (patient_id, actor.actor_id, action, purpose)
        if key not in self._closed:
            closed = 0
            for function, words in self._store.intake.open_words(patient_id, "ConsentRegistry"):
                fields = statement_type("ConsentRegistry", function).values(words)
                closed |= self._taken(function, fields, actor, action, purpose)
            self._closed[key] = closed
        return self._closed[key]

    def _taken(self, function: str, fields: dict[str, Any], actor: Actor, action: Action, purpose: Purpose) -> int:
        if function == "revokeAll":
            return _EVERYTHING
        if function == "setEmergencyPreference":
            return self._taken_by_preference(fields, actor) if purpose is Purpose.ETREAT else 0
        if function == "endDelegation":
            slots = [self._delegated(fields["patientId"], grantee, action, purpose) for grantee in _grantees(actor)]
            return _union(mask for delegate, mask in slots if delegate == str(fields["delegate"]).lower())
        if fields.get("grantee") not in set(_grantees(actor)) or fields.get("purpose") != int(purpose):
            return 0
        if function == "revoke":
            return int(fields["denyMask"]) | self._held(fields, action)
        if function == "grant":
            # A grant sets the whole slot: what it no longer names is taken back too.
            kept = int(fields["writeMask" if action is Action.WRITE else "readMask"])
            return int(fields["denyMask"]) | (self._held(fields, action) & ~kept)
        return 0

    def _held(self, fields: dict[str, Any], action: Action) -> int:
        """Return what the slot of a statement permits now, by the patient's own word or a delegate's."""
        patient, grantee, purpose = fields["patientId"], fields["grantee"], fields["purpose"]
        own = self._chain.view("ConsentRegistry", "consent", patient, grantee, purpose)[0]
        return int(own[action]) | self._delegated(patient, grantee, action, Purpose(purpose))[1]

    def _delegated(self, patient: bytes, grantee: bytes, action: Action, purpose: Purpose) -> tuple[str, int]:
        slot = self._chain.view("ConsentRegistry", "delegatedConsent", patient, grantee, int(purpose))[0]
        return str(slot[6]).lower(), int(slot[action])

    def _taken_by_preference(self, fields: dict[str, Any], actor: Actor) -> int:
        if fields["level"] == EmergencyLevel.ALLOWED:
            return 0
        if fields["level"] == EmergencyLevel.LIFE_THREATENING_ONLY:
            requester = bytes.fromhex(actor.actor_id[2:])
            opened = self._chain.view("ConsentRegistry", "emergency", fields["patientId"], requester)[0]
            return 0 if opened[3] else _EVERYTHING
        return _EVERYTHING


def _grantees(actor: Actor) -> tuple[bytes, ...]:
    """Return whom a patient would name to mean the actor."""
    person = practitioner_grantee(bytes.fromhex(actor.actor_id[2:]))
    return (person,) if actor.organisation_id is None else (person, organisation_grantee(actor.organisation_id))


def _union(masks: Iterable[int]) -> int:
    """Return the union of masks."""
    union = 0
    for mask in masks:
        union |= mask
    return union
