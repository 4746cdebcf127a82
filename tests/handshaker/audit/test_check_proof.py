"""The verifier on the command line, without a chain: what it refuses, what it says, and what it needs."""

from __future__ import annotations

import ast
import copy
import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from handshaker.audit import check_proof
from handshaker.audit.check_proof import LARGEST, Unusable, check, check_growth, check_known, main
from tests.handshaker.audit.anchored import AnchoredLog, new_key

FILE = Path(check_proof.__file__)
ENTRY = (
    b'{"at":"2026-11-18T10:00:00.000000Z","code":"recorded","kind":"acknowledgement","v":1,"verdict":"valid",'
    b'"arguments":{"n":%d}}'
)
LOG = AnchoredLog([ENTRY % position for position in range(40)])
PROOF = LOG.proof(17, 20)
GROWTH = LOG.growth(20, 33)

Write = Callable[[str, Any], str]


@pytest.fixture
def write(tmp_path: Path) -> Write:
    """Write JSON, or bytes as they are, and return the file's name."""

    def to(name: str, content: Any) -> str:
        file = tmp_path / name
        file.write_bytes(content if isinstance(content, bytes) else json.dumps(content).encode())
        return str(file)

    return to


def changed(document: dict[str, Any], *place: str | int, to: Any) -> dict[str, Any]:
    """Return ``document`` with the value at ``place`` replaced."""
    result = copy.deepcopy(document)
    inner: Any = result
    for step in place[:-1]:
        inner = inner[step]
    inner[place[-1]] = to
    return result


def known_head(size: int) -> dict[str, Any]:
    head = LOG.head(size)
    return {"size": head["size"], "root": head["root"]}


def test_an_entry_is_under_a_head_that_is_known(write: Write, capsys: pytest.CaptureFixture[str]) -> None:
    assert main([write("proof.json", PROOF), "--head", write("head.json", known_head(20))]) == 0
    said = capsys.readouterr().out
    assert "✓ inclusion: entry 17 of 20" in said
    assert f"✓ signature: the head of 20 entries is signed by {PROOF['head']['signer']}" in said
    assert "• chain: not asked" in said
    assert "✓ head: the proof's head has 20 entries, the given one 20 and the same root" in said
    assert "kind acknowledgement, verdict valid, code recorded, at 2026-11-18T10:00:00.000000Z" in said
    assert said.endswith("All that was checked (✓) is well.\n")
    assert "✗" not in said


def test_a_whole_signed_head_can_be_given_too(write: Write) -> None:
    assert main([write("proof.json", PROOF), "--head", write("head.json", LOG.head(20))]) == 0


def test_another_root_for_the_same_size_is_red(write: Write, capsys: pytest.CaptureFixture[str]) -> None:
    other = changed(known_head(20), "root", to=known_head(21)["root"])
    assert main([write("proof.json", PROOF), "--head", write("head.json", other)]) == 1
    said = capsys.readouterr().out
    assert "✗ head: the proof's head has 20 entries, the given one 20, but the roots differ" in said
    assert said.endswith("do not rely on it.\n")


@pytest.mark.parametrize(("proven", "known"), [(20, 33), (33, 20)])
def test_a_head_of_another_size_needs_the_proof_that_the_log_only_grew(
    write: Write, capsys: pytest.CaptureFixture[str], proven: int, known: int
) -> None:
    files = [write("proof.json", LOG.proof(17, proven)), "--head", write("head.json", known_head(known))]
    assert main(files) == 2
    assert "a consistency proof between the two is needed" in capsys.readouterr().out
    assert main([*files, "--consistency", write("c.json", GROWTH)]) == 0
    assert main([*files, "--consistency", write("c.json", LOG.growth(20, 34))]) == 1
    assert "between other heads" in capsys.readouterr().out


