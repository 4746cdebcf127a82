"""The chain port on each kind of node: the same answers, the same errors, whoever runs below."""

from __future__ import annotations

import secrets
from collections.abc import Iterator
from typing import Any

import pytest
import requests
from eth_abi.abi import encode
from eth_account import Account
from eth_keys.datatypes import PrivateKey
from hypothesis import given
from hypothesis import strategies as st
from tenacity import Retrying, retry_if_result, stop_after_delay, wait_fixed
from web3.exceptions import Web3RPCError
from web3.providers import BaseProvider
from web3.types import RPCEndpoint, RPCResponse

from handshaker.errors import ChainError, ChainMismatch, ChainUnreachable, HandshakerError, NotDeployed
from handshaker.ethereum.chain import EthereumChain, connect
from handshaker.ethereum.nodes import ANVIL, ETHEREUM
from handshaker.ethereum.relayers import relay_size, sign_transaction
from handshaker.messages import Attempt, ChainIdentity, Deployment, Fees, Receipt, SendOutcome, SignedCall
from tests.databases import Databases
from tests.instances import Instance, bare_instance
from tests.nodes import Node

NOBODY = "http://127.0.0.1:9"


@pytest.fixture(scope="module")
def bare(databases: Databases, node: Node, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Instance]:
    instance = bare_instance(node, tmp_path_factory.mktemp(f"bare-{node.kind}"))
    yield instance
    instance.close()


@pytest.fixture
def chain(bare: Instance) -> EthereumChain:
    return bare.handshaker.chain


def test_it_knows_what_it_runs_on(bare: Instance, chain: EthereumChain) -> None:
    assert chain.profile.name == bare.node.kind
    genesis = chain.block(0)
    assert genesis is not None
    assert chain.identity() == ChainIdentity(bare.node.chain_id, genesis.hash)
    head = chain.head()
    assert chain.block(head.number) == head
    assert chain.block(head.number + 1_000) is None
    before = chain.block(head.number - 1)
    assert before is not None
    assert before.hash == head.parent
    assert chain.final_number(head) == head.number - chain.profile.finality_depth


def test_a_beat_is_a_block_that_is_later(chain: EthereumChain) -> None:
    before = chain.head()
    assert chain.beat()
    after = chain.head()
    assert after.number > before.number
    assert after.timestamp >= before.timestamp


def test_a_chain_that_makes_its_own_blocks_has_no_beat(bare: Instance) -> None:
    assert not EthereumChain(bare.node.provider, ETHEREUM).beat()


def mined(chain: EthereumChain, transaction_hash: bytes) -> Receipt:
    """The receipt, once there is one: Ganache answers before it mines."""
    found = Retrying(stop=stop_after_delay(30), wait=wait_fixed(0.01), retry=retry_if_result(lambda r: r is None))(
        chain.receipt, transaction_hash
    )
    assert found is not None
    return found


def test_sending_the_same_bytes_twice_is_accepted_or_refused_and_has_one_effect(
    bare: Instance, chain: EthereumChain
) -> None:
    key = bare.node.fund()
    account = Account.from_key(key).address
    bare.node.transfer(key, account, 0)

    def attempt(**changes: Any) -> Attempt:
        values: dict[str, Any] = {"nonce": 1, "to": "0x" + "77" * 20, "data": b"", "gas": 21_000, "value": 3} | changes
        return sign_transaction(
            lambda digest: PrivateKey(key).sign_msg_hash(digest).to_bytes(),
            chain_id=bare.node.chain_id,
            fees=chain.fees(),
            **values,
        )

    before = chain.balance("0x" + "77" * 20)
    one = attempt()
    assert chain.receipt(one.hash) is None
    assert chain.send(one.raw) is SendOutcome.ACCEPTED
    assert chain.send(one.raw) is not None
    receipt = mined(chain, one.hash)
    assert (receipt.succeeded, receipt.gas_used, receipt.rejections) == (True, 21_000, {})
    block = chain.block(receipt.block_number)
    assert block is not None
    assert block.hash == receipt.block_hash
    assert chain.send(attempt(value=4).raw) is SendOutcome.REJECTED, "the nonce is used"
    assert chain.balance("0x" + "77" * 20) == before + 3
    assert chain.nonce(account) == 2
    assert chain.send(b"\x02nonsense") is not SendOutcome.ACCEPTED


