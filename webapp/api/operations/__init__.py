"""What each operation of the document does: functions named like their ``operationId``, thin ones."""

from __future__ import annotations

from types import ModuleType

from webapp.api.calls import Function
from webapp.api.contract import Operation
from webapp.api.operations import acknowledgements, audit, patients, service, templates, tokens, transactions

PARTS: tuple[ModuleType, ...] = (service, transactions, acknowledgements, audit, templates, patients, tokens)


def function_of(operation: Operation) -> Function:
    """Return the function that does an operation; raises ``LookupError`` where there is none."""
    for part in PARTS:
        found: Function | None = getattr(part, operation.name, None)
        if found is not None:
            return found
    raise LookupError(f"nothing does {operation.name}")
