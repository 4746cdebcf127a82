"""What each act costs, measured on the rules of the shanghai fork: ``python -m tests.contracts.gas`` prints the table.

Gas is exact and the same everywhere, so a budget holds a contract to its price; the calldata is as in life, with
random-looking pseudonyms, hashes and signatures.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from eth_abi.abi import encode

from handshaker.ethereum.contracts import functions
from tests.contracts import acts, drafts
from tests.contracts.acts import Act
from tests.contracts.harness import Receipt, decoded_logs
from tests.contracts.hospital import Hospital
from tests.contracts.people import ADMINISTRATOR, ALICE, NURSE, OPERATOR, RECOVERY_DELAY, Patient, address_of, key_of

BATCH = 50
"""Records in one network transaction."""
BLOCK_GAS = 30_000_000
ITEM_GAS = 300_000


@dataclass(frozen=True)
class Operation:
    """Something that costs gas."""

    name: str
    budget: int
    """What it may cost; a few percent above what it does."""
    measure: Callable[[Hospital], int]
    goal: int | None = None
    """What it should cost one day."""


def gas_table() -> dict[str, int]:
    """Measure every operation on a hospital of its own; return gas by name."""
    hospital = Hospital()
    return {operation.name: operation.measure(hospital.reopen()) for operation in OPERATIONS}


def markdown(measured: dict[str, int]) -> str:
    """Return the measured gas as a Markdown table."""
    lines = ["| operation | gas | budget | goal |", "|---|---:|---:|---:|"]
    for operation in OPERATIONS:
        goal = f"{operation.goal:,}" if operation.goal else ""
        lines.append(f"| {operation.name} | {measured[operation.name]:,} | {operation.budget:,} | {goal} |")
    return "\n".join(lines)


def _spent(receipt: Receipt) -> int:
    assert receipt.status == 1, f"reverted: 0x{receipt.revert_data.hex()}"
    return receipt.gas_used


def _of(act: Act) -> Callable[[Hospital], int]:
    return lambda hospital: _spent(act.perform(act.prepare(hospital)))


def _renewal(hospital: Hospital) -> int:
    assert acts.GRANT.perform(hospital).status == 1
    return _spent(acts.GRANT.perform(hospital, version=2))


def _change_of_practitioner(hospital: Hospital) -> int:
    return _spent(acts.REGISTER_PRACTITIONER.perform(hospital))


def _new_practitioner(hospital: Hospital) -> int:
    return _spent(acts.REGISTER_PRACTITIONER.perform(hospital, practitionerId=b"\x0d" * 16, version=1))


def _amendment(hospital: Hospital) -> int:
    acts.RECORD.prepare(hospital)
    earlier = hospital.must("HealthRecords", "record", drafts.record(), NURSE.key)
    return _spent(acts.RECORD.perform(hospital, supersedes=earlier))


def _completion(hospital: Hospital) -> int:
    assert acts.PROPOSE_RECOVERY.perform(hospital).status == 1
    hospital.evm.advance(RECOVERY_DELAY)
    calldata = functions("Directory")["completeRecovery"].selector + ALICE.id
    return _spent(hospital.evm.transact(hospital.addresses["Directory"], calldata))


def _anchor(hospital: Hospital) -> int:
    item = functions("AuditAnchor")["anchor"]
    spent = []
    for size in (10_000, 20_000):
        calldata = item.selector + encode(item.input_types, (size, ALICE.id))
        receipt = hospital.evm.transact(hospital.addresses["AuditAnchor"], calldata, address_of(OPERATOR))
        spent.append(_spent(receipt))
    return spent[-1]


def _ward_round(hospital: Hospital) -> int:
    """One record about each of as many patients."""
    patients = [Patient(f"patient {number}") for number in range(BATCH)]
    for who in patients:
        hospital.must("Directory", "registerPatient", drafts.patient(who), ADMINISTRATOR)
        hospital.must("ConsentRegistry", "grant", drafts.grant(who), who.key)
    return _batch(hospital, [drafts.record(who=who) for who in patients])


def _monitor(hospital: Hospital) -> int:
    """Many records about one patient."""
    hospital.must("ConsentRegistry", "grant", drafts.grant(), ALICE.key)
    commitments = [key_of(f"commitment {number}").to_bytes() for number in range(BATCH)]
    return _batch(hospital, [drafts.record(commitment=commitment) for commitment in commitments])


def _batch(hospital: Hospital, records: list[drafts.Draft]) -> int:
    target = hospital.addresses["HealthRecords"]
    items = [(target, ITEM_GAS, hospital.calldata("HealthRecords", "record", values, NURSE.key)) for values in records]
    item = functions("Relay")["relay"]
    calldata = item.selector + encode(item.input_types, (items,))
    receipt = hospital.evm.transact(hospital.addresses["Relay"], calldata, gas=BLOCK_GAS)
    spent = _spent(receipt)
    assert [name for _, name, _ in decoded_logs(receipt, "HealthRecords")] == ["Recorded"] * len(records)
    return -(-spent // len(records))


OPERATIONS = (
    Operation("first grant", 77_000, _of(acts.GRANT), goal=62_000),
    Operation("renewal of a grant", 59_500, _renewal),
    Operation("revocation", 54_000, _of(acts.REVOKE), goal=45_000),
    Operation("revocation of everything", 63_500, _of(acts.REVOKE_ALL)),
    Operation("delegation", 72_000, _of(acts.DELEGATE)),
    Operation("end of a delegation", 48_500, _of(acts.END_DELEGATION)),
    Operation("emergency preference", 65_000, _of(acts.SET_EMERGENCY)),
    Operation("emergency opening", 77_000, _of(acts.OPEN_EMERGENCY)),
    Operation("record alone", 83_500, _of(acts.RECORD), goal=74_000),
    Operation(f"record in a batch of {BATCH}, each of another patient", 54_500, _ward_round, goal=43_000),
    Operation(f"record in a batch of {BATCH} of one patient", 48_500, _monitor, goal=43_000),
    Operation("amendment of a record", 90_500, _amendment),
    Operation("retraction of a record", 50_500, _of(acts.RETRACT)),
    Operation("registration of an organisation", 85_000, _of(acts.REGISTER_ORGANISATION)),
    Operation("registration of a practitioner", 68_000, _new_practitioner),
    Operation("change of a practitioner", 50_500, _change_of_practitioner),
    Operation("registration of a patient", 62_000, _of(acts.REGISTER_PATIENT)),
    Operation("rotation of a controller", 47_500, _of(acts.ROTATE_CONTROLLER)),
    Operation("proposal of a recovery", 99_500, _of(acts.PROPOSE_RECOVERY)),
    Operation("veto of a recovery", 41_000, _of(acts.VETO_RECOVERY)),
    Operation("completion of a recovery", 34_500, _completion),
    Operation("appointment of an officer", 75_000, _of(acts.APPOINT_OFFICER)),
    Operation("anchor of the audit log", 38_000, _anchor),
)

if __name__ == "__main__":
    print(markdown(gas_table()))