def test_fees_have_room_for_a_base_fee_that_doubles(chain: EthereumChain) -> None:
    fees = chain.fees()
    assert 0 < fees.priority_fee <= fees.max_fee <= chain.profile.max_fee_cap


def test_where_no_contract_is_there_is_a_mismatch_and_not_a_crash(bare: Instance, chain: EthereumChain) -> None:
    nowhere = {name: "0x" + f"{index + 1:02x}" * 20 for index, name in enumerate(chain._deployed().addresses)}
    deployment = Deployment(chain.identity(), nowhere, 0)
    lost = EthereumChain(bare.node.provider, deployment=deployment)
    lost.asker = chain.asker
    with pytest.raises(ChainMismatch, match="rolled back"):
        lost.check_deployment()
    for question in (
        lambda: lost.view("Directory", "organisation", 1),
        lambda: lost.ask([call()]),
    ):
        with pytest.raises(ChainMismatch):
            question()


def test_another_genesis_is_a_mismatch_that_shows_both(bare: Instance, chain: EthereumChain) -> None:
    expected = ChainIdentity(bare.node.chain_id, b"\x11" * 32)
    other = EthereumChain(bare.node.provider, deployment=Deployment(expected, chain._deployed().addresses, 0))
    with pytest.raises(ChainMismatch) as caught:
        other.check_deployment()
    assert caught.value.data["expected"]["genesis"] == "0x" + "11" * 32
    assert caught.value.data["found"]["genesis"] == "0x" + chain.identity().genesis.hex()


def test_without_a_deployment_every_question_about_contracts_says_so(bare: Instance) -> None:
    empty = EthereumChain(bare.node.provider)
    for question in (
        empty.check_deployment,
        lambda: empty.address("Relay"),
        lambda: empty.digest("Relay", bytes(32)),
        lambda: empty.told(0, 1),
        lambda: empty.ask([call()]),
        lambda: empty.view("Directory", "organisation", 1),
    ):
        with pytest.raises(NotDeployed):
            question()


def test_what_a_contract_refuses_in_a_question_is_named(chain: EthereumChain) -> None:
    (refusal,) = chain.ask([call()])
    assert refusal is not None
    assert not refusal.is_unknown


def test_an_account_of_nobody_signs_nothing(chain: EthereumChain) -> None:
    nobody = Account.create().address
    assert not chain.has_code(nobody)
    assert not chain.accepts_signature(nobody, bytes(32), bytes(65))
    assert chain.has_code(chain.address("Directory"))
    assert not chain.accepts_signature(chain.address("Directory"), bytes(32), bytes(65))


# ---- what a node may say --------------------------------------------------------------------------------------------


def test_nobody_answers() -> None:
    chain = EthereumChain(connect(NOBODY), ANVIL)
    chain.deployment = Deployment(
        ChainIdentity(1, bytes(32)), dict.fromkeys(("Relay", "HealthRecords"), "0x" + "11" * 20), 0
    )
    for question in (chain.head, chain.identity, chain.check_deployment, chain.fees, lambda: chain.ask([call()])):
        with pytest.raises(ChainUnreachable) as caught:
            question()
        assert caught.value.data["url"] == NOBODY
    assert chain.send(b"\x02") is SendOutcome.UNKNOWN


class Odd(BaseProvider):
    """A node that answers each question with the same thing."""

    def __init__(self, answer: Any) -> None:
        super().__init__()
        self.answer = answer

    def make_request(self, method: RPCEndpoint, params: Any) -> RPCResponse:
        if isinstance(self.answer, Exception):
            raise self.answer
        return self.answer


