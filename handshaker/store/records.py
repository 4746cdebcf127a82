"""What charts, drafts, requests for consent and the search for patients read and write."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql, sqlite

from handshaker.messages import EventKind, Sealed, VerdictKind
from handshaker.store import schema as s
from handshaker.store.database import Database
from handshaker.store.rows import sealed_of

_RECORDED = sa.and_(
    s.effects.c.statement_hash == s.statements.c.statement_hash,
    s.effects.c.contract == "HealthRecords",
    s.effects.c.event == "Recorded",
)
_NOTHING = "0x" + "00" * 32


@dataclass(frozen=True, slots=True)
class NewPatient:
    """A patient as the index of names reads them."""

    patient_id: str
    registered_at: datetime
    demographics: Sealed | None


@dataclass(frozen=True, slots=True)
class RecordRow:
    """A record that is on the chain and acknowledged."""

    ti_id: str
    actor_id: str
    received_at: datetime
    payload: Sealed | None
    record_id: str
    """``0x`` hex of the statement's hash."""
    category: int
    commitment: str
    """``0x`` hex."""
    block_number: int
    transaction_hash: bytes


@dataclass(frozen=True, slots=True)
class OwnRow:
    """An author's record without a valid ACK."""

    ti_id: str
    template: str
    template_version: int
    patient_id: str | None
    received_at: datetime
    payload: Sealed | None
    status: EventKind
    code: str | None
    """Of the invalid ACK, if there is one."""
    arguments: dict[str, Any]
    acknowledged_at: datetime | None


@dataclass(frozen=True, slots=True)
class RequestRow:
    """A request for consent."""

    request_id: str
    patient_id: str
    grantee: str
    purpose: int
    read_mask: int
    write_mask: int
    requested_by: str
    requested_at: datetime


