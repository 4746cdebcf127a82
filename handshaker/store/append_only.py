"""Triggers that refuse to change or delete a row of an append-only table."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

Keys = Sequence[tuple[str, ...]]
"""The unique keys of a table, each as its columns."""


def statements(dialect: str, tables: Mapping[str, Keys]) -> Iterator[str]:
    """Yield the SQL that guards ``tables``; dialects ``sqlite`` and ``postgresql``."""
    return _for_postgresql(tables) if dialect == "postgresql" else _for_sqlite(tables)


def _for_sqlite(tables: Mapping[str, Keys]) -> Iterator[str]:
    for table, keys in tables.items():
        refusal = f"BEGIN SELECT RAISE(ABORT, 'append-only: {table}'); END"
        for act in ("UPDATE", "DELETE"):
            yield f"CREATE TRIGGER {table}_refuses_{act.lower()} BEFORE {act} ON {table} {refusal}"
        # REPLACE deletes the row in its way without asking the triggers on DELETE.
        same = " OR ".join(f"({' AND '.join(f'{column} = NEW.{column}' for column in key)})" for key in keys)
        yield (
            f"CREATE TRIGGER {table}_refuses_replace BEFORE INSERT ON {table} "
            f"WHEN EXISTS (SELECT 1 FROM {table} WHERE {same}) {refusal}"
        )


def _for_postgresql(tables: Mapping[str, Keys]) -> Iterator[str]:
    yield (
        "CREATE OR REPLACE FUNCTION refuse_change() RETURNS trigger LANGUAGE plpgsql AS "
        "$$ BEGIN RAISE EXCEPTION 'append-only: %', TG_TABLE_NAME USING ERRCODE = 'integrity_constraint_violation'; "
        "END $$"
    )
    for table in tables:
        for act in ("UPDATE", "DELETE"):
            yield (
                f"CREATE TRIGGER {table}_refuses_{act.lower()} BEFORE {act} ON {table} "
                "FOR EACH ROW EXECUTE FUNCTION refuse_change()"
            )
        yield (
            f"CREATE TRIGGER {table}_refuses_truncate BEFORE TRUNCATE ON {table} "
            "FOR EACH STATEMENT EXECUTE FUNCTION refuse_change()"
        )
