"""The gateway answers whether this person may read or write these categories of that patient now."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass

from handshaker.messages import Actor
from handshaker.ports import Chain, Clock
from handshaker.store.sql_store import SqlStore
from handshaker.vocabulary import Action, Category, Purpose


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
        raise NotImplementedError
