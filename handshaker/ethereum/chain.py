"""An Ethereum node behind the ``Chain`` port: plain JSON-RPC through web3's provider, no ``Contract`` objects.

Failures to reach the node become ``ChainUnreachable``; what a node says to raw bytes becomes a ``SendOutcome``.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import suppress
from functools import partial
from typing import Any, TypeVar, cast
from urllib.parse import urlsplit

import requests
from eth_abi.abi import decode, encode
from eth_abi.exceptions import DecodingError
from eth_typing import HexStr
from eth_utils.address import to_checksum_address
from hexbytes import HexBytes
from web3 import HTTPProvider, Web3
from web3.exceptions import BlockNotFound, TransactionNotFound, Web3Exception, Web3RPCError
from web3.providers import BaseProvider
from web3.types import RPCEndpoint

from handshaker.errors import ChainError, ChainMismatch, ChainUnreachable, HandshakerError, NotDeployed
from handshaker.ethereum.contracts import functions
from handshaker.ethereum.nodes import ChainProfile, classify_send, detect
from handshaker.ethereum.questions import answer
from handshaker.ethereum.readings import receipt_of, told
from handshaker.ethereum.refusals import decode_refusal
from handshaker.ethereum.relayers import CALLDATA_GAS, INTRINSIC_GAS, relay_size, sign_transaction
from handshaker.ethereum.statements import digest, statement_type
from handshaker.ethereum.timing import Observe, Timing
from handshaker.messages import (
    Anchor,
    Attempt,
    Block,
    ChainIdentity,
    Deployment,
    Effect,
    Fees,
    Head,
    NetworkTransaction,
    Receipt,
    Refusal,
    SendOutcome,
    SignedCall,
)

T = TypeVar("T")

ITEM_GAS = 300_000
"""What one statement of a key may use in the Relay; measured records and grants stay below a third of it."""
ITEM_GAS_ALONE = 1_500_000
"""What a statement may use that travels alone: an ERC-1271 account's check, or an earlier unknown failure."""

ANCHOR_GAS = 100_000
"""What anchoring a head may use: measured below 40,000, the first one below 60,000."""

_TIMEOUT = 30
_ERC1271_MAGIC = bytes.fromhex("1626ba7e")


def connect(url: str) -> BaseProvider:
    """Return an HTTP provider that never sends anything twice by itself.

    web3 retries ``eth_sendRawTransaction`` by default, and Ganache runs a replayed nonce 0 again.
    """
    return HTTPProvider(url, request_kwargs={"timeout": _TIMEOUT}, exception_retry_configuration=None)


