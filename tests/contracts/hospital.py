"""A small world on chain: every contract, two houses, their people, and patients, all with known keys.

The people are registered through signed statements, as in life. ``Hospital`` signs, submits and reads;
``tests/contracts/drafts.py`` holds a valid draft of every statement to change one field of.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from eth_keys.datatypes import PrivateKey

from handshaker.ethereum.contracts import functions
from handshaker.ethereum.statements import FieldValue, digest, statement_type
from tests.contracts import drafts
from tests.contracts.harness import SENDER, Evm, Receipt, Snapshot
from tests.contracts.people import (
    ADMINISTRATOR,
    CO_ADMINISTRATOR,
    LAKESIDE,
    OPERATOR,
    PATIENTS,
    PRACTITIONERS,
    RECOVERY_DELAY,
    RIVERSIDE,
    address_of,
)


def sign(
    key: PrivateKey,
    contract: str,
    function: str,
    values: Mapping[str, FieldValue],
    chain_id: int,
    verifying_contract: str,
) -> bytes:
    """Sign a statement; return 65 bytes ``r ‖ s ‖ v`` with v 27 or 28."""
    signature = key.sign_msg_hash(digest(statement_id(contract, function, values), chain_id, verifying_contract))
    return signature.to_bytes()[:64] + bytes([27 + signature.v])


def statement_id(contract: str, function: str, values: Mapping[str, FieldValue]) -> bytes:
    """Return the struct hash of a statement: its identity on chain."""
    kind = statement_type(contract, function)
    assert values.keys() == {name for name, _ in kind.fields}, "a draft has a field that the statement has not"
    return kind.struct_hash(kind.words(values))


@dataclass
class Hospital:
    """The deployed contracts and everyone in them."""

    evm: Evm = field(default_factory=Evm)
    addresses: dict[str, str] = field(default_factory=dict)
    """Contract name to address."""

    def __post_init__(self) -> None:
        administrators = [address_of(ADMINISTRATOR), address_of(CO_ADMINISTRATOR)]
        directory = self.evm.deploy("Directory", administrators, [address_of(OPERATOR)], RECOVERY_DELAY)
        consents = self.evm.deploy("ConsentRegistry", directory)
        records = self.evm.deploy("HealthRecords", directory, consents)
        relay = self.evm.deploy("Relay", directory, consents, records)
        anchor = self.evm.deploy("AuditAnchor", directory)
        self.addresses = {
            "Directory": directory,
            "ConsentRegistry": consents,
            "HealthRecords": records,
            "Relay": relay,
            "AuditAnchor": anchor,
        }
        self._register_everyone()
        self._opening: Snapshot = self.evm.snapshot()

    def reopen(self) -> Hospital:
        """Go back to the first day: everyone registered, nothing else done. Returns itself."""
        self.evm.revert(self._opening)
        return self

    def sign(
        self,
        key: PrivateKey,
        contract: str,
        function: str,
        values: Mapping[str, FieldValue],
        chain_id: int | None = None,
        verifying_contract: str | None = None,
    ) -> bytes:
        """Sign a statement for this chain and the deployed ``contract``, or for another one."""
        return sign(
            key,
            contract,
            function,
            values,
            chain_id or self.evm.chain_id,
            verifying_contract or self.addresses[contract],
        )

    def calldata(self, contract: str, function: str, values: Mapping[str, FieldValue], *keys: PrivateKey) -> bytes:
        """Return the call that carries a statement signed by ``keys`` in order (one, or two where two must sign)."""
        kind = statement_type(contract, function)
        signatures = (self.sign(key, contract, function, values) for key in keys)
        return kind.calldata(kind.words(values), *signatures)

    def submit(
        self,
        contract: str,
        function: str,
        values: Mapping[str, FieldValue],
        *keys: PrivateKey,
        signatures: tuple[bytes, ...] | None = None,
        sender: str = SENDER,
    ) -> Receipt:
        """Carry a statement to its contract, signed by ``keys`` or with ready ``signatures``."""
        kind = statement_type(contract, function)
        if signatures is None:
            signatures = tuple(self.sign(key, contract, function, values) for key in keys)
        return self.evm.transact(self.addresses[contract], kind.calldata(kind.words(values), *signatures), sender)

    def must(self, contract: str, function: str, values: Mapping[str, FieldValue], *keys: PrivateKey) -> bytes:
        """Submit a statement that has to succeed; return its id."""
        receipt = self.submit(contract, function, values, *keys)
        assert receipt.status == 1, f"{contract}.{function}: 0x{receipt.revert_data.hex()}"
        return statement_id(contract, function, values)

    def read(self, contract: str, function: str, *arguments: Any) -> Any:
        """Ask a view: a struct as a mapping by field name, one value as itself, several as a tuple."""
        item = functions(contract)[function]
        outputs = self.evm.call(self.addresses[contract], item, *arguments)
        if len(outputs) != 1:
            return outputs
        if item.outputs[0]["type"] == "tuple":
            return dict(zip((part["name"] for part in item.outputs[0]["components"]), outputs[0], strict=True))
        return outputs[0]

    def _register_everyone(self) -> None:
        for organisation_id in (LAKESIDE, RIVERSIDE):
            self.must("Directory", "registerOrganisation", drafts.organisation(organisation_id), ADMINISTRATOR)
        for practitioner in PRACTITIONERS:
            self.must("Directory", "registerPractitioner", drafts.practitioner(practitioner), ADMINISTRATOR)
        for patient in PATIENTS:
            self.must("Directory", "registerPatient", drafts.patient(patient), ADMINISTRATOR)
