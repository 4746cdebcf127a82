"""Proofs, heads and the verifier over HTTP."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from handshaker.audit import check_proof
from handshaker.ethereum.chain import EthereumChain, connect
from tests.anchored import acknowledged, anchor, anchored, sizes
from tests.instances import Instance
from tests.tampering import change_leaf, tampered
from tests.webapp.api.conftest import Callers, make_api

__all__ = ["anchored"]

NOWHERE = "http://127.0.0.1:1"


@pytest.fixture
def callers(anchored: Instance) -> Callers:
    return Callers(make_api(anchored), anchored)


def test_a_proof_is_handed_out_to_those_who_may_read_the_acknowledgement(callers: Callers, anchored: Instance) -> None:
    own = next(each for each in acknowledged(anchored) if each.actor_id == anchored.nurse.actor.actor_id)
    address = f"/acknowledgements/{own.ti_id}/proof"

    proof = callers.nurse.get(address).json

    assert json.loads(proof["entry"]["leaf"])["ti"] == own.ti_id
    checks = check_proof.check(
        proof, anchored.handshaker.chain.answer, anchored.handshaker.chain.address("AuditAnchor")
    )
    assert [check for check in checks if not check.ok] == []
    assert callers.administrator.get(address).json == proof
    for stranger in (callers.doctor, callers.consented):
        assert stranger.get(address).json["code"] == "not-found"
    assert callers.nobody.get(address).status_code == 401


def test_before_there_is_an_anchor_one_is_told_when_to_ask_again(callers: Callers, anchored: Instance) -> None:
    submission = anchored.measure()
    address = f"/acknowledgements/{submission.ti_id}/proof"
    assert callers.nurse.get(address).status_code == 404
    anchored.drain()
    early = callers.nurse.get(address)
    assert (early.status_code, early.json["code"]) == (409, "not-anchored-yet")
    assert int(early.headers["Retry-After"]) > 0
    anchor(anchored)
    assert callers.nurse.get(address).status_code == 200


def test_a_changed_database_is_a_fault_of_its_own_and_no_proof(callers: Callers, anchored: Instance) -> None:
    last = acknowledged(anchored)[-1]
    assert last.position is not None
    change_leaf(anchored, last.position)
    answer = callers.administrator.get(f"/acknowledgements/{last.ti_id}/proof")
    assert (answer.status_code, answer.json["code"]) == (500, "log-does-not-verify")
    assert "leaf" not in answer.text


def test_without_a_node_no_proof_is_handed_out_but_heads_are_listed(callers: Callers, anchored: Instance) -> None:
    chain = anchored.handshaker.chain
    anchored.handshaker.proofs._chain = EthereumChain(connect(NOWHERE), chain.profile, chain.deployment)
    answer = callers.nurse.get(f"/acknowledgements/{acknowledged(anchored)[-1].ti_id}/proof")
    assert (answer.status_code, answer.json["code"]) == (503, "chain-unreachable")
    assert len(callers.nurse.get("/audit/heads").json["heads"]) == 2


def test_heads_are_walked_page_by_page(callers: Callers, anchored: Instance) -> None:
    whole = callers.nurse.get("/audit/heads").json
    assert [head["size"] for head in whole["heads"]] == sizes(anchored)
    first = callers.nurse.get("/audit/heads?limit=1")
    assert first.json["heads"] == whole["heads"][:1]
    second = callers.nurse.get(first.headers["Link"].partition(">")[0][1:])
    assert second.json["heads"] == whole["heads"][1:]
    assert "Link" not in second.headers
    end = callers.nurse.get(f"/audit/heads?after={whole['last']}")
    assert end.json == {"heads": [], "last": whole["last"]}
    for head in whole["heads"]:
        chain_id, contract = head["anchor"]["chainId"], head["anchor"]["contract"]
        root = bytes.fromhex(head["root"][2:])
        digest = check_proof.head_digest(chain_id, contract, head["size"], root, head["madeAt"])
        assert check_proof.signer_of(digest, bytes.fromhex(head["signature"][2:])) == head["signer"]


def test_a_head_that_is_not_anchored_yet_says_so(callers: Callers, anchored: Instance) -> None:
    tampered(anchored, "DELETE FROM anchors WHERE size = :size", size=sizes(anchored)[-1])
    heads = callers.nurse.get("/audit/heads").json["heads"]
    assert [head["anchor"] is None for head in heads] == [False, True]
    answer = callers.nurse.get(f"/audit/consistency?first={heads[0]['size']}&second={heads[1]['size']}")
    assert (answer.status_code, answer.json["code"]) == (409, "not-anchored-yet")


def test_consistency_between_two_heads_is_proven(callers: Callers, anchored: Instance) -> None:
    first, second = sizes(anchored)
    growth = callers.consented.get(f"/audit/consistency?first={first}&second={second}").json
    assert callers.consented.get(f"/audit/consistency?first={second}&second={first}").json == growth
    checks = check_proof.check_growth(
        growth, anchored.handshaker.chain.answer, anchored.handshaker.chain.address("AuditAnchor")
    )
    assert [check for check in checks if not check.ok] == []
    assert callers.nurse.get(f"/audit/consistency?first={first}&second={second + 1}").json["code"] == "not-found"
    assert callers.nurse.get(f"/audit/consistency?first={first}").json["code"] == "request-invalid"
    assert callers.nurse.get(f"/audit/consistency?first=0&second={second}").status_code == 400


def test_the_downloaded_verifier_checks_the_downloaded_proof(
    callers: Callers, anchored: Instance, tmp_path: Path
) -> None:
    verifier = callers.nurse.get("/audit/verifier")
    assert verifier.mimetype == "text/x-python"
    assert "check_proof.py" in verifier.headers["Content-Disposition"]
    (tmp_path / "check_proof.py").write_bytes(verifier.data)
    proof = callers.administrator.get(f"/acknowledgements/{acknowledged(anchored)[0].ti_id}/proof")
    head = callers.administrator.get("/audit/heads").json["heads"][0]
    (tmp_path / "proof.json").write_bytes(proof.data)
    (tmp_path / "head.json").write_text(json.dumps(head))
    words = [sys.executable, "-I", "check_proof.py", "proof.json", "--head", "head.json"]
    done = subprocess.run(words, cwd=tmp_path, check=False, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr
