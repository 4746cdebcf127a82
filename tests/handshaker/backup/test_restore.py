"""A backup comes back as it was; what the chain knows better is told; nothing that was there is deleted."""

from __future__ import annotations

import json
import shutil
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest
import sqlalchemy as sa

from handshaker.backup import InstanceTaken, NothingToAccept, make_backup, restore, revoke_tokens
from handshaker.bootstrap import make_handshaker
from handshaker.errors import KeyLocked, NotAuthenticated, RoleNotAllowed
from handshaker.occupancy import InstanceInUse
from handshaker.settings import read_settings
from handshaker.store import schema as s
from handshaker.store.postgresql_copies import RoleTooWeak
from handshaker.vocabulary import ActCode
from tests.databases import HERE, Databases
from tests.handshaker.backup.drill import Drill, unheard
from tests.postgres import TOOLS

SAME = sorted(set(s.metadata.tables) - {"queue", "sessions", "network_transactions"})
"""Tables that a restore at once leaves as they were; those of the log and the walk by what they begin with."""


def everything(drill: Drill) -> dict[str, list[str]]:
    return {name: sorted(map(repr, drill.rows(f"SELECT * FROM {name}"))) for name in SAME}


def test_what_was_backed_up_comes_back_as_it_was(drill: Drill) -> None:
    acknowledged = drill.instance.measure()
    drill.instance.drain()
    drill.anchor()
    folder, _ = drill.back_up()
    before = everything(drill)
    restored = drill.restore(folder)
    after = everything(drill)
    grown = {name for name in SAME if before[name] != after[name]}
    assert grown <= {"audit_entries", "audit_positions", "audit_tiles"}
    for name in SAME:
        assert set(before[name]) <= set(after[name])
    assert drill.instance.ack(acknowledged) is not None
    assert restored.reconciliation.log.state == "whole"
    assert not restored.reconciliation.is_held
    assert not restored.reconciliation.is_older


def test_a_restore_by_which_nothing_is_lost_is_an_entry_and_all_goes_on(drill: Drill) -> None:
    drill.anchor()
    waiting = drill.instance.measure()
    folder, manifest = drill.back_up()
    drill.restore(folder)
    (entry,) = drill.instance.handshaker.store.log.entries(manifest.log_size, manifest.log_size + 10)
    leaf = json.loads(entry.leaf)
    assert (leaf["act"], leaf["subject"]) == (str(ActCode.BACKUP_RESTORED), manifest.backup)
    assert drill.instance.acknowledged(waiting).code == "effect"
    assert drill.instance.acknowledged(drill.instance.measure()).code == "effect"
    drill.anchor()
    with pytest.raises(NothingToAccept):
        drill.accept()


def test_what_was_there_is_moved_aside_and_can_be_opened(drill: Drill) -> None:
    folder, _ = drill.back_up()
    later = drill.instance.measure()
    drill.instance.drain()
    restored = drill.restore(folder)
    assert len(restored.aside) == 2
    assert drill.instance.handshaker.store.intake.transaction(later.ti_id) is None
    if drill.instance.handshaker.settings.store.startswith("sqlite"):
        with closing(sqlite3.connect(restored.aside[0])) as aside:
            assert aside.execute("SELECT count(*) FROM transactions WHERE ti_id = ?", (later.ti_id,)).fetchone() == (1,)
            assert aside.execute("PRAGMA integrity_check").fetchone() == ("ok",)
    else:
        schema = restored.aside[0].split()[1]
        owner = sa.create_engine(drill.instance.handshaker.settings.store_owner_url, poolclass=sa.NullPool)
        with owner.connect() as connection:
            query = sa.text(f"SELECT count(*) FROM {schema}.transactions WHERE ti_id = :ti")
            assert connection.execute(query, {"ti": later.ti_id}).scalar_one() == 1


def test_an_instance_that_holds_something_is_not_replaced_unless_that_is_said(drill: Drill) -> None:
    folder, _ = drill.back_up()
    waiting = drill.instance.measure()
    with pytest.raises(InstanceTaken) as refused:
        drill.restore(folder, replacing=False)
    assert refused.value.data["databases"] == ["audit", "vault"]
    drill.start()
    assert drill.instance.acknowledged(waiting).code == "effect"


def test_nobody_may_have_the_instance_open(drill: Drill) -> None:
    folder, _ = drill.back_up()
    settings = drill.instance.handshaker.settings
    drill.stop()
    other = make_handshaker(settings, clock=drill.instance.clock, chain=drill.chain())
    with pytest.raises(InstanceInUse):
        drill.restore(folder)
    other.close()
    drill.restore(folder)


def test_while_it_is_restored_nobody_can_open_it(drill: Drill) -> None:
    folder, _ = drill.back_up()
    settings = drill.instance.handshaker.settings
    refused: list[str] = []

    def open_(what: str, done: int, of: int) -> None:
        if what in ("staging", "beginning", "moving aside", "putting in place", "asking the chain"):
            with pytest.raises(InstanceInUse):
                make_handshaker(settings)
            refused.append(what)

    drill.restore(folder, open_)
    assert len(refused) == 8


