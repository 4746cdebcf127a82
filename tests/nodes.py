"""Real nodes for the tests: each ends with its test process, however that dies, and leaves no file behind.

One of each kind is shared by the tests of a process, so a test takes an account of its own (``node.fund()``) and
never expects to be alone on the chain.
"""

from __future__ import annotations

import secrets
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import Any

from eth_account import Account
from web3 import HTTPProvider, Web3
from web3.providers import BaseProvider
from web3.types import RPCEndpoint

from handshaker.ethereum.anvil import AnvilNode
from handshaker.ethereum.ganache import GanacheNode
from handshaker.ethereum.nodes import ChainProfile, detect

MILLION_ETHER = 10**24
SET_BALANCE = {"ganache": "evm_setAccountBalance", "anvil": "anvil_setBalance"}


@dataclass(frozen=True)
class Node:
    """A node that runs, and an account with a million ether on it."""

    kind: str
    url_or_provider: str | BaseProvider
    funded_private_key: bytes

    @cached_property
    def provider(self) -> BaseProvider:
        """A web3 provider that sends nothing twice by itself."""
        if isinstance(self.url_or_provider, str):
            return HTTPProvider(self.url_or_provider, exception_retry_configuration=None)
        return self.url_or_provider

    @cached_property
    def profile(self) -> ChainProfile:
        """What the node says it is."""
        web3 = Web3(self.provider)
        return detect(web3.client_version, web3.eth.chain_id)

    @property
    def chain_id(self) -> int:
        assert self.profile.chain_id is not None
        return self.profile.chain_id

    def request(self, method: str, *parameters: Any) -> dict[str, Any]:
        """The whole JSON-RPC answer."""
        return dict(self.provider.make_request(RPCEndpoint(method), list(parameters)))

    def ask(self, method: str, *parameters: Any) -> Any:
        answer = self.request(method, *parameters)
        assert "error" not in answer, answer
        return answer["result"]

    def fund(self) -> bytes:
        """The private key of a new account with a thousand ether."""
        key = secrets.token_bytes(32)
        address, balance = Account.from_key(key).address, 10**21
        if self.kind in SET_BALANCE:
            self.ask(SET_BALANCE[self.kind], address, hex(balance))
        else:
            self.transfer(self.funded_private_key, address, balance)
        return key

    def transfer(self, key: bytes, to: str, value: int) -> bytes:
        """Send ether, wait until it is mined, and return the transaction's hash."""
        web3 = Web3(self.provider)
        nonce = web3.eth.get_transaction_count(Account.from_key(key).address)
        sent = web3.eth.send_raw_transaction(self.signed(key, nonce, to=to, value=value))
        return bytes(web3.eth.wait_for_transaction_receipt(sent, timeout=30, poll_latency=0.01)["transactionHash"])

    def signed(self, key: bytes, nonce: int, **changes: Any) -> bytes:
        """The raw bytes of a transaction that moves one wei nowhere, with ``changes``."""
        transaction = {
            "type": 2,
            "chainId": self.chain_id,
            "nonce": nonce,
            "to": "0x" + "11" * 20,
            "value": 1,
            "gas": 21_000,
            "maxFeePerGas": 3 * 10**9,
            "maxPriorityFeePerGas": 10**9,
        }
        return bytes(Account.sign_transaction(transaction | changes, key).raw_transaction)


@contextmanager
def ganache() -> Iterator[Node]:
    """Ganache with a database that goes when it ends."""
    with (
        tempfile.TemporaryDirectory(prefix="handshaker-ganache-") as folder,
        GanacheNode(Path(folder), port=0) as node,
    ):
        yield Node("ganache", node.url, node.funding_key())


@contextmanager
def anvil(*arguments: str) -> Iterator[Node]:
    with AnvilNode(*arguments) as node:
        yield Node("anvil", node.url, node.fund())


def eth_tester() -> Node:
    """A fresh chain in this process (Prague rules); it needs no end."""
    from eth_tester import EthereumTester, PyEVMBackend
    from web3.providers.eth_tester import EthereumTesterProvider

    key = secrets.token_bytes(32)
    account = {"balance": MILLION_ETHER, "nonce": 0, "code": b"", "storage": {}}
    state = {bytes.fromhex(Account.from_key(key).address[2:]): account}
    provider = EthereumTesterProvider(EthereumTester(PyEVMBackend(genesis_state=state)))
    return Node("eth-tester", provider, key)


def with_finality(profile: ChainProfile, depth: int) -> ChainProfile:
    """Return ``profile`` with another finality depth."""
    return replace(profile, finality_depth=depth, finality_tag=None)
