"""An untouched log is proven, whatever happened to the hospital; and verifying changes nothing."""

from __future__ import annotations

import hashlib
import secrets
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from eth_account import Account

from handshaker.audit.check_proof import head_digest
from handshaker.audit.errors import LogHeld, Unreadable
from handshaker.audit.verification import What
from handshaker.errors import ChainUnreachable, NotDeployed
from handshaker.ethereum import heads
from handshaker.messages import Head
from handshaker.settings import read_settings
from handshaker.store.database import SchemaOutdated
from handshaker.verifying import verifier
from tests.databases import Databases
from tests.handshaker.audit.watched import Case, anchor, case_of, life, only, watched
from tests.instances import Instance, consent_payload
from tests.strangers import act_alone, carry, stored_call


@pytest.fixture
def log(pattern_hospital: Instance, tmp_path: Path) -> Iterator[Instance]:
    with watched(pattern_hospital, tmp_path) as instance:
        yield instance


class Interrupted:
    """Does something as soon as the entries are being read."""

    def __init__(self, instance: Instance) -> None:
        self._instance = instance

    def begin(self, what: str, total: int) -> None:
        if what == "log":
            life(self._instance)
            anchor(self._instance)

    def advance(self, steps: int) -> None:
        pass


def test_an_untouched_log_is_proven_and_the_report_says_how_far(log: Instance) -> None:
    report = case_of(log).verified()
    size = log.handshaker.store.log.size()
    anchors = log.handshaker.store.log.anchors()
    assert report.findings == ()
    assert report.remarks == ()
    assert report.entries == size
    assert report.proven_up_to is not None
    assert (report.proven_up_to.size, report.proven_up_to.block_number) == (
        anchors[0].head.size,
        anchors[0].block_number,
    )
    assert report.unanchored == size - anchors[0].head.size == 4
    assert report.anchors_checked == report.heads_checked == len(anchors)
    valid = sum(n for (verdict, _), n in log.handshaker.store.audit.counts().items() if verdict == "valid")
    assert report.acknowledgements_checked == valid == report.effects_checked
    assert report.contract == log.handshaker.chain.address("AuditAnchor")


def test_without_the_chain_the_seals_speak_alone_and_no_anchor_counts(log: Instance) -> None:
    report = case_of(log).verified(offline=True)
    assert report.findings == ()
    assert report.offline
    assert report.proven_up_to is None
    assert report.unanchored == report.entries


@pytest.mark.sqlite
def test_verifying_changes_no_byte_of_the_database(log: Instance) -> None:
    case = case_of(log)
    log.handshaker.close()
    file = case.settings.instance / "handshaker.db"
    before = hashlib.sha256(file.read_bytes()).digest()
    with case.forger() as forger:
        forger.rewrite(20, verdict="invalid")
    tampered = hashlib.sha256(file.read_bytes()).digest()
    assert tampered != before
    file.chmod(0o400)
    assert not case.verified().is_proven
    assert hashlib.sha256(file.read_bytes()).digest() == tampered


def test_a_held_log_can_be_verified(log: Instance) -> None:
    case = case_of(log)
    size = log.handshaker.store.log.anchored_size()
    with case.forger() as forger:
        forger.cut(size - 1)
        forger.run(f"DELETE FROM outbox WHERE position >= {size - 1}")
    log.restart()
    with pytest.raises(LogHeld):
        log.worker.step()
    found = case.verified().findings[0]
    assert (found.what, found.position) == (What.CUT_OFF, size - 1)


def test_what_is_written_meanwhile_is_neither_missed_nor_miscounted(log: Instance) -> None:
    size = log.handshaker.store.log.size()
    report = case_of(log).verified(progress=Interrupted(log))
    assert report.findings == ()
    assert report.entries == size
    assert log.handshaker.store.log.size() > size


def test_an_effect_that_the_indexer_has_not_walked_yet_is_a_remark(log: Instance) -> None:
    submission = log.measure()
    carry(log, stored_call(log, submission))
    report = case_of(log).verified()
    assert report.findings == ()
    assert report.remarks == ("1 effects are in blocks that the indexer has not walked: run a worker.",)
    log.steps(3)
    assert case_of(log).verified().remarks == ()


def test_a_patient_who_acts_alone_raises_no_alarm(log: Instance) -> None:
    account = Account.create()
    patient = log.admit_with_wallet(account)
    request = {"template": "consent-grant", "payload": consent_payload(), "idempotencyKey": "never sent"}
    prepared = log.handshaker.intake.prepare(request, patient)
    act_alone(log, account.key, prepared["typedData"], "ConsentRegistry", "grant")
    log.steps(3)
    anchor(log)
    assert case_of(log).verified().findings == ()


def test_an_erased_owner_raises_no_alarm(log: Instance) -> None:
    patient = log.consented.actor.actor_id
    log.handshaker.store.log.add_erasure(patient, "asked for", log.clock.now())
    log.handshaker.vault.destroy_owner(patient)
    assert case_of(log).verified().findings == ()


