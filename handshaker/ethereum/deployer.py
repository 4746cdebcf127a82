"""Puts the contracts on a chain, once, and money where gas is free."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from eth_abi.abi import encode
from eth_keys.datatypes import PrivateKey
from tenacity import retry, retry_if_result, stop_after_delay, wait_exponential

from handshaker.errors import ChainError, RelayerUnfunded
from handshaker.ethereum.chain import EthereumChain
from handshaker.ethereum.contracts import CONTRACT_NAMES, artifact
from handshaker.ethereum.relayers import INTRINSIC_GAS, sign_transaction
from handshaker.messages import Attempt, Deployment, Receipt, SendOutcome

RECOVERY_DELAY = 2 * 24 * 3600
"""Seconds in which a patient can veto the recovery of their pseudonym."""

_PATIENCE = 300
"""Seconds that a public chain gets to mine a deployment."""
_DEPLOY_GAS = 6_000_000

Sign = Callable[[bytes], bytes]


def deploy(
    chain: EthereumChain,
    deployer: str,
    sign: Sign,
    administrators: Sequence[str],
    operators: Sequence[str],
    recovery_delay: int = RECOVERY_DELAY,
    progress: Callable[[str], None] = lambda name: None,
) -> Deployment:
    """Create every contract from the account ``deployer`` and return where they are.

    ``sign`` is the deployer's: 32 bytes → r ‖ s ‖ recovery id. ``progress`` hears the name of each contract when it
    is there. Raises ``ChainError`` and its kinds; what was created until then does no harm.
    """
    nonce = chain.nonce(deployer)
    if nonce == 0:
        # Ganache runs a replayed first transaction again: let it be one that does nothing.
        _send(chain, sign, nonce, deployer, b"", INTRINSIC_GAS)
        nonce = 1
    block_number = chain.head().number
    addresses: dict[str, str] = {}
    for name in CONTRACT_NAMES:
        data = artifact(name).bytecode + _constructor(name, addresses, administrators, operators, recovery_delay)
        attempt = _send(chain, sign, nonce, None, data, _DEPLOY_GAS)
        addresses[name] = chain.created_contract(attempt.hash)
        nonce += 1
        progress(name)
    return Deployment(chain.identity(), addresses, block_number + 1)


def fund(chain: EthereumChain, key: bytes, account: str, amount: int) -> None:
    """Send ``amount`` wei to ``account`` from the account of ``key``, unless it holds half of that already."""
    if chain.balance(account) >= amount // 2:
        return
    private = PrivateKey(key)
    funder = private.public_key.to_checksum_address()

    def sign(digest: bytes) -> bytes:
        return private.sign_msg_hash(digest).to_bytes()

    nonce = chain.nonce(funder)
    if nonce == 0:
        _send(chain, sign, nonce, funder, b"", INTRINSIC_GAS)
        nonce = 1
    _send(chain, sign, nonce, account, b"", INTRINSIC_GAS, amount)


def _send(
    chain: EthereumChain, sign: Sign, nonce: int, to: str | None, data: bytes, gas: int, value: int = 0
) -> Attempt:
    fees = chain.fees()
    attempt = sign_transaction(
        sign, chain_id=chain.identity().chain_id, nonce=nonce, to=to, data=data, gas=gas, fees=fees, value=value
    )
    if chain.send(attempt.raw) is SendOutcome.REJECTED:
        raise RelayerUnfunded(
            f"The node does not take a transaction of {gas} gas at {fees.max_fee} wei: "
            "the account has too little ether, or is used by somebody else at the same time."
        )
    receipt = _wait(chain, attempt.hash)
    if not receipt.succeeded:
        raise ChainError("A transaction of the deployment failed.", transaction="0x" + attempt.hash.hex())
    return attempt


def _wait(chain: EthereumChain, transaction_hash: bytes) -> Receipt:
    @retry(
        retry=retry_if_result(lambda receipt: receipt is None),
        wait=wait_exponential(multiplier=0.01, max=2),
        stop=stop_after_delay(_PATIENCE),
        retry_error_callback=lambda state: None,
    )
    def ask() -> Receipt | None:
        return chain.receipt(transaction_hash)

    receipt = ask()
    if receipt is None:
        raise ChainError("The node mined nothing for a long time.", transaction="0x" + transaction_hash.hex())
    return receipt


def _constructor(
    name: str,
    addresses: dict[str, str],
    administrators: Sequence[str],
    operators: Sequence[str],
    recovery_delay: int,
) -> bytes:
    arguments: dict[str, tuple[tuple[str, ...], tuple[Any, ...]]] = {
        "Directory": (
            ("address[]", "address[]", "uint40"),
            (list(administrators), list(operators), recovery_delay),
        ),
        "ConsentRegistry": (("address",), (addresses.get("Directory"),)),
        "HealthRecords": (("address", "address"), (addresses.get("Directory"), addresses.get("ConsentRegistry"))),
        "Relay": (
            ("address", "address", "address"),
            (addresses.get("Directory"), addresses.get("ConsentRegistry"), addresses.get("HealthRecords")),
        ),
        "AuditAnchor": (("address",), (addresses.get("Directory"),)),
    }
    types, values = arguments[name]
    return encode(types, values)
