"""Asking patients for consent."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from handshaker.ports import Clock
from handshaker.records.gateway import Gateway
from handshaker.store.sql_store import SqlStore
from handshaker.tokens import Credential
from handshaker.vocabulary import Purpose


@dataclass(frozen=True, slots=True)
class ConsentRequest:
    """What an organisation would like a patient to allow."""

    request_id: str
    patient_id: str
    grantee: str
    """``organisation/<number>``, or ``practitioner/<id>`` for somebody without one."""
    grantee_name: str
    purpose: Purpose
    read: tuple[str, ...]
    """Codes of categories."""
    write: tuple[str, ...]
    requested_by: str
    requester_name: str
    requested_at: datetime
    state: str
    """``waiting``, or ``granted`` when the chain now permits the one who looks all that was asked for."""


class ConsentRequests:
    """The requests of staff, and what became of them."""

    def __init__(self, store: SqlStore, gateway: Gateway, clock: Clock) -> None:
        self._store = store
        self._gateway = gateway
        self._clock = clock

    def ask(
        self,
        credential: Credential,
        patient_id: str,
        read: Iterable[str],
        write: Iterable[str],
        purpose: Purpose = Purpose.TREAT,
    ) -> ConsentRequest:
        """Ask a patient, in the name of the asker's organisation; the same wish is kept once, with its last time.

        ``read`` and ``write`` are codes of categories, at least one in all. Raises ``ActorInactive``,
        ``RoleNotAllowed``, ``NotFound`` and ``SchemaViolated``.
        """
        raise NotImplementedError

    def of(self, credential: Credential) -> list[ConsentRequest]:
        """Return the requests of somebody and of their organisation, newest first."""
        raise NotImplementedError

    def waiting_for(self, patient_id: str) -> list[ConsentRequest]:
        """Return what a patient was asked for and has not granted, newest first."""
        raise NotImplementedError
