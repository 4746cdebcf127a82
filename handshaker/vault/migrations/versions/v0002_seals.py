"""From which position on the entries of the audit log have seals."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add the column."""
    comment = "position of the audit log's first entry that has a seal"
    op.add_column("vault", sa.Column("sealed_from", sa.BigInteger, comment=comment))


def downgrade() -> None:
    """Refuse, as every step of the vault does."""
    raise NotImplementedError("The vault's tables are never taken back.")
