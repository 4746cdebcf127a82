"""Proofs are true, and a database that was changed hands out none."""

from __future__ import annotations

import json
import logging
import subprocess
import sys
import threading
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from handshaker.audit import check_proof
from handshaker.audit.errors import LogDoesNotVerify, NotAnchoredYet
from handshaker.audit.proofs import ladder
from handshaker.errors import ChainUnreachable, NotFound
from handshaker.ethereum.chain import EthereumChain, connect
from handshaker.patience import Patience
from handshaker.proofs import ON_CHAIN, Examination
from tests.anchored import acknowledged, anchor, anchored, sizes
from tests.instances import Instance, hospital, pattern_hospital
from tests.tampering import ENTRY, change_leaf, tampered

__all__ = ["anchored", "hospital", "pattern_hospital"]

NOWHERE = "http://127.0.0.1:1"


def failed(examination: Examination) -> set[str]:
    return {check.name for check in examination.checks if check.ok is False}


# ---- what is true is proven ------------------------------------------------------------------------------------------


def test_every_acknowledgement_has_a_proof_that_holds_without_us(anchored: Instance) -> None:
    proofs, chain = anchored.handshaker.proofs, anchored.handshaker.chain
    found = acknowledged(anchored)
    assert len(found) > 8
    for acknowledgement in found:
        document = proofs.prove(acknowledgement)
        checks = check_proof.check(document, chain.answer, chain.address("AuditAnchor"))
        assert [check for check in checks if not check.ok] == []
        assert {check.name for check in checks} == {"inclusion", "signature", "contract", *ON_CHAIN}
        assert document["entry"]["position"] == acknowledgement.position


def test_a_proof_names_the_smallest_anchor_that_covers_the_entry(anchored: Instance) -> None:
    first, second = sizes(anchored)
    for acknowledgement in acknowledged(anchored):
        assert acknowledgement.position is not None
        document = anchored.handshaker.proofs.prove(acknowledgement)
        assert document["head"]["size"] == (first if acknowledgement.position < first else second)


def test_the_ladder_of_a_proof_leads_to_its_root(anchored: Instance) -> None:
    for acknowledgement in acknowledged(anchored):
        document = anchored.handshaker.proofs.prove(acknowledgement)
        rungs = ladder(document)
        assert "0x" + rungs[-1].reached.hex() == document["head"]["root"]
        assert ["0x" + rung.sibling.hex() for rung in rungs] == document["inclusion"]["path"]


def test_everybody_gets_proofs_of_what_they_may_read_and_of_nothing_else(anchored: Instance) -> None:
    proofs = anchored.handshaker.proofs
    (one, *_) = [each for each in acknowledged(anchored) if each.actor_id == anchored.nurse.actor.actor_id]
    assert proofs.proof(anchored.nurse, one.ti_id) == proofs.proof(anchored.administrator, one.ti_id)
    assert proofs.examine(anchored.nurse, one.ti_id).verdict is True
    for ask in (proofs.proof, proofs.examine):
        with pytest.raises(NotFound):
            ask(anchored.doctor, one.ti_id)
        with pytest.raises(NotFound):
            ask(anchored.administrator, "0" * 36)


def test_an_entry_without_an_anchor_has_no_proof_yet(anchored: Instance) -> None:
    submission = anchored.measure()
    position = anchored.acknowledged(submission).position
    with pytest.raises(NotAnchoredYet) as raised:
        anchored.handshaker.proofs.proof(anchored.nurse, submission.ti_id)
    assert raised.value.data == {"position": position, "anchored": position}
    waiting = anchored.handshaker.proofs.examine(anchored.nurse, submission.ti_id)
    assert (waiting.document, waiting.checks, waiting.verdict) == (None, (), None)
    assert waiting.waits is not None
    anchor(anchored)
    assert anchored.handshaker.proofs.examine(anchored.nurse, submission.ti_id).verdict is True


# ---- two heads -------------------------------------------------------------------------------------------------------


def test_between_two_anchored_heads_the_log_only_grew(anchored: Instance) -> None:
    proofs, chain = anchored.handshaker.proofs, anchored.handshaker.chain
    first, second = sizes(anchored)
    document = proofs.consistency(first, second)
    assert proofs.consistency(second, first) == document
    checks = check_proof.check_growth(document, chain.answer, chain.address("AuditAnchor"))
    assert [check for check in checks if not check.ok] == []
    assert proofs.examine_growth(first, second).verdict is True
    assert proofs.consistency(first, first)["path"] == []
    with pytest.raises(NotFound):
        proofs.consistency(first, second - 1)


def test_heads_are_listed_by_size_with_their_anchors(anchored: Instance) -> None:
    proofs = anchored.handshaker.proofs
    whole = proofs.heads()
    assert [head.signed.head.size for head in whole] == sorted({head.signed.head.size for head in whole})
    assert all(head.anchor and head.at and head.anchor.head == head.signed.head for head in whole)
    assert proofs.heads(limit=1) + proofs.heads(after=whole[0].signed.head.size) == whole
    assert proofs.newest_heads() == whole[::-1]
    assert proofs.newest_heads(before=whole[1].signed.head.size) == whole[:1]


