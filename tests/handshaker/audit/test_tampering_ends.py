"""Where the log ends, what vouches for it, and a forger who has the vault as well."""

from __future__ import annotations

import secrets
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from eth_account import Account

from handshaker.audit.check_proof import head_digest
from handshaker.audit.verification import What
from tests.handshaker.audit.forger import Forger
from tests.handshaker.audit.watched import Case, case_of, copy_of, headline, only, watched
from tests.instances import Instance

ROWS = ("acknowledgements", "outbox")
HISTORIES = (*ROWS, "events")
EVERYTHING = (*HISTORIES, "statements", "transactions")


@pytest.fixture(scope="module")
def log(pattern_hospital: Instance, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Instance]:
    with watched(pattern_hospital, tmp_path_factory.mktemp("watched")) as instance:
        yield instance


@pytest.fixture
def case(log: Instance, tmp_path: Path) -> Case:
    return copy_of(log, tmp_path)


def anchored_sizes(forger: Forger) -> list[int]:
    return [row["size"] for row in forger.ask("SELECT size FROM anchors ORDER BY size")]


# ---- the end ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("tables", [(), ROWS, HISTORIES, EVERYTHING])
def test_a_log_that_was_cut_off_below_its_anchor_is_named_with_what_knows_of_it(
    case: Case, tables: tuple[str, ...]
) -> None:
    with case.forger() as forger:
        size = anchored_sizes(forger)[-2]
        forger.cut(size, *tables)
    report = case.verified()
    found = only(report)
    assert (found.what, found.position) == (What.CUT_OFF, size)
    assert report.proven_up_to is not None
    assert report.proven_up_to.size == size
    assert "4 entries are gone" in found.sentence


@pytest.mark.parametrize("tables", [(), ROWS, HISTORIES])
def test_a_log_that_was_cut_off_above_its_last_anchor_is_known_from_what_is_left(
    case: Case, tables: tuple[str, ...]
) -> None:
    with case.forger() as forger:
        size = anchored_sizes(forger)[-1]
        forger.cut(size, *tables)
    assert headline(case.verified()) == (What.CUT_OFF, size)


def test_when_nothing_is_left_of_an_entry_the_chain_still_knows_its_effect(case: Case) -> None:
    with case.forger() as forger:
        size = anchored_sizes(forger)[-1]
        forger.cut(size, *EVERYTHING)
    found = only(case.verified())
    assert (found.what, found.position, found.proven) == (What.UNACKNOWLEDGED, size, False)


def test_without_anchors_and_heads_the_blocks_that_were_walked_still_know_of_more(case: Case) -> None:
    with case.forger() as forger:
        size = anchored_sizes(forger)[-2]
        forger.cut(size, *EVERYTHING)
        for table in ("audit_heads", "anchors"):
            forger.run(f"DELETE FROM {table} WHERE size > {size}")
        forger.run(f"UPDATE network_transactions SET head_size = NULL WHERE head_size > {size}")
    report = case.verified()
    assert headline(report) == (What.CUT_OFF, size)
    assert "blocks" in report.findings[0].sentence


# ---- what vouches for entries ----------------------------------------------------------------------------------------


def test_a_seal_that_was_taken_away_or_changed_is_named_and_the_entry_is_not_slandered(case: Case) -> None:
    with case.forger() as forger:
        forger.set_seal(10, None)
        forger.set_seal(20, secrets.token_bytes(32))
        first, second = forger.entry(30)["seal"], forger.entry(31)["seal"]
        forger.set_seal(30, second)
        forger.set_seal(31, first)
    report = case.verified()
    assert [(found.what, found.position) for found in report.findings] == [
        (What.SEAL_CHANGED, 10),
        (What.SEAL_CHANGED, 20),
        (What.SEAL_CHANGED, 30),
    ]
    assert all(found.proven for found in report.findings), "the anchors prove the leaves"