def test_two_heads_are_consistent(write: Write, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--consistency", write("c.json", GROWTH)]) == 0
    assert "✓ consistency: from 20 to 33 entries: the log only grew" in capsys.readouterr().out
    shorter = changed(GROWTH, "path", to=GROWTH["path"][:-1])
    assert main(["--consistency", write("c.json", shorter)]) == 1
    assert "✗ consistency: from 20 to 33 entries: the path is too short" in capsys.readouterr().out


def test_heads_of_two_contracts_are_no_growth() -> None:
    elsewhere = AnchoredLog(LOG.leaves, LOG.operator)
    mixed = LOG.growth(20, 33) | {"second": elsewhere.head(33)}
    mixed["anchors"]["second"] = elsewhere.anchor(33)
    found = {each.name: each for each in check_growth(mixed) if each.ok is False}
    assert set(found) == {"contract"}


def test_the_contract_that_is_trusted_is_the_only_one(write: Write, capsys: pytest.CaptureFixture[str]) -> None:
    files = [write("proof.json", PROOF), "--head", write("head.json", known_head(20)), "--contract"]
    assert main([*files, LOG.contract]) == 0
    assert main([*files, LOG.contract.lower()]) == 0
    assert main([*files, "0x" + "11" * 20]) == 1
    assert "is not the one that you trust" in capsys.readouterr().out
    assert main([*files, "0x11"]) == 2


def test_a_signature_of_somebody_else_is_red() -> None:
    stranger = LOG.proof(17, 20, new_key())
    found = check(changed(stranger, "head", "signer", to=PROOF["head"]["signer"]))
    assert [each.name for each in found if each.ok is False] == ["signature"]
    assert f"not by {PROOF['head']['signer']}" in found[1].words


@pytest.mark.parametrize(
    ("place", "value", "red"),
    [
        (("entry", "leaf"), LOG.leaves[18].decode(), {"inclusion"}),
        (("entry", "position"), 18, {"inclusion"}),
        (("entry", "position"), 20, {"inclusion"}),
        (("inclusion", "size"), 21, {"inclusion"}),
        (("inclusion", "path"), [], {"inclusion"}),
        (("head", "size"), 21, {"inclusion", "signature"}),
        (("head", "root"), "0x" + "00" * 32, {"inclusion", "signature"}),
        (("head", "madeAt"), 7, {"signature"}),
        (("head", "signature"), "0x" + "00" * 65, {"signature"}),
        (("anchor", "chainId"), 1, {"signature"}),
        (("anchor", "contract"), "0x" + "11" * 20, {"signature"}),
    ],
)
def test_what_was_changed_is_named(place: tuple[str, ...], value: Any, red: set[str]) -> None:
    found = check(changed(PROOF, *place, to=value))
    assert {each.name for each in found if each.ok is False} == red


@pytest.mark.parametrize(
    ("place", "value", "words"),
    [
        (("v",), 2, "must begin with"),
        (("v",), True, "must begin with"),
        (("kind",), "audit-consistency", "must begin with"),
        (("entry", "position"), "17", "audit-proof.entry.position must be a whole number"),
        (("entry", "position"), 17.0, "whole number"),
        (("entry", "position"), True, "whole number"),
        (("entry", "position"), -1, "whole number"),
        (("entry", "leaf"), None, "audit-proof.entry.leaf must be a text"),
        (("entry", "leaf"), "\ud800", "in Unicode"),
        (("inclusion", "path"), {}, "must be a list"),
        (("inclusion", "path"), ["0x" + "00" * 32] * 65, "at most 64"),
        (("inclusion", "path", 0), "0x" + "AB" * 32, "audit-proof.inclusion.path[0] must be a text like"),
        (("inclusion", "path", 0), " 0x" + "ab" * 32, "must be a text like"),
        (("head", "size"), 2**64, "whole number"),
        (("head", "madeAt"), 2**63, "whole number"),
        (("head", "signature"), "0x", "must be a text like"),
        (("head", "signature"), "0x" + "0" * 130 + "\n", "must be a text like"),
        (("anchor",), [], "audit-proof.anchor must be an object of chainId, genesis"),
        (("anchor", "more"), 1, "and nothing else"),
        (("more",), 1, "and nothing else"),
    ],
)
def test_what_has_not_the_form_of_a_proof_is_unusable(
    write: Write, capsys: pytest.CaptureFixture[str], place: tuple[str | int, ...], value: Any, words: str
) -> None:
    spoilt = changed(PROOF, *place, to=value)
    with pytest.raises(Unusable) as caught:
        check(spoilt)
    assert words in str(caught.value)
    assert main([write("proof.json", spoilt), "--head", write("head.json", known_head(20))]) == 2
    assert capsys.readouterr().out.startswith("Not checked: ")


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"\xff\xfe",
        b"[" * 100_000,
        b"1" * 10_000,
        b'{"v": 1, "v": 1}',
        b" " * (LARGEST + 1),
        b"null",
        b'"text"',
        b"NaN",
    ],
    ids=["nothing", "no text", "deep", "long number", "twice", "large", "null", "text", "no number"],
)
def test_a_file_that_is_no_proof_is_unusable(write: Write, capsys: pytest.CaptureFixture[str], content: bytes) -> None:
    head = write("head.json", known_head(20))
    spoilt = write("spoilt.json", content)
    assert main([spoilt, "--head", head]) == 2
    assert main(["--consistency", spoilt]) == 2
    assert main([write("proof.json", PROOF), "--head", spoilt]) == 2
    assert all(line.startswith("Not checked: ") for line in capsys.readouterr().out.splitlines())


