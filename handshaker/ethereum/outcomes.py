"""What a node's answer to raw bytes means: accepted, rejected or unknown, from one table by client.

The code decides where it says enough; many clients have one code for everything, so the text decides after it.
Whatever no rule knows is *unknown*: then the same bytes go again, which is always safe.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from handshaker.messages import SendOutcome


@dataclass(frozen=True, slots=True)
class Rule:
    """If the code and the text fit, the answer means this."""

    outcome: SendOutcome
    code: int | None = None
    """``None``: any code, or none."""
    text: str = ""
    """Part of the message in lower case; empty: any message."""

    def fits(self, code: int | None, message: str) -> bool:
        """Whether the rule knows this answer; ``message`` in lower case."""
        return (self.code is None or self.code == code) and self.text in message


def _accepted(code: int | None, *texts: str) -> tuple[Rule, ...]:
    return tuple(Rule(SendOutcome.ACCEPTED, code, text) for text in texts or ("",))


def _rejected(code: int | None, *texts: str) -> tuple[Rule, ...]:
    return tuple(Rule(SendOutcome.REJECTED, code, text) for text in texts or ("",))


TABLE: Mapping[str, tuple[Rule, ...]] = {
    "ganache": (
        # Its word for bytes that it has, and for those that a dearer attempt at this nonce replaced. A bump below
        # 10 % would be a third case; no profile makes one.
        *_accepted(-32003, "transaction underpriced"),
        # A block with this nonce is being made: whose it is shows when it is there.
        Rule(SendOutcome.UNKNOWN, -32003, "mining has already started"),
        *_rejected(-32003),
        *_rejected(-32000, "correct nonce", "intrinsic gas", "block gas limit", "invalid chain id", "eip-3860"),
        *_rejected(-32700, "could not decode"),
    ),
    "anvil": (
        *_accepted(-32003, "transaction already imported"),
        # All that the code is used for: nonce, funds, fees, chain id, size of code.
        *_rejected(-32003),
        # The bytes are no transaction.
        *_rejected(-32602),
        *_rejected(-32000, "intrinsic gas"),
    ),
    # In process: exceptions, so there is no code.
    "eth-tester": _rejected(
        None,
        "invalid transaction nonce",
        "cannot afford",
        "does not have enough balance",
        "message.gas cannot be negative",
        "exceeds gas limit",
        "lower than block's base fee",
        "eip-3860",
        "unknown transaction type",
    ),
    "ethereum": (
        *_accepted(
            None,
            "already known",  # Geth, Erigon, Reth, Nethermind
            "alreadyknown",  # Nethermind, older
            "known transaction",  # Besu
            "transaction already imported",
        ),
        # Besu has a code for each: nonce too low, signature, intrinsic gas, funds, nonce too high, sender, price.
        *(rule for code in (-32001, -32002, -32003, -32004, -32006, -32007, -32009) for rule in _rejected(code)),
        *_rejected(
            None,
            "nonce too low",
            "nonce too high",
            "oldnonce",
            "insufficient funds",
            "insufficientfunds",
            "intrinsic gas",
            "exceeds block gas limit",
            "gas limit too high",
            "underpriced",
            "max fee per gas less than block base fee",
            "feetoolow",
            "higher than max fee per gas",
            "invalid sender",
            "invalid chain id",
            "wrong chainid",
            "max initcode size exceeded",
            "oversized data",
            "exceeds the configured cap",
        ),
    ),
}


def outcome(client: str, code: int | None, message: str) -> SendOutcome:
    """Return what an error answer of ``client`` (a profile's name) to raw bytes means."""
    text = message.lower()
    return next((rule.outcome for rule in TABLE[client] if rule.fits(code, text)), SendOutcome.UNKNOWN)
