"""The Generator is pure: the same three inputs give the same bytes, and the bytes tell only what the template maps."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest
from eth_account.messages import encode_typed_data
from eth_utils.crypto import keccak
from hypothesis import given
from hypothesis import strategies as st

from handshaker.commitments import commitment
from handshaker.errors import MappingFailed
from handshaker.ethereum.statements import digest, statement_type
from handshaker.generator import TransactionGenerator
from handshaker.messages import (
    Actor,
    Context,
    ContractCall,
    InitialTransaction,
    Patient,
    Preparation,
    Registration,
    Template,
)
from handshaker.vocabulary import ActorKind, mask_of, organisation_grantee
from tests.handshaker.payloads import PAYLOADS, SALTS
from tests.handshaker.templates.fakes import manager, shipped_template, ward

GENERATOR = TransactionGenerator()
NAMES = (
    "clinical-note",
    "consent-grant",
    "consent-revoke",
    "laboratory-report",
    "register-organisation",
    "register-patient",
    "register-practitioner",
    "vital-signs",
)
CLINICAL = ("clinical-note", "laboratory-report", "register-patient", "vital-signs")
CHAIN_ID, CONTRACT = 1337, "0x5B38Da6a701c568545dCfcB03FcB875f56beddC4"
REFERENCE = "QRSTUVWXYZ234567ABCDEFGHIJ"

ACTORS = {
    "patient": (ActorKind.PATIENT, "0x" + "11" * 32),
    "administrator": (ActorKind.ADMINISTRATOR, "0x" + "22" * 20),
    "doctor": (ActorKind.PRACTITIONER, "0x" + "33" * 16),
}


def context(role: str = "doctor", **changes: Any) -> Context:
    kind, identity = ACTORS[role]
    preparation = Preparation(
        salt=changes.pop("salt", bytes(range(32))),
        reference=changes.pop("reference", REFERENCE),
        deadline=changes.pop("deadline", 1_800_000_000),
        version=changes.pop("version", 3),
        epoch=changes.pop("epoch", 2),
    )
    actor = Actor(
        actor_id=identity,
        kind=kind,
        role=role,
        address="0x" + "44" * 20,
        name="Dr Noor Lindgren",
        organisation_id=1,
        licence_until=datetime(2028, 1, 1, tzinfo=UTC),
        active=True,
        custodial=True,
    )
    made = Context(
        actor=actor,
        patient=Patient("0x" + "11" * 32, "0x" + "55" * 20, custodial=True, demographics=None),
        preparation=preparation,
        names={"0x" + organisation_grantee(1).hex(): "Lakeside Hospital"},
        registration=Registration("0x" + "66" * 16, "0x" + "77" * 20, custodial=False),
    )
    return replace(made, **changes)


def role_for(template: Template) -> str:
    return next(role for role in ("patient", "administrator", "doctor") if role in template.roles)


def generate(template: Template, payload: Any = None, given_context: Context | None = None, **ti: Any) -> ContractCall:
    asked = InitialTransaction(
        ti_id="ti-1",
        template=template.name,
        template_version=template.version,
        actor_id="0x",
        patient_id=None,
        payload=(template.example or {}) if payload is None else payload,
        idempotency_key="k",
        received_at=datetime(2026, 11, 21, tzinfo=UTC),
    )
    return GENERATOR.generate(replace(asked, **ti), template, given_context or context(role_for(template)))


def values_of(template: Template, call: ContractCall) -> dict[str, Any]:
    return statement_type(template.contract, template.function).values(call.words, call.terms)


# ---- the statement -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", NAMES)
@given(salt=SALTS, deadline=st.integers(2**31, 2**40 - 1), version=st.integers(1, 2**16 - 1))
def test_the_same_input_gives_the_same_call(name: str, salt: bytes, deadline: int, version: int) -> None:
    template = shipped_template(name)
    made = context(role_for(template), salt=salt, deadline=deadline, version=version)
    assert generate(template, given_context=made) == generate(template, given_context=made)


@pytest.mark.parametrize("name", NAMES)
@given(salt=SALTS, deadline=st.integers(2**31, 2**40 - 1), version=st.integers(1, 2**16 - 1))
def test_words_decode_to_what_was_mapped(name: str, salt: bytes, deadline: int, version: int) -> None:
    template = shipped_template(name)
    made = context(role_for(template), salt=salt, deadline=deadline, version=version)
    call = generate(template, given_context=made)
    kind = statement_type(template.contract, template.function)
    values = values_of(template, call)
    assert kind.words(values) == call.words
    assert len(call.words) == 32 * len(kind.fields)
    assert values.get("version", version) == version
    assert values.get("deadline", deadline) == deadline
    assert call.deadline == (deadline if "deadline" in values else None)
    assert values.get("commitment", call.commitment) == call.commitment == commitment(template.example or {}, salt)


@pytest.mark.parametrize("name", NAMES)
def test_what_a_wallet_signs_is_what_the_contract_checks(name: str) -> None:
    template = shipped_template(name)
    call = generate(template)
    typed = statement_type(template.contract, template.function).typed_data(
        values_of(template, call), CHAIN_ID, CONTRACT
    )
    types = {key: fields for key, fields in typed["types"].items() if key != "EIP712Domain"}
    signable = encode_typed_data(typed["domain"], types, typed["message"])
    signed = keccak(b"\x19" + signable.version + signable.header + signable.body)
    assert signed == digest(call.statement_hash, CHAIN_ID, CONTRACT)


@pytest.mark.parametrize("name", CLINICAL)
@given(payload=PAYLOADS, other=PAYLOADS, salt=SALTS)
def test_of_a_clinical_payload_only_its_commitment_reaches_the_chain(
    name: str, payload: dict[str, Any], other: dict[str, Any], salt: bytes
) -> None:
    template = shipped_template(name)
    made = context(role_for(template), salt=salt)
    one, two = (generate(template, asked, made) for asked in (payload, other))
    mask = bytes(32)
    assert one.words.replace(one.commitment, mask) == two.words.replace(two.commitment, mask)
    assert one.sentence == two.sentence
    assert one.terms is None
    assert (one.statement_hash == two.statement_hash) is (one.words == two.words)


@pytest.mark.parametrize("name", NAMES)
def test_the_salt_never_leaves_the_preparation(name: str) -> None:
    call = generate(shipped_template(name))
    salt = bytes(range(32))
    assert salt not in call.words
    assert salt.hex() not in call.sentence


def test_a_changed_payload_changes_the_statement() -> None:
    template = shipped_template("vital-signs")
    payload = dict(template.example or {})
    assert (
        generate(template, payload).statement_hash != generate(template, payload | {"status": "amended"}).statement_hash
    )


def test_a_record_names_its_author_patient_category_and_purpose() -> None:
    template = shipped_template("laboratory-report")
    values = values_of(template, generate(template))
    assert values == {
        "patientId": b"\x11" * 32,
        "author": b"\x33" * 16,
        "category": 2,
        "purpose": 0,
        "commitment": generate(template).commitment,
        "supersedes": bytes(32),
        "deadline": 1_800_000_000,
    }


def test_an_amendment_names_the_record_that_it_supersedes() -> None:
    template = shipped_template("clinical-note")
    call = generate(template, supersedes="0x" + "ab" * 32)
    assert values_of(template, call)["supersedes"] == b"\xab" * 32


def test_a_consent_carries_masks_window_and_its_sentence() -> None:
    template = shipped_template("consent-grant")
    call = generate(template)
    values = values_of(template, call)
    mask = mask_of(("vital-signs", "laboratory"))
    assert (values["readMask"], values["writeMask"], values["denyMask"]) == (mask, mask, 0)
    assert (values["notBefore"], values["notAfter"]) == (1795219200, 1803859200)
    assert (values["version"], values["epoch"]) == (3, 2)
    assert values["grantee"] == organisation_grantee(1)
    assert call.terms == call.sentence
    assert call.terms is not None
    assert call.terms.endswith(f"Reference {REFERENCE}")
    assert call.words.endswith(keccak(text=call.terms))


def test_a_consent_is_signed_by_the_controller_and_a_delegated_one_by_the_delegate() -> None:
    template = shipped_template("consent-grant")
    own = generate(template)
    delegated = generate(template, given_context=context("patient", controller_is_signer=False))
    assert own.signer == "0x" + "55" * 20
    assert delegated.signer == "0x" + "44" * 20
    assert [str(values_of(template, call)["signer"]).lower() for call in (own, delegated)] == [
        own.signer,
        delegated.signer,
    ]


@pytest.mark.parametrize("name", ["vital-signs", "register-organisation"])
def test_everybody_else_signs_with_their_own_key(name: str) -> None:
    assert generate(shipped_template(name)).signer == "0x" + "44" * 20


def test_a_withdrawal_has_no_deadline() -> None:
    assert generate(shipped_template("consent-revoke")).deadline is None


@given(
    st.lists(st.sampled_from(["psychiatry", "substance-use", "sexual-health", "domestic-violence", "restricted"])),
    SALTS,
)
def test_the_terms_never_name_a_sensitive_category(codes: list[str], salt: bytes) -> None:
    template = shipped_template("consent-grant")
    payload = dict(template.example or {}) | {"read": ["vital-signs", *codes]}
    terms = generate(template, payload, context("patient", salt=salt)).terms or ""
    for word in ("mental", "psychiatr", "alcohol", "drug", "substance", "sexual", "hiv", "violence", "special restr"):
        assert word not in terms.lower()
    assert ("specially protected records" in terms) is bool(codes)


def test_a_registration_binds_the_id_and_the_key_that_were_settled_before() -> None:
    template = shipped_template("register-practitioner")
    values = values_of(template, generate(template))
    assert values["practitionerId"] == b"\x66" * 16
    assert str(values["key"]).lower() == "0x" + "77" * 20
    assert (values["role"], values["active"], values["custodial"]) == (1, True, False)
    assert values["licenceUntil"] == 1830297600


def test_an_organisations_profile_on_the_chain_is_a_commitment() -> None:
    template = shipped_template("register-organisation")
    call = generate(template)
    assert values_of(template, call)["profile"] == call.commitment


# ---- what does not work out ----------------------------------------------------------------------------------------


def test_a_statement_about_a_patient_needs_one() -> None:
    with pytest.raises(MappingFailed) as refusal:
        generate(shipped_template("register-patient"), given_context=context("administrator", patient=None))
    assert "context.patient.id" in str(refusal.value) or refusal.value.data["field"] == "sentence"


@pytest.mark.parametrize(
    ("name", "change", "field", "expected"),
    [
        ("consent-grant", {"notAfter": "Zebedee"}, "sentence", "text"),
        ("consent-grant", {"grantee": "organisation/2"}, "sentence", "text"),
        ("register-organisation", {"organisation": 2**24}, "organisationId", "uint24"),
        ("register-organisation", {"organisation": "Zebedee"}, "organisationId", "uint24"),
        ("register-organisation", {"active": "Zebedee"}, "active", "bool"),
        ("register-practitioner", {"role": "Zebedee"}, "role", "uint8"),
    ],
)
def test_a_payload_that_cannot_be_mapped_is_told_by_field_and_never_by_value(
    name: str, change: dict[str, Any], field: str, expected: str
) -> None:
    template = shipped_template(name)
    with pytest.raises(MappingFailed) as refusal:
        generate(template, dict(template.example or {}) | change)
    data = refusal.value.data
    assert (data["field"], data["expected"]) == (field, expected)
    assert data["expression"] == (template.sentence if field == "sentence" else template.statement[field])
    assert "Zebedee" not in str(refusal.value)


def test_a_sentence_that_lost_its_reference_is_not_signed() -> None:
    template = shipped_template("consent-grant")
    template = replace(template, sentence="Allow everything.")
    with pytest.raises(MappingFailed, match="does not end in the reference"):
        generate(template)


def test_a_template_that_the_transaction_does_not_name_is_refused() -> None:
    with pytest.raises(ValueError, match="names vital-signs@2"):
        generate(shipped_template("vital-signs"), template_version=2)


def test_a_template_of_an_administrator_works_like_a_shipped_one() -> None:
    template = manager().parse(ward())
    values = values_of(template, generate(template, {"number": 12, "open": False}))
    assert (values["organisationId"], values["active"]) == (12, False)
