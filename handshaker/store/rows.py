"""How sealed payloads and signed calls lie in rows."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa

from handshaker.messages import Effect, Sealed, SignedCall


def sealed_columns(prefix: str, sealed: Sealed | None) -> dict[str, Any]:
    """Return the four columns of ``sealed`` under ``prefix``."""
    return {
        f"{prefix}_owner": sealed.owner if sealed else None,
        f"{prefix}_nonce": sealed.nonce if sealed else None,
        f"{prefix}_ciphertext": sealed.ciphertext if sealed else None,
        f"{prefix}_wrapped_key": sealed.wrapped_key if sealed else None,
    }


def sealed_of(row: sa.RowMapping, prefix: str) -> Sealed | None:
    """Return what the four columns hold, or ``None`` when they are empty."""
    if row[f"{prefix}_ciphertext"] is None:
        return None
    return Sealed(
        owner=row[f"{prefix}_owner"],
        nonce=row[f"{prefix}_nonce"],
        ciphertext=row[f"{prefix}_ciphertext"],
        wrapped_key=row[f"{prefix}_wrapped_key"],
    )


def signed_call(row: sa.RowMapping) -> SignedCall:
    """Return the call that a row of statement, signature and queue holds; what has left the queue was sent."""
    return SignedCall(
        ti_id=row["ti_id"],
        contract=row["contract"],
        function=row["function"],
        words=row["words"],
        statement_hash=row["statement_hash"],
        signature=row["signature"],
        patient_id=row["patient_id"],
        deadline=row["deadline"],
        custodial=row["custodial"],
        alone=bool(row["alone"]),
        sent=row["sent"] is not False,
    )


def effect_of(row: sa.RowMapping) -> Effect:
    """Return the effect that a row holds."""
    return Effect(
        statement_hash=row["statement_hash"],
        contract=row["contract"],
        event=row["event"],
        arguments=row["arguments"],
        block_number=row["block_number"],
        block_hash=row["block_hash"],
        transaction_hash=row["transaction_hash"],
        log_index=row["log_index"],
    )