def test_where_all_seals_are_gone_the_anchors_still_tell_where_it_was(case: Case) -> None:
    with case.forger() as forger:
        sizes = anchored_sizes(forger)
        position = sizes[-2] + 1
        entry = forger.said(position)
        forger.rewrite(position, rehash=True, purpose="HMARKT")
        assert entry["kind"] == "access"
        forger.run("UPDATE audit_positions SET seal = NULL")
    report = case.verified()
    found = report.findings[0]
    assert (found.what, found.position, found.proven) == (What.CHANGED, sizes[-2], False)
    assert f"entries {sizes[-2]} to {sizes[-1] - 1}" in found.sentence
    assert What.SEAL_CHANGED in [other.what for other in report.findings]


def test_without_seals_the_rows_that_rest_on_an_entry_still_tell_which(case: Case) -> None:
    with case.forger() as forger:
        position = forger.positions("acknowledgement", verdict="valid")[-3]
        forger.rewrite(position, rehash=True, verdict="invalid")
        forger.run("UPDATE audit_positions SET seal = NULL")
    assert headline(case.verified()) == (What.CHANGED, position)


def test_a_head_with_another_root_is_none_of_ours(case: Case) -> None:
    with case.forger() as forger:
        size = anchored_sizes(forger)[-1]
        forger.run(f"UPDATE audit_heads SET root = :root WHERE size = {size}", root=secrets.token_bytes(32))
    found = only(case.verified())
    assert (found.what, found.position) == (What.HEAD_FORGED, size - 1)


def test_a_head_that_another_key_signed_is_none_of_ours(case: Case) -> None:
    stranger, chain = Account.create(), case.instance.handshaker.chain
    contract, chain_id = chain.address("AuditAnchor"), chain.identity().chain_id
    with case.forger() as forger:
        size = forger.size - 1
        root = secrets.token_bytes(32)
        at = datetime(2026, 11, 21, tzinfo=UTC)
        digest = head_digest(chain_id, contract, size, root, int(at.timestamp()))
        signed = Account.unsafe_sign_hash(digest, stranger.key)
        forger.run(
            "INSERT INTO audit_heads (size, root, made_at, signer, signature) "
            "VALUES (:size, :root, :at, :signer, :signature)",
            size=size,
            root=root,
            at=forger.moment(at),
            signer=stranger.address,
            signature=bytes(signed.signature),
        )
    found = only(case.verified())
    assert (found.what, found.position) == (What.HEAD_FORGED, size - 1)
    assert "none of our operators" in found.sentence


@pytest.mark.parametrize(
    "statement",
    [
        "DELETE FROM anchors WHERE size = :size",
        "UPDATE anchors SET root = (SELECT min(leaf_hash) FROM audit_entries) WHERE size = :size",
        "UPDATE anchors SET size = size + 1 WHERE size = :size",
        "UPDATE anchors SET operator = '0x00' WHERE size = :size",
    ],
)
def test_a_changed_copy_of_the_anchors_is_no_anchor(case: Case, statement: str) -> None:
    with case.forger() as forger:
        size = anchored_sizes(forger)[-1]
        forger.run(statement, size=size)
    report = case.verified()
    found = only(report)
    assert (found.what, found.position) == (What.ANCHOR_CHANGED, size - 1)
    assert report.proven_up_to is not None
    assert report.proven_up_to.size == size, "the chain is asked, not the table"


def test_contracts_that_are_said_to_be_elsewhere_are_not_believed(case: Case) -> None:
    with case.forger() as forger:
        forger.run("UPDATE deployments SET block_number = block_number + 1")
        position = forger.positions("act", act="deployment-adopted")[0]
    assert headline(case.verified()) == (What.DEPLOYMENT_CHANGED, position)


# ---- a forger who has the vault --------------------------------------------------------------------------------------