def test_work_that_waits_raises_no_alarm(log: Instance) -> None:
    log.measure(log.silent)
    log.measure()
    log.worker.step()
    assert case_of(log).verified().findings == ()


@pytest.mark.sqlite
def test_an_older_copy_of_the_database_is_called_that(pattern_hospital: Instance, tmp_path: Path) -> None:
    with watched(pattern_hospital, tmp_path) as instance:
        settings, database = instance.handshaker.settings, instance.handshaker.settings.instance / "handshaker.db"
        size = instance.handshaker.store.log.size()
        instance.handshaker.close()
        old = tmp_path / "old.db"
        shutil.copy(database, old)
        anchor(instance)
        life(instance)
        anchor(instance)
        now = instance.handshaker.store.log.size()
        instance.handshaker.close()
        shutil.copy(old, database)
        found = only(Case(instance, settings).verified())
    assert (found.what, found.position) == (What.ROLLED_BACK, size)
    assert f"of {size - 4} entries" in found.sentence, "the last anchor that it knew"
    assert f"{now - size} entries are missing" in found.sentence


def test_an_older_log_that_is_held_is_not_said_to_be_cut_off(log: Instance, pattern_hospital: Instance) -> None:
    """The worker that noticed has told the database of the chain's anchor, and nothing else knows more."""
    case = case_of(log)
    sizes = sorted(each.head.size for each in log.handshaker.store.log.anchors())
    with case.forger() as forger:
        forger.cut(sizes[-2], "acknowledgements", "outbox", "events", "statements", "transactions")
        for table in ("audit_heads", "anchors"):
            forger.run(f"DELETE FROM {table} WHERE size > {sizes[-2]}")
        forger.run(f"UPDATE network_transactions SET head_size = NULL WHERE head_size > {sizes[-2]}")
    log.restart()
    with pytest.raises(LogHeld):
        log.worker.step()
    found = case.verified().findings[0]
    assert (found.what, found.position) == (What.ROLLED_BACK, sizes[-2])


def test_a_fresh_instance_without_contracts_can_only_be_verified_offline(databases: Databases, tmp_path: Path) -> None:
    from handshaker.bootstrap import make_handshaker
    from tests.databases import HERE

    instance = tmp_path / "instance"
    settings = read_settings(instance=instance, chain_url="http://127.0.0.1:1", **HERE.of(instance))
    make_handshaker(settings).close()
    with verifier(settings, offline=True) as found:
        assert found.verify().findings == ()
    with verifier(settings) as found, pytest.raises(ChainUnreachable):
        found.verify()
    HERE.drop(instance)


def test_tables_that_were_taken_out_are_named(log: Instance) -> None:
    case = case_of(log)
    with case.forger() as forger:
        forger.run("DROP TABLE outbox")
    found = only(case.verified())
    assert (found.what, found.position) == (What.REMOVED, 0)
    assert "outbox" in found.sentence


def test_the_schema_of_another_version_is_not_judged(log: Instance) -> None:
    case = case_of(log)
    with case.forger() as forger:
        forger.run("UPDATE alembic_version SET version_num = '0001'")
    with pytest.raises(SchemaOutdated):
        case.verified()


def test_without_a_deployment_the_chain_says_nothing(log: Instance) -> None:
    case = case_of(log)
    with case.forger() as forger:
        forger.run("DELETE FROM deployments")
    with pytest.raises(NotDeployed):
        case.verified()


def test_entries_that_are_older_than_seals_are_proven_by_anchors_alone(log: Instance) -> None:
    case, vault = case_of(log), log.handshaker.vault
    with case.forger() as forger:
        forger.run("UPDATE audit_positions SET seal = NULL WHERE position < 30")
    with vault._rooted.database.writing() as connection:
        connection.exec_driver_sql("UPDATE vault SET sealed_from = 30")
    report = case.verified()
    assert report.findings == ()
    assert report.sealed_from == 30
    with case.forger() as forger:
        forger.rewrite(20, rehash=True, v=2)
    report = case.verified()
    found = report.findings[0]
    assert (found.what, found.position, found.proven) == (What.CHANGED, 0, False), "nothing tells which of them"
    assert "older than seals" in found.sentence


def test_the_fast_way_to_tell_a_signer_is_the_one_that_anybody_checks() -> None:
    root, contract = secrets.token_bytes(32), Account.create().address
    expected = head_digest(1337, contract, 12, root, 1_795_000_000)
    assert heads.head_digest(Head(12, root), 1_795_000_000, 1337, contract) == expected


@pytest.mark.sqlite
def test_values_of_a_form_that_nobody_can_read_are_an_error_and_no_traceback(log: Instance) -> None:
    case = case_of(log)
    with case.forger() as forger:
        forger.run("UPDATE deployments SET addresses = 'nowhere'")
    with pytest.raises(Unreadable):
        case.verified()
