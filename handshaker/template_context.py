"""What expressions and sentences see as ``context``: one plain dictionary, the same for a real statement and a sample.

``docs/templates.md`` describes each name. The commitment's salt is not among them: no mapping can put it on the chain.
"""

from __future__ import annotations

from datetime import UTC, datetime

from handshaker.messages import Actor, Context, Json, Patient, Preparation, Registration
from handshaker.vocabulary import CATEGORY_BY_CODE, ActorKind, Purpose, Role

_ZERO = "0x" + "00" * 32
_SAMPLE_DEADLINE = 1_800_000_000


def context_values(
    context: Context,
    *,
    action: str,
    category: str | None,
    purpose: Purpose | None,
    lifetime: int,
    supersedes: str | None,
    commitment: bytes,
) -> dict[str, Json]:
    """Return the dictionary, without ``terms``, which exists only once the sentence is rendered.

    ``patient`` and ``registration`` are ``None`` where the transaction has none.
    """
    actor, patient, registration = context.actor, context.patient, context.registration
    own = patient is not None and action == "consent" and actor.kind is ActorKind.PATIENT
    return {
        "actor": {
            "id": actor.actor_id,
            "address": actor.address,
            "kind": str(actor.kind),
            "role": actor.role,
            "name": actor.name,
            "organisation": actor.organisation_id,
        },
        "patient": patient
        and {"id": patient.patient_id, "controller": patient.controller, "custodial": patient.custodial},
        "registration": registration
        and {
            "id": registration.actor_id,
            "address": registration.address,
            "custodial": registration.custodial,
        },
        "names": dict(context.names),
        "signer": patient.controller if patient and own and context.controller_is_signer else actor.address,
        "category": None if category is None else CATEGORY_BY_CODE[category].bit,
        "purpose": None if purpose is None else int(purpose),
        "commitment": "0x" + commitment.hex(),
        "supersedes": supersedes or _ZERO,
        "version": context.preparation.version,
        "epoch": context.preparation.epoch,
        "deadline": context.preparation.deadline,
        "now": context.preparation.deadline - lifetime,
        "reference": context.preparation.reference,
    }


def kind_of_role(role: str) -> ActorKind:
    """Return which kind of actor has the role; raises ``ValueError`` for a role that does not exist."""
    if role in {known.code for known in Role}:
        return ActorKind.PRACTITIONER
    return {"patient": ActorKind.PATIENT, "administrator": ActorKind.ADMINISTRATOR}.get(role) or ActorKind(role)


def sample_context(kind: ActorKind, role: str) -> Context:
    """Return a made-up context to try a template with."""
    address = "0x" + "a1" * 20
    ids = {
        ActorKind.PRACTITIONER: "0x" + "b2" * 16,
        ActorKind.PATIENT: "0x" + "c3" * 32,
        ActorKind.ADMINISTRATOR: address,
    }
    return Context(
        actor=Actor(
            actor_id=ids[kind],
            kind=kind,
            role=role,
            address=address,
            name="" if kind is ActorKind.PATIENT else "Dr Sample",
            organisation_id=1 if kind is ActorKind.PRACTITIONER else None,
            licence_until=datetime.fromtimestamp(_SAMPLE_DEADLINE, UTC) if kind is ActorKind.PRACTITIONER else None,
            active=True,
            custodial=True,
        ),
        patient=Patient(patient_id="0x" + "c3" * 32, controller="0x" + "d4" * 20, custodial=True, demographics=None),
        preparation=Preparation(
            salt=bytes(range(32)),
            reference="ABCDEFGHIJKLMNOPQRSTUVWXYZ",
            deadline=_SAMPLE_DEADLINE,
            version=1,
            epoch=0,
        ),
        registration=Registration(actor_id="0x" + "b2" * 16, address="0x" + "e5" * 20, custodial=True),
    )
