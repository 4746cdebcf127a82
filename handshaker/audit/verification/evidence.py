"""What acknowledgements say of the chain, and what the chain says: every effect and every acknowledgement, both ways.

The chain is walked in chunks of blocks, and the acknowledgements in the same order beside it, so memory stays flat.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

from handshaker.audit.verification.sources import Evidence, Progress, Snapshot, Witness
from handshaker.messages import Anchor, Effect

CHUNK = 500
"""Blocks that are asked for at once; nodes limit the range of ``eth_getLogs``."""
KEPT = 1_000


@dataclass(slots=True)
class Compared:
    """What the walk over the chain has found."""

    anchors: list[Anchor] = field(default_factory=list)
    """In the chain's order, up to the final block that was known before the tables were looked at."""
    effects: int = 0
    acknowledgements: int = 0
    unacknowledged: list[Effect] = field(default_factory=list)
    behind: int = 0
    """Effects in blocks that the indexer has not walked yet."""
    unknown: list[Evidence] = field(default_factory=list)
    """Evidence that the chain does not know."""
    denied: list[tuple[Effect, str]] = field(default_factory=list)
    """Effects whose only acknowledgement says invalid, with its entry."""


class Comparison:
    """Walks a chain from the deployment's block on."""

    def __init__(self, snapshot: Snapshot, chain: Witness, progress: Progress) -> None:
        self._snapshot = snapshot
        self._chain = chain
        self._progress = progress
        self._found = Compared()

    def walk(self, first: int, before: int, last: int) -> Compared:
        """Compare the blocks ``first`` to ``last``, both included.

        ``before`` was the last final block before the tables were looked at: what is later may be told in neither.
        ``last`` is the last final one now: no acknowledgement can have later evidence.
        """
        tip = self._snapshot.tip()
        # Whoever has acknowledged what is in a block has walked it, whatever the table of blocks says by now.
        walked = min(before, max(tip.number if tip else -1, self._snapshot.last_answered_block()))
        said = _Said(self._snapshot.evidence())
        self._progress.begin("chain", max(0, last - first + 1))
        self._unknown(said.up_to(first - 1))
        for start in range(first, last + 1, CHUNK):
            end = min(start + CHUNK - 1, last)
            effects, anchors = self._chain.told(start, end)
            self._found.anchors += [anchor for anchor in anchors if anchor.block_number <= before]
            self._chunk(effects, said.up_to(end), walked, before)
            self._progress.advance(end - start + 1)
        self._unknown(said.rest())
        return self._found

    def _chunk(self, effects: list[Effect], said: list[Evidence], walked: int, before: int) -> None:
        known = {_key(effect) for effect in effects}
        told = {_key(evidence) for evidence in said}
        self._found.effects += len(effects)
        self._found.acknowledgements += len(said)
        self._unknown([evidence for evidence in said if _key(evidence) not in known], count=False)
        for effect in effects:
            if effect.block_number > before or _key(effect) in told:
                continue
            answers = self._snapshot.answers(effect.statement_hash)
            if not answers:
                if effect.block_number > walked:
                    self._found.behind += 1
                elif len(self._found.unacknowledged) < KEPT:
                    self._found.unacknowledged.append(effect)
            elif all(answer.verdict != "valid" for answer in answers) and len(self._found.denied) < KEPT:
                self._found.denied.append((effect, answers[0].entry_id))

    def _unknown(self, evidence: list[Evidence], *, count: bool = True) -> None:
        self._found.acknowledgements += len(evidence) if count else 0
        self._found.unknown += evidence[: max(0, KEPT - len(self._found.unknown))]


class _Said:
    """The evidence of acknowledgements, block after block."""

    def __init__(self, evidence: Iterator[Evidence]) -> None:
        self._evidence = evidence
        self._next = next(evidence, None)

    def up_to(self, block: int) -> list[Evidence]:
        """Return what is said of blocks up to a number, and was not returned before."""
        return self._while(lambda each: not isinstance(each.block_number, int) or each.block_number <= block)

    def rest(self) -> list[Evidence]:
        """Return whatever is left."""
        return self._while(lambda _: True)

    def _while(self, wanted: Callable[[Evidence], bool]) -> list[Evidence]:
        found = []
        while self._next is not None and wanted(self._next):
            found.append(self._next)
            self._next = next(self._evidence, None)
        return found


def _key(told: Effect | Evidence) -> tuple[int | None, bytes | None, int | None, bytes | None, bytes | None]:
    return (told.block_number, told.block_hash, told.log_index, told.statement_hash, told.transaction_hash)