ODDITIES = [
    {},
    {"jsonrpc": "2.0", "id": 1},
    {"jsonrpc": "2.0", "id": 1, "result": None},
    {"jsonrpc": "2.0", "id": 1, "result": "surprise"},
    {"jsonrpc": "2.0", "id": 1, "result": {}},
    {"jsonrpc": "2.0", "id": 1, "result": {"number": "0x1"}},
    {"jsonrpc": "2.0", "id": 1, "error": {"code": -32603, "message": "internal error"}},
    {"jsonrpc": "2.0", "id": 1, "error": "text"},
    requests.ConnectionError("refused"),
    requests.ReadTimeout("slow"),
    requests.HTTPError("502"),
    TimeoutError("slow"),
    ValueError("no JSON"),
    KeyError("x"),
    Web3RPCError("no"),
]


@pytest.mark.parametrize("answer", ODDITIES, ids=lambda answer: str(answer)[:40])
def test_whatever_a_node_answers_is_one_of_our_errors(answer: Any) -> None:
    chain = EthereumChain(Odd(answer), ANVIL)
    chain.deployment = Deployment(ChainIdentity(1, bytes(32)), {"Relay": "0x" + "11" * 20}, 0)
    for question in (
        chain.head,
        chain.identity,
        chain.fees,
        lambda: chain.block(1),
        lambda: chain.receipt(bytes(32)),
        lambda: chain.nonce("0x" + "11" * 20),
        lambda: chain.told(0, 1),
        lambda: chain.ask([]),
    ):
        try:
            question()
        except HandshakerError as error:
            assert isinstance(error, ChainError)  # noqa: PT017
    if "result" not in str(answer):
        assert chain.send(b"\x02") is SendOutcome.UNKNOWN


# ---- sizes ----------------------------------------------------------------------------------------------------------


def call(signature: bytes = bytes(65), *, alone: bool = False) -> SignedCall:
    """A record that nobody signed."""
    return SignedCall(
        ti_id="ti",
        contract="HealthRecords",
        function="record",
        words=encode(
            ("bytes32", "bytes16", *["uint256"] * 2, "bytes32", "bytes32", "uint40"),
            (secrets.token_bytes(32), secrets.token_bytes(16), 1, 0, bytes(32), bytes(32), 2**39),
        ),
        statement_hash=bytes(32),
        signature=signature,
        patient_id=None,
        deadline=None,
        custodial=True,
        alone=alone,
    )


@given(st.lists(st.tuples(st.integers(0, 200), st.booleans()), max_size=6))
def test_the_size_of_a_batch_is_known_without_making_it(items: list[tuple[int, bool]]) -> None:
    chain = EthereumChain(Odd({}), ANVIL)
    chain.deployment = Deployment(
        ChainIdentity(1, bytes(32)), {"Relay": "0x" + "11" * 20, "HealthRecords": "0x" + "22" * 20}, 0
    )
    calls = [call(bytes(length), alone=alone) for length, alone in items]
    assert relay_size(calls) == len(chain.relay_data(calls))
    assert chain.gas([*calls, call()]) > chain.gas(calls) >= 21_000


def test_a_dearer_attempt_is_a_tenth_dearer_at_least_and_never_above_the_cap(bare: Instance) -> None:
    chain = EthereumChain(bare.node.provider, ETHEREUM)
    attempt, bumps = Attempt(bytes(32), b"", 20 * 10**9, 10**9), 0
    while (fees := chain.dearer(attempt, is_late=True)) is not None:
        assert fees.max_fee * 10 >= attempt.max_fee * 11
        assert fees.priority_fee * 10 >= attempt.priority_fee * 11 or fees.priority_fee == fees.max_fee
        assert fees.priority_fee <= fees.max_fee <= ETHEREUM.max_fee_cap
        attempt, bumps = Attempt(bytes(32), b"", fees.max_fee, fees.priority_fee), bumps + 1
    assert 5 < bumps < 60
    assert chain.dearer(Attempt(bytes(32), b"", 20 * 10**9, 10**9), is_late=False) is None
    cheap = chain.dearer(Attempt(bytes(32), b"", 1, 1), is_late=False)
    assert cheap is not None, "no block takes so little"
    assert isinstance(cheap, Fees)
