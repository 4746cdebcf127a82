"""An initial transaction becomes an acknowledged Ethereum transaction, on each kind of node."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from hexbytes import HexBytes
from web3 import Web3

from handshaker.audit.leaf import leaf_hash
from handshaker.messages import VerdictKind
from handshaker.reasons import reason_of
from tests.databases import Databases
from tests.instances import Instance, make_instance
from tests.nodes import Node


@pytest.fixture(scope="module")
def lakeside(databases: Databases, node: Node, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Instance]:
    """A hospital on each kind of node in turn."""
    instance = make_instance(tmp_path_factory.mktemp(node.kind), node)
    yield instance
    instance.close()


def test_what_the_patient_allowed_is_valid_with_evidence_that_is_on_the_chain(lakeside: Instance) -> None:
    submission = lakeside.measure()
    ack = lakeside.acknowledged(submission)
    assert (ack.kind, ack.code) == (VerdictKind.VALID, "effect")
    assert ack.statement_hash == submission.statement_hash
    web3 = Web3(lakeside.node.provider)
    assert ack.transaction_hash is not None
    receipt = web3.eth.get_transaction_receipt(HexBytes(ack.transaction_hash))
    assert (receipt["blockNumber"], bytes(receipt["blockHash"])) == (ack.block_number, ack.block_hash)
    (log,) = [log for log in receipt["logs"] if log["logIndex"] == ack.log_index]
    assert log["address"] == lakeside.handshaker.chain.address("HealthRecords")
    assert bytes(log["topics"][1]) == ack.statement_hash
    assert lakeside.kinds(submission)[0] == "received"
    assert lakeside.kinds(submission)[-1] == "valid"
    assert lakeside.kinds(submission).index("sent") > 0


def test_what_the_patient_did_not_allow_is_invalid_and_never_leaves_the_house(lakeside: Instance) -> None:
    chain = lakeside.handshaker.chain
    nonce = chain.nonce(lakeside.handshaker.vault.create_relayer("worker-1"))
    submission = lakeside.measure(lakeside.silent)
    ack = lakeside.acknowledged(submission)
    assert (ack.kind, ack.code) == (VerdictKind.INVALID, "not-permitted")
    assert (ack.block_number, ack.transaction_hash, ack.log_index) == (None, None, None)
    assert reason_of(ack).sentence == "The patient has not allowed writing vital signs for treatment."
    assert lakeside.kinds(submission) == ["received", "invalid"]
    assert ack.statement_hash is not None
    assert lakeside.handshaker.store.network.calls([ack.statement_hash]) == {}, "its signature is destroyed"
    assert chain.nonce(lakeside.handshaker.vault.create_relayer("worker-1")) == nonce


def test_a_record_waits_for_the_consent_that_was_signed_before_it(lakeside: Instance) -> None:
    patient = lakeside.admit("Just Now")
    consent = lakeside.consent(patient)
    record = lakeside.measure(patient)
    assert lakeside.acknowledged(consent).code == "effect"
    assert lakeside.acknowledged(record).code == "effect"


def test_a_revocation_overtakes_the_readings_that_wait(lakeside: Instance) -> None:
    patient = lakeside.admit("Changed Mind")
    lakeside.acknowledged(lakeside.consent(patient))
    record = lakeside.measure(patient)
    revocation = lakeside.submit(patient, "consent-revoke", {"grantee": "organisation/1", "purpose": "TREAT"})
    assert lakeside.acknowledged(revocation).code == "effect"
    assert lakeside.acknowledged(record).code == "not-permitted"


def test_under_load_many_go_in_few_transactions(lakeside: Instance) -> None:
    submissions = [lakeside.measure() for _ in range(12)]
    acks = [lakeside.acknowledged(submission) for submission in submissions]
    assert {ack.code for ack in acks} == {"effect"}
    assert len({ack.transaction_hash for ack in acks}) == 1
    assert len({ack.log_index for ack in acks}) == 12


def test_every_ti_has_one_leaf_in_a_dense_log_and_one_row_in_the_outbox(lakeside: Instance) -> None:
    lakeside.acknowledged(lakeside.measure())
    audit = lakeside.handshaker.store.audit
    acks = audit.acknowledgements(limit=10_000)
    entries = lakeside.handshaker.store.log.entries(0, 10_000)
    assert [entry.position for entry in entries] == list(range(len(entries)))
    assert all(leaf_hash(entry.leaf) == entry.leaf_hash for entry in entries)
    assert all(ack.ti_id.encode() in entries[ack.position or 0].leaf for ack in acks)
    assert len({ack.ti_id for ack in acks}) == len(acks)


def test_the_worker_is_idle_when_all_is_done_and_acknowledges_nothing_twice(lakeside: Instance) -> None:
    ack = lakeside.acknowledged(lakeside.measure())
    before = lakeside.handshaker.store.audit.counts()
    lakeside.restart()
    assert not any(lakeside.worker.step() for _ in range(3))
    assert lakeside.handshaker.store.audit.counts() == before
    assert lakeside.handshaker.store.audit.acknowledgement(ack.ti_id) == ack


def test_a_relayer_spends_its_first_nonce_on_nothing(lakeside: Instance) -> None:
    relayer = lakeside.handshaker.vault.create_relayer("worker-1")
    deployment = lakeside.handshaker.chain.deployment
    assert deployment is not None
    web3: Any = Web3(lakeside.node.provider)
    first = next(
        found
        for number in range(deployment.block_number, web3.eth.block_number + 1)
        for found in web3.eth.get_block(number, full_transactions=True)["transactions"]
        if found["from"] == relayer
    )
    assert (first["nonce"], first["to"], first["value"]) == (0, relayer, 0)
