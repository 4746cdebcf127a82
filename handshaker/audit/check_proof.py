#!/usr/bin/env python3
"""Check a proof from a Handshaker's audit log, trusting neither the hospital nor its software.

This file needs Python 3.9 or later and nothing else. Copy it anywhere and run, with any node of the chain:

    python3 -I check_proof.py proof.json --rpc https://node.example --contract 0x…
        the entry is in a log whose head an operator signed and anchored in that contract
    python3 -I check_proof.py proof.json --head head.json [--consistency consistency.json]
        the entry is in the log that a head known from elsewhere stands for
    python3 -I check_proof.py --consistency consistency.json [--rpc https://node.example]
        between two heads the log only grew

Exit code 0: all is well. 1: something is wrong. 2: it could not be checked. The tree is RFC 9162 section 2.1, the
signature of a head EIP-712, an address EIP-55. The Handshaker itself uses the functions below: each rule is here once.
"""

from __future__ import annotations

import argparse
import json
import re
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from hashlib import sha256
from http.client import HTTPException
from io import TextIOWrapper
from typing import Any, NamedTuple
from urllib import request as web

EMPTY_ROOT = sha256(b"").digest()
LARGEST = 4 * 2**20
"""Bytes of a file or of a node's answer that are read."""
DEEPEST = 50
"""Objects and lists inside each other."""
TIME_OUT = 20
"""Seconds that a node may keep silent."""

Ask = Callable[[str, list[Any]], Any]
"""``(method, params)`` → result of that JSON-RPC call; raises ``Refused`` and ``NoAnswer``."""


class Unusable(ValueError):
    """A file is not what it should be; the message says where."""


class NoAnswer(Exception):
    """The node did not answer, or not in a form that can be used."""


class Refused(NoAnswer):
    """The node answered with an error."""


class Check(NamedTuple):
    """One thing that was looked at."""

    name: str
    """A code: inclusion, consistency, head, signature, contract, chain, block, anchor, operator."""
    ok: bool | None
    """``None`` is a remark, or something that was not looked at."""
    words: str


# ---- the tree, RFC 9162 section 2.1 ----------------------------------------------------------------------------------


def leaf_hash(leaf: bytes) -> bytes:
    """Return the hash of a leaf, RFC 9162 section 2.1.1."""
    return sha256(b"\x00" + leaf).digest()


def node_hash(left: bytes, right: bytes) -> bytes:
    """Return the hash over two subtrees, RFC 9162 section 2.1.1."""
    return sha256(b"\x01" + left + right).digest()


def root_from_inclusion(position: int, size: int, leaf_hash: bytes, path: Sequence[bytes]) -> bytes:
    """Return the root that a path leads to: ``PATH`` of RFC 9162 section 2.1.3.1, the other way round.

    Raises ``ValueError`` for a position that the log does not have and for a path that is too long or too short.
    """
    if not 0 <= position < size:
        raise ValueError(f"there is no position {position} in a log of {size} entries")
    _expect(path, size > 1)
    if size == 1:
        return leaf_hash
    half = 1 << (size - 1).bit_length() - 1
    if position < half:
        return node_hash(root_from_inclusion(position, half, leaf_hash, path[:-1]), path[-1])
    return node_hash(path[-1], root_from_inclusion(position - half, size - half, leaf_hash, path[:-1]))


def check_consistency(
    first_size: int, first_root: bytes, second_size: int, second_root: bytes, path: Sequence[bytes]
) -> None:
    """Raise ``ValueError`` unless the second head is the first one with entries appended, RFC 9162 section 2.1.4.

    Every log begins as the empty one, and between equal sizes nothing has grown: there the path is empty.
    """
    if not 0 <= first_size <= second_size:
        raise ValueError(f"a log of {first_size} entries does not become one of {second_size}")
    if first_size:
        roots = _roots(first_size, second_size, path, first_root)
    else:
        _expect(path, False)
        roots = EMPTY_ROOT, second_root if second_size else EMPTY_ROOT
    if roots != (first_root, second_root):
        raise ValueError("the path leads to other roots" if path else "they have different roots")


