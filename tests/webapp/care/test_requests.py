"""Asking patients for consent."""

from __future__ import annotations

import re

import pytest

from tests.instances import consent_payload
from tests.webapp.care.ward import LIVE, Ward, main
from tests.webapp.web import Web


@pytest.fixture
def ward(own_web: Web) -> Ward:
    return Ward(own_web, "doctor")


def consent(ward: Ward) -> str:
    return f"/patients/{ward.silent}/consent"


def test_nobody_asked_yet_says_how_to(ward: Ward) -> None:
    assert "Nobody was asked yet" in ward.see("/requests")


def test_the_form_begins_with_what_is_usual_and_never_with_anything_sensitive(ward: Ward) -> None:
    page = ward.see(consent(ward))
    chosen = re.findall(r'name="(\w+)" value="([\w-]+)" checked', page)
    assert ("read", "vital-signs") in chosen
    assert not [name for name, _ in chosen if "sensitive" in name]
    assert "Mental health records" in page


def test_a_request_waits_and_turns_to_granted_by_itself(ward: Ward) -> None:
    answer = ward.fill(consent(ward), read=["vital-signs", "laboratory"], write=["vital-signs"], purpose="TREAT")
    assert answer.status_code == 303
    page = ward.see("/requests")
    assert "The patient was asked." in page
    assert "SILENT, Zed" in page
    assert "read: Vital signs, Laboratory results" in page
    assert "by Lakeside Hospital" in page
    part = re.search(r'hx-get="(/requests/list[^"]+)"', page)
    assert part is not None
    assert ward.client.get(part[1], headers=LIVE).status_code == 204
    hospital = ward.hospital
    hospital.acknowledged(hospital.submit(hospital.silent, "consent-grant", consent_payload()))
    assert "Granted" in ward.see(part[1], headers=LIVE)
    assert "Granted" in main(ward.see("/today"))


@pytest.mark.parametrize(
    ("values", "problem"),
    [
        ({"purpose": "TREAT"}, "Choose at least one kind of record."),
        ({"purpose": "CURIOSITY", "read": ["notes"]}, "Not a valid choice"),
        ({"purpose": "TREAT", "read": ["everything"]}, "is not a valid choice"),
        ({"purpose": "TREAT", "read": ["psychiatry"]}, "is not a valid choice"),
    ],
)
def test_what_is_wrong_is_said_and_nobody_is_asked(ward: Ward, values: dict[str, object], problem: str) -> None:
    answer = ward.fill(consent(ward), **values)
    assert answer.status_code == 200
    assert problem in answer.text
    assert "Nobody was asked yet" in ward.see("/requests")


def test_specially_protected_records_are_asked_for_by_name_only(ward: Ward) -> None:
    ward.fill(consent(ward), read_sensitive=["psychiatry"], purpose="TREAT")
    assert "read: Mental health records" in ward.see("/requests")


def test_the_chart_says_that_the_patient_was_asked(ward: Ward) -> None:
    ward.fill(consent(ward), read=["notes"], purpose="TREAT")
    assert "You asked on" in main(ward.see(f"/patients/{ward.silent}"))


def test_colleagues_of_the_organisation_see_the_request_and_others_do_not(ward: Ward, own_web: Web) -> None:
    ward.fill(consent(ward), read=["notes"], purpose="TREAT")
    assert "SILENT, Zed" in main(Ward(own_web, "nurse").see("/requests"))
    assert "Nobody was asked yet" in Ward(own_web, "pathologist").see("/requests")
