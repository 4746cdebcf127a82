"""What administrators do about people, patients and organisations on their pages."""

from __future__ import annotations

import re
from datetime import timedelta
from html import unescape

import pytest
from flask import get_flashed_messages

from handshaker.errors import RoleNotAllowed
from handshaker.intake import Submission
from tests.handshaker.templates.fakes import ward
from tests.webapp.administrators import HOME, actor_named, form_of, patient, person, words
from tests.webapp.web import Web, send
from webapp.administration import acts


def test_the_overview_names_what_needs_attention(own_web: Web) -> None:
    hospital = own_web.hospital
    hospital.hire("Ending Soon", "nurse", licence_until=hospital.clock.now().replace(microsecond=0) + timedelta(days=9))
    hospital.handshaker.reviews.propose(hospital.second_administrator, ward())
    hospital.acknowledged(hospital.measure(hospital.silent))
    page = words(own_web.client("administrator").get(HOME))
    for told in ("Ending Soon", "open-ward@1", "not-permitted", "No worker is at work"):
        assert told in page


def test_people_are_found_by_name_role_and_organisation(web: Web) -> None:
    client = web.client("administrator")
    assert "pathologist" in words(client.get(f"{HOME}/people?organisation=2"))
    rows = client.get(f"{HOME}/people?role=nurse").text.count("<tr>") - 1
    assert rows == len(web.hospital.handshaker.staff.members(role="nurse"))
    assert "Nobody fits that search" in words(client.get(f"{HOME}/people?organisation=zero&state=strange"))


def test_somebody_new_gets_an_invitation_that_works_and_is_shown_once(own_web: Web) -> None:
    client, hospital = own_web.client("administrator"), own_web.hospital
    form = form_of(client.get(f"{HOME}/people/new"))
    answer = send(client, f"{HOME}/people/new", {**form, **person()})
    assert answer.status_code == 200
    code = re.search(r'<p class="secret" id="code">([^<]+)</p>', answer.text)
    assert code is not None
    assert f"/welcome#{code[1]}" in answer.text
    new = actor_named(hospital, "Dr Noor Lindgren")
    assert code[1] not in client.get(f"{HOME}/people/{new.actor_id}").text
    assert "invited" in words(client.get(f"{HOME}/people?text=noor"))
    hospital.drain()
    accepted = hospital.handshaker.logins.accept(code[1], "noor.lindgren", "four quiet herons wade north")
    assert accepted.actor_id == new.actor_id
    assert "noor.lindgren" in words(client.get(f"{HOME}/people/{new.actor_id}"))
    assert new.licence_until is not None
    assert new.licence_until.isoformat() == "2029-05-01T23:59:59+00:00"


def test_a_form_that_is_sent_again_registers_nobody_twice(own_web: Web) -> None:
    client, hospital = own_web.client("administrator"), own_web.hospital
    form = {**form_of(client.get(f"{HOME}/people/new")), **person()}
    assert send(client, f"{HOME}/people/new", form).status_code == 200
    again = send(client, f"{HOME}/people/new", form)
    assert again.status_code == 303
    assert len(hospital.handshaker.staff.members(text="noor")) == 1


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"name": " "}, "Write a name."),
        ({"name": "x" * 121}, "too long"),
        ({"role": ""}, "Choose a role."),
        ({"role": "king"}, "Not a valid choice"),
        ({"organisation": "99"}, "Not a valid choice"),
        ({"licence_until": ""}, "Write a date."),
        ({"licence_until": "2020-01-01"}, "That day is over"),
        ({"licence_until": "2199-01-01"}, "more than 50 years"),
    ],
)
def test_what_is_wrong_is_said_at_the_field_and_what_was_typed_stays(
    web: Web, changes: dict[str, str], said: str
) -> None:
    typed = person(**{"name": "Typed Before", **changes})
    before = len(web.hospital.handshaker.staff.members())
    answer = send(web.client("administrator"), f"{HOME}/people/new", typed)
    assert answer.status_code == 422
    assert said in words(answer)
    assert 'aria-invalid="true"' in answer.text
    if "name" not in changes:
        assert form_of(answer)["name"] == "Typed Before"
    assert len(web.hospital.handshaker.staff.members()) == before


def test_a_change_is_an_act_that_is_followed_until_it_is_valid(own_web: Web) -> None:
    client, hospital = own_web.client("administrator"), own_web.hospital
    nurse = hospital.nurse.actor
    page = f"{HOME}/people/{nurse.actor_id}"
    form = {**person(name="Mara Lindqvist", role="pharmacist"), "licence_until": "2031-01-01"}
    answer = send(client, page, form)
    assert answer.status_code == 303
    followed = client.get(answer.location)
    ti_id = answer.location.rpartition("act=")[2]
    polled = re.search(rf'hx-get="({HOME}/acts/{ti_id}[^"]*)"', followed.text)
    assert polled is not None
    assert client.get(unescape(polled[1])).status_code == 204, "nothing to read out while nothing changes"
    hospital.drain()
    live = client.get(f"{HOME}/acts/{ti_id}?after=offer")
    assert "Valid" in words(live)
    assert "Load what is registered now" in words(live)
    assert "HX-Refresh" not in live.headers, "somebody may be typing"
    assert "hx-get" not in live.text
    changed = hospital.again(hospital.nurse).actor
    assert (changed.name, changed.role, changed.licence_until) == ("Mara Lindqvist", "pharmacist", nurse.licence_until)


