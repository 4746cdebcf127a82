"""The verifier asks a real chain, believes nothing that a proof only says, and survives any node."""

from __future__ import annotations

import copy
import json
import subprocess
import sys
from collections.abc import Iterator
from contextlib import redirect_stdout
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from eth_keys.datatypes import PrivateKey
from hypothesis import given
from hypothesis import strategies as st

from handshaker.audit import check_proof
from handshaker.audit.check_proof import Ask, NoAnswer, Unusable, check, check_growth, main
from handshaker.ethereum.chain import EthereumChain
from handshaker.vocabulary import Duty
from tests.handshaker.audit.anchored import AnchoredLog, LogOnChain, address_of, hexed, new_key
from tests.handshaker.audit.kept import json_values, leaves
from tests.nodes import Node

LEAVES = leaves(40)
ONLINE = ["inclusion", "signature", "contract", "chain", "block", "anchor", "operator"]


@pytest.fixture(scope="module")
def log(anvil_node: Node) -> LogOnChain:
    return LogOnChain(anvil_node, LEAVES)


@pytest.fixture(scope="module")
def proof(log: LogOnChain) -> dict[str, Any]:
    return log.proof(17, 20)


def red(proof: dict[str, Any], ask: Ask, contract: str | None = None) -> list[str]:
    """The names of the checks that failed."""
    return [each.name for each in check(proof, ask, contract) if each.ok is False]


def remarks(proof: dict[str, Any], ask: Ask, contract: str | None = None) -> list[str]:
    return [each.name for each in check(proof, ask, contract) if each.ok is None]


def test_an_anchored_entry_is_proven_on_each_kind_of_node(node: Node) -> None:
    log = LogOnChain(node, LEAVES)
    chain = EthereumChain(node.provider)
    chain.asker = address_of(log.operator)
    found = check(log.proof(17, 20), chain.answer, log.contract)
    assert [(each.name, each.ok) for each in found] == [(name, True) for name in ONLINE]
    growth = check_growth(log.growth(20, 33), chain.answer, log.contract)
    assert [(each.name, each.ok) for each in growth] == [
        (name, True) for name in ["consistency", *ONLINE[1:], *ONLINE[1:]]
    ]


@pytest.mark.ganache
def test_a_stranger_proves_it_with_one_file_and_a_node(ganache_node: Node, ganache_url: str, tmp_path: Path) -> None:
    log = LogOnChain(ganache_node, LEAVES)
    alone = tmp_path / "alone"
    alone.mkdir()
    (alone / "check_proof.py").write_bytes(Path(check_proof.__file__).read_bytes())
    files = {"proof.json": log.proof(17, 20), "growth.json": log.growth(20, 33), "wrong.json": log.proof(17, 20)}
    files["wrong.json"]["anchor"]["logIndex"] += 1
    for name, content in files.items():
        (tmp_path / name).write_text(json.dumps(content))

    def run(*arguments: str) -> subprocess.CompletedProcess[str]:
        command = [sys.executable, "-I", "-S", "check_proof.py", *arguments, "--rpc", ganache_url]
        return subprocess.run(command, cwd=alone, env={}, capture_output=True, encoding="utf-8", check=False)

    pinned = run("../proof.json", "--contract", log.contract)
    assert (pinned.returncode, pinned.stderr) == (0, "")
    assert f"✓ contract: AuditAnchor {log.contract} on chain 1337 is the one that you trust" in pinned.stdout
    assert "✓ operator" in pinned.stdout
    believed = run("../proof.json")
    assert believed.returncode == 0
    assert f"• contract: AuditAnchor {log.contract} on chain 1337 was believed" in believed.stdout
    assert run("--consistency", "../growth.json").returncode == 0
    wrong = run("../wrong.json")
    assert (wrong.returncode, wrong.stderr) == (1, "")
    assert "✗ anchor" in wrong.stdout


