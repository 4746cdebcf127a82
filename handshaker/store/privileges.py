"""Two roles on PostgreSQL: one owns the tables and changes their form; the other works in them, and can do no more.

The triggers of ``append_only`` bind the owner too, but an owner can take them off. The working role cannot: it has no
right to change or delete a row of a table that only grows, nor to create, alter or own anything.
"""

from __future__ import annotations

import sqlalchemy as sa

from handshaker.errors import SettingsInvalid
from handshaker.store.schema import APPEND_ONLY, metadata

_VERSION = "alembic_version"


def grant(connection: sa.Connection, role: str) -> None:
    """Give ``role`` exactly what the Handshaker needs, in the transaction of the owner's migration.

    Raises ``SettingsInvalid`` where it could do more whatever is granted: as a superuser, or as a member of the owner.
    """
    quote = connection.dialect.identifier_preparer.quote
    schema = quote(connection.execute(sa.text("SELECT current_schema()")).scalar_one())
    to = quote(role)

    def run(statement: str) -> None:
        connection.execute(sa.text(statement))

    run(f"REVOKE ALL ON ALL TABLES IN SCHEMA {schema} FROM {to}")
    run(f"REVOKE ALL ON ALL SEQUENCES IN SCHEMA {schema} FROM {to}")
    run(f"REVOKE CREATE ON SCHEMA {schema} FROM {to}, PUBLIC")
    run(f"GRANT USAGE ON SCHEMA {schema} TO {to}")
    # A backup reads them too, and the role that makes it need own nothing.
    run(f"GRANT USAGE, SELECT ON ALL SEQUENCES IN SCHEMA {schema} TO {to}")
    run(f"GRANT SELECT ON {_VERSION} TO {to}")
    for table in metadata.tables:
        rights = "SELECT, INSERT" if table in APPEND_ONLY else "SELECT, INSERT, UPDATE, DELETE"
        run(f"GRANT {rights} ON {quote(table)} TO {to}")
    _refuse_pretence(connection, role)


def _refuse_pretence(connection: sa.Connection, role: str) -> None:
    may_change = sa.text("SELECT has_table_privilege(:role, :table, 'UPDATE, DELETE, TRUNCATE, TRIGGER')")
    may_more = sa.text(
        "SELECT pg_has_role(:role, current_user, 'MEMBER') OR has_schema_privilege(:role, current_schema(), 'CREATE')"
    )
    if connection.execute(may_more, {"role": role}).scalar_one() or any(
        connection.execute(may_change, {"role": role, "table": table}).scalar_one() for table in APPEND_ONLY
    ):
        raise SettingsInvalid(
            "The role of HANDSHAKER_STORE_URL can do what the owner can: it is a superuser, a member of the owner's "
            "role, or was given more by somebody else.",
            setting="HANDSHAKER_STORE_URL",
        )