class RecordStore:
    """The reading side of what intake and the indexer wrote."""

    def __init__(self, database: Database) -> None:
        self._database = database

    # ---- patients --------------------------------------------------------------------------------------------------

    def patient_count(self) -> int:
        """Return how many patients there are, erased ones included."""
        with self._database.read() as connection:
            return connection.execute(sa.select(sa.func.count()).select_from(s.patients)).scalar_one()

    def patients(self, since: datetime | None = None, but: Collection[str] = ()) -> list[NewPatient]:
        """Return the patients registered at or after a moment, without those that are known."""
        query = sa.select(s.patients).order_by(s.patients.c.registered_at, s.patients.c.patient_id)
        if since is not None:
            query = query.where(s.patients.c.registered_at >= since)
        with self._database.read() as connection:
            return [
                NewPatient(row["patient_id"], row["registered_at"], sealed_of(row, "demographics"))
                for row in connection.execute(query).mappings()
                if row["patient_id"] not in but
            ]

    def registrations(self, patient_ids: Collection[str]) -> dict[str, bool]:
        """Return for each patient whether they are registered; one who was refused for good is left out."""
        waits = (
            sa.select(s.transactions.c.ti_id)
            .join(s.queue, s.queue.c.ti_id == s.transactions.c.ti_id)
            .where(s.transactions.c.patient_id == s.actors.c.actor_id, s.transactions.c.template == "register-patient")
        )
        query = sa.select(s.actors.c.actor_id, s.actors.c.active).where(
            s.actors.c.actor_id.in_(patient_ids), sa.or_(s.actors.c.active, waits.exists())
        )
        with self._database.read() as connection:
            return {row[0]: bool(row[1]) for row in connection.execute(query)}

    # ---- records ---------------------------------------------------------------------------------------------------

    def records(
        self, patient_id: str, category: int, limit: int, before: tuple[datetime, str] | None = None
    ) -> list[RecordRow]:
        """Return valid records of a category (its bit), handed in last first, older than the place ``before``."""
        order = (s.transactions.c.received_at, s.transactions.c.ti_id)
        query = (
            sa.select(s.transactions, s.effects)
            .join(s.acknowledgements, s.acknowledgements.c.ti_id == s.transactions.c.ti_id)
            .join(s.statements, s.statements.c.ti_id == s.transactions.c.ti_id)
            .join(s.effects, _RECORDED)
            .where(
                s.transactions.c.patient_id == patient_id,
                s.acknowledgements.c.verdict == str(VerdictKind.VALID),
                s.effects.c.arguments["category"].as_integer() == category,
            )
            .order_by(*(column.desc() for column in order))
            .limit(limit)
        )
        if before is not None:
            query = query.where(sa.or_(order[0] < before[0], sa.and_(order[0] == before[0], order[1] < before[1])))
        with self._database.read() as connection:
            rows = connection.execute(query).mappings().all()
            told = self._late_payloads(connection, [row["statement_hash"] for row in rows if not row["payload_nonce"]])
        return [_record(row, told.get(row["statement_hash"])) for row in rows]

    def superseded(self, patient_id: str) -> dict[str, str]:
        """Return for each record of a patient that another valid one took the place of: that other one."""
        supersedes = s.effects.c.arguments["supersedes"].as_string()
        query = (
            sa.select(supersedes, s.effects.c.statement_hash)
            .select_from(s.transactions)
            .join(s.acknowledgements, s.acknowledgements.c.ti_id == s.transactions.c.ti_id)
            .join(s.statements, s.statements.c.ti_id == s.transactions.c.ti_id)
            .join(s.effects, _RECORDED)
            .where(
                s.transactions.c.patient_id == patient_id,
                s.acknowledgements.c.verdict == str(VerdictKind.VALID),
                supersedes != _NOTHING,
            )
        )
        with self._database.read() as connection:
            return {row[0]: "0x" + row[1].hex() for row in connection.execute(query)}

    def _late_payloads(self, connection: sa.Connection, statements: Sequence[bytes]) -> dict[bytes, Sealed | None]:
        query = sa.select(s.late_payloads).where(s.late_payloads.c.statement_hash.in_(statements))
        return {row["statement_hash"]: sealed_of(row, "payload") for row in connection.execute(query).mappings()}

    def granted_to(self, grantees: Collection[str], limit: int) -> list[str]:
        """Return the patients who ever granted something to one of ``grantees`` (``0x`` hex), last grant first."""
        patient, newest = s.effects.c.arguments["patientId"].as_string(), sa.func.max(s.effects.c.block_number)
        query = (
            sa.select(patient)
            .where(
                s.effects.c.contract == "ConsentRegistry",
                s.effects.c.event == "ConsentGranted",
                s.effects.c.arguments["grantee"].as_string().in_(grantees),
            )
            .group_by(patient)
            .order_by(newest.desc(), patient)
            .limit(limit)
        )
        with self._database.read() as connection:
            return list(connection.execute(query).scalars())

    # ---- an author's own -------------------------------------------------------------------------------------------

    def unfinished(
        self, actor_id: str, templates: Collection[str], limit: int, *, patient_id: str | None = None
    ) -> list[OwnRow]:
        """Return an author's records, made with ``templates``, that are on their way or refused and not closed."""
        verdict = s.acknowledgements.c.verdict
        by: sa.ColumnElement[str] = s.transactions.c.actor_id
        conditions = [sa.or_(verdict.is_(None), verdict == str(VerdictKind.INVALID))]
        if patient_id is not None:
            # A patient has fewer transactions than an author: this keeps SQLite from taking the author's index.
            by = by.concat("")
            conditions.append(s.transactions.c.patient_id == patient_id)
        return self._newest(by == actor_id, templates, limit, conditions)

    def refused(self, actor_id: str, templates: Collection[str], codes: Collection[str], limit: int) -> list[OwnRow]:
        """Return an author's records that were refused with one of ``codes`` and are not closed, newest first."""
        is_refused = s.acknowledgements.c.verdict == str(VerdictKind.INVALID)
        is_own = s.transactions.c.actor_id == actor_id
        return self._newest(is_own, templates, limit, [is_refused, s.acknowledgements.c.code.in_(codes)])

    def _newest(
        self,
        is_own: sa.ColumnElement[bool],
        templates: Collection[str],
        limit: int,
        conditions: Sequence[sa.ColumnElement[bool]],
    ) -> list[OwnRow]:
        order = (s.transactions.c.received_at.desc(), s.transactions.c.ti_id.desc())
        # The ids first: payloads and last events are read of those alone that are returned.
        ids = (
            _with_ends(sa.select(s.transactions.c.ti_id))
            .where(is_own, s.transactions.c.template.in_(templates), s.closed_drafts.c.ti_id.is_(None), *conditions)
            .order_by(*order)
            .limit(limit)
        )
        with self._database.read() as connection:
            found = connection.execute(ids).scalars().all()
            query = _own().where(s.transactions.c.ti_id.in_(found)).order_by(*order)
            return [_own_row(row) for row in connection.execute(query).mappings()]

    def refused_one(self, actor_id: str, ti_id: str) -> tuple[OwnRow, str | None, bool] | None:
        """Return a refused record of an author's, what it was sent again as, and whether it is closed."""
        query = _own().where(
            s.transactions.c.actor_id == actor_id,
            s.transactions.c.ti_id == ti_id,
            s.acknowledgements.c.verdict == str(VerdictKind.INVALID),
        )
        with self._database.read() as connection:
            row = connection.execute(query).mappings().first()
        if row is None:
            return None
        return _own_row(row), row["successor"], row["closed_at"] is not None

    def close_draft(self, ti_id: str, successor: str | None, at: datetime) -> None:
        """Close a refused record; how it was closed first stays."""
        insert = sqlite.insert if self._database.is_sqlite else postgresql.insert
        with self._database.write() as connection:
            connection.execute(
                insert(s.closed_drafts)
                .values(ti_id=ti_id, successor=successor, closed_at=at)
                .on_conflict_do_nothing(index_elements=["ti_id"])
            )

    # ---- requests for consent --------------------------------------------------------------------------------------

    def put_request(self, request: RequestRow) -> RequestRow:
        """Insert a request, or give the same wish its new time; return the one that is kept."""
        insert = sqlite.insert if self._database.is_sqlite else postgresql.insert
        wish = ("patient_id", "grantee", "purpose", "read_mask", "write_mask")
        statement = insert(s.consent_requests).values(
            {name: getattr(request, name) for name in RequestRow.__dataclass_fields__}
        )
        with self._database.write() as connection:
            row = connection.execute(
                statement.on_conflict_do_update(
                    index_elements=list(wish), set_={"requested_at": statement.excluded.requested_at}
                ).returning(s.consent_requests)
            )
            return _request(row.mappings().one())

    def requests_by(self, actor_id: str, grantee: str, limit: int) -> list[RequestRow]:
        """Return the requests of somebody, and of everybody for the same grantee, newest first."""
        c = s.consent_requests.c
        return self._requests(sa.or_(c.requested_by == actor_id, c.grantee == grantee), limit)

    def requests_to(self, patient_id: str, limit: int) -> list[RequestRow]:
        """Return the requests to a patient, newest first."""
        return self._requests(s.consent_requests.c.patient_id == patient_id, limit)

    def _requests(self, where: sa.ColumnElement[bool], limit: int) -> list[RequestRow]:
        c = s.consent_requests.c
        query = sa.select(s.consent_requests).where(where).order_by(c.requested_at.desc(), c.request_id).limit(limit)
        with self._database.read() as connection:
            return [_request(row) for row in connection.execute(query).mappings()]


