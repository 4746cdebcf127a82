"""What is left when it is over: read from database and chain themselves, past the code that is tried here."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from datetime import datetime

from eth_utils.crypto import keccak

from handshaker.ethereum.contracts import CONTRACT_NAMES, artifact
from tests.campaign.database import Database, unfinished
from tests.campaign.hospital import Hospital
from tests.campaign.load import Load

_CHUNK = 1_000
"""Blocks that one question for logs is about."""
NO_STATEMENT = "0x" + "00" * 32
"""What the Directory says of those whom it was deployed with."""


@dataclass
class Evidence:
    """Everything that the checks look at."""

    promised: list[tuple[str, frozenset[str], tuple[str, ...]]] = field(default_factory=list)
    """For each request: what it was, the verdicts that may be true, the TI of each answer."""
    straight: list[str] = field(default_factory=list)
    """Statements that took effect without us, 0x hex."""
    transactions: dict[str, str] = field(default_factory=dict)
    """TI → origin."""
    known: set[str] = field(default_factory=set)
    """TIs that were there before the campaign."""
    acknowledgements: list[tuple[str, str, str | None]] = field(default_factory=list)
    """TI, verdict, statement."""
    statements: dict[str, str] = field(default_factory=dict)
    """Statement → TI."""
    log: list[tuple[int, str, str, bytes]] = field(default_factory=list)
    """Position, kind, TI (or nothing), leaf."""
    outbox: list[tuple[int, str]] = field(default_factory=list)
    """Position, TI."""
    final_events: list[str] = field(default_factory=list)
    """The TI of each event that says valid or invalid."""
    effects: list[str] = field(default_factory=list)
    """The statement of each effect on the chain."""
    nonces: dict[str, list[int]] = field(default_factory=dict)
    """Those that we have written, by relayer."""
    counted: dict[str, int] = field(default_factory=dict)
    """How many the chain has counted, by relayer."""
    attempts: set[str] = field(default_factory=set)
    """Hashes of all bytes that were written."""
    carried: dict[str, set[str]] = field(default_factory=dict)
    """Hashes of what is in blocks, by relayer."""
    unfinished: int = 0
    """Rows of the queue, and nonces without an outcome."""
    anchored: tuple[int, bytes] = (0, b"")
    """Size and root that the contract holds."""
    verified: tuple[int, str] = (0, "")
    """What ``handshaker verify`` ended with, and said."""
    seconds: list[float] = field(default_factory=list)
    """From TI to ACK, of those that the campaign has made."""


def gather(hospital: Hospital, load: Load, known: set[str], verified: tuple[int, str]) -> Evidence:
    """Read everything once; nobody works any more."""
    found = Evidence(known=known, verified=verified)
    found.promised = [(each.kind, each.verdicts, tuple(each.told)) for each in load.promises]
    found.straight = [each.statement for each in load.directs]
    _read_database(Database(hospital), found)
    _read_chain(hospital, found)
    return found


def _read_database(database: Database, found: Evidence) -> None:
    rows = database.rows
    found.transactions = dict(rows("SELECT ti_id, origin FROM transactions"))
    found.acknowledgements = [
        (ti, verdict, _hex(statement))
        for ti, verdict, statement in rows("SELECT ti_id, verdict, statement_hash FROM acknowledgements")
    ]
    found.statements = {str(_hex(hash_)): ti for hash_, ti in rows("SELECT statement_hash, ti_id FROM statements")}
    query = "SELECT p.position, e.kind, e.leaf FROM audit_positions p JOIN audit_entries e USING (entry_id) ORDER BY 1"
    found.log = [
        (position, kind, str(json.loads(bytes(leaf)).get("ti", "")), bytes(leaf))
        for position, kind, leaf in rows(query)
    ]
    found.outbox = [(position, ti) for position, ti in rows("SELECT position, ti_id FROM outbox ORDER BY position")]
    events = rows("SELECT ti_id, kind, at FROM events WHERE kind IN ('received', 'valid', 'invalid') ORDER BY event_id")
    received = {ti: _moment(at) for ti, kind, at in events if kind == "received"}
    finals = [(ti, _moment(at)) for ti, kind, at in events if kind != "received"]
    found.final_events = [ti for ti, _ in finals]
    found.seconds = [(at - received[ti]).total_seconds() for ti, at in finals if ti not in found.known]
    for relayer, nonce in rows("SELECT relayer, nonce FROM network_transactions ORDER BY relayer, nonce"):
        found.nonces.setdefault(relayer, []).append(nonce)
    found.attempts = {str(_hex(row[0])) for row in rows("SELECT hash FROM attempts")}
    found.unfinished = unfinished(database)


def _read_chain(hospital: Hospital, found: Evidence) -> None:
    head = int(hospital.ask("eth_blockNumber"), 16)
    topics = _effect_topics()
    addresses = [address for name, address in hospital.contracts.items() if name not in ("Relay", "AuditAnchor")]
    for first in range(0, head + 1, _CHUNK):
        about = {"fromBlock": hex(first), "toBlock": hex(min(first + _CHUNK - 1, head)), "address": addresses}
        for entry in hospital.ask("eth_getLogs", about):
            if entry["topics"][0] in topics and entry["topics"][1] != NO_STATEMENT:
                found.effects.append(entry["topics"][1])
    ours = {address.lower(): address for address in hospital.relayers.values()}
    found.carried = {address: set() for address in ours.values()}
    for number in range(head + 1):
        for transaction in hospital.ask("eth_getBlockByNumber", hex(number), True)["transactions"]:
            if transaction["from"].lower() in ours:
                found.carried[ours[transaction["from"].lower()]].add(transaction["hash"])
    found.counted = {
        address: int(hospital.ask("eth_getTransactionCount", address, "latest"), 16) for address in ours.values()
    }
    found.anchored = anchored(hospital)


def anchored(hospital: Hospital) -> tuple[int, bytes]:
    """Return what ``AuditAnchor.head()`` says, decoded by hand."""
    call = {"to": hospital.contracts["AuditAnchor"], "data": "0x" + keccak(text="head()")[:4].hex()}
    words = bytes.fromhex(hospital.ask("eth_call", call, "latest")[2:])
    return int.from_bytes(words[:32], "big"), words[32:64]


def _effect_topics() -> set[str]:
    """Return the first topics of the events that carry a statement's hash, from the compiled ABIs."""
    found = set()
    for name in CONTRACT_NAMES:
        for item in artifact(name).abi:
            if item["type"] == "event" and item["inputs"] and item["inputs"][0]["name"] == "statement":
                kinds = ",".join(part["type"] for part in item["inputs"])
                found.add("0x" + keccak(text=f"{item['name']}({kinds})").hex())
    return found


def _hex(value: bytes | None) -> str | None:
    return None if value is None else "0x" + bytes(value).hex()


def _moment(value: datetime | str) -> datetime:
    return value if isinstance(value, datetime) else datetime.fromisoformat(value)
