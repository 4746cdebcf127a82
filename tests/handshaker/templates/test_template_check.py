"""An administrator's mistakes: each is named with its place, and all of them at once."""

from __future__ import annotations

from typing import Any

import pytest

from tests.handshaker.templates.fakes import problems, shipped, ward


def statement(**changes: str | None) -> dict[str, Any]:
    """Return the small template with some mappings changed; ``None`` removes one."""
    mappings = ward()["statement"] | changes
    return ward(statement={name: value for name, value in mappings.items() if value is not None})


def test_the_small_template_is_sound() -> None:
    assert problems(ward()) == {}


def test_every_problem_is_told_at_once() -> None:
    document = statement(deadline=None, surplus="`1`", version="payload.[", administrator="context.actor.adress")
    document |= {"roles": ["administrator", "janitor"], "category": "hearsay", "sentence": "Hello {{ you }}"}
    assert set(problems(document)) == {
        "roles[1]",
        "category",
        "statement.deadline",
        "statement.surplus",
        "statement.version",
        "statement.administrator",
        "sentence",
    }


@pytest.mark.parametrize(
    ("change", "path", "words"),
    [
        ({"name": "Open Ward"}, "name", "lower-case words joined by hyphens"),
        ({"version": 0}, "version", "at least 1"),
        ({"version": "1"}, "version", "must be a whole number"),
        ({"title": None}, "", "title is missing"),
        ({"sentense": "x"}, "", "not known here: sentense"),
        ({"roles": []}, "roles", "must not be empty"),
        ({"action": "erase"}, "action", "must be one of write, consent, administer"),
        ({"lifetime": 0}, "lifetime", "must be more than 0 seconds"),
        ({"lifetime": 10**9}, "lifetime", "whole number of seconds"),
        ({"contract": "Directorate"}, "contract", "there are Directory, ConsentRegistry"),
        ({"function": "registerHouse"}, "function", "registerOrganisation"),
        ({"function": "isOperator"}, "function", "takes a statement and one signature"),
        ({"function": "proposeRecovery"}, "function", "one signature"),
        ({"category": "vital signs"}, "category", "there are demographics, vital-signs"),
        ({"purpose": "FUN"}, "purpose", "there are TREAT"),
        ({"resource_type": "Ward"}, "resource_type", "is not a resource of FHIR R4"),
        ({"covers": ["8867-4"]}, "covers", "needs a resource_type"),
        ({"covers": ["8867-5"], "resource_type": "Observation"}, "covers[0]", "check digit"),
        ({"payload": {"type": "objekt"}}, "payload.type", "must be one of array, boolean"),
        ({"payload": {"properties": {"a": {"minimum": "1"}}}}, "payload.properties.a.minimum", "must be a number"),
        ({"payload": {"$ref": "https://example.org/ward.json"}}, "payload.$ref", "a place in this schema"),
        ({"payload": {"$ref": "#/$defs/nowhere"}}, "payload", "a place that this schema does not have"),
        ({"sentence": "Open {{ payload.number "}, "sentence", "does not compile"),
        ({"sentence": "Open {{ payload.numbr }}"}, "sentence", "payload.numbr is not in the payload's schema"),
        ({"sentence": "Open {{ context.wart }}"}, "sentence", "context.wart does not exist"),
        ({"sentence": "Open {{ range(3) }}"}, "sentence", "`range` is not known here"),
        ({"sentence": "Open {{ _salt }}"}, "sentence", "`_salt` is not known here"),
        ({"sentence": "Open {{ payload.number | wrap }}"}, "sentence", "does not compile"),
        ({"off_chain": ["payload.number"]}, "statement.organisationId", "off_chain[0]"),
        ({"off_chain": ["payload"]}, "statement.active", "off_chain[0]"),
        ({"off_chain": ["context.deadline"]}, "off_chain[0]", "start with payload"),
        ({"rules": [{"that": "payload.number >", "problem": "no"}]}, "rules[0].that", "does not compile"),
        ({"rules": [{"that": "payload.number"}]}, "rules[0]", "problem is missing"),
        ({"rules": [{"that": "payload.number > `50`", "problem": "is small"}]}, "example", "is small"),
        ({"example": {"number": 101, "open": True}}, "example.number", "must be at most 100"),
        ({"example": {"number": 1}}, "example", "open is missing"),
    ],
)
def test_a_mistake_is_named_with_its_place(change: dict[str, Any], path: str, words: str) -> None:
    assert words in problems(ward(**change))[path]