def test_a_contract_of_somebody_else_is_believed_only_by_whoever_trusts_none(
    log: LogOnChain, proof: dict[str, Any]
) -> None:
    impostor = LogOnChain(log.node, [b"{}"])
    forged = impostor.proof(0, 1)
    assert red(forged, log.ask, log.contract) == ["contract"]
    assert (red(forged, log.ask), remarks(forged, log.ask)) == ([], ["contract"])
    assert (red(proof, log.ask, log.contract), remarks(proof, log.ask, log.contract)) == ([], [])


def test_another_chain_is_told_from_this_one(log: LogOnChain, proof: dict[str, Any], fast_node: Node) -> None:
    elsewhere = EthereumChain(fast_node.provider)
    elsewhere.asker = address_of(PrivateKey(fast_node.fund()))
    assert {"chain", "block", "anchor", "operator"} <= set(red(proof, elsewhere.answer))
    copied = copy.deepcopy(proof)
    copied["anchor"]["genesis"] = hexed(b"\x07" * 32)
    assert red(copied, log.ask) == ["chain"]


def test_what_the_chain_does_not_tell_is_named(log: LogOnChain, proof: dict[str, Any]) -> None:
    def spoilt(**changes: Any) -> list[str]:
        return red({**proof, "anchor": {**proof["anchor"], **changes}}, log.ask)

    later = log.anchor(33)
    assert spoilt(blockHash=later["blockHash"]) == ["block", "anchor"]
    assert spoilt(blockNumber=later["blockNumber"]) == ["block", "anchor"]
    assert spoilt(blockNumber=later["blockNumber"], blockHash=later["blockHash"]) == ["anchor"]
    assert spoilt(blockNumber=10**9) == ["block", "anchor"]
    assert spoilt(logIndex=1) == ["anchor"]
    assert spoilt(transactionHash=hexed(b"\x07" * 32)) == ["anchor"]
    assert spoilt(**later) == ["anchor"], "another size was anchored there"


def test_a_root_that_was_not_anchored_is_not_proven(log: LogOnChain) -> None:
    rewritten = LogOnChain(log.node, LEAVES)
    rewritten.anchor(20, root=b"\x07" * 32)
    assert red(rewritten.proof(17, 20), log.ask) == ["anchor"]


def test_an_anchor_that_the_contract_refused_is_none(anvil_node: Node) -> None:
    log = LogOnChain(anvil_node, LEAVES)
    before = log.anchor(20)
    again = log.send(bytes.fromhex(anchor_calldata(log, 20)), log.contract)
    assert again["status"] == 0
    refused = log.proof(17, 20)
    place = {"blockNumber": again["blockNumber"], "blockHash": hexed(again["blockHash"])}
    refused["anchor"] = {**before, **place, "transactionHash": hexed(again["transactionHash"])}
    assert red(refused, log.ask) == ["anchor"]


def anchor_calldata(log: LogOnChain, size: int) -> str:
    return check_proof.keccak256(b"anchor(uint64,bytes32)")[:4].hex() + f"{size:064x}" + log.tree.root(size).hex()


def test_a_head_that_a_stranger_signed_is_not_proven(log: LogOnChain) -> None:
    assert red(log.proof(17, 20, new_key()), log.ask) == ["operator"]


@pytest.mark.parametrize("place", ["directory", "nowhere"])
def test_a_contract_that_names_no_directory_is_no_anchor(log: LogOnChain, place: str) -> None:
    other = AnchoredLog(LEAVES, log.operator)
    other.chain_id = log.chain_id
    other.contract = log.directory if place == "directory" else address_of(new_key())
    forged = other.proof(17, 20)
    forged["anchor"] = {**log.anchor(20), "contract": other.contract}
    assert red(forged, log.ask) == ["anchor", "operator"]


