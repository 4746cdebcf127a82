"""Somebody else on the same chain: carries statements, calls contracts and uses nonces without the Handshaker."""

from __future__ import annotations

from typing import Any

from eth_account import Account
from hexbytes import HexBytes
from web3 import Web3

from handshaker.ethereum.contracts import functions
from handshaker.ethereum.relayers import sign_transaction
from handshaker.ethereum.statements import statement_type
from handshaker.intake import Submission
from handshaker.messages import Fees, SignedCall
from tests.instances import Instance
from tests.nodes import Node

FEES = Fees(3 * 10**9, 10**9)


def stored_call(instance: Instance, submission: Submission) -> SignedCall:
    """The signed statement of an accepted TI, as anybody who got hold of it could carry it."""
    assert submission.statement_hash is not None
    return instance.handshaker.store.network.calls([submission.statement_hash])[submission.statement_hash]


def carry(instance: Instance, call: SignedCall) -> dict[str, Any]:
    """Send a statement straight to its contract from an account of a stranger; return the receipt."""
    data = statement_type(call.contract, call.function).calldata(call.words, call.signature)
    return transact(instance.node, instance.handshaker.chain.address(call.contract), data)


def relay(instance: Instance, *calls: SignedCall) -> dict[str, Any]:
    """Send a batch through the Relay from an account of a stranger."""
    chain = instance.handshaker.chain
    return transact(instance.node, chain.address("Relay"), chain.relay_data(calls), gas=chain.gas(calls))


def act_alone(instance: Instance, key: bytes, typed_data: dict[str, Any], contract: str, function: str) -> bytes:
    """Sign and send a statement from one's own wallet without the Handshaker; return the statement's hash."""
    kind = statement_type(contract, function)
    message = typed_data["message"]
    words = kind.words(
        {name: bytes.fromhex(message[name][2:]) if t.startswith("bytes") else message[name] for name, t in kind.fields}
    )
    signature = bytes(Account.sign_typed_data(key, full_message=typed_data).signature)
    transact(instance.node, instance.handshaker.chain.address(contract), kind.calldata(words, signature))
    return kind.struct_hash(words)


def transact(node: Node, to: str, data: bytes, gas: int = 1_500_000, key: bytes | None = None) -> dict[str, Any]:
    """Send a call and wait for its receipt, whatever came of it."""
    key = key or node.fund()
    web3 = Web3(node.provider)
    nonce = web3.eth.get_transaction_count(Account.from_key(key).address)
    sent = web3.eth.send_raw_transaction(node.signed(key, nonce, to=to, data=data, gas=gas, value=0))
    return dict(web3.eth.wait_for_transaction_receipt(HexBytes(sent), timeout=30, poll_latency=0.01))


def use_nonce(instance: Instance, relayer: str, nonce: int) -> bytes:
    """Send a no-op from the relayer's own account behind the Handshaker's back; return its hash."""
    vault, chain = instance.handshaker.vault, instance.handshaker.chain
    attempt = sign_transaction(
        lambda digest: vault.sign_as_relayer(relayer, digest),
        chain_id=chain.identity().chain_id,
        nonce=nonce,
        to=relayer,
        data=b"",
        gas=21_000,
        fees=FEES,
    )
    Web3(instance.node.provider).eth.send_raw_transaction(attempt.raw)
    return attempt.hash


def view(instance: Instance, contract: str, function: str, *arguments: Any) -> tuple[Any, ...]:
    assert function in functions(contract)
    return instance.handshaker.chain.view(contract, function, *arguments)
