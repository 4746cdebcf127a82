"""From what was seen to what happened: findings about entries and the rows that rest on them, without an avalanche."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

from handshaker.audit.verification import wording
from handshaker.audit.verification.places import Misplaced
from handshaker.audit.verification.report import Finding, What
from handshaker.audit.verification.scan import Odd, Oddity, Scanned
from handshaker.audit.verification.sources import Trace
from handshaker.audit.verification.standing import Interval, Standing

MOST = 20
"""Findings of a kind that are told one by one."""

_WORDS = {
    Odd.HASH: What.CHANGED,
    Odd.ROW: What.CHANGED,
    Odd.ROW_MISSING: What.REMOVED,
    Odd.ROW_TOO_MANY: What.INSERTED,
    Odd.MESSAGE: What.CHANGED,
    Odd.MESSAGE_MISSING: What.REMOVED,
    Odd.MESSAGE_TOO_MANY: What.INSERTED,
}
_MESSAGES = (Odd.MESSAGE, Odd.MESSAGE_MISSING, Odd.MESSAGE_TOO_MANY)
_MOVES = (What.REMOVED, What.INSERTED, What.REORDERED)


@dataclass(frozen=True, slots=True)
class Traces:
    """What is left in other tables of entries that are not there."""

    entries: Sequence[Trace] = ()
    acknowledgements: Sequence[Trace] = ()
    messages: Sequence[Trace] = ()
    told: Sequence[Trace] = ()
    forgotten: Sequence[Trace] = ()

    @property
    def all(self) -> list[Trace]:
        """Return them, the ones that say most first."""
        return [*self.messages, *self.acknowledgements, *self.entries, *self.told, *self.forgotten]

    def of(self, position: int, count: int) -> tuple[str | None, str | None]:
        """Return entry and TI of the one that is missing at a position, where it can be told."""
        by_ti = {trace.ti_id: trace.entry_id for trace in self.acknowledgements if trace.ti_id is not None}
        for trace in self.messages:
            if trace.position == position:
                return by_ti.get(trace.ti_id or ""), trace.ti_id
        known = {trace.ti_id for trace in (*self.acknowledgements, *self.told, *self.forgotten)}
        if count == 1 and len(known) == 1:
            (ti_id,) = known
            return by_ti.get(ti_id or ""), ti_id
        if count == 1 and not known and len(self.entries) == 1:
            return self.entries[0].entry_id, None
        return None, None


def about_entries(
    misplaced: Sequence[Misplaced], scanned: Scanned, standing: Standing, traces: Traces
) -> tuple[list[Finding], int]:
    """Return the findings about the entries themselves and their rows, and how many more there are."""
    findings = []
    for found in misplaced:
        findings += _about(found, standing, traces, scanned)
    findings = [_with_rows(finding, scanned) for finding in findings]
    covered = _covered(misplaced)
    others = _about_rows(scanned, covered, _first_move(misplaced))
    if standing.doubtful is not None and not _explains(misplaced, standing):
        first = standing.doubtful.first
        findings.append(
            Finding(What.CHANGED, first, None, None, wording.interval(standing.doubtful), proven=_is_single(standing))
        )
    return [*findings, *others[:MOST]], max(0, len(others) - MOST)


def moved(misplaced: Sequence[Misplaced]) -> bool:
    """Whether entries are missing, one too many or somewhere else, so that what rests on positions is of no use."""
    return any(found.what in _MOVES for found in misplaced)


def about_traces(traces: Traces, extent: int, unacknowledged: Iterable[str]) -> list[Finding]:
    """Return what rows of other tables say of entries that the log, which is whole by itself, does not have."""
    without = set(unacknowledged)
    findings, cut = [], []
    for trace in _by_transaction(traces.all):
        if trace.waiting and not trace.told and trace.ti_id is not None:
            sentence = "A row says that this TI was acknowledged, and it still waits: the row was put in."
            findings.append(Finding(What.INSERTED, trace.position, trace.entry_id, trace.ti_id, sentence))
        elif not trace.told and trace in traces.forgotten and trace.has_history and trace.ti_id not in without:
            sentence = "A TI is neither acknowledged nor does it wait: its acknowledgement or its place was taken away."
            findings.append(Finding(What.REMOVED, None, None, trace.ti_id, sentence, proven=False))
        elif trace.told or not trace.has_history or trace.ti_id is None or trace.ti_id in without:
            cut.append(trace)
        else:
            sentence = "There are rows about an acknowledgement that neither the log nor its TI's history knows."
            findings.append(Finding(What.INSERTED, trace.position, trace.entry_id, trace.ti_id, sentence, proven=False))
    if cut:
        findings.append(_cut_off(cut, traces, extent))
    return findings[:MOST]


def _cut_off(cut: Sequence[Trace], traces: Traces, extent: int) -> Finding:
    first = min(cut, key=lambda trace: extent if trace.position is None else trace.position)
    if first.position is not None and not first.has_history and not _is_known(first, traces):
        sentence = "A row in the outbox tells of an acknowledgement that nothing else knows: it was put in."
        return Finding(What.INSERTED, first.position, None, first.ti_id, sentence)
    rows = {
        "the outbox": traces.messages,
        "acknowledgements": traces.acknowledgements,
        "audit_entries": traces.entries,
        "the histories of TIs": traces.told,
        "transactions": traces.forgotten,
    }
    left = " and ".join(name for name, found in rows.items() if found)
    sentence = f"The log was cut off after {extent} entries: {left} still tell of {_what(len(cut))} that came later."
    is_placed = first.position is not None and first.position >= extent
    return Finding(What.CUT_OFF, extent, first.entry_id, first.ti_id, sentence, proven=is_placed)


def _is_known(trace: Trace, traces: Traces) -> bool:
    others = (*traces.acknowledgements, *traces.told, *traces.forgotten)
    return any(other.ti_id == trace.ti_id for other in others)


def _what(many: int) -> str:
    return "one entry" if many == 1 else f"{many} entries"


def _by_transaction(traces: Iterable[Trace]) -> list[Trace]:
    """Return one trace for each TI (or entry), put together from all that tell of it."""
    found: dict[str, Trace] = {}
    for trace in traces:
        key = trace.ti_id or f"entry/{trace.entry_id}"
        known = found.setdefault(key, trace)
        if known.entry_id is None and trace.entry_id is not None:
            found[key] = known._replace(entry_id=trace.entry_id)
    return list(found.values())


def _about(found: Misplaced, standing: Standing, traces: Traces, scanned: Scanned) -> list[Finding]:
    """Return a finding; two where the first of several entries are proven, and only their seals are not theirs."""
    proven = standing.proven.size if standing.proven else 0
    last = found.position + found.count
    if found.is_unsealed and last <= proven:
        found = replace(found, is_hash_alone=True)
    elif found.what is What.CHANGED and not (found.is_leaf_alone or found.is_hash_alone) and found.position < proven:
        taken = replace(found, count=min(last, proven) - found.position)
        sentence = wording.seal_taken(taken, is_proven=True)
        entry_id = found.entry_id if found.count == 1 else None
        seals = [Finding(What.SEAL_CHANGED, found.position, entry_id, None, sentence)]
        if last <= proven:
            return seals
        rest = replace(found, position=proven, count=last - proven, entry_id=None)
        return seals + _about(rest, standing, traces, scanned)
    if found.what is What.CHANGED and found.is_seal_missing:
        return _unsealed(found, standing, scanned)
    entry_id, ti_id = found.entry_id, None
    if found.what is What.REMOVED:
        missing, ti_id = traces.of(found.position, found.count)
        entry_id = found.entry_id or missing
    is_sure = not (found.what is What.INSERTED and found.is_seal_missing)
    return [Finding(found.what, found.position, entry_id, ti_id, wording.misplaced(found), proven=is_sure)]


def _unsealed(found: Misplaced, standing: Standing, scanned: Scanned) -> list[Finding]:
    """Return what is to be said of entries without seals that no anchor proves: they alone, or more than that."""
    doubtful, last = standing.doubtful, found.position + found.count
    seal = Finding(
        What.SEAL_CHANGED,
        found.position,
        found.entry_id if found.count == 1 else None,
        None,
        wording.seal_taken(found, is_proven=False),
        proven=False,
    )
    if doubtful is None or found.position >= doubtful.last or last <= doubtful.first:
        return [seal]
    if found.count == 1:
        return [Finding(What.CHANGED, found.position, found.entry_id, None, wording.misplaced(found))]
    first = max(found.position, doubtful.first)
    odd = [each for each in scanned.all(Odd.ROW, Odd.HASH) if first <= each.position < min(last, doubtful.last)]
    if odd:
        return [seal]  # what rests on the entries tells which it is
    within = Interval(first, min(last, doubtful.last), doubtful.witness)
    sentence = wording.interval(within, are_seals_gone=True)
    return [seal, Finding(What.CHANGED, first, None, None, sentence, proven=within.last - within.first == 1)]


def _with_rows(finding: Finding, scanned: Scanned) -> Finding:
    """Add to a finding about an entry what the rows that rest on it say; they may still know what it was."""
    said = [oddity for oddity in scanned.all(Odd.ROW, Odd.ROW_MISSING) if oddity.position == finding.position]
    if not said or finding.what not in (What.CHANGED, What.INSERTED, What.REORDERED):
        return finding
    words = "; ".join(dict.fromkeys(oddity.words for oddity in said))
    ti_id = finding.ti_id or said[0].ti_id
    return replace(finding, sentence=f"{finding.sentence} Besides, {words}.", ti_id=ti_id)


def _about_rows(scanned: Scanned, covered: set[int], first_move: int | None) -> list[Finding]:
    found: dict[tuple[int, What], list[Oddity]] = {}
    kinds = (Odd.ROW, Odd.ROW_MISSING, Odd.ROW_TOO_MANY, Odd.HASH)
    for oddity in scanned.all(*kinds, *_MESSAGES):
        is_misled = oddity.odd in _MESSAGES and first_move is not None and oddity.position >= first_move
        if oddity.position not in covered and not is_misled:
            found.setdefault((oddity.position, _WORDS[oddity.odd]), []).append(oddity)
    return [
        Finding(what, position, first[0].entry_id, first[0].ti_id, _sentence(position, first))
        for (position, what), first in found.items()
    ]


def _sentence(position: int, oddities: Sequence[Oddity]) -> str:
    return f"Entry {position}: {'; '.join(dict.fromkeys(oddity.words for oddity in oddities))}."


def _covered(misplaced: Sequence[Misplaced]) -> set[int]:
    """Return the positions that are told of already."""
    covered: set[int] = set()
    for found in misplaced:
        if found.what is not What.SEAL_CHANGED and not (found.is_seal_missing and found.count > 1):
            covered |= set(range(found.position, found.position + min(found.count, 10_000)))
            covered |= {position for position in (found.belongs, found.stands) if position is not None}
    return covered


def _first_move(misplaced: Sequence[Misplaced]) -> int | None:
    return min((found.position for found in misplaced if found.what in _MOVES), default=None)


def _explains(misplaced: Sequence[Misplaced], standing: Standing) -> bool:
    """Whether what the seals say is why a root is another one."""
    doubtful = standing.doubtful
    return doubtful is not None and any(
        found.what is not What.SEAL_CHANGED
        and not found.is_hash_alone
        and found.position < doubtful.last
        and found.position + found.count > doubtful.first
        for found in misplaced
    )


def _is_single(standing: Standing) -> bool:
    doubtful = standing.doubtful
    return doubtful is not None and doubtful.last - doubtful.first == 1
