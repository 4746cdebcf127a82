"""Triggers that refuse to change or delete a row of an append-only table."""

from __future__ import annotations

from collections.abc import Iterator, Sequence


def statements(dialect: str, tables: Sequence[str]) -> Iterator[str]:
    """Yield the SQL that guards ``tables``; dialects ``sqlite`` and ``postgresql``."""
    if dialect == "postgresql":
        yield (
            "CREATE OR REPLACE FUNCTION refuse_change() RETURNS trigger LANGUAGE plpgsql AS "
            "$$ BEGIN RAISE EXCEPTION 'append-only: %', TG_TABLE_NAME; END $$"
        )
    for table in tables:
        for act in ("UPDATE", "DELETE"):
            name = f"{table}_refuses_{act.lower()}"
            if dialect == "postgresql":
                yield f"CREATE TRIGGER {name} BEFORE {act} ON {table} FOR EACH ROW EXECUTE FUNCTION refuse_change()"
            else:
                yield (
                    f"CREATE TRIGGER {name} BEFORE {act} ON {table} "
                    f"BEGIN SELECT RAISE(ABORT, 'append-only: {table}'); END"
                )
        if dialect == "postgresql":
            yield (
                f"CREATE TRIGGER {table}_refuses_truncate BEFORE TRUNCATE ON {table} "
                "FOR EACH STATEMENT EXECUTE FUNCTION refuse_change()"
            )
