"""What the chain says of acknowledgements: effects that have none, and evidence that it does not know."""

from __future__ import annotations

from collections.abc import Sequence

from handshaker.audit.verification.evidence import Compared
from handshaker.audit.verification.judgement import MOST
from handshaker.audit.verification.report import Finding, What
from handshaker.audit.verification.scan import Scanned
from handshaker.audit.verification.sources import Evidence, Snapshot, Witness
from handshaker.messages import Effect


def is_forked(snapshot: Snapshot, chain: Witness) -> bool:
    """Whether the last block that was walked is on the chain no more, which the indexer has yet to find out."""
    tip = snapshot.tip()
    if tip is None:
        return False
    there = chain.block(tip.number)
    return there is None or there.hash != tip.hash


def about_evidence(
    compared: Compared, scanned: Scanned, snapshot: Snapshot, chain: Witness
) -> tuple[list[Finding], list[str]]:
    """Return findings and remarks about what acknowledgements say of the chain."""
    findings: list[Finding] = []
    awaiting = 0
    forked = is_forked(snapshot, chain) if compared.unknown else False
    for evidence in compared.unknown:
        if evidence.entry_id in scanned.contradicted:
            continue
        if forked and _was_walked(evidence, snapshot):
            awaiting += 1
            continue
        _, position = snapshot.entry_of(evidence.ti_id)
        sentence = (
            f"The acknowledgement says valid, and the chain knows no such effect in block {evidence.block_number}; "
            "no entry contradicts it."
        )
        findings.append(Finding(What.FORGED_EVIDENCE, position, evidence.entry_id, evidence.ti_id, sentence))
    for effect, _ in compared.denied if not scanned.contradicted else ():
        findings.append(_denied(effect, snapshot))
    return findings[:MOST], _remarks(compared, scanned, awaiting)


def _denied(effect: Effect, snapshot: Snapshot) -> Finding:
    """Tell of an acknowledgement that says invalid of what took effect."""
    ti_id = next((each.ti_id for each in snapshot.answers(effect.statement_hash)), None)
    entry_id, position = snapshot.entry_of(ti_id) if ti_id else (None, None)
    sentence = f"The acknowledgement says invalid, and the chain knows the effect in block {effect.block_number}."
    return Finding(What.FORGED_EVIDENCE, position, entry_id, ti_id, sentence)


def about_effects(effects: Sequence[Effect], snapshot: Snapshot, extent: int) -> list[Finding]:
    """Return what it means that effects have no acknowledgement, in a log that is whole by itself."""
    findings = []
    for effect in effects[:MOST]:
        after = snapshot.position_after(effect.block_number)
        sentence = (
            f"The chain knows {effect.event} of statement 0x{effect.statement_hash.hex()[:12]}… in block "
            f"{effect.block_number}, and the log has no acknowledgement of it: that was taken away with its entry, or "
            "the indexer was stopped just there (then a worker adds it)."
        )
        position = extent if after is None else after
        findings.append(Finding(What.UNACKNOWLEDGED, position, None, None, sentence, proven=False))
    return findings


def _was_walked(evidence: Evidence, snapshot: Snapshot) -> bool:
    block = snapshot.block(evidence.block_number) if isinstance(evidence.block_number, int) else None
    return block is not None and block.hash == evidence.block_hash


def _remarks(compared: Compared, scanned: Scanned, awaiting: int) -> list[str]:
    remarks = []
    if compared.behind:
        remarks.append(f"{compared.behind} effects are in blocks that the indexer has not walked: run a worker.")
    if awaiting:
        remarks.append(f"A fork took the evidence of {awaiting} acknowledgements away; a worker will contradict them.")
    if scanned.contradicted:
        remarks.append(f"{len(scanned.contradicted)} acknowledgements are contradicted openly: a deep fork happened.")
        if compared.denied:
            remarks.append(f"{len(compared.denied)} that were invalid before that fork took effect after it.")
    return remarks
