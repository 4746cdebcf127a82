"""What a verification says: what it looked at, how far the log is proven, and the first entry that is bad."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

from handshaker.messages import Json


class What(StrEnum):
    """What happened to an entry, or to something that vouches for entries."""

    CHANGED = "changed"
    REMOVED = "removed"
    INSERTED = "inserted"
    REORDERED = "reordered"
    CUT_OFF = "cut-off"
    """The end of the log is missing, and the database itself knew of it."""
    ROLLED_BACK = "rolled-back"
    """The whole database is an older one: the chain has anchored more, and nothing in here knows of it."""
    UNACKNOWLEDGED = "unacknowledged"
    """The chain knows an effect that has no acknowledgement."""
    FORGED_EVIDENCE = "forged-evidence"
    """An acknowledgement says something of the chain that the chain does not say."""
    SEAL_CHANGED = "seal-changed"
    """The seal of an entry that is itself proven."""
    HEAD_FORGED = "head-forged"
    TILE_CHANGED = "tile-changed"
    ANCHOR_CHANGED = "anchor-changed"
    """The copy of the chain's anchors in the database, not the chain."""
    DEPLOYMENT_CHANGED = "deployment-changed"
    """The address book says that the contracts are somewhere else than the log does."""


@dataclass(frozen=True, slots=True)
class Finding:
    """Something that is wrong."""

    what: What
    position: int | None
    """Where it stands, or has to stand, in the log; of a head or an anchor, the last entry that it covers."""
    entry_id: str | None
    ti_id: str | None
    sentence: str
    proven: bool = True
    """Whether a hash, a seal, a signature or the chain proves that it is this very one, and that this happened."""

    def to_json(self) -> dict[str, Json]:
        """Return it for machines."""
        return {
            "what": str(self.what),
            "position": self.position,
            "entry": self.entry_id,
            "ti": self.ti_id,
            "sentence": self.sentence,
            "proven": self.proven,
        }


@dataclass(frozen=True, slots=True)
class Proven:
    """The largest anchor whose root the entries give."""

    size: int
    block_number: int

    @property
    def sentence(self) -> str:
        """Say it in words."""
        return f"{entries(0, self.size)} proven by the anchor in block {self.block_number}"


@dataclass(frozen=True, slots=True)
class Report:
    """What was verified, and what was found."""

    entries: int
    sealed_from: int
    """From which position on entries have seals."""
    anchors_checked: int
    heads_checked: int
    proven_up_to: Proven | None
    """``None`` where no anchor proves anything: there is none, or the chain was not asked."""
    unanchored: int
    """Entries that are newer than that."""
    acknowledgements_checked: int
    """Those whose evidence was held against the chain, when it was asked; else against the log alone."""
    effects_checked: int
    findings: tuple[Finding, ...]
    """As `ordered`; the first one is the headline."""
    remarks: tuple[str, ...]
    """What a reader should know and is no sign of forgery."""
    offline: bool
    contract: str | None
    """The AuditAnchor that was asked, as the database names it."""
    seconds: float
    """How long the recomputation of the log took, the chain aside."""

    @property
    def is_proven(self) -> bool:
        """Whether nothing is wrong."""
        return not self.findings

    @property
    def rate(self) -> float:
        """Entries a second that were recomputed."""
        return self.entries / self.seconds if self.seconds > 0 else 0.0

    def to_json(self) -> dict[str, Json]:
        """Return it for machines."""
        proven = self.proven_up_to
        return {
            "verified": self.is_proven,
            "entries": self.entries,
            "sealedFrom": self.sealed_from,
            "anchorsChecked": self.anchors_checked,
            "headsChecked": self.heads_checked,
            "provenUpTo": None if proven is None else {"size": proven.size, "block": proven.block_number},
            "unanchored": self.unanchored,
            "acknowledgementsChecked": self.acknowledgements_checked,
            "effectsChecked": self.effects_checked,
            "findings": [finding.to_json() for finding in self.findings],
            "remarks": list(self.remarks),
            "offline": self.offline,
            "contract": self.contract,
            "seconds": round(self.seconds, 3),
            "rate": round(self.rate),
        }


_VOUCHERS = (What.SEAL_CHANGED, What.HEAD_FORGED, What.TILE_CHANGED, What.ANCHOR_CHANGED, What.DEPLOYMENT_CHANGED)


def ordered(findings: Sequence[Finding]) -> tuple[Finding, ...]:
    """Return findings by position: first those about entries, then those about what vouches for them."""
    rank = {what: number for number, what in enumerate(What)}

    def order(finding: Finding) -> tuple[bool, bool, int, bool, int]:
        place = (finding.position is None, finding.position or 0)
        return (finding.what in _VOUCHERS, *place, not finding.proven, rank[finding.what])

    return tuple(sorted(findings, key=order))


def entries(first: int, last: int) -> str:
    """Name the entries of a half-open range, with the verb that fits: ``entries 0 to 119 are``."""
    if last - first <= 0:
        return "no entry is"
    return f"entry {first} is" if last - first == 1 else f"entries {first} to {last - 1} are"
