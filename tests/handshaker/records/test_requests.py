"""Asking patients for consent, and what becomes of it."""

from __future__ import annotations

from dataclasses import replace

import pytest

from handshaker.errors import ActorInactive, NotFound, RoleNotAllowed, SchemaViolated
from handshaker.tokens import Credential
from handshaker.vocabulary import Purpose
from tests.instances import Instance


def test_a_request_is_made_in_the_name_of_the_organisation(own_hospital: Instance) -> None:
    requests, patient = own_hospital.handshaker.requests, own_hospital.silent.actor.actor_id
    asked = requests.ask(own_hospital.nurse, patient, ["vital-signs"], ["vital-signs", "notes"])
    assert (asked.patient_id, asked.purpose, asked.state) == (patient, Purpose.TREAT, "waiting")
    assert (asked.grantee, asked.grantee_name) == ("organisation/1", "Lakeside Hospital")
    assert (asked.read, asked.write) == (("vital-signs",), ("vital-signs", "notes"))
    assert (asked.requested_by, asked.requester_name) == (own_hospital.nurse.actor.actor_id, "nurse")
    assert requests.of(own_hospital.nurse) == requests.about(own_hospital.nurse, patient) == [asked]
    assert requests.waiting_for(patient) == [asked]


def test_colleagues_see_it_and_other_organisations_do_not(own_hospital: Instance) -> None:
    requests, patient = own_hospital.handshaker.requests, own_hospital.silent.actor.actor_id
    asked = requests.ask(own_hospital.nurse, patient, ["notes"], [])
    assert requests.of(own_hospital.doctor) == [asked]
    assert requests.of(own_hospital.pathologist) == requests.about(own_hospital.pathologist, patient) == []


def test_the_same_wish_is_kept_once_with_its_last_time(own_hospital: Instance) -> None:
    requests, patient = own_hospital.handshaker.requests, own_hospital.silent.actor.actor_id
    first = requests.ask(own_hospital.nurse, patient, ["notes"], [])
    other = requests.ask(own_hospital.nurse, patient, ["laboratory"], [])
    own_hospital.clock.advance(60)
    again = requests.ask(own_hospital.doctor, patient, ["notes"], [])
    assert again.request_id == first.request_id
    assert again.requested_at > other.requested_at > first.requested_at
    assert requests.of(own_hospital.nurse) == [again, other]


def test_a_request_is_granted_when_all_of_it_is_permitted_and_waits_again_when_it_is_not(
    own_hospital: Instance,
) -> None:
    requests, silent = own_hospital.handshaker.requests, own_hospital.silent
    requests.ask(own_hospital.nurse, silent.actor.actor_id, ["notes"], ["vital-signs"])

    def states() -> tuple[list[str], int]:
        return (
            [request.state for request in requests.of(own_hospital.doctor)],
            len(requests.waiting_for(silent.actor.actor_id)),
        )

    assert own_hospital.acknowledged(own_hospital.consent(silent, read=["notes"], write=[])).code == "effect"
    assert states() == (["waiting"], 1)
    assert (
        own_hospital.acknowledged(own_hospital.consent(silent, read=["notes"], write=["vital-signs"])).code == "effect"
    )
    assert states() == (["granted"], 0)
    own_hospital.submit(silent, "consent-revoke", {"grantee": "organisation/1", "purpose": "TREAT"})
    assert states() == (["waiting"], 1)


def test_all_stands_for_every_general_category(own_hospital: Instance) -> None:
    patient = own_hospital.silent.actor.actor_id
    asked = own_hospital.handshaker.requests.ask(own_hospital.nurse, patient, ["all"], [])
    assert "notes" in asked.read
    assert "psychiatry" not in asked.read


@pytest.mark.parametrize("wish", [([], []), (["moods"], []), (["notes"], ["Notes"])])
def test_a_wish_for_nothing_or_for_what_does_not_exist_is_refused(
    hospital: Instance, wish: tuple[list[str], list[str]]
) -> None:
    with pytest.raises(SchemaViolated):
        hospital.handshaker.requests.ask(hospital.nurse, hospital.silent.actor.actor_id, *wish)
    assert hospital.handshaker.requests.of(hospital.nurse) == []


def test_only_practitioners_in_good_standing_ask_and_only_patients_are_asked(hospital: Instance) -> None:
    ask, patient = hospital.handshaker.requests.ask, hospital.silent.actor.actor_id
    nurse = hospital.nurse
    for stranger in (hospital.administrator, hospital.consented, replace(nurse, scopes=("read",))):
        with pytest.raises(RoleNotAllowed):
            ask(stranger, patient, ["notes"], [])
    ended = Credential(replace(nurse.actor, active=False), nurse.token_id, nurse.scopes, nurse.secret)
    expired = Credential(
        replace(nurse.actor, licence_until=hospital.clock.now()), nurse.token_id, nurse.scopes, nurse.secret
    )
    for former in (ended, expired):
        with pytest.raises(ActorInactive):
            ask(former, patient, ["notes"], [])
    with pytest.raises(NotFound):
        ask(nurse, "0x" + "ab" * 32, ["notes"], [])
