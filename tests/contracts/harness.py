"""An Ethereum virtual machine in process: no node, no blocks, no signatures of transactions, exact revert data.

``Evm`` applies each transaction straight to a shanghai state (the rules that the contracts are compiled for), so a test
sees what a contract returned when it refused, which node libraries hide, and a snapshot is a state root.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from eth.abc import ComputationAPI
from eth.db.atomic import AtomicDB
from eth.vm.execution_context import ExecutionContext
from eth.vm.forks.shanghai import ShanghaiVM
from eth.vm.forks.shanghai.state import ShanghaiState
from eth.vm.spoof import SpoofTransaction
from eth_abi.abi import decode, encode
from eth_typing import Address, BlockNumber, Hash32
from eth_utils.address import to_canonical_address, to_checksum_address

from handshaker.ethereum.contracts import AbiItem, artifact, canonical_type, errors, events

CHAIN_ID = 1337
START = 1_800_000_000
"""The second at which the chain of a test begins."""
GAS = 10_000_000
SENDER = to_checksum_address(b"\xca" * 20)
"""Who carries transactions where a test names nobody: an account without any right."""

_EMPTY_ROOT = Hash32(bytes.fromhex("56e81f171bcc55a6ff8345e692c0f86e5b48e01b996cadc001622fb5e363b421"))


@dataclass(frozen=True, slots=True)
class Log:
    """One event as the chain stores it."""

    address: str
    topics: tuple[bytes, ...]
    data: bytes


@dataclass(frozen=True, slots=True)
class Receipt:
    """What became of a transaction."""

    status: int
    """1 for success, 0 for a revert."""
    gas_used: int
    """Intrinsic gas included, refunds taken off."""
    logs: tuple[Log, ...]
    revert_data: bytes
    """What the contract returned when it refused; empty on success."""
    output: bytes
    """What the contract returned when it succeeded."""


@dataclass(frozen=True, slots=True)
class Snapshot:
    """A state to go back to."""

    root: Hash32
    timestamp: int


class Reverted(Exception):
    """A call or a deployment was refused. ``revert_data`` is what the contract returned."""

    def __init__(self, revert_data: bytes) -> None:
        super().__init__(describe_revert(revert_data))
        self.revert_data = revert_data


class Evm:
    """A chain with one account database and a clock that stands still until it is advanced."""

    def __init__(self, chain_id: int = CHAIN_ID, timestamp: int = START) -> None:
        self.chain_id = chain_id
        self._db = AtomicDB()
        self._load(_EMPTY_ROOT, timestamp)

    @property
    def timestamp(self) -> int:
        """``block.timestamp`` of the next transaction."""
        return self._state.timestamp

    def advance(self, seconds: int) -> None:
        """Move the clock forward."""
        self._load(self._root(), self.timestamp + seconds)

    def snapshot(self) -> Snapshot:
        """Return the present state; it can be gone back to any number of times."""
        root, timestamp = self._root(), self.timestamp
        self._load(root, timestamp)
        return Snapshot(root, timestamp)

    def revert(self, snapshot: Snapshot) -> None:
        """Go back to ``snapshot``, clock included."""
        self._load(snapshot.root, snapshot.timestamp)

    def deploy(self, name: str, *arguments: Any, sender: str = SENDER) -> str:
        """Deploy a contract of the project by name; return its address. Raises ``Reverted``."""
        return self.deploy_code(creation_code(name, *arguments), sender=sender)

    def deploy_code(self, code: bytes, sender: str = SENDER) -> str:
        """Deploy creation code with its arguments appended; return the address. Raises ``Reverted``."""
        address, receipt = self.create(code, sender)
        if receipt.status == 0:
            raise Reverted(receipt.revert_data)
        return address

    def create(self, code: bytes, sender: str = SENDER) -> tuple[str, Receipt]:
        """Deploy creation code; return the address and what the constructor did."""
        self._state.lock_changes()
        computation = self._apply(b"", code, sender, GAS)
        return to_checksum_address(computation.msg.storage_address), _receipt(computation, GAS)

    def call(self, address: str, item: AbiItem, *arguments: Any, sender: str = SENDER) -> tuple[Any, ...]:
        """Ask a function without effect (``eth_call``); return its decoded outputs. Raises ``Reverted``."""
        output = self.ask(address, item.selector + encode(item.input_types, arguments), sender=sender)
        return tuple(decode(item.output_types, output))

    def ask(self, address: str, calldata: bytes, sender: str = SENDER, gas: int = GAS) -> bytes:
        """Like ``call`` with bare bytes on both sides."""
        self._state.lock_changes()
        before = self._state.snapshot()
        computation = self._apply(to_canonical_address(address), calldata, sender, gas)
        self._state.revert(before)
        if computation.is_error:
            raise Reverted(computation.output)
        return computation.output

    def transact(self, address: str, calldata: bytes, sender: str | None = None, gas: int = GAS) -> Receipt:
        """Apply one transaction; a revert is a receipt with status 0, not an exception."""
        self._state.lock_changes()
        computation = self._apply(to_canonical_address(address), calldata, sender or SENDER, gas)
        return _receipt(computation, gas)

    def storage(self, address: str, slot: int) -> int:
        """Return a storage word."""
        return self._state.get_storage(to_canonical_address(address), slot)

    def store(self, address: str, slot: int, word: int) -> None:
        """Write a storage word, where getting there by transactions would take too long."""
        self._state.set_storage(to_canonical_address(address), slot, word)

    def _root(self) -> Hash32:
        self._state.lock_changes()
        self._state.persist()
        return self._state.state_root

    def _load(self, root: Hash32, timestamp: int) -> None:
        context = ExecutionContext(
            coinbase=Address(b"\xcb" * 20),
            timestamp=timestamp,
            block_number=BlockNumber(1),
            difficulty=0,
            mix_hash=Hash32(bytes(32)),
            gas_limit=3 * GAS,
            prev_hashes=(),
            chain_id=self.chain_id,
            base_fee_per_gas=0,
        )
        self._state = ShanghaiState(self._db, context, root)

    def _apply(self, to: bytes, data: bytes, sender: str, gas: int) -> ComputationAPI:
        source = Address(to_canonical_address(sender))
        unsigned = ShanghaiVM.create_unsigned_transaction(
            nonce=self._state.get_nonce(source), gas_price=0, gas=gas, to=Address(to), value=0, data=data
        )
        return self._state.apply_transaction(SpoofTransaction(unsigned, from_=source))  # type: ignore[arg-type]


def creation_code(name: str, *arguments: Any) -> bytes:
    """Return the creation code of a contract of the project with its constructor arguments."""
    compiled = artifact(name)
    constructor = next((item for item in compiled.abi if item["type"] == "constructor"), {"inputs": ()})
    return compiled.bytecode + encode([canonical_type(item) for item in constructor["inputs"]], arguments)


def assert_emitted(receipt: Receipt, contract: str, event: str, address: str | None = None, **expected: Any) -> None:
    """The transaction succeeded and emitted ``event`` of ``contract`` exactly once, with exactly these arguments.

    With ``address`` also from there.
    """
    assert receipt.status == 1, f"reverted: {describe_revert(receipt.revert_data)}"
    found = [(log.address, arguments) for log, name, arguments in decoded_logs(receipt, contract) if name == event]
    assert len(found) == 1, f"{len(found)} {event} in {[name for _, name, _ in decoded_logs(receipt, contract)]}"
    assert found[0][1] == _comparable(expected)
    if address is not None:
        assert found[0][0] == address


def decoded_logs(receipt: Receipt, contract: str) -> list[tuple[Log, str, dict[str, Any]]]:
    """Return the events of ``contract`` in the receipt: log, name, arguments by name."""
    known = events(contract)
    return [
        (log, known[log.topics[0]].name, _arguments(known[log.topics[0]], log))
        for log in receipt.logs
        if log.topics[0] in known
    ]


def assert_reverts(outcome: Receipt | Callable[[], Any], error: str, *positional: Any, **named: Any) -> None:
    """The transaction (or the call in ``outcome``) was refused with exactly this error and these arguments."""
    if isinstance(outcome, Receipt):
        assert outcome.status == 0, f"succeeded where {error} was expected"
        data = outcome.revert_data
    else:
        try:
            outcome()
        except Reverted as refusal:
            data = refusal.revert_data
        else:
            raise AssertionError(f"succeeded where {error} was expected")
    name, arguments = decode_revert(data)
    assert name == error, f"{describe_revert(data)} where {error} was expected"
    if positional:
        assert not named
        named = dict(zip(arguments, positional, strict=True))
    assert arguments == _comparable(named)


def decode_revert(data: bytes) -> tuple[str, dict[str, Any]]:
    """Return the name and the arguments of a custom error; the name is ``""`` when it is none of the project's."""
    item = errors().get(data[:4])
    if item is None:
        return "", {}
    values = decode(item.input_types, data[4:])
    return item.name, _comparable({part["name"]: value for part, value in zip(item.inputs, values, strict=True)})