class EthereumChain:
    """One node and, once deployed, our contracts on it."""

    def __init__(
        self, provider: BaseProvider, profile: ChainProfile | None = None, deployment: Deployment | None = None
    ) -> None:
        self.deployment = deployment
        self.asker: str | None = None
        """The account in whose name questions are asked; eth-tester wants one that could pay for the answer."""
        self._profile = profile
        # Without web3's middleware: it asks for the chain id before every `eth_call`, twice.
        self._web3 = Web3(provider, middleware=[])
        self._identity: ChainIdentity | None = None

    def observe(self, observe: Observe) -> None:
        """From here on tell ``observe`` of every question to the node: its method, and the seconds it took."""
        self._web3.middleware_onion.inject(cast(Any, partial(Timing, observe)), layer=0)

    @property
    def profile(self) -> ChainProfile:
        """What kind of node this is; where nobody said, the node is asked once."""
        if self._profile is None:
            self._profile = detect(self.client_version(), self.identity().chain_id)
        return self._profile

    # ---- which chain ------------------------------------------------------------------------------------------

    def identity(self) -> ChainIdentity:
        """Return chain id and genesis hash, asked once."""
        identity = self._identity
        if identity is None:
            chain_id = self._ask(lambda: self._web3.eth.chain_id)
            genesis = self._ask(lambda: _block(self._web3.eth.get_block(0)))
            identity = self._identity = ChainIdentity(chain_id, genesis.hash)
        return identity

    def check_deployment(self) -> None:
        """Raise ``ChainMismatch`` unless this is the chain that holds our contracts."""
        expected = self._deployed().identity
        self._identity = None
        found = self.identity()
        if found != expected:
            raise ChainMismatch(
                f"This instance is on chain {expected.chain_id} with genesis 0x{expected.genesis.hex()[:12]}…, "
                f"but the node has chain {found.chain_id} with genesis 0x{found.genesis.hex()[:12]}….",
                expected={"chain_id": expected.chain_id, "genesis": "0x" + expected.genesis.hex()},
                found={"chain_id": found.chain_id, "genesis": "0x" + found.genesis.hex()},
            )
        for name, address in self._deployed().addresses.items():
            if not self.has_code(address):
                raise ChainMismatch(
                    f"The node has the right chain but no contract {name} at {address}: its data was rolled back.",
                    expected={"contract": name, "address": address},
                    found={},
                )

    def address(self, contract: str) -> str:
        """Return where ``contract`` is."""
        return self._deployed().addresses[contract]

    def digest(self, contract: str, statement_hash: bytes) -> bytes:
        """Return the 32 bytes that a signer of a statement to ``contract`` signs."""
        deployment = self._deployed()
        return digest(statement_hash, deployment.identity.chain_id, deployment.addresses[contract])

    # ---- blocks and effects -------------------------------------------------------------------------------------

    def head(self) -> Block:
        """Return the newest block."""
        return self._ask(lambda: _block(self._web3.eth.get_block("latest")))

    def block(self, number: int) -> Block | None:
        """Return a block by number, or ``None`` when the chain is not that long."""
        return self._ask_for(lambda: _block(self._web3.eth.get_block(number)))

    def final_number(self, head: Block) -> int:
        """Return the number of the highest block that the profile calls final; negative when there is none."""
        tag = self.profile.finality_tag
        if tag is not None:
            return self._ask(lambda: _block(self._web3.eth.get_block(tag))).number  # type: ignore[arg-type]
        return head.number - self.profile.finality_depth

    def told(self, first: int, last: int) -> tuple[list[Effect], list[Anchor]]:
        """Return what our contracts told in blocks ``first`` to ``last``, in order: effects, and the log's anchors."""
        deployment = self._deployed()
        names = {address: name for name, address in deployment.addresses.items() if name != "Relay"}

        def ask() -> list[Effect | Anchor | None]:
            logs = self._web3.eth.get_logs(
                {"fromBlock": first, "toBlock": last, "address": [to_checksum_address(a) for a in names]}
            )
            return [told(names[log["address"]], log) for log in logs]

        found = self._ask(ask)
        effects = [each for each in found if isinstance(each, Effect) and any(each.statement_hash)]
        anchors = [each for each in found if isinstance(each, Anchor)]
        return (
            sorted(effects, key=lambda effect: (effect.block_number, effect.log_index)),
            sorted(anchors, key=lambda anchor: (anchor.block_number, anchor.log_index)),
        )

    def anchor_gas(self) -> int:
        """Return the gas limit of an anchor."""
        return ANCHOR_GAS

    def anchored(self) -> Head:
        """Return the audit log's latest head as the newest block has it; of size 0 before the first."""
        size, root = self.view("AuditAnchor", "head")
        return Head(size, root)

    # ---- asking and sending -------------------------------------------------------------------------------------

    def ask(self, calls: Sequence[SignedCall], block: int | None = None) -> list[Refusal | None]:
        """Ask about a batch in one ``eth_call`` of the Relay; ``None`` for a statement that would take effect.

        ``block`` asks about the state after that block instead of the newest.
        """
        data = self.relay_data(calls)
        types = functions("Relay")["relay"].output_types
        at = "latest" if block is None else block
        (outcomes,) = self._answer("Relay", data, types, at, self.profile.batch_gas)
        return [None if ok else decode_refusal(reason) for ok, reason in outcomes]

    def attempt(
        self,
        sign: Callable[[bytes], bytes],
        transaction: NetworkTransaction,
        calls: Sequence[SignedCall],
        fees: Fees,
    ) -> Attempt:
        """Return signed bytes for a network transaction: the Relay with ``calls``, an anchor, or else a no-op.

        ``sign`` is the relayer's: 32 bytes → r ‖ s ‖ recovery id.
        """
        to, data = transaction.relayer, b""
        if transaction.head is not None:
            to, data = self.address("AuditAnchor"), _anchor_data(transaction.head)
        elif calls:
            to, data = self.address("Relay"), self.relay_data(calls)
        return sign_transaction(
            sign,
            chain_id=self.identity().chain_id,
            nonce=transaction.nonce,
            to=to,
            data=data,
            gas=transaction.gas,
            fees=fees,
        )

    def relay_data(self, calls: Sequence[SignedCall]) -> bytes:
        """Return the calldata of ``Relay.relay`` for a batch."""
        items = [
            (
                self.address(call.contract),
                ITEM_GAS_ALONE if call.alone else ITEM_GAS,
                statement_type(call.contract, call.function).calldata(call.words, call.signature),
            )
            for call in calls
        ]
        relay = functions("Relay")["relay"]
        return relay.selector + encode(relay.input_types, (items,))

    def gas(self, calls: Sequence[SignedCall]) -> int:
        """Return a gas limit with which the Relay can promise every item its own; a no-op's when there is none."""
        if not calls:
            return INTRINSIC_GAS
        limits = sum(ITEM_GAS_ALONE if call.alone else ITEM_GAS for call in calls)
        return INTRINSIC_GAS + CALLDATA_GAS * relay_size(calls) + limits * 64 // 63 + 20_000 * (len(calls) + 1)

    def send(self, raw: bytes) -> SendOutcome:
        """Hand raw bytes to the node; never raises for what the node or the wire does."""
        try:
            self._web3.eth.send_raw_transaction(raw)
        except Web3RPCError as error:
            response: Any = error.rpc_response or {}
            body = response.get("error")
            code = body.get("code") if isinstance(body, dict) else None
            return classify_send(self.profile, code, str(body.get("message") if isinstance(body, dict) else error))
        except (requests.RequestException, OSError, Web3Exception, ValueError):
            return SendOutcome.UNKNOWN
        except Exception as error:
            # eth-tester answers with exceptions of its own, which are no subclass of web3's.
            return classify_send(self.profile, None, str(error))
        return SendOutcome.ACCEPTED

    def receipt(self, transaction_hash: bytes) -> Receipt | None:
        """Return the receipt of a mined transaction with the Relay's rejections, or ``None``."""
        return self._ask_for(
            lambda: receipt_of(
                transaction_hash,
                self._web3.eth.get_transaction_receipt(HexBytes(transaction_hash)),
                self.deployment.addresses["Relay"] if self.deployment else None,
            )
        )

    def created_contract(self, transaction_hash: bytes) -> str:
        """Return the address of the contract that a mined transaction created; raises ``ChainError`` otherwise."""
        found = self._ask(lambda: self._web3.eth.get_transaction_receipt(HexBytes(transaction_hash)))
        if found.get("status") != 1 or not found.get("contractAddress"):
            raise ChainError("A contract could not be deployed: the transaction failed.")
        return str(found["contractAddress"])

    def fees(self) -> Fees:
        """Return the fees of a first attempt: room for six full blocks in a row, and a small tip."""
        base = self._ask(lambda: self._web3.eth.get_block("latest").get("baseFeePerGas", 0))
        tip = min(self.profile.priority_fee, self.profile.max_fee_cap)
        return Fees(min(2 * base + tip, self.profile.max_fee_cap), tip)

    def dearer(self, attempt: Attempt, *, is_late: bool) -> Fees | None:
        """Return the fees of the attempt after ``attempt``; ``None`` where none is due, or the cap forbids it.

        One is due where ``is_late``, by the profile's bump; and wherever the base fee has risen above the offer, which
        no block takes then, by what the market asks, but by a tenth at least: nodes replace nothing below that.
        """
        market = self.fees()
        # What the market asks has room for a base fee of twice the present one.
        if market.max_fee > 2 * attempt.max_fee:
            tip = attempt.priority_fee + attempt.priority_fee // 8 + 1
            return Fees(market.max_fee, min(market.max_fee, max(market.priority_fee, tip)))
        higher = self.profile.bumped(attempt.max_fee, attempt.priority_fee) if is_late else None
        return None if higher is None else Fees(*higher)

    def nonce(self, account: str, block: int | None = None) -> int:
        """Return how many transactions of ``account`` are in the chain up to a block (the newest)."""
        at: Any = "latest" if block is None else block
        return self._ask(lambda: self._web3.eth.get_transaction_count(to_checksum_address(account), at))

    def balance(self, account: str) -> int:
        """Return the balance of ``account`` in wei."""
        return self._ask(lambda: self._web3.eth.get_balance(to_checksum_address(account)))

    # ---- reading our contracts ----------------------------------------------------------------------------------

    def view(self, contract: str, function: str, *arguments: Any) -> tuple[Any, ...]:
        """Call a view function at the newest block; return its decoded outputs (tuples for structs)."""
        item = functions(contract)[function]
        return self._answer(contract, item.selector + encode(item.input_types, arguments), item.output_types)

    def has_code(self, account: str) -> bool:
        """Return whether ``account`` is a contract (then its signatures are checked by ERC-1271)."""
        return len(self._ask(lambda: self._web3.eth.get_code(to_checksum_address(account)))) > 0

    def accepts_signature(self, account: str, signed: bytes, signature: bytes) -> bool:
        """Ask the contract ``account`` whether ``signature`` of digest ``signed`` is its own (ERC-1271)."""
        data = _ERC1271_MAGIC + encode(("bytes32", "bytes"), (signed, signature))
        with suppress(ChainError):
            return self._call(to_checksum_address(account), data)[:4] == _ERC1271_MAGIC
        return False

    def answer(self, method: str, params: list[Any]) -> Any:
        """Return what the node answers to a question of a proof's check; ``None`` for what is not there."""
        return self._ask_for(lambda: answer(self._web3, self.asker, method, params))

    def client_version(self) -> str:
        """Return what the node calls itself."""
        return str(self._ask(lambda: self._web3.client_version))

    def beat(self) -> bool:
        """Make a block on a chain that makes none while idle; ``False`` where the profile knows no way."""
        if not self.profile.heartbeat:
            return False
        self._ask(lambda: self._web3.manager.request_blocking(RPCEndpoint("evm_mine"), []))
        return True

    def _answer(
        self, contract: str, data: bytes, types: tuple[str, ...], block: int | str = "latest", gas: int | None = None
    ) -> tuple[Any, ...]:
        try:
            return decode(types, self._call(self.address(contract), data, block, gas))
        except ChainUnreachable:
            raise
        except (ChainError, DecodingError) as error:
            # On another chain nobody is at that address, and nothing answers with nothing.
            self.check_deployment()
            raise ChainError(f"The contract {contract} gave no usable answer.") from error

    def _call(self, to: str, data: bytes, block: int | str = "latest", gas: int | None = None) -> bytes:
        call: Any = {"to": to, "data": HexStr("0x" + data.hex())}
        if gas is not None:
            call["gas"] = gas
        if self.asker is not None:
            call["from"] = self.asker
        return bytes(self._ask(lambda: self._web3.eth.call(call, block)))  # type: ignore[arg-type]

    def _deployed(self) -> Deployment:
        if self.deployment is None:
            raise NotDeployed("The contracts are not on this chain.")
        return self.deployment

    def _ask(self, question: Callable[[], T]) -> T:
        try:
            return question()
        except (requests.RequestException, ConnectionError, TimeoutError) as error:
            raise ChainUnreachable("No Ethereum node answers.", url=self.where) from error
        except Web3RPCError as error:
            raise ChainError(f"The node refused a question: {error.message}.") from error
        except Web3Exception as error:
            raise ChainError(f"The node gave no usable answer: {error}.") from error
        except HandshakerError:
            raise
        except Exception as error:
            # eth-tester fails with exceptions of its own, which are no subclass of web3's.
            raise ChainError(f"The node gave no usable answer: {type(error).__name__}.") from error

    def _ask_for(self, question: Callable[[], T]) -> T | None:
        """Ask for something that may not be there."""

        def ask() -> T | None:
            try:
                return question()
            except (BlockNotFound, TransactionNotFound):
                return None

        return self._ask(ask)

    @property
    def where(self) -> str:
        """Return where the node is, without what nobody else may know: names, passwords and keys in the path."""
        url = urlsplit(str(getattr(self._web3.provider, "endpoint_uri", "")))
        return f"{url.scheme}://{url.netloc.rpartition('@')[2]}" if url.hostname else "in process"


def _anchor_data(head: Head) -> bytes:
    anchor = functions("AuditAnchor")["anchor"]
    return anchor.selector + encode(anchor.input_types, (head.size, head.root))


def _block(raw: Any) -> Block:
    return Block(raw["number"], bytes(raw["hash"]), bytes(raw["parentHash"]), raw["timestamp"])
