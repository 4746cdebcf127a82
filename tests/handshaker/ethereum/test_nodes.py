"""Profiles tell the truth about real nodes, and every answer to raw bytes that a node can give has its class."""

from __future__ import annotations

import secrets
from collections.abc import Callable
from typing import TYPE_CHECKING

import pytest
from eth_account import Account
from hypothesis import given
from hypothesis import strategies as st
from web3 import Web3

from handshaker.errors import SettingsInvalid
from handshaker.ethereum.nodes import ETHEREUM, GANACHE, PROFILES, ChainProfile, classify_send, detect, named
from handshaker.messages import SendOutcome

if TYPE_CHECKING:
    from tests.nodes import Node

ACCEPTED, REJECTED, UNKNOWN = SendOutcome.ACCEPTED, SendOutcome.REJECTED, SendOutcome.UNKNOWN


def send(node: Node, raw: bytes) -> SendOutcome:
    """Send raw bytes and classify what comes back, error answers and exceptions alike."""
    try:
        answer = node.request("eth_sendRawTransaction", "0x" + raw.hex())
    except Exception as error:
        return classify_send(node.profile, None, str(error))
    if "error" not in answer:
        return ACCEPTED
    return classify_send(node.profile, answer["error"]["code"], answer["error"]["message"])


def used_account(node: Node) -> tuple[bytes, int]:
    """A funded key that has sent before, and its next nonce."""
    key = node.fund()
    for _ in range(2):
        node.transfer(key, Account.from_key(key).address, 0)
    return key, 2


def mined(node: Node, key: bytes, nonce: int) -> None:
    """Wait until the account's next nonce is above ``nonce``."""
    raw_hash = Web3.keccak(node.signed(key, nonce))
    Web3(node.provider).eth.wait_for_transaction_receipt(raw_hash, timeout=30, poll_latency=0.01)


# ---- detection -----------------------------------------------------------------------------------------------------


def test_every_node_is_recognised_by_what_it_says(node: Node) -> None:
    assert node.profile.name == node.kind


def test_an_unknown_client_gets_the_careful_profile() -> None:
    profile = detect("Geth/v1.17.0-stable/linux-amd64/go1.25", 1)
    assert profile.name == "ethereum"
    assert profile.chain_id == 1
    assert profile.finality_tag == "finalized"
    assert profile.ask_first


def test_a_profile_is_found_by_name() -> None:
    assert [named(name) for name in PROFILES] == list(PROFILES.values())


def test_a_wrong_name_is_answered_with_the_right_ones() -> None:
    with pytest.raises(SettingsInvalid, match="ganache, anvil, eth-tester, ethereum"):
        named("gnache")


# ---- what a node does ----------------------------------------------------------------------------------------------


def test_block_receipts_are_there_where_the_profile_says(node: Node) -> None:
    answer = node.request("eth_getBlockReceipts", "latest")
    assert ("result" in answer) == node.profile.block_receipts


def test_the_heartbeat_makes_a_block(node: Node) -> None:
    before = Web3(node.provider).eth.block_number
    assert node.profile.heartbeat
    node.ask("evm_mine")
    assert Web3(node.provider).eth.block_number == before + 1


def test_a_second_nonce_may_wait_where_the_profile_says(node: Node) -> None:
    key, nonce = used_account(node)
    outcome = send(node, node.signed(key, nonce + 1))
    assert outcome == (ACCEPTED if node.profile.max_pending > 1 else REJECTED)


def test_a_transaction_for_another_chain_is_refused_where_the_profile_says(node: Node) -> None:
    key, nonce = used_account(node)
    outcome = send(node, node.signed(key, nonce, chainId=node.chain_id + 1))
    assert outcome == (REJECTED if node.profile.checks_chain_id else ACCEPTED)


def test_nonce_zero_runs_twice_where_the_profile_says(node: Node) -> None:
    key = node.fund()
    to = Account.from_key(secrets.token_bytes(32)).address
    first = node.signed(key, 0, to=to)
    assert send(node, first) is ACCEPTED
    web3 = Web3(node.provider)
    web3.eth.wait_for_transaction_receipt(Web3.keccak(first), timeout=30, poll_latency=0.01)
    send(node, first)
    node.transfer(node.fund(), to, 5)  # mined after it, so whatever it does is done
    assert web3.eth.get_balance(Web3.to_checksum_address(to)) == (7 if node.profile.replays_nonce_zero else 6)


def test_pipelined_nonces_are_answered_at_once_and_mined_in_order(node: Node) -> None:
    if node.profile.max_pending == 1:
        return
    key, nonce = used_account(node)
    # The gap stays open until the last send: a node that waited for it would never answer the second.
    for later in (nonce + 2, nonce + 1, nonce):
        assert send(node, node.signed(key, later)) is ACCEPTED
    for later in (nonce, nonce + 1, nonce + 2):
        mined(node, key, later)