@pytest.mark.parametrize("act", ["change", "remove", "insert"])
def test_who_has_the_vault_too_is_caught_by_the_anchors_within_an_interval(case: Case, act: str) -> None:
    with case.forger(has_vault=True) as forger:
        sizes = anchored_sizes(forger)
        position = sizes[-2] + 1
        if act == "change":
            forger.rewrite(position, reseal=True, purpose="HMARKT")
        elif act == "remove":
            forger.remove(position, renumber=True)
        else:
            forger.insert(position, forger.said(position))
            entry = forger.entry(position)
            forger.rewrite(position, rehash=True, entry=entry["entry_id"])
        forger.reseal()
    report = case.verified()
    found = report.findings[0]
    assert (found.what, found.position, found.proven) == (What.CHANGED, sizes[-2], False)
    assert f"entries {sizes[-2]} to {sizes[-1] - 1}" in found.sentence
    assert report.proven_up_to is not None
    assert report.proven_up_to.size == sizes[-2]


def test_evidence_that_the_chain_does_not_know_is_forged_even_under_seal(case: Case) -> None:
    with case.forger(has_vault=True) as forger:
        position = forger.positions("acknowledgement", verdict="valid")[-1]
        forger.rewrite(position, reseal=True, logIndex=77)
        forger.rewrite_row(position, log_index=77)
    found = only(case.verified())
    assert (found.what, found.position) == (What.FORGED_EVIDENCE, position)


def test_an_effect_whose_acknowledgement_was_made_invalid_under_seal_is_forged(case: Case) -> None:
    changes: dict[str, Any] = {"verdict": "invalid", "code": "deadline-passed", "arguments": {}}
    evidence: dict[str, Any] = {"block": None, "blockHash": None, "transaction": None, "logIndex": None}
    with case.forger(has_vault=True) as forger:
        position = forger.positions("acknowledgement", verdict="valid")[-1]
        forger.rewrite(position, reseal=True, **changes, **evidence)
        forger.rewrite_row(
            position,
            verdict="invalid",
            code="deadline-passed",
            arguments="{}",
            block_number=None,
            block_hash=None,
            transaction_hash=None,
            log_index=None,
        )
    found = only(case.verified())
    assert (found.what, found.position) == (What.FORGED_EVIDENCE, position)


def test_an_acknowledgement_that_vanished_consistently_is_missed_by_the_chain(case: Case) -> None:
    with case.forger(has_vault=True) as forger:
        position = forger.positions("acknowledgement", verdict="valid")[-1]
        ti_id = forger.said(position)["ti"]
        forger.remove(position, renumber=True, traces=False)
        for table in ("signatures", "statements", "transactions"):
            where = "statement_hash IN (SELECT statement_hash FROM statements WHERE ti_id = :ti)"
            forger.run(f"DELETE FROM {table} WHERE {where if table == 'signatures' else 'ti_id = :ti'}", ti=ti_id)
        forger.reseal()
    report = case.verified()
    assert headline(report) == (What.UNACKNOWLEDGED, report.entries)


def test_verifying_tells_that_the_guards_are_gone(case: Case) -> None:
    assert not any("triggers" in remark for remark in case.verified().remarks)
    with case.forger():
        pass
    if case.settings.store.startswith("sqlite"):
        assert any("triggers" in remark for remark in case.verified().remarks)
    assert case_of(case.instance).verified().findings == ()


def test_an_indexer_that_is_made_to_look_behind_is_no_excuse(case: Case) -> None:
    with case.forger(has_vault=True) as forger:
        position = forger.positions("acknowledgement", verdict="valid")[-2]
        ti_id = forger.said(position)["ti"]
        (row,) = forger.ask("SELECT block_number FROM acknowledgements WHERE ti_id = :ti", ti=ti_id)
        forger.remove(position, renumber=True, traces=False)
        forger.run("DELETE FROM statements WHERE ti_id = :ti", ti=ti_id)
        forger.run("DELETE FROM transactions WHERE ti_id = :ti", ti=ti_id)
        forger.run(f"DELETE FROM blocks WHERE number >= {row['block_number']}")
        forger.reseal()
    report = case.verified()
    assert report.findings[0].what is What.CHANGED, "the anchor over it"
    assert "The chain knows 1 effects that have no acknowledgement." in report.remarks
