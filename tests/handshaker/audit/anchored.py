"""A log whose heads are signed and anchored on a real chain, and its proofs; on no chain at all where none is named."""

from __future__ import annotations

import secrets
from functools import cached_property
from typing import Any

from eth_abi.abi import encode
from eth_account import Account
from eth_keys.datatypes import PrivateKey
from hexbytes import HexBytes
from web3 import Web3

from handshaker.audit.check_proof import Refused, head_digest
from handshaker.audit.merkle import TiledTree
from handshaker.ethereum.contracts import artifact, functions
from handshaker.ethereum.statements import digest, statement_type
from tests.handshaker.audit.kept import Kept
from tests.nodes import Node

MADE_AT = 1_795_000_000


def new_key() -> PrivateKey:
    return PrivateKey(secrets.token_bytes(32))


def address_of(key: PrivateKey) -> str:
    return key.public_key.to_checksum_address()


def signature(key: PrivateKey, digest: bytes) -> bytes:
    """Return r ‖ s ‖ v, v 27 or 28."""
    found = key.sign_msg_hash(digest).to_bytes()
    return found[:64] + bytes([found[64] + 27])


def hexed(value: bytes) -> str:
    return "0x" + value.hex()


class AnchoredLog:
    """Leaves, and the anchor that a head of them gets."""

    def __init__(self, leaves: list[bytes], operator: PrivateKey | None = None) -> None:
        self.leaves = leaves
        self.operator = operator or new_key()
        self.tree = TiledTree(Kept(leaves))
        self.chain_id = 31337
        self.contract = address_of(new_key())

    def anchor(self, size: int, root: bytes | None = None) -> dict[str, Any]:
        """What a proof says of where the head of this size is anchored."""
        event = {"blockNumber": 57, "blockHash": hexed(b"\x0b" * 32), "transactionHash": hexed(b"\x0c" * 32)}
        return {
            "chainId": self.chain_id,
            "genesis": hexed(b"\x0a" * 32),
            "contract": self.contract,
            **event,
            "logIndex": 3,
        }

    def head(self, size: int, signer: PrivateKey | None = None) -> dict[str, Any]:
        """A head, signed by an operator."""
        signer = signer or self.operator
        root = self.tree.root(size)
        signed = signature(signer, head_digest(self.chain_id, self.contract, size, root, MADE_AT))
        return {
            "size": size,
            "root": hexed(root),
            "madeAt": MADE_AT,
            "signer": address_of(signer),
            "signature": hexed(signed),
        }

    def proof(self, position: int, size: int, signer: PrivateKey | None = None) -> dict[str, Any]:
        """The proof that an entry is in the log of this size."""
        path = [hexed(node) for node in self.tree.inclusion_path(position, size)]
        return {
            "v": 1,
            "kind": "audit-proof",
            "entry": {"position": position, "leaf": self.leaves[position].decode()},
            "inclusion": {"size": size, "path": path},
            "head": self.head(size, signer),
            "anchor": self.anchor(size),
        }

    def growth(self, first: int, second: int) -> dict[str, Any]:
        """The proof that the log of one size became that of the other."""
        return {
            "v": 1,
            "kind": "audit-consistency",
            "first": self.head(first),
            "second": self.head(second),
            "path": [hexed(node) for node in self.tree.consistency_path(first, second)],
            "anchors": {"first": self.anchor(first), "second": self.anchor(second)},
        }


class LogOnChain(AnchoredLog):
    """The same with a Directory and an AuditAnchor on ``node``."""

    def __init__(self, node: Node, leaves: list[bytes]) -> None:
        super().__init__(leaves, PrivateKey(node.fund()))
        self.node = node
        self.chain_id = node.chain_id
        self.administrators = (new_key(), new_key())
        administrators = [address_of(key) for key in self.administrators]
        self.directory = self._deploy("Directory", administrators, [address_of(self.operator)], 2 * 24 * 3600)
        self.contract = self._deploy("AuditAnchor", self.directory)
        self._anchors: dict[int, dict[str, Any]] = {}

    def ask(self, method: str, params: list[Any]) -> Any:
        """What the node answers."""
        answer = self.node.request(method, *params)
        if "error" in answer:
            raise Refused(str(answer["error"]))
        return answer["result"]

    @cached_property
    def genesis(self) -> str:
        return hexed(bytes(Web3(self.node.provider).eth.get_block(0)["hash"]))

    def anchor(self, size: int, root: bytes | None = None) -> dict[str, Any]:
        if size not in self._anchors:
            calldata = encode(["uint64", "bytes32"], [size, root or self.tree.root(size)])
            receipt = self.send(functions("AuditAnchor")["anchor"].selector + calldata, self.contract)
            assert receipt["status"] == 1
            self._anchors[size] = {
                "chainId": self.chain_id,
                "genesis": self.genesis,
                "contract": self.contract,
                "blockNumber": receipt["blockNumber"],
                "blockHash": hexed(receipt["blockHash"]),
                "transactionHash": hexed(receipt["transactionHash"]),
                "logIndex": receipt["logs"][0]["logIndex"],
            }
        return dict(self._anchors[size])

    def appoint(self, officer: str, duties: int, version: int) -> None:
        """Let both administrators appoint somebody, or dismiss them (no duties)."""
        kind = statement_type("Directory", "appointOfficer")
        one, two = self.administrators
        words = kind.words(
            {
                "officer": officer,
                "duties": duties,
                "version": version,
                "administrator": address_of(one),
                "coAdministrator": address_of(two),
                "deadline": Web3(self.node.provider).eth.get_block("latest")["timestamp"] + 3_600,
            }
        )
        statement = digest(kind.struct_hash(words), self.chain_id, self.directory)
        calldata = kind.calldata(words, signature(one, statement), signature(two, statement))
        assert self.send(calldata, self.directory)["status"] == 1

    def send(self, data: bytes, to: str | None = None) -> Any:
        """Send a transaction of the operator's and return its receipt."""
        eth = Web3(self.node.provider).eth
        key = self.operator.to_bytes()
        nonce = eth.get_transaction_count(Account.from_key(key).address)
        addressed = {"to": to} if to else {"to": b""}
        raw = self.node.signed(key, nonce, **addressed, data=HexBytes(data), value=0, gas=6_000_000)
        return eth.wait_for_transaction_receipt(eth.send_raw_transaction(raw), timeout=30, poll_latency=0.01)

    def _deploy(self, name: str, *arguments: Any) -> str:
        constructor = next(item for item in artifact(name).abi if item["type"] == "constructor")
        types = [item["type"] for item in constructor["inputs"]]
        receipt = self.send(artifact(name).bytecode + encode(types, arguments))
        assert receipt["status"] == 1
        return str(receipt["contractAddress"])