# ---- a changed database ----------------------------------------------------------------------------------------------


LARGEST = "WHERE size = (SELECT MAX(size) FROM anchors)"
CHANGES = {
    "an entry's hash": ((f"UPDATE audit_entries SET leaf_hash = :hash {ENTRY}",), {"entry"}),
    "the verdict": (("UPDATE acknowledgements SET verdict = 'invalid' WHERE ti_id = :ti",), {"entry"}),
    "the evidence": (("UPDATE acknowledgements SET block_number = block_number + 1 WHERE ti_id = :ti",), {"entry"}),
    "the author": (("UPDATE transactions SET actor_id = :other WHERE ti_id = :ti",), {"entry"}),
    "the signature of a head": (("UPDATE audit_heads SET signature = :signature",), {"signature"}),
    "what is no signature": (("UPDATE audit_heads SET signature = :hash",), {"form"}),
    "the root of a head": (("UPDATE audit_heads SET root = :hash",), {"anchor"}),
    "the block of an anchor": (
        (f"UPDATE anchors SET block_hash = :hash {LARGEST}",),
        {"block", "anchor"},
    ),
    "the transaction of an anchor": (("UPDATE anchors SET transaction_hash = :hash",), {"anchor"}),
    "head and anchor alike": (
        ("UPDATE anchors SET root = :hash", "UPDATE audit_heads SET root = :hash"),
        {"inclusion", "signature", "anchor"},
    ),
    "a neighbour": (
        (f"UPDATE audit_entries SET leaf_hash = :hash {ENTRY.replace(':position', ':position - 1')}",),
        {"inclusion"},
    ),
}
"""What is changed, and the checks that notice it."""


@pytest.mark.parametrize("change", CHANGES)
def test_after_a_change_of_the_database_no_proof_is_handed_out(
    anchored: Instance, change: str, caplog: pytest.LogCaptureFixture
) -> None:
    proofs = anchored.handshaker.proofs
    last = acknowledged(anchored)[-1]
    assert proofs.examine(anchored.administrator, last.ti_id).verdict is True
    statements, names = CHANGES[change]
    signature = anchored.handshaker.proofs.heads()[0].signed.signature[::-1]
    others = {"other": anchored.doctor.actor.actor_id, "hash": b"\x17" * 32, "signature": signature}
    tampered(anchored, *statements, ti=last.ti_id, position=last.position, **others)
    with caplog.at_level(logging.ERROR), pytest.raises(LogDoesNotVerify) as raised:
        proofs.proof(anchored.administrator, last.ti_id)
    assert set(raised.value.data["failed"]) == names
    assert "does not verify" in caplog.text
    examined = proofs.examine(anchored.administrator, last.ti_id)
    assert examined.verdict is False
    assert failed(examined) == names


def test_an_entry_that_says_something_else_is_noticed_with_its_acknowledgement_and_without(anchored: Instance) -> None:
    last = acknowledged(anchored)[-1]
    assert last.position is not None
    change_leaf(anchored, last.position)
    assert failed(anchored.handshaker.proofs.examine(anchored.administrator, last.ti_id)) == {"entry"}
    entry = anchored.handshaker.store.log.entry_at(last.position)
    assert entry is not None
    tampered(
        anchored,
        f"UPDATE audit_entries SET leaf_hash = :hash {ENTRY}",
        "UPDATE acknowledgements SET code = 'other-effect' WHERE ti_id = :ti",
        position=last.position,
        hash=check_proof.leaf_hash(entry.leaf),
        ti=last.ti_id,
    )
    assert failed(anchored.handshaker.proofs.examine(anchored.administrator, last.ti_id)) == {"inclusion"}


def test_exchanged_positions_are_noticed(anchored: Instance) -> None:
    one, other = acknowledged(anchored)[-2:]
    tampered(
        anchored,
        "DELETE FROM outbox",
        "UPDATE audit_positions SET position = -1 WHERE position = :one",
        "UPDATE audit_positions SET position = :one WHERE position = :two",
        "UPDATE audit_positions SET position = :two WHERE position = -1",
        one=one.position,
        two=other.position,
    )
    for each in (one, other):
        assert failed(anchored.handshaker.proofs.examine(anchored.administrator, each.ti_id)) == {"inclusion"}


def test_a_missing_entry_breaks_the_proofs_of_the_others(anchored: Instance) -> None:
    first, *_, last = acknowledged(anchored)
    assert last.position is not None
    tampered(anchored, "DELETE FROM outbox", "DELETE FROM audit_positions WHERE position = :one", one=last.position - 1)
    assert failed(anchored.handshaker.proofs.examine(anchored.administrator, last.ti_id)) == {"inclusion"}
    first_size, second_size = sizes(anchored)
    assert failed(anchored.handshaker.proofs.examine_growth(first_size, second_size)) == {"consistency"}
    with pytest.raises(LogDoesNotVerify):
        anchored.handshaker.proofs.consistency(first_size, second_size)
    assert anchored.handshaker.proofs.examine(anchored.administrator, first.ti_id).verdict is True


