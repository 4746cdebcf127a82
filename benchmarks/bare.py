"""The bare node: the same contract call as single transactions, signed before the clock starts and sent as raw bytes.

No database, no checks, no acknowledgement: what remains is the node.
"""

from __future__ import annotations

import http.client
import json
import secrets
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from typing import Any
from urllib.parse import urlsplit

from eth_utils.crypto import keccak

from benchmarks.ward import PATIENCE, BenchmarkFailed, Ward
from handshaker.errors import ChainError
from handshaker.ethereum.deployer import fund
from handshaker.ethereum.relayers import sign_transaction
from handshaker.ethereum.statements import statement_type
from handshaker.messages import Fees
from handshaker.vocabulary import CATEGORY_BY_CODE, Purpose

CONNECTIONS = {"ganache": 1, "anvil": 8}
"""Anvil takes most through about as many; Ganache takes them ten times as fast as it mines even over one."""
_STRANDED = 5.0
"""Seconds after which the same bytes go again: now and then Ganache forgets to mine what waits behind a mined nonce."""
_GAS = 300_000
_FEES = Fees(3 * 10**9, 10**9)


class BareNode:
    """The node of a ward, fed by an account of its own."""

    def __init__(self, ward: Ward) -> None:
        self._ward = ward
        self._vault = ward.handshaker.vault
        self._account = self._vault.create_relayer("bare")
        self._nonce = 0
        fund(ward.handshaker.chain, ward.node_key, self._account, 1000 * 10**18)
        # Its first transaction does nothing: Ganache runs a replayed nonce 0 again.
        first = self._signed(self._account, b"", 21_000)
        _post(ward.url, [_body(first)])
        self._mined([first])

    def rate(self, count: int) -> float:
        """Send ``count`` records; return how many a second were mined, from the first byte sent to the last block.

        Raises ``BenchmarkFailed`` when one of them had no effect.
        """
        chain = self._ward.handshaker.chain
        raws = [self._signed(chain.address("HealthRecords"), self._record(n), _GAS) for n in range(count)]
        bodies = [_body(raw) for raw in raws]
        first = chain.head().number + 1
        started = time.perf_counter()
        connections = CONNECTIONS[self._ward.kind]
        with ThreadPoolExecutor(connections) as pool:
            lanes = [pool.submit(_post, self._ward.url, bodies[lane::connections]) for lane in range(connections)]
            for lane in lanes:
                lane.result()
            last = self._mined(raws)
        elapsed = time.perf_counter() - started
        effects, _ = chain.told(first, last)
        if len(effects) != count:
            raise BenchmarkFailed(f"Only {len(effects)} of {count} bare records took effect.")
        return count / elapsed

    def _mined(self, raws: list[bytes]) -> int:
        """Wait for the last of ``raws``; return its block's number. Raises ``BenchmarkFailed``."""
        chain = self._ward.handshaker.chain
        started = sent = time.monotonic()
        while time.monotonic() - started < PATIENCE:
            # While it mines, Anvil may say of its newest block that there is none yet.
            with suppress(ChainError):
                receipt = chain.receipt(keccak(raws[-1]))
                if receipt is not None:
                    return receipt.block_number
            if time.monotonic() - sent > _STRANDED:
                sent = time.monotonic()
                for raw in raws:
                    chain.send(raw)
            time.sleep(0.005)
        raise BenchmarkFailed(f"The node did not mine all within {PATIENCE:.0f} seconds.")

    def _signed(self, to: str, data: bytes, gas: int) -> bytes:
        attempt = sign_transaction(
            lambda digest: self._vault.sign_as_relayer(self._account, digest),
            chain_id=self._ward.handshaker.chain.identity().chain_id,
            nonce=self._nonce,
            to=to,
            data=data,
            gas=gas,
            fees=_FEES,
        )
        self._nonce += 1
        return attempt.raw

    def _record(self, number: int) -> bytes:
        """Return the calldata of a fresh record that the nurse signed."""
        kind = statement_type("HealthRecords", "record")
        words = kind.words(self.values(number))
        digest = self._ward.handshaker.chain.digest("HealthRecords", kind.struct_hash(words))
        nurse = self._ward.nurse
        return kind.calldata(words, self._vault.sign(nurse.actor.actor_id, nurse.secret, digest))

    def values(self, number: int) -> dict[str, Any]:
        """Return the fields of the statement."""
        return {
            "patientId": bytes.fromhex(self._ward.patients[number % len(self._ward.patients)][2:]),
            "author": bytes.fromhex(self._ward.nurse.actor.actor_id[2:]),
            "category": CATEGORY_BY_CODE["vital-signs"].bit,
            "purpose": int(Purpose.TREAT),
            "commitment": secrets.token_bytes(32),
            "supersedes": bytes(32),
            "deadline": 4_000_000_000,
        }


def _body(raw: bytes) -> str:
    request = {"jsonrpc": "2.0", "id": 1, "method": "eth_sendRawTransaction", "params": ["0x" + raw.hex()]}
    return json.dumps(request)


def _post(url: str, bodies: list[str]) -> None:
    """Send requests one after the other over one connection. Raises ``BenchmarkFailed`` for a refusal."""
    address = urlsplit(url)
    connection = http.client.HTTPConnection(address.hostname or "", address.port, timeout=PATIENCE)
    try:
        for body in bodies:
            connection.request("POST", "/", body, {"content-type": "application/json"})
            answer = json.loads(connection.getresponse().read())
            if "error" in answer:
                raise BenchmarkFailed(f"The node refused a bare transaction: {answer['error'].get('message')}.")
    finally:
        connection.close()
