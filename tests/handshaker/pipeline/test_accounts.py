"""Who signs may be a contract, and who controls a pseudonym may change: the copy of the directory keeps up."""

from __future__ import annotations

import secrets
from typing import Any

import pytest
import sqlalchemy as sa
from eth_abi.abi import encode
from eth_account import Account
from web3 import Web3

from handshaker.ethereum.contracts import functions
from handshaker.ethereum.deployer import RECOVERY_DELAY
from handshaker.ethereum.statements import statement_type
from handshaker.intake import Submission
from handshaker.messages import Acknowledgement
from handshaker.store import schema as s
from handshaker.tokens import Credential
from tests.contracts.hostiles import AccountManner, compiled
from tests.handshaker.pipeline.test_kills import assert_one_effect_and_one_ack
from tests.instances import Instance, blood_pressure
from tests.strangers import transact


def smart_account(instance: Instance, owner: str, manner: AccountManner) -> str:
    """A contract that signs (ERC-1271) when ``owner`` does."""
    bytecode = bytes.fromhex(compiled()["HostileAccount"]["evm"]["bytecode"]["object"])
    key = instance.node.fund()
    web3 = Web3(instance.node.provider)
    data = bytecode + encode(["address", "uint8"], [owner, int(manner)])
    raw = Account.sign_transaction(
        {
            "chainId": instance.node.chain_id,
            "nonce": 0,
            "data": data,
            "gas": 3_000_000,
            "maxFeePerGas": 3 * 10**9,
            "maxPriorityFeePerGas": 10**9,
        },
        key,
    ).raw_transaction
    receipt = web3.eth.wait_for_transaction_receipt(web3.eth.send_raw_transaction(raw))
    assert receipt["contractAddress"]
    return str(receipt["contractAddress"])


def read_by(instance: Instance, nurse: Credential, owner: Any) -> Submission:
    patient = instance.consented.actor.actor_id
    return instance.sign_and_submit(owner, nurse, "vital-signs", blood_pressure(), patient=patient)


def test_what_a_contract_signed_travels_alone(own_hospital: Instance) -> None:
    owner = Account.create()
    nurse = own_hospital.hire_with_wallet(smart_account(own_hospital, owner.address, AccountManner.SLOW))
    others = [own_hospital.measure() for _ in range(2)]
    submission = read_by(own_hospital, nurse, owner)
    assert submission.refusal is None
    others += [own_hospital.measure() for _ in range(2)]
    acks: list[Acknowledgement] = [own_hospital.acknowledged(each) for each in (submission, *others)]
    assert {ack.code for ack in acks} == {"effect"}
    assert len({ack.transaction_hash for ack in acks}) == 2
    assert [ack.transaction_hash for ack in acks].count(acks[0].transaction_hash) == 1


def test_a_contract_that_signs_nothing_of_the_kind_is_refused_at_the_gate(own_hospital: Instance) -> None:
    owner = Account.create()
    for manner in (AccountManner.BURNS_GAS, AccountManner.REVERTS_EMPTY, AccountManner.ANSWERS_WRONGLY):
        nurse = own_hospital.hire_with_wallet(smart_account(own_hospital, owner.address, manner))
        submission = read_by(own_hospital, nurse, owner)
        assert submission.refusal is not None
        assert submission.refusal.code == "signature-refused"
    honest = own_hospital.hire_with_wallet(smart_account(own_hospital, owner.address, AccountManner.HONEST))
    stranger = read_by(own_hospital, honest, Account.create())
    assert stranger.refusal is not None
    assert own_hospital.acknowledged(read_by(own_hospital, honest, owner)).code == "effect"


def test_a_contract_that_stops_signing_harms_nobody_else(own_hospital: Instance) -> None:
    """It agreed at the gate and refuses later: its neighbours go on, its own statement waits for its deadline."""
    owner = Account.create()
    nurse = own_hospital.hire_with_wallet(smart_account(own_hospital, owner.address, AccountManner.HONEST))
    submission = read_by(own_hospital, nurse, owner)
    with own_hospital.handshaker.store._database.write() as connection:
        other = bytes(65).ljust(65, b"\x01")
        mine = s.signatures.c.statement_hash == submission.statement_hash
        connection.execute(sa.update(s.signatures).where(mine).values(signature=other))
    neighbour = own_hospital.measure()
    own_hospital.steps(6)
    assert_one_effect_and_one_ack(own_hospital, neighbour, "effect")
    assert own_hospital.ack(submission) is None
    own_hospital.travel(86_500)
    assert own_hospital.acknowledged(submission).code in ("signature-invalid", "unknown", "statement-expired")


