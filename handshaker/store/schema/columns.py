"""What columns are made of."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import sqlalchemy as sa

metadata = sa.MetaData()


class UtcDateTime(sa.types.TypeDecorator[datetime]):
    """An aware UTC datetime. SQLite keeps no time zone: it is taken off on the way in and put back on the way out."""

    impl = sa.DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Any) -> datetime | None:
        """Refuse a naive datetime: it is a mistake wherever it comes from."""
        if value is None:
            return None
        if value.tzinfo is None:
            raise ValueError("a datetime without a time zone cannot be stored")
        value = value.astimezone(UTC)
        return value.replace(tzinfo=None) if dialect.name == "sqlite" else value

    def process_result_value(self, value: datetime | None, dialect: Any) -> datetime | None:
        """Return an aware datetime."""
        if value is None:
            return None
        return value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)


SEQUENCE = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
"""SQLite counts up by itself only in a column of exactly this type."""


def sealed(prefix: str, *, nullable: bool) -> list[sa.Column[Any]]:
    """Return the four columns of a ciphertext."""
    return [
        sa.Column(f"{prefix}_owner", sa.String(80), nullable=nullable),
        sa.Column(f"{prefix}_nonce", sa.LargeBinary, nullable=nullable),
        sa.Column(f"{prefix}_ciphertext", sa.LargeBinary, nullable=nullable),
        sa.Column(f"{prefix}_wrapped_key", sa.LargeBinary, nullable=nullable),
    ]
