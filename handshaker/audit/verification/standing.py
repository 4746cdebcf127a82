"""How far anchors and signed heads prove the log: one list of leaves that gives every root is the consistent one."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from handshaker.audit.verification.agreement import moment
from handshaker.audit.verification.report import Finding, Proven, What
from handshaker.audit.verification.scan import Restore, Scanned
from handshaker.audit.verification.sources import HeadRow
from handshaker.messages import Anchor, Head

Signer = Callable[[Head, str, bytes], str | None]
"""Head, time of making as leaves write it, signature → address of who signed; ``None`` where nobody did."""


@dataclass(frozen=True, slots=True)
class Interval:
    """Entries ``first`` to ``last - 1``, among which something is not as it was, and who says so."""

    first: int
    last: int
    witness: str


@dataclass(slots=True)
class Standing:
    """What the roots say."""

    checked: int = 0
    proven: Proven | None = None
    doubtful: Interval | None = None
    largest: Anchor | None = None
    """The largest anchor, of which the log must be at least as long."""
    first_beyond: Anchor | None = None
    """The smallest one that is larger than the log."""
    restores: list[Restore] = field(default_factory=list)
    """Those that say truly which branch was lost."""
    lost: int = 0
    """Anchors of such a branch."""


def standing(scanned: Scanned, extent: int, anchors: Sequence[Anchor], heads: Sequence[Head]) -> Standing:
    """Hold the recomputed roots against the chain's anchors, and against heads that were signed and not anchored.

    ``extent``: how many entries the log has.
    """
    found = Standing(checked=len(anchors))
    found.restores = [restore for restore in scanned.restores if _is_true(restore, scanned, anchors)]
    mismatch: tuple[int, str] | None = None
    for anchor in anchors:
        size, root = anchor.head.size, anchor.head.root
        if size <= extent and scanned.roots.get(size) == root:
            found.proven = Proven(size, anchor.block_number)
            found.largest = anchor
        elif any(restore.common < size <= restore.size for restore in found.restores):
            found.lost += 1
        else:
            found.largest = anchor
            if size > extent:
                found.first_beyond = found.first_beyond or anchor
            elif mismatch is None:
                mismatch = (size, f"the anchor in block {anchor.block_number}")
    for head in heads:
        if head.size <= extent and scanned.roots.get(head.size) != head.root:
            if mismatch is None or head.size < mismatch[0]:
                mismatch = (head.size, f"the head of size {head.size} that was signed")
            break
    proven = found.proven.size if found.proven else 0
    if mismatch is not None and mismatch[0] > proven:
        found.doubtful = Interval(proven, mismatch[0], mismatch[1])
    return found


def _is_true(restore: Restore, scanned: Scanned, anchors: Sequence[Anchor]) -> bool:
    """Whether the chain has anchored what a restore says was lost, and no position of it serves for something else."""
    lost = (restore.size, restore.root)
    is_anchored = any((anchor.head.size, "0x" + anchor.head.root.hex()) == lost for anchor in anchors)
    is_kept_free = all(scanned.lost.get(position) == lost for position in range(restore.kept, restore.size))
    return is_anchored and is_kept_free and restore.common <= restore.kept and restore.position >= restore.size


def check_heads(
    rows: Sequence[HeadRow], signer: Signer, is_ours: Callable[[str], bool], anchored: dict[int, bytes]
) -> tuple[list[Head], list[Finding]]:
    """Return the heads that one of ours signed, by size, and findings about the others.

    ``anchored``: size → root of the chain's anchors.
    """
    heads, findings = [], []
    known: dict[str, bool] = {}
    for row in rows:
        problem = _problem(row, signer)
        if problem is None and not known.setdefault(row.signer, is_ours(row.signer)):
            problem = f"{row.signer} is none of our operators"
        if problem is None and anchored.get(row.size, row.root) != row.root:
            problem = "the chain has anchored another root of that size"
        if problem is None:
            heads.append(Head(row.size, row.root))
        else:
            sentence = f"The head of size {row.size} in audit_heads is not one that was signed here: {problem}."
            position = row.size - 1 if isinstance(row.size, int) else None
            findings.append(Finding(What.HEAD_FORGED, position, None, None, sentence))
    return heads, findings


def _problem(row: HeadRow, signer: Signer) -> str | None:
    if not isinstance(row.root, bytes) or len(row.root) != 32 or not isinstance(row.signature, bytes):
        return "its root or its signature is no such thing"
    if not isinstance(row.size, int) or not 0 < row.size < 2**64:
        return "its size is none"
    try:
        found = signer(Head(row.size, row.root), str(moment(row.made_at)), row.signature)
    except ValueError:
        return "its time is none"
    return None if found is not None and found == row.signer else "its signature is not that of its signer"
