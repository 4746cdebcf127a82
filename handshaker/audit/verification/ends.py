"""Where the log ends: whether its end was cut off, or the whole database is an older one."""

from __future__ import annotations

from collections.abc import Sequence

from handshaker.audit.verification.judgement import Traces
from handshaker.audit.verification.report import Finding, What
from handshaker.audit.verification.scan import Scanned
from handshaker.audit.verification.sources import Snapshot
from handshaker.audit.verification.standing import Standing
from handshaker.messages import Anchor, Head


def about_end(
    standing: Standing, scanned: Scanned, extent: int, snapshot: Snapshot, heads: Sequence[Head], traces: Traces
) -> Finding | None:
    """Return what it means that the chain has anchored more entries than there are; ``None`` where it has not."""
    largest, beyond = standing.largest, standing.first_beyond
    if largest is None or beyond is None or largest.head.size <= extent:
        return None
    missing = largest.head.size - extent
    anchored = (
        f"The anchor in block {largest.block_number} covers {largest.head.size} entries, and the log has {extent}"
    )
    known = _knows(snapshot, beyond, extent, heads, traces)
    if known:
        entry_id, ti_id = traces.of(extent, missing)
        sentence = f"The log was cut off after {extent} entries: {_many(missing)} gone. {anchored}; {known} knows more."
        return Finding(What.CUT_OFF, extent, entry_id, ti_id, sentence)
    sentence = (
        f"{anchored}. Nothing else in the database knows of more: an older copy was put in its place, "
        f"{_last(snapshot, extent)}, from {scanned.written_at or 'before the first entry'}. {_many(missing)} missing."
    )
    return Finding(What.ROLLED_BACK, extent, None, None, sentence)


def _knows(snapshot: Snapshot, beyond: Anchor, extent: int, heads: Sequence[Head], traces: Traces) -> str:
    """Return what in the database knows of entries that are not there; empty where nothing does."""
    tip = snapshot.tip()
    # Whoever holds an older log, or restores one, walks the chain after that; then what was walked is no sign.
    is_held = extent in snapshot.held_sizes()
    signs = {
        "audit_heads": any(head.size > extent for head in heads),
        "anchors": not is_held and any(anchor.head.size > extent for anchor in snapshot.anchors()),
        "network_transactions": snapshot.largest_sent_head() > extent,
        "blocks": not is_held and tip is not None and tip.number >= beyond.block_number,
        "outbox": bool(traces.messages),
        "acknowledgements": bool(traces.acknowledgements),
        "audit_entries": bool(traces.entries),
        "events": bool(traces.told),
        "transactions": bool(traces.forgotten),
    }
    names = [name for name, knows in signs.items() if knows]
    return f"the table {names[0]}" if names else ""


def _last(snapshot: Snapshot, extent: int) -> str:
    """Return which anchor the database knows, of those that it can know."""
    known = [anchor for anchor in snapshot.anchors() if anchor.head.size <= extent]
    if not known:
        return "which knew no anchor yet"
    return f"which knew the anchor in block {known[-1].block_number} of {known[-1].head.size} entries"


def _many(missing: int) -> str:
    return "1 entry is" if missing == 1 else f"{missing} entries are"
