"""Organisations, actors, patients and their tokens."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql, sqlite

from handshaker.messages import Act, Actor, Organisation, Patient, Sealed, Token
from handshaker.store import schema as s
from handshaker.store.database import Database
from handshaker.store.rows import sealed_columns, sealed_of
from handshaker.store.sequencer import Sequencer
from handshaker.vocabulary import ActorKind


class PeopleStore:
    """Who is who, off chain: the directory's copy with names, and patients by pseudonym.

    Where an ``act`` is given, it becomes an entry of the audit log in the same SQL transaction (``LogHeld``).
    """

    def __init__(self, database: Database, sequencer: Sequencer) -> None:
        self._database = database
        self._sequencer = sequencer

    def put_organisation(
        self, organisation: Organisation, version: int, *, act: Act | None = None, at: datetime | None = None
    ) -> None:
        """Insert or replace an organisation, unless a newer version is here."""
        self._put(
            s.organisations,
            {
                "organisation_id": organisation.organisation_id,
                "name": organisation.name,
                "active": organisation.active,
                "version": version,
            },
            "organisation_id",
            act,
            at,
        )

    def organisations(self) -> list[Organisation]:
        """Return all organisations by number."""
        query = sa.select(s.organisations).order_by(s.organisations.c.organisation_id)
        with self._database.read() as connection:
            return [
                Organisation(row["organisation_id"], row["name"], row["active"])
                for row in connection.execute(query).mappings()
            ]

    def put_actor(self, actor: Actor, *, act: Act | None = None, at: datetime | None = None) -> None:
        """Insert or replace an actor, unless a newer version is here."""
        self._put(
            s.actors,
            {
                "actor_id": actor.actor_id,
                "kind": str(actor.kind),
                "role": actor.role,
                "address": actor.address,
                "name": actor.name,
                "organisation_id": actor.organisation_id,
                "licence_until": actor.licence_until,
                "active": actor.active,
                "custodial": actor.custodial,
                "version": actor.version,
            },
            "actor_id",
            act,
            at,
        )

    def actor(self, actor_id: str) -> Actor | None:
        """Return an actor by id."""
        with self._database.read() as connection:
            row = connection.execute(sa.select(s.actors).where(s.actors.c.actor_id == actor_id)).mappings().first()
        return _actor(row) if row else None

    def actors(self, kind: ActorKind | None = None) -> list[Actor]:
        """Return all actors, or all of one kind, by id."""
        query = sa.select(s.actors).order_by(s.actors.c.actor_id)
        if kind is not None:
            query = query.where(s.actors.c.kind == str(kind))
        with self._database.read() as connection:
            return [_actor(row) for row in connection.execute(query).mappings()]

    def put_patient(
        self,
        patient_id: str,
        identifier_index: str | None,
        demographics: Sealed | None,
        at: datetime,
        act: Act | None = None,
    ) -> bool:
        """Insert a patient; ``False``, and nothing written, when pseudonym or identifier are here already."""
        insert = sqlite.insert if self._database.is_sqlite else postgresql.insert
        statement = insert(s.patients).values(
            patient_id=patient_id,
            identifier_index=identifier_index,
            registered_at=at,
            **sealed_columns("demographics", demographics),
        )
        with self._database.write() as connection:
            self._sequencer.take_turn(connection)
            written = connection.execute(statement.on_conflict_do_nothing().returning(s.patients.c.patient_id))
            if written.first() is None:
                return False
            self._sequencer.append_act(connection, act, at)
            return True

    def patient(self, patient_id: str) -> Patient | None:
        """Return a patient by pseudonym, with their controller as the directory's copy has it."""
        return self._patient(s.patients.c.patient_id == patient_id)

    def patient_by_identifier(self, identifier_index: str) -> Patient | None:
        """Return the patient with that keyed hash of an identifier."""
        return self._patient(s.patients.c.identifier_index == identifier_index)

    def patients(self) -> list[Patient]:
        """Return all patients in the order in which they were registered."""
        with self._database.read() as connection:
            query = _patients().order_by(s.patients.c.registered_at, s.patients.c.patient_id)
            return [_patient(row) for row in connection.execute(query).mappings()]

    def put_token(self, token: Token, *, act: Act, to_active: bool = False) -> bool:
        """Insert a token; ``False``, and nothing written, if only ``to_active`` actors may have it and theirs ended."""
        with self._database.write() as connection:
            self._sequencer.take_turn(connection)
            may = sa.select(s.actors.c.active).where(s.actors.c.actor_id == token.actor_id).with_for_update()
            if to_active and not connection.execute(may).scalar():
                return False
            connection.execute(
                sa.insert(s.tokens).values(
                    token_id=token.token_id,
                    actor_id=token.actor_id,
                    secret_hash=token.secret_hash,
                    scopes=list(token.scopes),
                    label=token.label,
                    issued_at=token.issued_at,
                    expires_at=token.expires_at,
                    revoked_at=token.revoked_at,
                )
            )
            self._sequencer.append_act(connection, act, token.issued_at)
            return True

    def token(self, token_id: str) -> Token | None:
        """Return a token by id."""
        found = self._tokens(s.tokens.c.token_id == token_id)
        return found[0] if found else None

    def tokens(self, actor_id: str, at: datetime) -> list[Token]:
        """Return the tokens of an actor that are good at ``at``, newest first."""
        return self._tokens(s.tokens.c.actor_id == actor_id, *_good(at))

    def invitations(self, at: datetime) -> list[Token]:
        """Return everybody's open invitations, newest first."""
        return [
            token for token in self._tokens(*_good(at), s.tokens.c.label == "invitation") if "enroll" in token.scopes
        ]

    def revoke_token(self, actor_id: str, token_id: str, at: datetime, act: Act) -> None:
        """End a token of an actor; one that has ended keeps its time."""
        mine = (s.tokens.c.token_id == token_id, s.tokens.c.actor_id == actor_id)
        ending = sa.update(s.tokens).where(*mine, s.tokens.c.revoked_at.is_(None)).values(revoked_at=at)
        with self._database.write() as connection:
            self._sequencer.take_turn(connection)
            if connection.execute(ending).rowcount:
                self._sequencer.append_act(connection, act, at)

    def rename_actor(self, actor_id: str, name: str, act: Act, at: datetime) -> None:
        """Call an actor by another name, or by the same; the chain knows no names."""
        self._act(sa.update(s.actors).where(s.actors.c.actor_id == actor_id).values(name=name), act, at)

    def rename_organisation(self, organisation_id: int, name: str, act: Act, at: datetime) -> None:
        """Call an organisation by another name, or by the same."""
        mine = s.organisations.c.organisation_id == organisation_id
        self._act(sa.update(s.organisations).where(mine).values(name=name), act, at)

    def _act(self, statement: sa.Update, act: Act, at: datetime) -> None:
        with self._database.write() as connection:
            self._sequencer.take_turn(connection)
            connection.execute(statement)
            self._sequencer.append_act(connection, act, at)

    def _patient(self, where: sa.ColumnElement[bool]) -> Patient | None:
        with self._database.read() as connection:
            row = connection.execute(_patients().where(where)).mappings().first()
        return _patient(row) if row else None

    def _tokens(self, *where: sa.ColumnElement[bool]) -> list[Token]:
        query = sa.select(s.tokens).where(*where).order_by(s.tokens.c.issued_at.desc(), s.tokens.c.token_id)
        with self._database.read() as connection:
            rows = connection.execute(query).mappings().all()
        return [Token(**{**row, "scopes": tuple(row["scopes"])}) for row in rows]

    def _put(self, table: sa.Table, values: dict[str, Any], key: str, act: Act | None, at: datetime | None) -> None:
        insert = sqlite.insert if self._database.is_sqlite else postgresql.insert
        statement = insert(table).values(values)
        changes = {name: statement.excluded[name] for name in values if name != key}
        with self._database.write() as connection:
            if act is not None and at is not None:
                self._sequencer.take_turn(connection)
                self._sequencer.append_act(connection, act, at)
            connection.execute(
                statement.on_conflict_do_update(
                    index_elements=[key], set_=changes, where=table.c.version <= statement.excluded.version
                )
            )


def _good(at: datetime) -> tuple[sa.ColumnElement[bool], ...]:
    return s.tokens.c.revoked_at.is_(None), s.tokens.c.expires_at > at


def _patients() -> sa.Select[Any]:
    return sa.select(s.patients, s.actors.c.address, s.actors.c.custodial).outerjoin(
        s.actors, s.actors.c.actor_id == s.patients.c.patient_id
    )


def _patient(row: sa.RowMapping) -> Patient:
    return Patient(row["patient_id"], row["address"] or "", bool(row["custodial"]), sealed_of(row, "demographics"))


def _actor(row: sa.RowMapping) -> Actor:
    return Actor(
        actor_id=row["actor_id"],
        kind=ActorKind(row["kind"]),
        role=row["role"],
        address=row["address"],
        name=row["name"],
        organisation_id=row["organisation_id"],
        licence_until=row["licence_until"],
        active=row["active"],
        custodial=row["custodial"],
        version=row["version"],
    )