# ---- what a node says ----------------------------------------------------------------------------------------------


def test_bytes_that_wait_already_are_accepted_again(node: Node) -> None:
    key, nonce = used_account(node)
    waiting = node.signed(key, nonce + 1)
    if send(node, waiting) is ACCEPTED:
        assert send(node, waiting) is ACCEPTED


def test_bytes_that_a_dearer_attempt_replaced_are_accepted_again(node: Node) -> None:
    key, nonce = used_account(node)
    first = node.signed(key, nonce + 1)
    if send(node, first) is not ACCEPTED:
        return
    dearer = node.signed(key, nonce + 1, maxFeePerGas=34 * 10**8, maxPriorityFeePerGas=12 * 10**8)
    assert send(node, dearer) is ACCEPTED
    assert send(node, first) is ACCEPTED


def test_bytes_that_are_mined_already_are_rejected(node: Node) -> None:
    key, nonce = used_account(node)
    raw = node.signed(key, nonce)
    assert send(node, raw) is ACCEPTED
    mined(node, key, nonce)
    assert send(node, raw) is REJECTED


REFUSED: dict[str, Callable[[Node, bytes, int], bytes]] = {
    "nonce too low": lambda node, key, nonce: node.signed(key, nonce - 1, value=2),
    "no funds for gas": lambda node, _key, _nonce: node.signed(secrets.token_bytes(32), 0),
    "no funds for the value": lambda node, key, nonce: node.signed(key, nonce, value=10**30),
    "less than intrinsic gas": lambda node, key, nonce: node.signed(key, nonce, gas=20_999),
    "more than a block's gas": lambda node, key, nonce: node.signed(key, nonce, gas=10**9),
    "no transaction": lambda _node, _key, _nonce: b"\x7f\x01\x02\x03",
    "too much creation code": lambda node, key, nonce: node.signed(
        key, nonce, to="", data=b"\0" * 60_000, gas=10_000_000
    ),
}


@pytest.mark.parametrize("reason", REFUSED)
def test_what_a_node_will_not_take_is_rejected(node: Node, reason: str) -> None:
    key, nonce = used_account(node)
    assert send(node, REFUSED[reason](node, key, nonce)) is REJECTED


@pytest.mark.parametrize(
    ("code", "message", "expected"),
    [
        (-32000, "already known", ACCEPTED),
        (-32010, "AlreadyKnown", ACCEPTED),
        (-32000, "Known transaction", ACCEPTED),
        (-32000, "nonce too low: next nonce 7, tx nonce 6", REJECTED),
        (-32000, "replacement transaction underpriced", REJECTED),
        (-32000, "transaction underpriced", REJECTED),
        (-32000, "insufficient funds for gas * price + value: balance 0, tx cost 1", REJECTED),
        (-32001, "Nonce too low", REJECTED),
        (-32009, "Gas price below current base fee", REJECTED),
        (-32000, "txpool is full", UNKNOWN),
        (-32005, "daily request count exceeded, request rate limited", UNKNOWN),
        (-32603, "Internal error", UNKNOWN),
        (-32601, "the method eth_sendRawTransaction does not exist", UNKNOWN),
        (429, "Too Many Requests", UNKNOWN),
        (None, "", UNKNOWN),
    ],
)
def test_public_clients_are_understood(code: int | None, message: str, expected: SendOutcome) -> None:
    assert classify_send(ETHEREUM, code, message) is expected


@given(profile=st.sampled_from(list(PROFILES.values())), code=st.integers(-31_999, 600), message=st.text("0123 ,."))
def test_an_answer_that_no_rule_knows_is_unknown(profile: ChainProfile, code: int, message: str) -> None:
    assert classify_send(profile, code, message) is UNKNOWN


def test_a_block_in_the_making_leaves_it_open() -> None:
    message = "transaction can't be replaced, mining has already started."
    assert classify_send(GANACHE, -32003, message) is UNKNOWN


# ---- fees ----------------------------------------------------------------------------------------------------------


@given(max_fee=st.integers(1, 200 * 10**9), data=st.data())
def test_a_dearer_attempt_is_dear_enough_to_replace_and_stays_under_the_cap(max_fee: int, data: st.DataObject) -> None:
    priority = data.draw(st.integers(0, max_fee))
    bumped = ETHEREUM.bumped(max_fee, priority)
    if bumped is None:
        assert max_fee * 112 > ETHEREUM.max_fee_cap * 100
        return
    dearer, tip = bumped
    assert dearer * 100 >= max_fee * 110
    assert tip * 100 >= priority * 110
    assert tip <= dearer <= ETHEREUM.max_fee_cap


def test_where_gas_is_free_only_the_same_bytes_go_again() -> None:
    assert GANACHE.bumped(10**9, 10**9) is None