@pytest.mark.parametrize("remembers", [pytest.param(True, marks=pytest.mark.ganache), False])
def test_an_operator_who_was_dismissed_since_is_a_remark(request: pytest.FixtureRequest, remembers: bool) -> None:
    log = LogOnChain(request.getfixturevalue("ganache_node" if remembers else "anvil_node"), LEAVES)
    second = new_key()
    log.appoint(address_of(second), int(Duty.OPERATOR), 1)
    own, by_second = log.proof(17, 20), log.proof(17, 20, second)
    assert remarks(own, log.ask, log.contract) == remarks(by_second, log.ask, log.contract) == []
    log.appoint(address_of(log.operator), 0, 2)
    log.appoint(address_of(second), 0, 2)
    assert (red(own, log.ask, log.contract), remarks(own, log.ask, log.contract)) == ([], ["operator"])
    assert "has been dismissed since" in check(own, log.ask)[-1].words
    # This Anvil forgets older states: nothing shows then that the second, who did not anchor, was an operator.
    found = (red(by_second, log.ask, log.contract), remarks(by_second, log.ask, log.contract))
    assert found == (([], ["operator"]) if remembers else (["operator"], []))


# ---- any proof -------------------------------------------------------------------------------------------------------


def places(document: Any, here: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    yield here
    inner = (
        document.items() if isinstance(document, dict) else enumerate(document) if isinstance(document, list) else ()
    )
    for name, value in inner:
        yield from places(value, (*here, name))


def mutated(document: Any, data: st.DataObject) -> Any:
    """``document`` with one place left out, replaced, or a little different."""
    result = {"all": copy.deepcopy(document)}
    place = ("all", *data.draw(st.sampled_from(list(places(document)))))
    inner: Any = result
    for step in place[:-1]:
        inner = inner[step]
    old, last = inner[place[-1]], place[-1]
    kind = data.draw(st.sampled_from(["leave out", "replace", "change", "add"]))
    if kind == "leave out":
        del inner[last]
    elif kind == "add" and isinstance(old, dict):
        old[data.draw(st.text(max_size=5))] = data.draw(json_values)
    elif kind == "add" and isinstance(old, list):
        old.insert(data.draw(st.integers(0, len(old))), data.draw(st.sampled_from([*old, "0x" + "00" * 32, None])))
    elif kind == "change" and type(old) is int:
        inner[last] = old + data.draw(st.sampled_from([-1, 1, 256, 2**64]))
    elif kind == "change" and isinstance(old, str):
        at = data.draw(st.integers(0, len(old)))
        inner[last] = old[:at] + data.draw(st.text("0123456789abcdefAFx", max_size=2)) + old[at + 1 :]
    else:
        inner[last] = data.draw(json_values)
    return result.get("all")


def meaning(document: Any) -> Any:
    """The same for what means the same: an address may be written with capital letters or without, nothing else."""
    plain = copy.deepcopy(document)
    for part, name in (("head", "signer"), ("anchor", "contract")):
        if isinstance(plain, dict) and isinstance(plain.get(part), dict) and isinstance(plain[part].get(name), str):
            value = plain[part][name]
            plain[part][name] = value[:2] + value[2:].lower()
    return json.dumps(plain, sort_keys=True)


@given(st.data())
def test_no_mutation_of_a_proof_is_green(log: LogOnChain, proof: dict[str, Any], data: st.DataObject) -> None:
    other = mutated(proof, data)
    try:
        well = not red(other, log.ask, log.contract)
    except (Unusable, NoAnswer):
        well = False
    assert well == (meaning(other) == meaning(proof))


@given(st.data())
def test_no_mutation_of_a_proofs_file_is_green_and_none_ends_in_a_traceback(
    log: LogOnChain,
    proof: dict[str, Any],
    anvil_url: str,
    tmp_path_factory: pytest.TempPathFactory,
    data: st.DataObject,
) -> None:
    text = json.dumps(proof).encode()
    at = data.draw(st.integers(0, len(text)))
    spoilt = text[:at] + data.draw(st.binary(max_size=3)) + text[at + data.draw(st.integers(0, 3)) :]
    file = tmp_path_factory.getbasetemp() / "spoilt.json"
    file.write_bytes(spoilt)
    with redirect_stdout(StringIO()) as said:
        code = main([str(file), "--rpc", anvil_url, "--contract", log.contract])
    try:
        same = meaning(json.loads(spoilt)) == meaning(proof)
    except ValueError:
        same = False
    assert (code == 0) == same, said.getvalue()
    assert code in (0, 1, 2)
