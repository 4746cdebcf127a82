"""The staff as those who look after them see it: who is here, with which licence, and how far their invitation is."""

from __future__ import annotations

from datetime import date, timedelta

import pytest

from handshaker.clinical import demographics
from handshaker.clinical.gates import check_payload
from handshaker.errors import NotFound
from tests.handshaker.templates.fakes import shipped_template
from tests.instances import LICENCE, Instance, hospital, own_hospital, pattern_hospital

__all__ = ["hospital", "own_hospital", "pattern_hospital"]


def test_people_are_narrowed_by_words_role_organisation_and_state(hospital: Instance) -> None:
    staff = hospital.handshaker.staff
    names = [member.actor.name for member in staff.members()]
    assert names == sorted(names, key=str.casefold)
    assert {"nurse", "First Administrator"} <= set(names)
    assert [member.actor.name for member in staff.members("ADMIN sec")] == ["Second Administrator"]
    assert {member.actor.role for member in staff.members(role="nurse")} == {"nurse"}
    assert [member.organisation for member in staff.members(organisation=2)] == ["Hillside Laboratory"]
    assert staff.members(state="ended") == []
    assert all(member.actor.role != "patient" for member in staff.members())


def test_a_licence_is_warned_of_thirty_days_before_its_end(own_hospital: Instance) -> None:
    now = own_hospital.clock.now().replace(microsecond=0)
    for name, days in (("later", 31), ("soon", 29), ("sooner", 2)):
        own_hospital.hire(name, "nurse", licence_until=now + timedelta(days=days))
    staff = own_hospital.handshaker.staff
    assert [member.actor.name for member in staff.licences_ending()] == ["sooner", "soon"]
    own_hospital.clock.advance(3 * 86_400)
    found = {member.actor.name: member.licence for member in staff.licences_ending()}
    assert found == {"sooner": "over", "soon": "ending", "later": "ending"}


def test_somebody_is_registering_active_ended_and_registering_again(own_hospital: Instance) -> None:
    registrar, staff = own_hospital.handshaker.registrar, own_hospital.handshaker.staff
    found = registrar.register_practitioner(own_hospital.administrator, "New", "nurse", 1, LICENCE, invite=True)
    member = staff.member(found.actor_id)
    assert (member.state, member.invited_until is not None, member.username) == ("registering", True, "")
    own_hospital.drain()
    assert staff.member(found.actor_id).state == "active"
    assert found.token is not None
    own_hospital.handshaker.logins.accept(found.token, "new.nurse", "four quiet herons wade north")
    member = staff.member(found.actor_id)
    assert (member.invited_until, member.username) == (None, "new.nurse")
    registrar.end_practitioner(own_hospital.administrator, found.actor_id)
    assert (staff.member(found.actor_id).state, staff.member(found.actor_id).username) == ("ended", "")
    registrar.invite_again(own_hospital.administrator, found.actor_id)
    assert staff.member(found.actor_id).state == "registering"


def test_neither_a_patient_nor_a_stranger_is_on_the_staff(hospital: Instance) -> None:
    for actor_id in (hospital.consented.actor.actor_id, "0x00"):
        with pytest.raises(NotFound):
            hospital.handshaker.staff.member(actor_id)
    with pytest.raises(NotFound):
        hospital.handshaker.staff.organisation(99)
    assert hospital.handshaker.staff.organisation(1).name == "Lakeside Hospital"


@pytest.mark.parametrize("sex", demographics.SEXES)
@pytest.mark.parametrize(("born", "number"), [(date(1951, 3, 7), "LH-1"), (None, "")])
def test_a_patient_from_a_form_passes_the_template(sex: str, born: date | None, number: str) -> None:
    resource = demographics.patient(" Brimstad ", "Halvard  Odd", sex, born, number)
    check_payload(resource, shipped_template("register-patient"))
    assert resource["name"] == [{"family": "Brimstad", "given": ["Halvard", "Odd"]}]
    assert ("identifier" in resource) is bool(number)


def test_a_number_finds_the_same_patient_however_it_is_typed() -> None:
    assert demographics.identifier(" LH-1 ") == demographics.identifier("LH-1")
    assert demographics.identifier("  ") is None