# ---- the node --------------------------------------------------------------------------------------------------------


def test_where_no_node_answers_the_rest_is_checked_and_nothing_is_handed_out(anchored: Instance) -> None:
    last = acknowledged(anchored)[-1]
    chain = anchored.handshaker.chain
    silent = EthereumChain(connect(NOWHERE), chain.profile, chain.deployment)
    proofs = type(anchored.handshaker.proofs)(anchored.handshaker.store, anchored.handshaker.following, silent)
    examined = proofs.examine(anchored.administrator, last.ti_id)
    assert not examined.is_reachable
    assert examined.verdict is None
    told = {check.name: check.ok for check in examined.checks}
    assert told == {
        "entry": True,
        "inclusion": True,
        "signature": True,
        "contract": True,
        **dict.fromkeys(ON_CHAIN),
    }
    with pytest.raises(ChainUnreachable):
        proofs.proof(anchored.administrator, last.ti_id)
    assert [head.anchor is not None for head in proofs.heads()] == [True, True]


def test_a_node_that_hangs_is_given_up_and_stops_nobody_else() -> None:
    release = threading.Event()
    patience = Patience("hanging", seconds=0.05, lanes=1)
    for _ in range(2):
        with pytest.raises(ChainUnreachable):
            patience.ask(release.wait)
    release.set()
    assert Patience("other", seconds=10, lanes=1).ask(lambda: 7) == 7


def test_what_a_question_raises_reaches_who_asked() -> None:
    patience = Patience("failing", seconds=10, lanes=1)
    for _ in range(3):
        with pytest.raises(ZeroDivisionError):
            patience.ask(lambda: 1 / 0)


# ---- documents from elsewhere ----------------------------------------------------------------------------------------


def test_a_proof_from_elsewhere_is_examined_with_what_else_is_known(anchored: Instance) -> None:
    proofs = anchored.handshaker.proofs
    document = proofs.prove(acknowledged(anchored)[0])
    first, second = sizes(anchored)
    growth = proofs.consistency(first, second)
    assert proofs.examine_document(document).verdict is True
    assert proofs.examine_document(growth).verdict is True
    assert proofs.examine_document(document, document["head"]).verdict is True
    assert proofs.examine_document(document, growth).verdict is True
    other = {**document["head"], "root": "0x" + "00" * 32}
    assert failed(proofs.examine_document(document, other)) == {"head"}
    with pytest.raises(check_proof.Unusable):
        proofs.examine_document(document, growth["second"])


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=10), inner, max_size=3),
    max_leaves=8,
)


@settings(max_examples=60, deadline=None)
@given(change=JSON, data=st.data())
def test_whatever_somebody_brings_is_examined_or_said_to_be_no_proof(
    hospital: Instance, change: Any, data: st.DataObject
) -> None:
    zeros = "0x" + "00" * 32
    place = {"chainId": 1, "genesis": zeros, "contract": "0x" + "00" * 20, "blockNumber": 1, "blockHash": zeros}
    document: dict[str, Any] = {
        "v": 1,
        "kind": "audit-proof",
        "entry": {"position": 0, "leaf": "{}"},
        "inclusion": {"size": 1, "path": []},
        "head": {"size": 1, "root": zeros, "madeAt": 1, "signer": "0x" + "00" * 20, "signature": "0x" + "00" * 65},
        "anchor": {**place, "transactionHash": zeros, "logIndex": 0},
    }
    where = data.draw(st.sampled_from([[], *([name] for name in document), ["head", "size"], ["entry", "leaf"]]))
    holder: Any = {"": document}
    for step in ["", *where][:-1]:
        holder = holder[step]
    holder[["", *where][-1]] = change
    brought = document if where else change
    with suppress(check_proof.Unusable):
        examined = hospital.handshaker.proofs.examine_document(brought)
        assert examined.verdict is False
        assert examined.rungs == ()


# ---- the verifier ----------------------------------------------------------------------------------------------------


def test_the_verifier_that_is_handed_out_runs_alone(anchored: Instance, tmp_path: Path) -> None:
    (tmp_path / "check_proof.py").write_bytes(anchored.handshaker.proofs.verifier())
    document = anchored.handshaker.proofs.prove(acknowledged(anchored)[0])
    (tmp_path / "proof.json").write_text(json.dumps(document))
    (tmp_path / "head.json").write_text(json.dumps(document["head"]))
    words = [sys.executable, "-I", "check_proof.py", "proof.json", "--head", "head.json"]
    assert subprocess.run(words, cwd=tmp_path, check=False, capture_output=True).returncode == 0
    document["entry"]["leaf"] = document["entry"]["leaf"].replace("valid", "wrong")
    (tmp_path / "proof.json").write_text(json.dumps(document))
    assert subprocess.run(words, cwd=tmp_path, check=False, capture_output=True).returncode == 1
