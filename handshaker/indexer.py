"""The indexer: walks the chain by parent hash, and is where *valid* comes from.

An effect event in a final block settles the TI of its statement, whoever carried it there. A statement that nobody
here has seen (a patient acting alone) becomes a TI of origin ``chain``.
"""

from __future__ import annotations

import uuid
from contextlib import suppress

from handshaker.codes import EFFECT
from handshaker.crash_points import crash_point
from handshaker.errors import HandshakerError
from handshaker.journal import Journal
from handshaker.messages import Anchor, Block, Conclusion, Effect, InitialTransaction, Origin, Verdict, VerdictKind
from handshaker.mirror import reflect
from handshaker.ports import Chain, Clock
from handshaker.store.sql_store import SqlStore

_CHUNK = 500
"""Blocks that are asked for at once, and ACKs written at once; nodes limit the range of ``eth_getLogs``."""

_FUNCTIONS = {
    "OrganisationRegistered": "registerOrganisation",
    "PractitionerRegistered": "registerPractitioner",
    "PatientRegistered": "registerPatient",
    "ControllerRotated": "rotateController",
    "RecoveryProposed": "proposeRecovery",
    "RecoveryVetoed": "vetoRecovery",
    "OfficerAppointed": "appointOfficer",
    "ConsentGranted": "grant",
    "ConsentRevoked": "revoke",
    "EpochAdvanced": "revokeAll",
    "Delegated": "delegate",
    "DelegationEnded": "endDelegation",
    "EmergencyPreferenceSet": "setEmergencyPreference",
    "EmergencyOpened": "openEmergency",
    "Recorded": "record",
    "Retracted": "retract",
}
"""Effect event → the function that emits it; a test holds it against the ABI."""

NOTHING_FINAL = Block(number=-1, hash=b"", parent=b"", timestamp=0)
"""Stands for the last final block where none of ours is final yet."""


class Indexer:
    """Keeps the store's view of the chain up to date and acknowledges what took effect."""

    def __init__(self, chain: Chain, store: SqlStore, clock: Clock, first_block: int, journal: Journal) -> None:
        self._chain = chain
        self._store = store
        self._clock = clock
        self._first = first_block
        self._journal = journal
        self._settled: Block | None = None
        """The last block up to which this process has acknowledged all effects."""
        self.beginnings = 0
        """How often it began with the first block: at its start, and after each fork below finality."""

    def advance(self) -> Block | None:
        """Walk to the head and acknowledge the effects of final blocks; return the last final block.

        That is ``NOTHING_FINAL`` before the first one, and ``None`` when the chain changed under the walk: next time.

        Raises ``ChainUnreachable`` and ``ChainError``; what was walked until then stays.
        """
        final = self.walk()
        if final is not None and final is not NOTHING_FINAL:
            self._settle(final)
        return final

    def walk(self) -> Block | None:
        """Walk to the head as `advance` does, and acknowledge nothing."""
        head = self._chain.head()
        tip = self._common_ancestor(head)
        number = tip.number + 1 if tip else self._first
        while number <= head.number:
            last = min(number + _CHUNK - 1, head.number)
            if not self._extend(number, last, head):
                return None
            number = last + 1
        return self._store.chain_view.block(self._chain.final_number(head)) or NOTHING_FINAL

    def _common_ancestor(self, head: Block) -> Block | None:
        """Return the highest walked block that is still on the chain, after forgetting the ones above it."""
        tip = self._store.chain_view.tip()
        # The head or its parent, as nearly always: that needs no question.
        if tip is None or tip.hash in (head.hash, head.parent):
            return tip
        if (there := self._chain.block(tip.number)) is None or there.hash != tip.hash:
            # A chain that was wiped or exchanged is no fork: nothing may be concluded from it.
            self._chain.check_deployment()
        ancestor: Block | None = tip
        while ancestor and ((there := self._chain.block(ancestor.number)) is None or there.hash != ancestor.hash):
            ancestor = self._store.chain_view.block(ancestor.number - 1)
        above = ancestor.number if ancestor else self._first - 1
        if above < tip.number:
            crash_point("indexer.fork-found")
            contradicted = self._store.chain_view.roll_back(tip, above, self._clock.now())
            crash_point("indexer.rolled-back")
            self._journal.forked(tip, above, contradicted)
        return ancestor

    def _extend(self, first: int, last: int, head: Block) -> bool:
        """Append blocks ``first`` to ``last``; ``False`` when the chain changed under the walk (next time, then)."""
        parent = self._store.chain_view.block(first - 1)
        blocks: list[Block] = []
        for number in range(first, last + 1):
            block = head if number == head.number else self._chain.block(number)
            if block is None or (parent is not None and block.parent != parent.hash):
                return False
            blocks.append(block)
            parent = block
        effects, anchors = self._chain.told(first, last)
        crash_point("indexer.told")
        hashes = {block.hash for block in blocks}
        if not {each.block_hash for each in effects} | {each.block_hash for each in anchors} <= hashes:
            return False
        extended = self._store.chain_view.extend(blocks, effects, anchors)
        crash_point("indexer.extended")
        if extended:
            self._tell(last, effects, anchors)
        return extended

    def _tell(self, number: int, effects: list[Effect], anchors: list[Anchor]) -> None:
        with suppress(HandshakerError):
            hashes = [effect.statement_hash for effect in effects]
            self._journal.mined(number, list(self._store.figures.of_statements(hashes).values()))
        for anchor in anchors:
            self._journal.anchored(anchor)

    def _settle(self, final: Block) -> None:
        after = self._settled_number()
        if final.number <= after:
            return
        conclusions, seen = [], self._clock.now()
        for effect, ti_id in self._store.chain_view.unsettled_effects(after, final.number):
            reflect(effect, self._store.people)
            crash_point("indexer.reflected")
            conclusions.append(
                Conclusion(
                    ti_id or self._adopt(effect), Verdict(VerdictKind.VALID, EFFECT, {"event": effect.event}, effect)
                )
            )
        for start in range(0, len(conclusions), _CHUNK):
            written = self._store.audit.conclude(conclusions[start : start + _CHUNK], self._clock.now())
            crash_point("indexer.acknowledged")
            self._journal.acknowledged(written, seen)
        self._settled = final

    def _settled_number(self) -> int:
        """Return up to where all is acknowledged; a fork, which another worker may have found, begins anew."""
        if self._settled is None or self._store.chain_view.block(self._settled.number) != self._settled:
            self.beginnings += 1
            return self._first - 1
        return self._settled.number

    def _adopt(self, effect: Effect) -> str:
        arguments, ti_id = effect.arguments, str(uuid.uuid4())
        patient_id = arguments.get("patientId")
        actor_id = arguments.get("author") or arguments.get("practitionerId") or patient_id or arguments.get("signer")
        ti = InitialTransaction(
            ti_id=ti_id,
            template=f"{effect.contract}.{effect.event}",
            template_version=0,
            actor_id=str(actor_id or "unknown"),
            patient_id=patient_id,
            payload={},
            # Nobody can use it before: clients choose their keys, and know their statements' hashes.
            idempotency_key=f"chain/{ti_id}",
            received_at=self._clock.now(),
            origin=Origin.CHAIN,
        )
        adopted = self._store.chain_view.adopt(ti, effect, _FUNCTIONS[effect.event], str(arguments.get("signer", "")))
        crash_point("indexer.adopted")
        return adopted