@pytest.mark.parametrize(
    ("field", "expression", "words"),
    [
        (
            "deadline",
            None,
            "is missing: OrganisationRegistration wants a whole number from 0 to 1099511627775 (uint40)",
        ),
        ("owner", "`1`", "is no field of OrganisationRegistration; there are organisationId, active"),
        ("organisationId", "payload.[", "does not compile: the expression ends too early"),
        ("organisationId", "payload..number", "does not compile: '.' at character 9"),
        ("organisationId", "`16777216`", "out of range"),
        ("organisationId", "`-1`", "out of range"),
        ("organisationId", "'7'", "gives text"),
        ("organisationId", "`1.5`", "gives a number with a fraction"),
        ("organisationId", "`true`", "gives true or false"),
        ("organisationId", "payload.nmber", "payload.nmber is not in the payload's schema; there are number, open"),
        ("organisationId", "number", "`number` is not known here; paths start with payload or context"),
        ("organisationId", "twice(payload.number)", "twice() is not a function"),
        ("organisationId", "mask(payload.number, `1`)", "mask() takes 1 argument, not 2"),
        ("organisationId", "payload.open", "gives true or false (tried with the example)"),
        ("organisationId", "grantee('ward/1')", "neither organisation/<number>"),
        ("active", "`1`", "wants true or false (bool)"),
        ("profile", "'0x00'", "gives hex digits that are not 32 bytes"),
        ("profile", "context.actor.id", "gives hex digits that are not 32 bytes"),
        ("profile", "context.salt", "context.salt does not exist"),
        ("administrator", "context.actor.adress", "context.actor.adress does not exist; there are address, id"),
        ("administrator", "context.commitment", "gives text"),
        ("deadline", "context.terms", "gives text"),
        ("version", "payload.motto | context.version", "out of reach"),
    ],
)
def test_a_mapping_that_the_contract_could_not_take_is_named(field: str, expression: str | None, words: str) -> None:
    assert words in problems(statement(**{field: expression}))[f"statement.{field}"]


def test_a_role_that_the_contract_lets_write_nothing_of_the_category_is_refused() -> None:
    document = shipped("vital-signs") | {"roles": ["doctor", "pharmacist", "patient"]}
    found = problems(document)
    assert found["roles[1]"] == "pharmacist may not write vital-signs; the contract would refuse it"
    assert found["roles[2]"] == "patient may not write vital-signs; the contract would refuse it"
    assert "(for a patient)" in found["statement.author"]


@pytest.mark.parametrize("name", ["category", "purpose"])
def test_what_writes_needs_a_category_and_a_purpose(name: str) -> None:
    assert "needs a category and a purpose" in problems(shipped("clinical-note") | {name: None})[name]


def test_what_people_sign_must_be_the_sentence() -> None:
    document = shipped("consent-grant")
    document["statement"]["terms"] = "payload.grantee"
    assert "must be context.terms" in problems(document)["statement.terms"]


@pytest.mark.parametrize(
    ("sentence", "words"),
    [
        ("Allow {{ payload.deny }} {{ context.reference }}", "the sentence needs `deny` that is not there"),
        ("Allow it.", "must end in {{ context.reference }}"),
        ("Allow it.{% if payload.deny is defined %} {{ context.reference }}{% endif %}", "for every payload"),
    ],
)
def test_a_sentence_whose_hash_could_be_guessed_is_refused(sentence: str, words: str) -> None:
    assert words in problems(shipped("consent-grant") | {"sentence": sentence})["sentence"]


def test_what_stays_off_the_chain_may_not_be_in_a_sentence_that_wallets_see() -> None:
    document = shipped("consent-grant") | {"off_chain": ["payload.purpose"]}
    assert {"statement.purpose", "sentence"} <= set(problems(document))


def test_a_range_is_checked_like_everything_else() -> None:
    document = shipped("vital-signs")
    document["plausibility"] += [
        {"code": "8867-4", "display": "again", "units": {"/min": [1, 2]}},
        {"code": "1234-5", "display": "wrong", "units": {"mmHg": [5, 1]}, "assumed": "kPa"},
    ]
    found = problems(document)
    assert found["plausibility[10].code"] == "has a range already"
    assert "check digit" in found["plausibility[11].code"]
    assert found["plausibility[11].assumed"] == "is not among the units"
    assert found["plausibility[11].units.mmHg"] == "has its lowest value above its highest"


def test_an_example_that_is_not_plausible_is_refused() -> None:
    document = shipped("vital-signs")
    document["example"]["component"][0]["valueQuantity"]["value"] = 900
    assert "20 to 370 mm[Hg]" in problems(document)["example.component[0].valueQuantity.value"]
