"""What is wrong with the things that vouch for entries: tiles, the copy of the anchors, and where the contracts are."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from handshaker.audit.verification.report import Finding, What
from handshaker.audit.verification.scan import Scanned
from handshaker.messages import Anchor, Deployment


def check_tiles(
    tiles: Iterable[tuple[Any, Any, Any]], recomputed: Mapping[tuple[int, int], bytes], sound: int | None, most: int
) -> list[Finding]:
    """Hold stored tiles against the recomputed ones.

    Beyond the first ``sound`` entries, if there are others, these are not what the tiles were made of, and the tiles
    are not to blame.
    """
    findings = []
    expected: dict[Any, int] = {}
    for level, number, digest in tiles:
        position = _beginning(level, number)
        missing = expected.get(level, 0)
        expected[level] = number + 1 if isinstance(number, int) else missing
        if isinstance(number, int) and number > missing and (level, missing) in recomputed:
            sentence = f"Tile {missing} of level {level} was taken away; the entries under it are as they were."
            findings.append(Finding(What.TILE_CHANGED, _beginning(level, missing), None, None, sentence))
        if sound is not None and position is not None and position + 2**level > sound:
            continue
        if recomputed.get((level, number)) != digest:
            sentence = f"Tile {number} of level {level} is not the hash of what lies under it; that is as it was."
            findings.append(Finding(What.TILE_CHANGED, position, None, None, sentence))
        if len(findings) >= most:
            break
    return findings


def _beginning(level: Any, number: Any) -> int | None:
    is_tile = isinstance(level, int) and isinstance(number, int) and level in (8, 16, 24) and number >= 0
    return number * 2**level if is_tile else None


def check_copies(copies: Sequence[Anchor], anchors: Sequence[Anchor], up_to: int) -> Finding | None:
    """Hold the database's copy of the anchors against the chain's, in blocks that both know (up to that number)."""
    here = [anchor for anchor in copies if anchor.block_number <= up_to]
    there = [anchor for anchor in anchors if anchor.block_number <= up_to]
    for number, anchor in enumerate(there):
        if number >= len(here) or here[number] != anchor:
            kind = "is not" if number < len(here) else "is no more"
            sentence = f"The table anchors {kind} what the chain says of the anchor of size {anchor.head.size}."
            return Finding(What.ANCHOR_CHANGED, anchor.head.size - 1, None, None, sentence)
    if len(here) > len(there):
        size = here[len(there)].head.size
        sentence = f"The table anchors tells of an anchor of size {size} that the chain does not know."
        return Finding(What.ANCHOR_CHANGED, size - 1, None, None, sentence)
    return None


def check_deployment(deployments: Sequence[Deployment], scanned: Scanned) -> Finding | None:
    """Hold where the contracts are said to be against what the log says of it, if it does."""
    if not scanned.adopted or not deployments:
        return None
    position, entry_id, contract, details = scanned.adopted[-1]
    used = deployments[-1]
    said = details if isinstance(details, dict) else {}
    if (
        used.addresses.get("AuditAnchor") == contract
        and said.get("chainId", used.identity.chain_id) == used.identity.chain_id
        and said.get("block", used.block_number) == used.block_number
    ):
        return None
    sentence = (
        f"The table deployments says that the AuditAnchor is {used.addresses.get('AuditAnchor')} from block "
        f"{used.block_number} on; the log adopted {contract} in block {said.get('block')}."
    )
    return Finding(What.DEPLOYMENT_CHANGED, position, entry_id, None, sentence)