def test_sessions_are_over_and_tokens_stay_also_those_that_were_revoked_since(drill: Drill) -> None:
    instance = drill.instance
    nurse, tokens, sessions = instance.nurse, instance.handshaker.tokens, instance.handshaker.sessions
    session = sessions.open(nurse.actor.actor_id, nurse.secret)
    folder, _ = drill.back_up()
    later = tokens.issue(nurse, ("read",))
    tokens.revoke(instance.doctor.actor.actor_id, instance.doctor.token_id)
    restored = drill.restore(folder)
    tokens, sessions = drill.instance.handshaker.tokens, drill.instance.handshaker.sessions
    with pytest.raises(NotAuthenticated):
        sessions.authenticate(session)
    with pytest.raises(NotAuthenticated):
        tokens.authenticate(later)
    assert tokens.authenticate(instance.tokens["doctor"]).actor == instance.doctor.actor
    assert restored.reconciliation.ended_sessions == 1
    assert restored.reconciliation.live_tokens >= 5


def test_another_machine_needs_the_backup_the_root_key_and_the_chain(drill: Drill, tmp_path: Path) -> None:
    waiting = drill.instance.measure()
    folder, manifest = drill.back_up()
    old = drill.instance.handshaker.settings
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    key = elsewhere / "root.key"
    shutil.copy(old.root_key_path, key)
    settings = read_settings(
        instance=elsewhere / "instance", root_key=key, postgresql_tools=TOOLS, **HERE.of(elsewhere / "instance")
    )
    restored = restore(settings, folder, unheard, clock=drill.instance.clock, chain=drill.chain())
    assert restored.aside == ()
    other = make_handshaker(settings, clock=drill.instance.clock, chain=drill.chain())
    try:
        assert other.store.log.leaf_hashes(0, manifest.log_size) == drill.leaves()
        assert other.vault.relayers() == drill.instance.handshaker.vault.relayers()
        assert other.tokens.authenticate(drill.instance.tokens["nurse"]).actor == drill.instance.nurse.actor
        other.chain.asker = drill.instance.handshaker.chain.asker
        worker = other.worker()
        while other.store.queue.counts():
            worker.step()
        ack = other.store.audit.acknowledgement(waiting.ti_id)
        assert ack is not None
        assert ack.code == "effect"
    finally:
        other.close()
        HERE.drop(elsewhere / "instance")


def test_all_tokens_but_the_one_of_who_says_so_can_be_ended(drill: Drill) -> None:
    folder, _ = drill.back_up()
    restored = drill.restore(folder)
    handshaker, tokens = drill.instance.handshaker, drill.instance.tokens
    with pytest.raises(RoleNotAllowed):
        revoke_tokens(handshaker, drill.instance.nurse)
    size = handshaker.store.log.size()
    ended = revoke_tokens(handshaker, drill.instance.administrator)
    assert ended == restored.reconciliation.live_tokens - 1
    assert handshaker.tokens.authenticate(tokens["administrator"]).actor.name == "First Administrator"
    for name in set(tokens) - {"administrator"}:
        with pytest.raises(NotAuthenticated):
            handshaker.tokens.authenticate(tokens[name])
    with pytest.raises(KeyLocked):
        handshaker.vault.sign(drill.instance.nurse.actor.actor_id, drill.instance.nurse.secret, bytes(32))
    acts = [json.loads(entry.leaf)["act"] for entry in handshaker.store.log.entries(size, size + 1000)]
    assert acts == [str(ActCode.TOKEN_REVOKED)] * ended
    assert revoke_tokens(handshaker, drill.instance.administrator) == 0


def test_the_working_role_may_back_up_and_not_restore(drill: Drill) -> None:
    """On SQLite there is one role, which may do both."""
    settings = drill.instance.handshaker.settings
    drill.instance.handshaker.settings = settings.model_copy(update={"store_owner_url": ""})
    folder, _ = drill.back_up()
    if settings.store.startswith("sqlite"):
        drill.restore(folder)
        return
    with pytest.raises(RoleTooWeak):
        drill.restore(folder)
    drill.start()
    assert drill.instance.acknowledged(drill.instance.measure()).code == "effect"


def test_an_instance_without_contracts_needs_no_node(databases: Databases, tmp_path: Path) -> None:
    settings = read_settings(
        instance=tmp_path / "instance",
        chain_url="http://127.0.0.1:1",
        postgresql_tools=TOOLS,
        **databases.of(tmp_path / "instance"),
    )
    handshaker = make_handshaker(settings)
    handshaker.templates.install_shipped()
    manifest = make_backup(handshaker, tmp_path / "backup", unheard)
    handshaker.close()
    restored = restore(settings, tmp_path / "backup", unheard, replacing=True)
    assert manifest.chain is None
    assert restored.reconciliation.log.state == "unanchored"
    assert not restored.reconciliation.is_held
    databases.drop(tmp_path / "instance")