def test_ending_somebody_says_what_happens_and_asks_first(own_web: Web) -> None:
    client, hospital = own_web.client("administrator"), own_web.hospital
    nurses = own_web.client("nurse")
    page = f"{HOME}/people/{hospital.nurse.actor.actor_id}/end"
    asked = words(client.get(page))
    for told in ("session", "token", "signing key is destroyed"):
        assert told in asked
    assert send(client, page).status_code == 422
    assert nurses.get("/account").status_code == 200
    assert send(client, page, {"sure": "y"}).status_code == 303
    assert nurses.get("/account").status_code == 303, "the session has ended"
    hospital.drain()
    assert not hospital.again(hospital.nurse).actor.active
    ended = client.get(page.removesuffix("/end"))
    assert "Invite them again" in words(ended)
    assert 'action="' + page.removesuffix("/end") not in ended.text


def test_whoever_comes_back_gets_a_new_key_and_a_new_invitation(own_web: Web) -> None:
    client, hospital = own_web.client("administrator"), own_web.hospital
    page = f"{HOME}/people/{hospital.nurse.actor.actor_id}/invitation"
    form = form_of(client.get(page))
    assert send(client, page, form).status_code == 422
    answer = send(client, page, {**form, "sure": "y"})
    assert 'id="code"' in answer.text
    assert send(client, page, {**form, "sure": "y"}).status_code == 303
    hospital.drain()
    assert hospital.again(hospital.nurse).actor.address != hospital.nurse.actor.address


def test_an_administrator_has_a_page_but_no_form(web: Web) -> None:
    page = web.client("administrator").get(f"{HOME}/people/{web.hospital.second_administrator.actor.actor_id}")
    assert "appointed on the chain itself" in words(page)
    assert "/end" not in page.text


@pytest.mark.parametrize("path", ["people/0x00", "organisations/77", "proposals/none", "acknowledgements/12345678"])
def test_what_is_not_there_is_said_to_be(web: Web, path: str) -> None:
    assert web.client("administrator").get(f"{HOME}/{path}").status_code == 404


# ---- patients and organisations --------------------------------------------------------------------------------------


def test_a_patient_gets_a_pseudonym_and_a_code_and_the_address_tells_nothing(own_web: Web) -> None:
    client, hospital = own_web.client("administrator"), own_web.hospital
    form = {**form_of(client.get(f"{HOME}/patients/new")), **patient(number=" LH-77 ")}
    answer = send(client, f"{HOME}/patients/new", form)
    code = re.search(r'id="code">([^<]+)<', answer.text)
    assert code is not None
    assert "Brimstad" not in answer.text, "the name stays off a page that is handed around"
    hospital.drain()
    credential = hospital.handshaker.tokens.authenticate(code[1])
    identity = hospital.handshaker.patients.identity(hospital.nurse, credential.actor.actor_id)
    assert (identity.family, identity.given, identity.number, identity.sex) == (
        "Brimstad",
        "Halvard Odd",
        "LH-77",
        "male",
    )
    assert str(identity.born) == "1951-03-07"
    fresh = {**form_of(client.get(f"{HOME}/patients/new")), **patient(family="Other", number="LH-77")}
    known = send(client, f"{HOME}/patients/new", fresh)
    assert known.status_code == 422
    assert "registered already" in words(known)
    assert form_of(known)["family"] == "Other"
    assert send(client, f"{HOME}/patients/new", form).status_code == 303


@pytest.mark.parametrize("born", ["2190-01-01", "1790-01-01", "not a day", ""])
def test_a_birth_date_that_cannot_be_is_refused(web: Web, born: str) -> None:
    answer = send(web.client("administrator"), f"{HOME}/patients/new", patient(born=born))
    assert answer.status_code == 422
    assert 'id="born-error"' in answer.text


def test_an_organisation_is_registered_renamed_and_ended(own_web: Web) -> None:
    client, hospital = own_web.client("administrator"), own_web.hospital
    assert form_of(client.get(f"{HOME}/organisations/new"))["number"] == "3"
    taken = send(client, f"{HOME}/organisations/new", {"number": "1", "name": "Again"})
    assert "Another organisation has that number." in words(taken)
    answer = send(client, f"{HOME}/organisations/new", {"number": "3", "name": "Southgate Insurance"})
    assert answer.status_code == 303
    act = f"{HOME}/acts/{answer.location.rpartition('act=')[2]}?after=reload"
    assert "HX-Refresh" not in client.get(act).headers
    hospital.drain()
    assert client.get(act).headers["HX-Refresh"] == "true"
    assert "Southgate Insurance" in words(client.get(answer.location))
    assert send(client, f"{HOME}/organisations/3", {"name": "Southgate Mutual"}).status_code == 303
    hospital.drain()
    organisation = hospital.handshaker.staff.organisation(3)
    assert (organisation.name, organisation.active) == ("Southgate Mutual", False)


@pytest.mark.parametrize(
    ("refusal", "kind", "said"),
    [
        (None, "good", "Ended. Signed and on its way to the chain."),
        (RoleNotAllowed("Not for you.", role="nurse", allowed=[]), "bad", "Ended. Refused: Not for you."),
    ],
)
def test_an_act_that_a_gate_refused_is_not_said_to_be_on_its_way(
    web: Web, refusal: RoleNotAllowed | None, kind: str, said: str
) -> None:
    with web.app.test_request_context("/"):
        acts.tell_sent(Submission("ti", refusal, None), "Ended.")
        assert get_flashed_messages(with_categories=True) == [(kind, said)]
