"""What holds for every statement alike: in time, signed by whom it says, for this contract on this chain, unaltered."""

from __future__ import annotations

import pytest

from handshaker.ethereum.contracts import CONTRACT_NAMES, functions
from handshaker.ethereum.statements import FieldValue, digest, statement_type
from tests.contracts import drafts
from tests.contracts.acts import ACTS, RECORD, ROTATE_CONTROLLER, Act
from tests.contracts.harness import Receipt, assert_reverts, decode_revert
from tests.contracts.hospital import Hospital, statement_id
from tests.contracts.people import ADMINISTRATOR, ALICE, CO_ADMINISTRATOR, DOCTOR, NURSE, address_of, key_of

SECP256K1_ORDER = 0xFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFEBAAEDCE6AF48A03BBFD25E8CD0364141

every_act = pytest.mark.parametrize("act", ACTS, ids=str)
every_act_with_a_deadline = pytest.mark.parametrize("act", [act for act in ACTS if "deadline" in act.draft()], ids=str)
every_act_of_two = pytest.mark.parametrize("act", [act for act in ACTS if len(act.keys) == 2], ids=str)

# Accepts exactly the signature that repeats the digest it is asked about, as ERC-1271 lets a wallet decide.
WALLET = bytes.fromhex("6004356064351463" + "1626ba7e" + "60e01b02" + "5f52" + "60205ff3")
_WALLET_CREATION = bytes.fromhex(f"60{len(WALLET):02x}600a5f3960{len(WALLET):02x}5ff3") + WALLET


def submit_signed(hospital: Hospital, act: Act, *signatures: bytes) -> Receipt:
    """Carry the act with these signatures; where two must sign, the missing ones are added rightly."""
    rest = tuple(hospital.sign(k, act.contract, act.function, act.draft()) for k in act.keys[len(signatures) :])
    return hospital.submit(act.contract, act.function, act.draft(), signatures=signatures + rest)


def assert_signature_refused(receipt: Receipt, act: Act) -> None:
    assert_reverts(receipt, "SignatureInvalid", statement=act.id(), signer=address_of(act.keys[0]))


def test_every_function_that_takes_a_statement_has_an_act_here() -> None:
    listed = {(act.contract, act.function) for act in ACTS}
    taking = {
        (contract, name)
        for contract in CONTRACT_NAMES
        for name, item in functions(contract).items()
        if item.inputs and item.inputs[0]["type"] == "tuple"
    }
    assert listed == taking


@every_act
def test_a_statement_is_accepted_whoever_carries_it(act: Act, hospital: Hospital) -> None:
    act.prepare(hospital)
    receipt = hospital.submit(act.contract, act.function, act.draft(), *act.keys, sender=address_of(key_of("stranger")))
    assert receipt.status == 1
    assert any(log.topics[1] == act.id() for log in receipt.logs), "its effect names the statement"


@every_act
def test_a_statement_has_no_second_effect(act: Act, hospital: Hospital) -> None:
    act.prepare(hospital)
    assert act.perform(hospital).status == 1
    again = act.perform(hospital)
    assert again.status == 0
    assert decode_revert(again.revert_data)[0]


@every_act_with_a_deadline
def test_a_statement_is_accepted_in_its_last_second_and_refused_after(act: Act, hospital: Hospital) -> None:
    act.prepare(hospital)
    now = hospital.evm.timestamp
    late = now - 1
    assert_reverts(
        act.perform(hospital, deadline=late), "StatementExpired", statement=act.id(deadline=late), deadline=late
    )
    assert act.perform(hospital, deadline=now).status == 1


@every_act
def test_the_signature_of_somebody_else_is_refused(act: Act, hospital: Hospital) -> None:
    act.prepare(hospital)
    other = hospital.sign(key_of("stranger"), act.contract, act.function, act.draft())
    assert_signature_refused(submit_signed(hospital, act, other), act)


@every_act
def test_a_signature_for_another_chain_is_refused(act: Act, hospital: Hospital) -> None:
    act.prepare(hospital)
    elsewhere = hospital.sign(act.keys[0], act.contract, act.function, act.draft(), chain_id=1)
    assert_signature_refused(submit_signed(hospital, act, elsewhere), act)


@every_act
def test_a_signature_for_another_contract_is_refused(act: Act, hospital: Hospital) -> None:
    act.prepare(hospital)
    for name in set(CONTRACT_NAMES) - {act.contract}:
        verifying = hospital.addresses[name]
        signature = hospital.sign(act.keys[0], act.contract, act.function, act.draft(), verifying_contract=verifying)
        assert_signature_refused(submit_signed(hospital, act, signature), act)


@every_act
def test_a_malleable_signature_is_refused(act: Act, hospital: Hospital) -> None:
    act.prepare(hospital)
    signature = hospital.sign(act.keys[0], act.contract, act.function, act.draft())
    high = SECP256K1_ORDER - int.from_bytes(signature[32:64], "big")
    mirrored = signature[:32] + high.to_bytes(32, "big") + bytes([55 - signature[64]])
    assert_signature_refused(submit_signed(hospital, act, mirrored), act)


