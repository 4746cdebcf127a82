"""The directory's copy: what final effects say of organisations, practitioners and patients, written off chain."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any, Protocol

from handshaker.messages import Actor, Effect, Organisation
from handshaker.vocabulary import ActorKind, Role

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


_RULES = {
    "OrganisationRegistered": _organisation,
    "PractitionerRegistered": _practitioner,
    "PatientRegistered": _patient,
    "ControllerRotated": _patient,
}