def test_a_file_that_is_not_there_is_unusable(write: Write, capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    for name in ("nowhere.json", ".", "\0"):
        assert main([str(tmp_path / name), "--head", write("head.json", known_head(20))]) == 2
    assert capsys.readouterr().out.count("Not checked: ") == 3


@pytest.mark.parametrize("head", [{}, {"size": 20}, {"size": "20", "root": "0x"}, {"size": 20, "root": "0x00"}])
def test_a_head_needs_a_size_and_a_root(head: Any) -> None:
    with pytest.raises(Unusable, match="head"):
        check_known(PROOF, head)


@pytest.mark.parametrize(
    "arguments",
    [
        [],
        ["proof.json"],
        ["--head", "h"],
        ["proof.json", "--consistency", "c"],
        ["p", "--rpc", "http://n", "--consistency", "c"],
    ],
)
def test_a_proof_without_anything_to_hold_it_against_is_a_mistake(
    arguments: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as caught:
        main(arguments)
    assert caught.value.code == 2
    assert "error: " in capsys.readouterr().err


def test_the_result_is_told_as_json(write: Write, capsys: pytest.CaptureFixture[str]) -> None:
    files = [write("proof.json", PROOF), "--head", write("head.json", known_head(20)), "--json"]
    assert main(files) == 0
    told = json.loads(capsys.readouterr().out)
    assert told["ok"] is True
    assert [each["name"] for each in told["checks"]] == ["inclusion", "signature", "chain", "head"]
    assert (told["entry"]["verdict"], told["entry"]["code"]) == ("valid", "recorded")
    write("proof.json", changed(PROOF, "entry", "position", to=3))
    assert main(files) == 1
    assert json.loads(capsys.readouterr().out)["ok"] is False
    write("proof.json", {})
    assert main(files) == 2
    assert set(json.loads(capsys.readouterr().out)) == {"ok", "error"}


@pytest.mark.parametrize(
    "leaf",
    [b"no JSON", b"[1]", b'{"kind":"\\u001b[2J\\nAll that was checked (\\u2713) is well.","at":{"a":"\\u202e"}}'],
)
def test_an_entry_cannot_command_the_terminal(write: Write, capsys: pytest.CaptureFixture[str], leaf: bytes) -> None:
    log = AnchoredLog([leaf])
    head = log.head(1)
    assert main([write("p.json", log.proof(0, 1)), "--head", write("h.json", head)]) == 0
    said = capsys.readouterr().out
    assert all(letter.isprintable() for letter in said.replace("\n", ""))
    assert said.splitlines().count("All that was checked (✓) is well.") == 1


def test_it_needs_the_standard_library_only_and_an_older_python() -> None:
    tree = ast.parse(FILE.read_text(), feature_version=(3, 9))
    imported = {alias.name for node in ast.walk(tree) if isinstance(node, ast.Import) for alias in node.names}
    imported |= {str(node.module) for node in ast.walk(tree) if isinstance(node, ast.ImportFrom)}
    assert {name.partition(".")[0] for name in imported} <= sys.stdlib_module_names


def test_it_runs_alone(tmp_path: Path, write: Write) -> None:
    alone = tmp_path / "alone"
    alone.mkdir()
    (alone / "check_proof.py").write_bytes(FILE.read_bytes())
    head = write("head.json", known_head(20))

    def run(proof: Any) -> subprocess.CompletedProcess[str]:
        command = [sys.executable, "-I", "-S", "check_proof.py", write("proof.json", proof), "--head", head]
        environment = {"LC_ALL": "POSIX", "PYTHONCOERCECLOCALE": "0"}
        return subprocess.run(command, cwd=alone, env=environment, capture_output=True, encoding="utf-8", check=False)

    good, red, unusable = run(PROOF), run(changed(PROOF, "entry", "position", to=3)), run([])
    assert (good.returncode, red.returncode, unusable.returncode) == (0, 1, 2), good.stderr + red.stderr
    assert (good.stderr, red.stderr, unusable.stderr) == ("", "", "")
    assert "✓ inclusion" in good.stdout
    assert "✗ inclusion" in red.stdout
