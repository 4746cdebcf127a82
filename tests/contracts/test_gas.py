"""Every operation keeps to its gas budget. ``python -m tests.contracts.gas`` shows what each costs."""

from __future__ import annotations

import pytest

from tests.contracts.gas import OPERATIONS, Operation, gas_table, markdown
from tests.contracts.hospital import Hospital

LOOSE = 0.9
"""A budget that is used less than this holds nothing any more."""


@pytest.mark.parametrize("operation", OPERATIONS, ids=lambda operation: operation.name)
def test_an_operation_keeps_to_its_budget(operation: Operation, hospital: Hospital) -> None:
    spent = operation.measure(hospital)
    assert spent <= operation.budget, f"{operation.name} costs {spent:,} gas; its budget is {operation.budget:,}"
    assert spent >= LOOSE * operation.budget, f"{operation.name} costs only {spent:,} gas: lower its budget"


def test_the_table_names_every_operation_with_its_gas() -> None:
    measured = gas_table()
    table = markdown(measured)
    assert len(measured) == len(OPERATIONS) == table.count("\n") - 1
    for name, spent in measured.items():
        assert f"| {name} | {spent:,} |" in table
