"""What people of the hospital do while its processes die: all of it through the API, or past it to the chain."""

from __future__ import annotations

import itertools
import secrets
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from eth_account import Account
from eth_account.signers.local import LocalAccount

from handshaker.ethereum.statements import statement_type
from tests.campaign.clients import Client, Promise, Unanswered, Unexpected, new_key
from tests.campaign.database import Database
from tests.campaign.hospital import Hospital, Person
from tests.instances import blood_pressure, consent_payload

VALID, INVALID = frozenset({"valid"}), frozenset({"invalid"})
EITHER = VALID | INVALID
_CHAIN_PATIENCE = 40.0
_WALK_PATIENCE = 5.0
_GAS = 1_500_000
_STATEMENTS = "SELECT statement_hash FROM statements"


@dataclass
class Direct:
    """A statement that its signer sent straight to the chain."""

    statement: str
    """0x hex of its hash."""
    raw: str
    transaction: str


@dataclass
class Load:
    """Threads of people, and what they were promised."""

    hospital: Hospital
    pause: float
    """Seconds between two things that one thread does."""
    promises: list[Promise] = field(default_factory=list)
    directs: list[Direct] = field(default_factory=list)
    failures: list[str] = field(default_factory=list)
    _over: threading.Event = field(default_factory=threading.Event)
    _giving_up: threading.Event = field(default_factory=threading.Event)
    _may_go: threading.Event = field(default_factory=threading.Event)
    _idle: list[threading.Event] = field(default_factory=list)
    _threads: list[threading.Thread] = field(default_factory=list)
    _nonce: int = 1
    """The stranger's next; the first was spent on nothing."""

    def start(self) -> None:
        self._may_go.set()
        for acts in (self._ward(), self._wallets()):
            idle = threading.Event()
            thread = threading.Thread(target=self._live, args=(acts, idle), daemon=True)
            self._idle.append(idle)
            self._threads.append(thread)
            thread.start()

    def rest(self, seconds: float) -> bool:
        """Let everybody finish what they do, and begin nothing; tell whether they all came to rest."""
        self._may_go.clear()
        return all(idle.wait(seconds) for idle in self._idle)

    def go_on(self) -> None:
        self._may_go.set()

    def finish(self, seconds: float) -> None:
        """End it when everybody has got an answer to what they began, or ``seconds`` are over."""
        self._over.set()
        self._may_go.set()
        until = time.monotonic() + seconds
        for thread in self._threads:
            thread.join(max(0.0, until - time.monotonic()))
        self._giving_up.set()
        for thread in self._threads:
            thread.join(30)
        self._giving_up.clear()

    def readings(self, count: int) -> list[str]:
        """Hand in readings that may be written, from this thread; return their TIs."""
        client = self._client()
        return [self._reading(client, "consented", VALID) for _ in range(count)]

    def let_all_be_looked_at(self) -> None:
        """Have the patients speak about whom something waits: their word makes a worker look at it at once.

        A revocation, for it has no deadline and so can be given at any time of the chain.
        """
        payload = {"grantee": "organisation/2", "purpose": "TREAT"}
        for name in ("silent", "fickle"):
            body = {"template": "consent-revoke", "payload": payload}
            self._client().submit(self.hospital.people[name], body, self._promise("last word", VALID))

    # ---- people -----------------------------------------------------------------------------------------------------

    def _live(self, acts: list[Callable[[Client], object]], idle: threading.Event) -> None:
        client = self._client()
        for act in itertools.cycle(acts):
            if not self._may_go.is_set():
                idle.set()
                self._may_go.wait()
                idle.clear()
            if self._over.is_set():
                idle.set()
                return
            try:
                act(client)
            except Unanswered:
                continue
            except Unexpected as surprise:
                self.failures.append(str(surprise))
            except Exception as error:
                # A thread that ends quietly would make a campaign without load look well.
                self.failures.append(f"{act}: {type(error).__name__} {error}")
            time.sleep(self.pause)

    def _ward(self) -> list[Callable[[Client], object]]:
        return [
            lambda client: self._reading(client, "consented", VALID),
            lambda client: self._reading(client, "silent", INVALID),
            lambda client: self._reading(client, "consented", INVALID, systolic=4_000),
            self._twice_at_once,
            lambda client: self._change_mind(client, "consent-grant"),
            lambda client: self._reading(client, "fickle", EITHER),
            lambda client: self._reading(client, "0x" + secrets.token_hex(32), INVALID),
            lambda client: self._change_mind(client, "consent-revoke"),
            lambda client: self._reading(client, "fickle", EITHER),
        ]

    def _wallets(self) -> list[Callable[[Client], object]]:
        return [self._grant, self._past_us, self._past_us_and_then_told, self._two_of_one_version, self._out_of_time]

    def _reading(self, client: Client, patient: str, verdicts: frozenset[str], systolic: float = 118) -> str:
        found = self.hospital.people.get(patient)
        body = {
            "template": "vital-signs",
            "payload": blood_pressure(systolic),
            "patient": found.actor_id if found else patient,
        }
        return client.submit(self.hospital.people["nurse"], body, self._promise(f"reading of {patient}", verdicts))

    def _twice_at_once(self, client: Client) -> None:
        """The same request on two connections at the same moment, as a client does that has lost patience."""
        promise = self._promise("twice", VALID)
        person, patient = self.hospital.people["nurse"], self.hospital.people["consented"].actor_id
        body = {"template": "vital-signs", "payload": blood_pressure(121), "patient": patient}
        other = threading.Thread(target=self._quietly, args=(person, body, promise), daemon=True)
        other.start()
        client.submit(person, body, promise)
        other.join()

    def _quietly(self, person: Person, body: dict[str, Any], promise: Promise) -> None:
        try:
            self._client().submit(person, body, promise)
        except (Unanswered, Unexpected) as error:
            self.failures.append(f"the second of two: {error}")

    def _change_mind(self, client: Client, template: str) -> None:
        payload = consent_payload()
        if template == "consent-revoke":
            payload = {"grantee": payload["grantee"], "purpose": payload["purpose"]}
        body = {"template": template, "payload": payload}
        client.submit(self.hospital.people["fickle"], body, self._promise(template, EITHER))

    # ---- people with wallets ----------------------------------------------------------------------------------------

    def _grant(self, client: Client) -> None:
        person, body = self._patient(), self._consent()
        client.submit(person, body | _signed(person, client.prepare(person, body)), self._promise("grant", EITHER))

    def _two_of_one_version(self, client: Client) -> None:
        """Only one of them can take effect."""
        person, body = self._patient(), self._consent()
        signed = [_signed(person, client.prepare(person, body)) for _ in range(2)]
        for each in signed:
            client.submit(person, body | each, self._promise("one of two", EITHER))

    def _out_of_time(self, client: Client) -> None:
        """A reading that nobody permits, signed for three seconds: it waits until its deadline is over."""
        person, patient = self.hospital.people["nurse with a wallet"], self.hospital.people["silent"]
        body = {"template": "vital-signs", "payload": blood_pressure(), "patient": patient.actor_id}
        prepared = client.prepare(person, body)
        deadline = int(time.time()) + 3
        prepared["preparation"]["deadline"] = prepared["typedData"]["message"]["deadline"] = deadline
        client.submit(person, body | _signed(person, prepared), self._promise("out of time", INVALID))

    def _past_us(self, client: Client) -> None:
        """A patient acts alone: the chain is where we hear of it."""
        person, body = self._patient(), self._consent()
        self._send(client.prepare(person, body), person)

    def _past_us_and_then_told(self, client: Client) -> None:
        person, body = self._patient(), self._consent()
        prepared = client.prepare(person, body)
        statement = self._send(prepared, person)
        # So long may somebody take to tell us; mostly the walk has seen it by then.
        database, until = Database(self.hospital), time.monotonic() + _WALK_PATIENCE
        while time.monotonic() < until and statement not in {bytes(row[0]) for row in database.rows(_STATEMENTS)}:
            time.sleep(0.05)
        client.submit(person, body | _signed(person, prepared), self._promise("told late", EITHER))

    def _send(self, prepared: dict[str, Any], person: Person) -> bytes:
        """Send a consent to its contract from a stranger's account until it is in a block; return its hash."""
        kind, message = statement_type("ConsentRegistry", "grant"), prepared["typedData"]["message"]
        words = kind.words(
            {
                name: bytes.fromhex(message[name][2:]) if each.startswith("bytes") else message[name]
                for name, each in kind.fields
            }
        )
        signature = bytes.fromhex(_signed(person, prepared)["signature"][2:])
        chain_id = int(self.hospital.ask("eth_chainId"), 16)
        signed = Account.sign_transaction(
            {
                "type": 2,
                "chainId": chain_id,
                "nonce": self._nonce,
                "to": self.hospital.contracts["ConsentRegistry"],
                "value": 0,
                "data": "0x" + kind.calldata(words, signature).hex(),
                "gas": _GAS,
                "maxFeePerGas": 3 * 10**9,
                "maxPriorityFeePerGas": 10**9,
            },
            self.hospital.traveller_key,
        )
        self._nonce += 1
        direct = Direct(
            "0x" + kind.struct_hash(words).hex(), "0x" + signed.raw_transaction.hex(), "0x" + signed.hash.hex()
        )
        if self.sent(direct):
            self.directs.append(direct)
        return kind.struct_hash(words)

    def sent(self, direct: Direct) -> bool:
        """Send until it is in a block; tell whether it succeeded there."""
        until = time.monotonic() + _CHAIN_PATIENCE
        while time.monotonic() < until:
            try:
                receipt = self.hospital.ask("eth_getTransactionReceipt", direct.transaction)
                if receipt is not None:
                    return int(receipt["status"], 16) == 1
                self.hospital.ask("eth_sendRawTransaction", direct.raw)
            except Exception:
                # The node is down, or knows it already.
                time.sleep(0.05)
        self.failures.append("a statement that went straight to the chain came into no block")
        return False

    def _consent(self) -> dict[str, Any]:
        return {"template": "consent-grant", "payload": consent_payload(), "idempotencyKey": new_key()}

    def _patient(self) -> Person:
        return self.hospital.people["patient with a wallet"]

    def _promise(self, kind: str, verdicts: frozenset[str]) -> Promise:
        promise = Promise(new_key(), kind, verdicts)
        self.promises.append(promise)
        return promise

    def _client(self) -> Client:
        return Client(self.hospital.web_url, self._giving_up)


def _signed(person: Person, prepared: dict[str, Any]) -> dict[str, Any]:
    """Return what a wallet adds to a request."""
    wallet: LocalAccount | None = person.wallet
    assert wallet is not None
    signed = Account.sign_typed_data(wallet.key, full_message=prepared["typedData"])
    return {"preparation": prepared["preparation"], "signature": "0x" + signed.signature.hex()}
