"""How a sealed payload lies in a row."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa

from handshaker.messages import Sealed


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