def _own() -> sa.Select[Any]:
    """Select transactions with their verdict, last event and end as a draft."""
    last = (
        sa.select(s.events.c.kind)
        .where(s.events.c.ti_id == s.transactions.c.ti_id)
        .order_by(s.events.c.event_id.desc())
        .limit(1)
        .scalar_subquery()
    )
    ack, closed = s.acknowledgements.c, s.closed_drafts.c
    columns = (ack.code, ack.arguments, ack.acknowledged_at, closed.successor, closed.closed_at)
    return _with_ends(sa.select(s.transactions, last.label("status"), *columns))


def _with_ends(query: sa.Select[Any]) -> sa.Select[Any]:
    """Join to transactions how they ended, if they have."""
    return (
        query.select_from(s.transactions)
        .outerjoin(s.acknowledgements, s.acknowledgements.c.ti_id == s.transactions.c.ti_id)
        .outerjoin(s.closed_drafts, s.closed_drafts.c.ti_id == s.transactions.c.ti_id)
    )


def _own_row(row: sa.RowMapping) -> OwnRow:
    return OwnRow(
        ti_id=row["ti_id"],
        template=row["template"],
        template_version=row["template_version"],
        patient_id=row["patient_id"],
        received_at=row["received_at"],
        payload=sealed_of(row, "payload"),
        status=EventKind(row["status"]),
        code=row["code"],
        arguments=row["arguments"] or {},
        acknowledged_at=row["acknowledged_at"],
    )


def _record(row: sa.RowMapping, told: Sealed | None) -> RecordRow:
    return RecordRow(
        ti_id=row["ti_id"],
        actor_id=row["actor_id"],
        received_at=row["received_at"],
        payload=sealed_of(row, "payload") or told,
        record_id="0x" + row["statement_hash"].hex(),
        category=row["arguments"]["category"],
        commitment=row["arguments"]["commitment"],
        block_number=row["block_number"],
        transaction_hash=row["transaction_hash"],
    )


def _request(row: sa.RowMapping) -> RequestRow:
    return RequestRow(**{name: row[name] for name in RequestRow.__dataclass_fields__})
