"""The contracts are put on each kind of chain, know each other, and a deployment that fails says why."""

from __future__ import annotations

import secrets
from collections.abc import Callable

import pytest
from eth_account import Account
from eth_keys.datatypes import PrivateKey

from handshaker.errors import ChainError, RelayerUnfunded
from handshaker.ethereum import deployer
from handshaker.ethereum.chain import EthereumChain
from handshaker.ethereum.contracts import CONTRACT_NAMES
from handshaker.ethereum.deployer import deploy, fund
from handshaker.messages import SendOutcome
from tests.nodes import Node

ETHER = 10**18
ADMINISTRATORS = ["0x" + "a1" * 20, "0x" + "a2" * 20]


def account() -> tuple[str, Callable[[bytes], bytes]]:
    key = secrets.token_bytes(32)
    return Account.from_key(key).address, lambda digest: PrivateKey(key).sign_msg_hash(digest).to_bytes()


def test_every_contract_is_there_and_knows_the_others(node: Node) -> None:
    chain = EthereumChain(node.provider)
    address, sign = account()
    fund(chain, node.fund(), address, 10 * ETHER)
    chain.asker = address
    heard: list[str] = []
    deployment = deploy(chain, address, sign, ADMINISTRATORS, [address], progress=heard.append)
    assert tuple(heard) == tuple(deployment.addresses) == CONTRACT_NAMES
    assert deployment.identity == chain.identity()
    chain.deployment = deployment
    chain.check_deployment()
    for administrator in ADMINISTRATORS:
        assert chain.view("Directory", "officer", administrator)[0] & 1
    assert chain.nonce(address) == 1 + len(CONTRACT_NAMES), "the first nonce went to a no-op"
    first = chain.block(deployment.block_number)
    assert first is not None
    assert chain.told(deployment.block_number, chain.head().number)[0] == [], "no statement made the first officers"


def test_a_second_deployment_from_the_same_account_is_another_one(fast_node: Node) -> None:
    chain = EthereumChain(fast_node.provider)
    address, sign = account()
    fund(chain, fast_node.fund(), address, 10 * ETHER)
    one = deploy(chain, address, sign, ADMINISTRATORS, [address])
    two = deploy(chain, address, sign, ADMINISTRATORS, [address])
    assert not set(one.addresses.values()) & set(two.addresses.values())


def test_whoever_has_enough_is_not_funded_again(fast_node: Node) -> None:
    chain, key = EthereumChain(fast_node.provider), fast_node.fund()
    address, _ = account()
    fund(chain, key, address, ETHER)
    fund(chain, key, address, ETHER)
    assert chain.balance(address) == ETHER
    fund(chain, key, address, 10 * ETHER)
    assert chain.balance(address) == 11 * ETHER


def test_without_ether_there_is_no_deployment(node: Node) -> None:
    address, sign = account()
    with pytest.raises(RelayerUnfunded) as caught:
        deploy(EthereumChain(node.provider), address, sign, ADMINISTRATORS, [address])
    assert "ether" in str(caught.value)


def test_a_contract_that_refuses_its_constructor_is_an_error(node: Node) -> None:
    address, sign = account()
    chain = EthereumChain(node.provider)
    fund(chain, node.fund(), address, 10 * ETHER)
    with pytest.raises(ChainError):
        deploy(chain, address, sign, [], [address])


def test_a_node_that_mines_nothing_is_an_error_in_the_end(fast_node: Node, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(deployer, "_PATIENCE", 0.05)
    chain = EthereumChain(fast_node.provider)
    address, sign = account()
    monkeypatch.setattr(chain, "send", lambda raw: SendOutcome.ACCEPTED)
    with pytest.raises(ChainError, match="mined nothing"):
        deploy(chain, address, sign, ADMINISTRATORS, [address])


def test_an_answer_that_was_lost_is_no_failure(fast_node: Node, monkeypatch: pytest.MonkeyPatch) -> None:
    chain = EthereumChain(fast_node.provider)
    address, sign = account()
    fund(chain, fast_node.fund(), address, 10 * ETHER)
    send = chain.send

    def lossy(raw: bytes) -> SendOutcome:
        send(raw)
        return SendOutcome.UNKNOWN

    monkeypatch.setattr(chain, "send", lossy)
    assert set(deploy(chain, address, sign, ADMINISTRATORS, [address]).addresses) == set(CONTRACT_NAMES)
