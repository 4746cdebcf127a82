"""The templates that come with the Handshaker: sound, with an example, and in step with the vocabulary."""

from __future__ import annotations

from typing import Any

import pytest

from handshaker.clinical.gates import check_payload, schema_gate
from handshaker.errors import SchemaViolated
from handshaker.template_manager import shipped_documents
from handshaker.vocabulary import CATEGORY_BY_CODE, Purpose, Role
from tests.handshaker.templates.fakes import manager, problems, shipped

NAMES = [document["name"] for document in shipped_documents()]


@pytest.mark.parametrize("name", NAMES)
def test_a_shipped_template_is_sound_and_shows_an_example(name: str) -> None:
    document = shipped(name)
    assert problems(document) == {}
    assert manager().parse(document).example is not None


@pytest.mark.parametrize("name", NAMES)
def test_an_empty_payload_is_refused_with_what_is_missing(name: str) -> None:
    with pytest.raises(SchemaViolated) as refusal:
        check_payload({}, manager().parse(shipped(name)))
    assert any("is missing" in problem["problem"] for problem in refusal.value.data["problems"])


@pytest.mark.parametrize("name", ["vital-signs", "clinical-note", "laboratory-report", "register-patient"])
def test_a_clinical_payload_never_reaches_the_chain(name: str) -> None:
    document = shipped(name)
    assert document["off_chain"] == ["payload"]
    assert all(expression.startswith("context.") for expression in document["statement"].values())


def test_consents_know_the_categories_and_purposes_of_the_vocabulary() -> None:
    grant, revoke = shipped("consent-grant")["payload"], shipped("consent-revoke")["payload"]
    categories = ["all", *CATEGORY_BY_CODE]
    assert grant["$defs"]["categories"]["items"]["enum"] == categories
    assert revoke["properties"]["deny"]["items"]["enum"] == categories
    for schema in (grant, revoke):
        assert schema["properties"]["purpose"]["enum"] == [purpose.name for purpose in Purpose]


def test_practitioners_have_the_roles_of_the_vocabulary() -> None:
    schema = shipped("register-practitioner")["payload"]
    assert schema["properties"]["role"]["enum"] == [role.code for role in Role]


def test_vital_signs_cover_what_their_schema_lets_in() -> None:
    document = shipped("vital-signs")
    let_in = document["payload"]["properties"]["code"]["properties"]["coding"]["contains"]["properties"]["code"]["enum"]
    assert let_in == document["covers"]


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"grantee": "Lakeside"}, "organisation/<number> or practitioner/0x"),
        ({"purpose": "FUN"}, "must be one of TREAT"),
        ({"read": ["vital-signs", "gossip"]}, "must be one of all, demographics"),
        ({"read": ["vital-signs", "vital-signs"]}, "must not name the same thing twice"),
        ({"notAfter": "1 March 2027"}, "must be a moment such as"),
        ({"notAfter": "2027-03-01"}, "must be a moment such as"),
        ({"notAfter": "2027-03-01T00:00:00"}, "must be a moment such as"),
        ({"notAfter": "2020-03-01T00:00:00Z"}, "notAfter must be later than notBefore"),
        ({"read": [], "write": []}, "at least one of read, write and deny"),
        ({"message": "hello"}, "not known here: message"),
    ],
)
def test_a_consent_that_means_nothing_is_refused(change: dict[str, Any], words: str) -> None:
    template = manager().parse(shipped("consent-grant"))
    payload = shipped("consent-grant")["example"] | change
    with pytest.raises(SchemaViolated) as refusal:
        schema_gate(payload, template)
    assert any(words in problem["problem"] for problem in refusal.value.data["problems"]), refusal.value.data