@pytest.mark.parametrize("form", ["empty", "short", "long", "compact", "zero", "v as parity"])
def test_a_signature_of_another_form_is_refused(form: str, hospital: Hospital) -> None:
    act = RECORD
    act.prepare(hospital)
    right = hospital.sign(act.keys[0], act.contract, act.function, act.draft())
    parity = right[64] - 27
    compact = right[:32] + (int.from_bytes(right[32:64], "big") | parity << 255).to_bytes(32, "big")
    wrong = {
        "empty": b"",
        "short": right[:64],
        "long": right + b"\0",
        "compact": compact,
        "zero": bytes(65),
        "v as parity": right[:64] + bytes([parity]),
    }[form]
    assert_signature_refused(submit_signed(hospital, act, wrong), act)


@every_act
def test_a_carrier_cannot_alter_any_field(act: Act, hospital: Hospital) -> None:
    act.prepare(hospital)
    values = act.draft()
    signatures = tuple(hospital.sign(key, act.contract, act.function, values) for key in act.keys)
    for name, kind in statement_type(act.contract, act.function).fields:
        altered = values | {name: _another(kind, values[name])}
        receipt = hospital.submit(act.contract, act.function, altered, signatures=signatures)
        assert receipt.status == 0, name


@every_act_of_two
def test_two_administrators_must_sign_and_differ(act: Act, hospital: Hospital) -> None:
    first, second = address_of(ADMINISTRATOR), address_of(CO_ADMINISTRATOR)
    act.prepare(hospital)
    alone = act.draft(coAdministrator=first)
    assert_reverts(
        hospital.submit(act.contract, act.function, alone, ADMINISTRATOR, ADMINISTRATOR),
        "AdministratorsMustDiffer",
        administrator=first,
    )
    twice = hospital.submit(act.contract, act.function, act.draft(), ADMINISTRATOR, ADMINISTRATOR)
    assert_reverts(twice, "SignatureInvalid", statement=act.id(), signer=second)
    stranger = key_of("stranger")
    for field in ("administrator", "coAdministrator"):
        keys = (stranger, CO_ADMINISTRATOR) if field == "administrator" else (ADMINISTRATOR, stranger)
        values = act.draft(**{field: address_of(stranger)})
        receipt = hospital.submit(act.contract, act.function, values, *keys)
        assert_reverts(receipt, "NotAdministrator", account=address_of(stranger))


def test_an_author_may_be_a_wallet_contract(hospital: Hospital) -> None:
    RECORD.prepare(hospital)
    wallet = hospital.evm.deploy_code(_WALLET_CREATION)
    hospital.must(
        "Directory",
        "registerPractitioner",
        drafts.practitioner(NURSE, key=wallet, custodial=False, version=2),
        ADMINISTRATOR,
    )
    values = drafts.record()
    id_ = statement_id("HealthRecords", "record", values)
    asked = digest(id_, hospital.evm.chain_id, hospital.addresses["HealthRecords"])

    old_key = hospital.submit("HealthRecords", "record", values, NURSE.key)
    assert_reverts(old_key, "SignatureInvalid", statement=id_, signer=wallet)
    another = hospital.submit("HealthRecords", "record", values, signatures=(b"\x01" * 32,))
    assert_reverts(another, "SignatureInvalid", statement=id_, signer=wallet)
    assert hospital.submit("HealthRecords", "record", values, signatures=(asked,)).status == 1


def test_a_patient_may_be_a_wallet_contract(hospital: Hospital) -> None:
    wallet = hospital.evm.deploy_code(_WALLET_CREATION)
    hospital.must("Directory", "rotateController", ROTATE_CONTROLLER.draft(newController=wallet), ALICE.key)
    values = drafts.grant(signer=wallet)
    asked = digest(
        statement_id("ConsentRegistry", "grant", values), hospital.evm.chain_id, hospital.addresses["ConsentRegistry"]
    )
    assert hospital.submit("ConsentRegistry", "grant", values, ALICE.key).status == 0
    assert hospital.submit("ConsentRegistry", "grant", values, signatures=(asked,)).status == 1
    assert hospital.read("ConsentRegistry", "isPermitted", ALICE.id, NURSE.id, 0, 1, 0, hospital.evm.timestamp)
    assert not hospital.read("ConsentRegistry", "isPermitted", ALICE.id, DOCTOR.id, 0, 1, 0, hospital.evm.timestamp)


def _another(kind: str, value: FieldValue) -> FieldValue:
    """A different value of the same type, as near as can be."""
    if isinstance(value, bool):
        return not value
    if isinstance(value, int):
        return value ^ 1
    if kind == "address":
        return address_of(key_of("another"))
    if isinstance(value, str):
        return value + " And more."
    return bytes([value[0] ^ 1]) + value[1:]
