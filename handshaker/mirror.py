"""The directory's copy: what final effects say of organisations, practitioners and patients, written off chain."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from typing import Any, Protocol

from handshaker.messages import Actor, Effect, Organisation
from handshaker.vocabulary import ActorKind, Duty, Role

_LAST_SECOND = int(datetime(9999, 12, 31, tzinfo=UTC).timestamp())


class People(Protocol):
    """Where the copy is kept."""

    def organisations(self) -> list[Organisation]:
        """Return all organisations."""
        ...

    def put_organisation(self, organisation: Organisation, version: int) -> None:
        """Insert or replace."""
        ...

    def actor(self, actor_id: str) -> Actor | None:
        """Return an actor."""
        ...

    def actors(self, kind: ActorKind | None = None) -> list[Actor]:
        """Return all actors of a kind."""
        ...

    def put_actor(self, actor: Actor) -> None:
        """Insert or replace."""
        ...


def reflect(effect: Effect, people: People) -> None:
    """Bring the copy up to what ``effect`` says; names, which the chain does not know, stay as they are."""
    rule = _RULES.get(effect.event)
    if rule is not None:
        rule(effect.arguments, people)


def _organisation(arguments: Any, people: People) -> None:
    number = arguments["organisationId"]
    names = {organisation.organisation_id: organisation.name for organisation in people.organisations()}
    name = names.get(number, f"Organisation {number}")
    people.put_organisation(Organisation(number, name, arguments["active"]), arguments["version"])


def _practitioner(arguments: Any, people: People) -> None:
    actor_id = arguments["practitionerId"]
    known = people.actor(actor_id)
    if known is not None and known.kind is not ActorKind.PRACTITIONER:
        # An id of 16 bytes that an administrator has here: nobody becomes somebody else.
        return
    people.put_actor(
        Actor(
            actor_id=actor_id,
            kind=ActorKind.PRACTITIONER,
            role=Role(arguments["role"]).code,
            address=arguments["key"],
            name=known.name if known else actor_id[:10],
            organisation_id=arguments["organisationId"],
            licence_until=datetime.fromtimestamp(min(arguments["licenceUntil"], _LAST_SECOND), UTC),
            active=arguments["active"],
            custodial=arguments["custodial"],
            version=arguments["version"],
        )
    )


def _patient(arguments: Any, people: People) -> None:
    patient_id = arguments["patientId"]
    people.put_actor(
        Actor(
            actor_id=patient_id,
            kind=ActorKind.PATIENT,
            role="patient",
            address=arguments.get("controller") or arguments["newController"],
            name="",
            organisation_id=None,
            licence_until=None,
            active=True,
            custodial=arguments["custodial"],
            version=arguments.get("version", 1),
        )
    )


def _officer(arguments: Any, people: People) -> None:
    is_administrator = bool(arguments["duties"] & Duty.ADMINISTRATOR)
    for known in people.actors(ActorKind.ADMINISTRATOR):
        if known.address == arguments["officer"]:
            people.put_actor(replace(known, active=is_administrator, version=arguments["version"]))


_RULES = {
    "OfficerAppointed": _officer,
    "OrganisationRegistered": _organisation,
    "PractitionerRegistered": _practitioner,
    "PatientRegistered": _patient,
    "ControllerRotated": _patient,
}