def test_a_recovery_that_administrators_complete_changes_the_copy_too(own_hospital: Instance) -> None:
    patient = own_hospital.silent
    wallet = Account.create()
    kind = statement_type("Directory", "proposeRecovery")
    administrators = (own_hospital.administrator, own_hospital.second_administrator)
    values: dict[str, Any] = {
        "patientId": bytes.fromhex(patient.actor.actor_id[2:]),
        "newController": wallet.address,
        "custodial": False,
        "version": 2,
        "administrator": administrators[0].actor.address,
        "coAdministrator": administrators[1].actor.address,
        "deadline": int(own_hospital.clock.now().timestamp()) + 3_600,
    }
    words = kind.words({name: values[name] for name, _ in kind.fields})
    digest = own_hospital.handshaker.chain.digest("Directory", kind.struct_hash(words))
    vault, directory = own_hospital.handshaker.vault, own_hospital.handshaker.chain.address("Directory")
    signatures = [vault.sign(each.actor.actor_id, each.secret, digest) for each in administrators]
    assert transact(own_hospital.node, directory, kind.calldata(words, *signatures))["status"] == 1
    own_hospital.steps(2)
    (ack,) = [a for a in own_hospital.handshaker.store.audit.latest(9) if a.statement_hash == kind.struct_hash(words)]
    assert own_hospital.again(patient).actor.address == patient.actor.address, "there is a delay"
    # Blocks made in the same second count one second each there.
    own_hospital.travel(RECOVERY_DELAY + 600)
    complete = functions("Directory")["completeRecovery"]
    data = complete.selector + values["patientId"]
    assert transact(own_hospital.node, directory, data)["status"] == 1
    own_hospital.steps(2)
    actor = own_hospital.again(patient).actor
    assert (actor.address, actor.custodial) == (wallet.address, False)
    assert own_hospital.handshaker.store.audit.acknowledgement(ack.ti_id) == ack, "one statement, one ACK"


def test_a_patient_who_takes_custody_signs_alone_from_then_on(own_hospital: Instance) -> None:
    patient, wallet = own_hospital.consented, Account.create()
    kind = statement_type("Directory", "rotateController")
    values: dict[str, Any] = {
        "patientId": bytes.fromhex(patient.actor.actor_id[2:]),
        "newController": wallet.address,
        "custodial": False,
        "version": 2,
        "deadline": int(own_hospital.clock.now().timestamp()) + 3_600,
    }
    words = kind.words({name: values[name] for name, _ in kind.fields})
    digest = own_hospital.handshaker.chain.digest("Directory", kind.struct_hash(words))
    old = own_hospital.handshaker.vault.sign(patient.actor.actor_id, patient.secret, digest)
    new = Account.unsafe_sign_hash(digest, wallet.key).signature
    count = len(kind.function.inputs) - 1
    directory = own_hospital.handshaker.chain.address("Directory")
    data = kind.calldata(words, *[old, bytes(new)][:count])
    assert transact(own_hospital.node, directory, data)["status"] == 1
    own_hospital.steps(2)
    holder = own_hospital.again(patient)
    assert (holder.actor.address, holder.actor.custodial) == (wallet.address, False)
    revoke = {"grantee": "organisation/1", "purpose": "TREAT"}
    unsigned = own_hospital.submit(holder, "consent-revoke", revoke)
    assert unsigned.refusal is not None
    assert unsigned.refusal.code == "signature-refused"
    signed = own_hospital.sign_and_submit(wallet, holder, "consent-revoke", revoke)
    assert own_hospital.acknowledged(signed).code == "effect"
    assert own_hospital.acknowledged(own_hospital.measure(holder)).code == "not-permitted"


@pytest.mark.parametrize("number", [3, 16_777_215])
def test_an_organisation_that_somebody_else_registered_appears_without_a_name(
    own_hospital: Instance, number: int
) -> None:
    kind = statement_type("Directory", "registerOrganisation")
    values: dict[str, Any] = {
        "organisationId": number,
        "active": True,
        "profile": secrets.token_bytes(32),
        "version": 1,
        "administrator": own_hospital.administrator.actor.address,
        "deadline": int(own_hospital.clock.now().timestamp()) + 3_600,
    }
    words = kind.words({name: values[name] for name, _ in kind.fields})
    digest = own_hospital.handshaker.chain.digest("Directory", kind.struct_hash(words))
    vault, administrator = own_hospital.handshaker.vault, own_hospital.administrator
    signature = vault.sign(administrator.actor.actor_id, administrator.secret, digest)
    transact(own_hospital.node, own_hospital.handshaker.chain.address("Directory"), kind.calldata(words, signature))
    own_hospital.steps(2)
    found = {each.organisation_id: each for each in own_hospital.handshaker.store.people.organisations()}
    assert (found[number].name, found[number].active) == (f"Organisation {number}", True)