def _roots(first: int, second: int, path: Sequence[bytes], known: bytes | None) -> tuple[bytes, bytes]:
    """Return both roots: ``SUBPROOF`` of RFC 9162 section 2.1.4.1, the other way round; ``known``: its b is true."""
    _expect(path, first < second or known is None)
    if first == second:
        _expect(path[1:], False)
        return (path[0], path[0]) if known is None else (known, known)
    half = 1 << (second - 1).bit_length() - 1
    if first <= half:
        old, new = _roots(first, half, path[:-1], known)
        return old, node_hash(new, path[-1])
    old, new = _roots(first - half, second - half, path[:-1], None)
    return node_hash(path[-1], old), node_hash(path[-1], new)


def _expect(path: Sequence[bytes], more: bool) -> None:
    if more != bool(path):
        raise ValueError("the path is too short" if more else "the path is too long")


# ---- whose signature: Keccak-256, secp256k1 (SEC 1 section 4.1.6), EIP-712 -------------------------------------------


def keccak256(data: bytes) -> bytes:
    """Return the Keccak-256 of Ethereum: that of FIPS 202 with the padding of its draft."""
    block = 136
    padded = bytearray(data + b"\x01" + bytes(-(len(data) + 1) % block))
    padded[-1] |= 0x80
    lanes = [0] * 25
    for start in range(0, len(padded), block):
        for lane in range(block // 8):
            lanes[lane] ^= int.from_bytes(padded[start + 8 * lane : start + 8 * lane + 8], "little")
        lanes = _permute(lanes)
    return b"".join(lane.to_bytes(8, "little") for lane in lanes[:4])


def _permute(a: list[int]) -> list[int]:
    """Keccak-f[1600] of FIPS 202 section 3; the lane (x, y) is ``a[x + 5 * y]``."""
    register = 1
    for _ in range(24):
        column = [a[x] ^ a[x + 5] ^ a[x + 10] ^ a[x + 15] ^ a[x + 20] for x in range(5)]
        a = [a[i] ^ column[(i + 4) % 5] ^ _rotate(column[(i + 1) % 5], 1) for i in range(25)]
        x, y, moved = 1, 0, [a[0]] * 25
        for turn in range(1, 25):
            source, x, y = x + 5 * y, y, (2 * x + 3 * y) % 5
            moved[x + 5 * y] = _rotate(a[source], turn * (turn + 1) // 2)
        a = [moved[i] ^ (~moved[i - i % 5 + (i + 1) % 5] & moved[i - i % 5 + (i + 2) % 5]) for i in range(25)]
        for bit in range(7):
            a[0] ^= (register & 1) << ((1 << bit) - 1)
            register = (register << 1) ^ (0x171 if register & 0x80 else 0)
    return a


def _rotate(lane: int, by: int) -> int:
    return (lane << by % 64 | lane >> 64 - by % 64) & (2**64 - 1)


_P = 2**256 - 2**32 - 977
_N = 0xFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFEBAAEDCE6AF48A03BBFD25E8CD0364141
_G = (
    0x79BE667EF9DCBBAC55A06295CE870B07029BFCDB2DCE28D959F2815B16F81798,
    0x483ADA7726A3C4655DA4FBFC0E1108A8FD17B448A68554199C47D08FFB10D4B8,
)
_Point = Any  # (x, y), or None for infinity


def _add(a: _Point, b: _Point) -> _Point:
    if a is None or b is None:
        return b if a is None else a
    if a[0] == b[0] and (a[1] + b[1]) % _P == 0:
        return None
    rise, run = (3 * a[0] * a[0], 2 * a[1]) if a == b else (b[1] - a[1], b[0] - a[0])
    slope = rise * pow(run, -1, _P) % _P
    x = (slope * slope - a[0] - b[0]) % _P
    return x, (slope * (a[0] - x) - a[1]) % _P


def _times(factor: int, point: _Point) -> _Point:
    total = None
    for bit in bin(factor)[2:]:
        total = _add(total, total)
        if bit == "1":
            total = _add(total, point)
    return total


def signer_of(digest: bytes, signature: bytes) -> str:
    """Return the address (EIP-55) whose key signed ``digest`` with r ‖ s ‖ v; raises ``ValueError`` when it is none.

    v is 27 or 28; of the two forms of s only the lower is taken (EIP-2), as in the contracts.
    """
    if len(signature) != 65 or signature[64] not in (27, 28):
        raise ValueError("a signature has 65 bytes and ends with 27 or 28")
    r, s = int.from_bytes(signature[:32], "big"), int.from_bytes(signature[32:64], "big")
    if not 0 < r < _N or not 0 < s <= _N // 2:
        raise ValueError("a number of the signature is out of range")
    square = (r**3 + 7) % _P
    y = pow(square, (_P + 1) // 4, _P)
    if y * y % _P != square:
        raise ValueError("no key makes such a signature")
    if y % 2 != signature[64] - 27:
        y = _P - y
    inverse, message = pow(r, -1, _N), int.from_bytes(digest, "big")
    key = _add(_times(s * inverse % _N, (r, y)), _times(-message * inverse % _N, _G))
    if key is None:
        raise ValueError("no key makes such a signature")
    return _address(keccak256(key[0].to_bytes(32, "big") + key[1].to_bytes(32, "big"))[12:])


def _address(account: bytes) -> str:
    plain = account.hex()
    capital = keccak256(plain.encode()).hex()
    return "0x" + "".join(letter.upper() if capital[i] > "7" else letter for i, letter in enumerate(plain))


def head_digest(chain_id: int, contract: str, size: int, root: bytes, made_at: int) -> bytes:
    """Return what the signer of a head signs (EIP-712). ``contract``: the AuditAnchor; ``made_at``: seconds, UTC."""
    domain = keccak256(
        keccak256(b"EIP712Domain(string name,string version,uint256 chainId,address verifyingContract)")
        + keccak256(b"Blockchain Handshaker")
        + keccak256(b"1")
        + chain_id.to_bytes(32, "big")
        + bytes.fromhex(contract[2:]).rjust(32, b"\0")
    )
    head = keccak256(b"AuditHead(uint64 size,bytes32 root,uint64 madeAt)")
    head += size.to_bytes(32, "big") + root + made_at.to_bytes(32, "big")
    return keccak256(b"\x19\x01" + domain + keccak256(head))


# ---- the form of files -----------------------------------------------------------------------------------------------

_TEXTS = {"hash": "0x[0-9a-f]{64}", "address": "0x[0-9a-fA-F]{40}", "signature": "0x[0-9a-f]{130}"}
_YEAR_10000 = 253_402_300_800
_HEAD = {"size": 2**64, "root": "hash", "madeAt": _YEAR_10000, "signer": "address", "signature": "signature"}
_EVENT = {"blockNumber": 2**64, "blockHash": "hash", "transactionHash": "hash", "logIndex": 2**64}
_ANCHOR = {"chainId": 2**256, "genesis": "hash", "contract": "address", **_EVENT}
_INCLUSION = {"size": 2**64, "path": ["hash"]}
_PROOF = {"entry": {"position": 2**64, "leaf": None}, "inclusion": _INCLUSION, "head": _HEAD, "anchor": _ANCHOR}
_GROWTH = {"first": _HEAD, "second": _HEAD, "path": ["hash"], "anchors": {"first": _ANCHOR, "second": _ANCHOR}}


def _read(value: Any, form: Any, where: str) -> Any:
    """Return ``value``, hex as bytes, if it has the form: members, a list, a number below, a kind of text."""
    if isinstance(form, dict):
        if not isinstance(value, dict) or set(value) != set(form):
            raise Unusable(f"{where} must be an object of {', '.join(form)}, and nothing else")
        return {name: _read(value[name], form[name], f"{where}.{name}") for name in form}
    if isinstance(form, list):
        if not isinstance(value, list) or len(value) > 64:
            raise Unusable(f"{where} must be a list of at most 64 texts")
        return [_read(each, form[0], f"{where}[{i}]") for i, each in enumerate(value)]
    if isinstance(form, int):
        if type(value) is not int or not 0 <= value < form:
            raise Unusable(f"{where} must be a whole number, at least 0 and below {form}")
        return value
    if not isinstance(value, str) or not re.fullmatch(_TEXTS.get(form, "[^\ud800-\udfff]*"), value, re.DOTALL):
        raise Unusable(f"{where} must be a text" + (f" like {_TEXTS[form]}" if form else " in Unicode"))
    return bytes.fromhex(value[2:]) if form else value.encode()


def _read_kind(value: Any, kind: str, form: dict[str, Any]) -> dict[str, Any]:
    if not isinstance(value, dict) or (type(value.get("v")), value.get("v"), value.get("kind")) != (int, 1, kind):
        raise Unusable(f'this is no {kind}: it must begin with "v": 1, "kind": "{kind}"')
    found: dict[str, Any] = _read({name: value[name] for name in value if name not in ("v", "kind")}, form, kind)
    return found


# ---- the checks ------------------------------------------------------------------------------------------------------


def check(proof: Any, ask: Ask | None = None, contract: str | None = None) -> list[Check]:
    """Check a proof (parsed JSON) in itself, and with ``ask`` against a chain. All is well if no check is ``False``.

    ``contract``: the AuditAnchor that is trusted; without it the one that the proof names is believed, and a remark
    says so. Raises ``Unusable``, and ``NoAnswer`` as ``ask`` does.
    """
    it = _read_kind(proof, "audit-proof", _PROOF)
    position, size, head = it["entry"]["position"], it["inclusion"]["size"], it["head"]
    try:
        root = root_from_inclusion(position, size, leaf_hash(it["entry"]["leaf"]), it["inclusion"]["path"])
        ok = (size, root) == (head["size"], head["root"])
        words = f"its hash and path lead to {'the' if ok else 'another'} root {'of' if ok else 'than that of'} the head"
    except ValueError as problem:
        ok, words = False, str(problem)
    return [Check("inclusion", ok, f"entry {position} of {size}: {words}"), *_vouch(head, it["anchor"], ask, contract)]


def check_growth(growth: Any, ask: Ask | None = None, contract: str | None = None) -> list[Check]:
    """Check that the log only grew between two heads; arguments and exceptions as for ``check``."""
    it = _read_kind(growth, "audit-consistency", _GROWTH)
    first, second = it["first"], it["second"]
    words = f"from {first['size']} to {second['size']} entries: "
    try:
        check_consistency(first["size"], first["root"], second["size"], second["root"], it["path"])
        checks = [Check("consistency", True, words + "the log only grew")]
    except ValueError as problem:
        checks = [Check("consistency", False, words + str(problem))]
    logs = {(anchor["chainId"], anchor["contract"]) for anchor in it["anchors"].values()}
    if len(logs) > 1:
        checks.append(Check("contract", False, "the two heads are of two AuditAnchors"))
    for each in ("first", "second"):
        checks += _vouch(it[each], it["anchors"][each], ask, contract)
    return checks


def check_known(proof: Any, known: Any, growth: Any = None) -> list[Check]:
    """Check that a proof's head is the ``known`` one (``size`` and ``root``), or that one grew into the other."""
    if not isinstance(known, dict) or not {"size", "root"} <= set(known):
        raise Unusable("a head must be an object with size and root")
    pair = _read({name: known[name] for name in ("size", "root")}, {"size": 2**64, "root": "hash"}, "head")
    heads = [_pair(_read_kind(proof, "audit-proof", _PROOF)["head"]), _pair(pair)]
    words = f"the proof's head has {heads[0][0]} entries, the given one {heads[1][0]}"
    if heads[0][0] == heads[1][0]:
        same = heads[0] == heads[1]
        return [Check("head", same, words + (" and the same root" if same else ", but the roots differ"))]
    if growth is None:
        raise Unusable(words + ": a consistency proof between the two is needed (--consistency)")
    it = _read_kind(growth, "audit-consistency", _GROWTH)
    joined = sorted(heads) == [_pair(it["first"]), _pair(it["second"])]
    words += ": the consistency proof is " + ("between these two" if joined else "between other heads")
    return [Check("head", joined, words), *check_growth(growth)]


def _pair(head: dict[str, Any]) -> tuple[int, bytes]:
    return head["size"], head["root"]


def _vouch(head: dict[str, Any], anchor: dict[str, Any], ask: Ask | None, trusted: str | None) -> list[Check]:
    """Check who signed a head, and with ``ask`` whether the chain tells of it."""
    try:
        contract = _address(anchor["contract"])
        digest = head_digest(anchor["chainId"], contract, head["size"], head["root"], head["madeAt"])
        found = signer_of(digest, head["signature"])
        made_at = time.strftime("%Y-%m-%d %H:%M:%S UTC", time.gmtime(head["madeAt"]))
        words = f"the head of {head['size']} entries is signed by {found}, who made it at {made_at}"
    except ValueError as problem:
        found, words = "", f"the head of {head['size']} entries is not signed: {problem}"
    ok = found.lower() == "0x" + head["signer"].hex()
    checks = [Check("signature", ok, words if ok or not found else f"{words}, not by {_address(head['signer'])}")]
    where = f"AuditAnchor {_address(anchor['contract'])} on chain {anchor['chainId']}"
    if trusted is not None:
        pinned = _read(trusted, "address", "the contract") == anchor["contract"]
        checks.append(Check("contract", pinned, where + (" is" if pinned else " is not") + " the one that you trust"))
    elif ask is not None:
        words = f"{where} was believed because the proof names it: compare it with what you know from elsewhere"
        checks.append(Check("contract", None, words))
    if ask is None:
        return [*checks, Check("chain", None, f"not asked whether {where} tells of this head")]
    return [*checks, *_anchored(head, anchor, ask)]


def _anchored(head: dict[str, Any], anchor: dict[str, Any], ask: Ask) -> list[Check]:
    """Check that the chain tells of a head what ``anchor`` says."""
    number, chain = anchor["blockNumber"], f"chain {anchor['chainId']} with the genesis 0x{anchor['genesis'].hex()}"
    same = _matches(ask("eth_chainId", []), anchor["chainId"])
    same &= _matches(ask("eth_getBlockByNumber", ["0x0", False]), {"hash": anchor["genesis"]})
    known = _matches(ask("eth_getBlockByNumber", [hex(number), False]), {"hash": anchor["blockHash"]})
    receipt = ask("eth_getTransactionReceipt", ["0x" + anchor["transactionHash"].hex()])
    done = {"status": 1, **{name: anchor[name] for name in ("blockNumber", "blockHash", "transactionHash")}}
    topics = [keccak256(b"Anchored(uint64,bytes32,address)"), head["size"].to_bytes(32, "big"), head["root"], None]
    event = {"address": anchor["contract"], "logIndex": anchor["logIndex"], "topics": topics}
    logs = receipt.get("logs") if _matches(receipt, done) else None
    log = next((log for log in logs if _matches(log, event)), None) if isinstance(logs, (list, tuple)) else None
    if log:
        words = f"in block {number} the contract recorded {head['size']} entries with this root"
    elif logs is None:
        words = f"the node knows of no such transaction that succeeded in block {number}"
    else:
        words = "the transaction did not record this size and root in that contract at that place"
    return [
        Check("chain", same, f"the node is {'' if same else 'not '}on {chain}"),
        Check("block", known, f"block {number} is {'' if known else 'not '}the one with the hash that the proof names"),
        Check("anchor", log is not None, words),
        _appointed(head["signer"], log and _octets(log["topics"][3])[-20:], anchor["contract"], number, ask),
    ]


def _appointed(signer: bytes, operator: bytes | None, contract: bytes, block: int, ask: Ask) -> Check:
    """Check that the signer of a head is an operator, or was one when it was anchored."""
    directory = _call(ask, contract, b"directory()", b"", "latest")[12:32]
    if len(directory) != 20:
        return Check("operator", False, "the contract does not tell its Directory, which knows the operators")
    words = f"an operator by the Directory {_address(directory)}"
    if any(_call(ask, directory, b"isOperator(address)", signer, "latest")):
        return Check("operator", True, f"the signer is {words}")
    # Many nodes have forgotten older states; but the contract takes an anchor from nobody who is not an operator.
    if operator == signer or any(_call(ask, directory, b"isOperator(address)", signer, hex(block))):
        return Check("operator", None, f"the signer was {words} in block {block}, and has been dismissed since")
    return Check("operator", False, f"the signer is not {words}")


def _call(ask: Ask, to: bytes, function: bytes, argument: bytes, block: str) -> bytes:
    """Return what a contract answers, empty if it does not."""
    data = keccak256(function)[:4] + (argument.rjust(32, b"\0") if argument else b"")
    try:
        return _octets(ask("eth_call", [{"to": "0x" + to.hex(), "data": "0x" + data.hex()}, block]))
    except Refused:
        return b""


def _octets(found: Any) -> bytes:
    """Return bytes as nodes write them, or as libraries decode them; empty for anything else."""
    if isinstance(found, str) and re.fullmatch("0x(?:[0-9a-fA-F]{2})*", found):
        return bytes.fromhex(found[2:])
    return bytes(found) if isinstance(found, (bytes, bytearray)) else b""


def _matches(found: Any, expected: Any) -> bool:
    """Tell whether a node's answer has these members, elements, bytes or this number; ``None`` is anything."""
    if isinstance(expected, dict):
        return isinstance(found, Mapping) and all(_matches(found.get(name), expected[name]) for name in expected)
    if isinstance(expected, list):
        return isinstance(found, (list, tuple)) and len(found) == len(expected) and all(map(_matches, found, expected))
    if isinstance(expected, bytes):
        return _octets(found) == expected
    if isinstance(found, str) and re.fullmatch("0x[0-9a-fA-F]{1,64}", found):
        found = int(found, 16)
    return expected is None or (type(found) is int and found == expected)


# ---- the node, the files, the command line ---------------------------------------------------------------------------


def node_at(url: str) -> Ask:
    """Return how to ask the node at an http or https address; raises ``Unusable`` for any other."""
    if not re.match("https?://[^/]", url, re.IGNORECASE):
        raise Unusable("the address of a node must begin with http:// or https://")
    # Put together by hand: it opens no files, speaks no other protocol, and lets no node send it elsewhere.
    opener = web.OpenerDirector()
    for kind in (web.ProxyHandler, web.HTTPHandler, web.HTTPSHandler):
        opener.add_handler(kind())
    for part in (web.HTTPDefaultErrorHandler, web.HTTPErrorProcessor):
        opener.add_handler(part())

    def ask(method: str, params: list[Any]) -> Any:
        question = json.dumps({"jsonrpc": "2.0", "id": 1, "method": method, "params": params}).encode()
        try:
            request = web.Request(url, question, {"Content-Type": "application/json"})  # noqa: S310
            with opener.open(request, timeout=TIME_OUT) as response:
                answer = _parse(response.read(LARGEST + 1))
        except (OSError, HTTPException, ValueError) as problem:
            raise NoAnswer(f"the node gave no usable answer to {method}: {problem}") from None
        if isinstance(answer, dict) and answer.get("error") is not None:
            raise Refused(f"the node refuses {method}: {answer['error']}")
        if not isinstance(answer, dict) or "result" not in answer:
            raise NoAnswer(f"the node's answer to {method} is no JSON-RPC")
        return answer["result"]

    return ask


def _parse(octets: bytes) -> Any:
    """Return the JSON in ``octets``; raises ``ValueError``."""

    def members(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        if len(dict(pairs)) < len(pairs):
            raise ValueError("a member stands there twice")
        return dict(pairs)

    if len(octets) > LARGEST:
        raise ValueError(f"more than {LARGEST} bytes")
    text, depth = octets.decode(), 0
    # Counted first: a parser that runs out of stack may take the whole process along.
    for bracket in re.findall(r"[\[\]{}]", re.sub(r'"(?:[^"\\]|\\.)*"?', "", text, flags=re.DOTALL)):
        depth += 1 if bracket in "[{" else -1
        if depth > DEEPEST:
            raise ValueError("nested too deeply")
    return json.loads(text, object_pairs_hook=members)


def _file(name: str) -> Any:
    try:
        with open(name, "rb") as file:
            return _parse(file.read(LARGEST + 1))
    except (OSError, ValueError) as problem:
        raise Unusable(f"{name}: {problem}") from None


def _plain(words: object) -> str:
    """Return words on one line, without what could command a terminal."""
    return "".join(letter if letter.isprintable() else "?" for letter in str(words)[:500])


def _told(leaf: str) -> dict[str, str]:
    """Return what an entry says of itself, as far as it is known here."""
    try:
        entry = _parse(leaf.encode())
    except ValueError:
        entry = None
    names = ("kind", "verdict", "code", "act", "view", "purpose", "reason", "at")
    return {name: _plain(entry[name]) for name in names if isinstance(entry, dict) and name in entry}


def _run(options: argparse.Namespace) -> tuple[list[Check], dict[str, str]]:
    ask = node_at(options.rpc) if options.rpc else None
    growth = _file(options.consistency) if options.consistency else None
    if options.proof is None:
        return check_growth(growth, ask, options.contract), {}
    proof = _file(options.proof)
    checks = check(proof, ask, options.contract)
    if options.head:
        checks += check_known(proof, _file(options.head), growth)
    return checks, _told(proof["entry"]["leaf"])


def _options(arguments: Sequence[str] | None) -> argparse.Namespace:
    about = "Check a proof from a Handshaker's audit log, trusting neither the hospital nor its software."
    parser = argparse.ArgumentParser(prog="check_proof.py", description=about)
    parser.add_argument("proof", nargs="?", help="proof of an entry (JSON)")
    parser.add_argument("--rpc", metavar="URL", help="a node of the chain, http or https; nothing else is ever asked")
    parser.add_argument("--contract", metavar="ADDRESS", help="the AuditAnchor that you trust")
    parser.add_argument("--head", metavar="FILE", help="a head that you trust (JSON with size and root)")
    parser.add_argument("--consistency", metavar="FILE", help="proof that the log only grew between two heads (JSON)")
    parser.add_argument("--json", action="store_true", help="print the result as JSON")
    options = parser.parse_args(arguments)
    if options.proof is None and (options.head or not options.consistency):
        parser.error("name a proof, or --consistency alone")
    if options.proof and not (options.rpc or options.head):
        parser.error("name a node (--rpc) or a head (--head) that you trust: by itself a proof only fits itself")
    if options.proof and options.consistency and not options.head:
        parser.error("--consistency with a proof needs --head")
    return options


def main(arguments: Sequence[str] | None = None) -> int:
    """Check what the command line names, print what was found, and return the exit code."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, TextIOWrapper):
            stream.reconfigure(encoding="utf-8", errors="backslashreplace")
    options = _options(arguments)
    try:
        checks, told = _run(options)
    except (Unusable, NoAnswer) as problem:
        error = _plain(problem)
        print(json.dumps({"ok": False, "error": error}) if options.json else f"Not checked: {error}")
        return 2
    ok = all(each.ok is not False for each in checks)
    if options.json:
        print(json.dumps({"ok": ok, "checks": [each._asdict() for each in checks], "entry": told}, indent=1))
        return 0 if ok else 1
    for each in checks:
        print({True: "✓", False: "✗", None: "•"}[each.ok], _plain(f"{each.name}: {each.words}"))
    if told:
        print("The entry says:", ", ".join(f"{name} {words}" for name, words in told.items()))
    print("All that was checked (✓) is well." if ok else "Something is wrong (✗): do not rely on it.")
    return 0 if ok else 1


if __name__ == "__main__":
    sys.exit(main())