def describe_revert(data: bytes) -> str:
    """Return a revert as text for a failed assertion."""
    name, arguments = decode_revert(data)
    return f"{name}{arguments}" if name else f"0x{data.hex()}"


def _arguments(event: AbiItem, log: Log) -> dict[str, Any]:
    plain = [part for part in event.inputs if not part["indexed"]]
    values = dict(zip((part["name"] for part in plain), decode([p["type"] for p in plain], log.data), strict=True))
    indexed = [part for part in event.inputs if part["indexed"]]
    for part, topic in zip(indexed, log.topics[1:], strict=True):
        values[part["name"]] = decode([part["type"]], topic)[0]
    return _comparable({part["name"]: values[part["name"]] for part in event.inputs})


def _comparable(values: Mapping[str, Any]) -> dict[str, Any]:
    """Addresses come in several spellings."""
    return {
        name: value.lower() if isinstance(value, str) and value.startswith("0x") else value
        for name, value in values.items()
    }


def _receipt(computation: ComputationAPI, gas: int) -> Receipt:
    failed = computation.is_error
    spent = gas - computation.get_gas_remaining()
    logs = tuple(
        Log(to_checksum_address(source), tuple(topic.to_bytes(32, "big") for topic in topics), data)
        for source, topics, data in computation.get_log_entries()
    )
    return Receipt(
        status=0 if failed else 1,
        gas_used=spent - min(computation.get_gas_refund(), spent // 5),
        logs=logs,
        revert_data=computation.output if failed else b"",
        output=b"" if failed else computation.output,
    )
