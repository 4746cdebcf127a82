"""A database that somebody changed behind our back."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa

from tests.databases import unguarded
from tests.instances import Instance

ENTRY = "WHERE entry_id = (SELECT entry_id FROM audit_positions WHERE position = :position)"
"""The entry at a position."""


def tampered(instance: Instance, *statements: str, **values: Any) -> None:
    """Run SQL without the triggers that refuse it; ``values`` are those of the names that each statement has."""
    with unguarded(instance.handshaker.store) as connection:
        for statement in statements:
            text = sa.text(statement)
            connection.execute(text, {name: values[name] for name in text.compile().params})


def change_leaf(instance: Instance, position: int) -> None:
    """Let an entry say something else, in the form that entries have."""
    entry = instance.handshaker.store.log.entry_at(position)
    assert entry is not None
    leaf = entry.leaf.replace(b'"code":"', b'"code":"other-')
    assert leaf != entry.leaf
    tampered(instance, f"UPDATE audit_entries SET leaf = :leaf {ENTRY}", position=position, leaf=leaf)
