"""What a campaign says in the end."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from statistics import quantiles
from typing import Any

from tests.campaign.checks import DOUBLED, LOST, Fault
from tests.campaign.evidence import Evidence


@dataclass
class Report:
    """One campaign on one database and one chain."""

    name: str
    accepted: int = 0
    valid: int = 0
    invalid: int = 0
    lost: int = 0
    doubled: int = 0
    seconds: list[float] = field(default_factory=list, repr=False)
    lives: int = 0
    killed_at: dict[str, int] = field(default_factory=dict)
    """Crash point → how often a process died there."""
    killed_anywhere: int = 0
    nodes_killed: int = 0
    unreached: list[str] = field(default_factory=list)
    faults: list[str] = field(default_factory=list)

    @property
    def is_good(self) -> bool:
        return not (self.unreached or self.faults or self.lost or self.doubled)

    @property
    def line(self) -> str:
        """The one line."""
        p50, p99 = percentiles(self.seconds)
        return (
            f"{self.name}: accepted {self.accepted}, valid {self.valid}, invalid {self.invalid}, lost {self.lost}, "
            f"doubled {self.doubled}, TI → ACK p50 {p50:.2f} s, p99 {p99:.2f} s"
        )

    def to_json(self) -> dict[str, Any]:
        p50, p99 = percentiles(self.seconds)
        return {
            "name": self.name,
            "accepted": self.accepted,
            "valid": self.valid,
            "invalid": self.invalid,
            "lost": self.lost,
            "doubled": self.doubled,
            "p50": p50,
            "p99": p99,
            "lives": self.lives,
            "killedAt": self.killed_at,
            "killedAnywhere": self.killed_anywhere,
            "nodesKilled": self.nodes_killed,
            "unreached": self.unreached,
            "faults": self.faults,
        }


def report_of(name: str, evidence: Evidence, faults: list[Fault]) -> Report:
    """Count. Accepted is what a client was told of or a patient did past us, refused at a gate or not."""
    mine = {ti for ti in evidence.transactions if ti not in evidence.known}
    verdicts = Counter(verdict for ti, verdict, _ in evidence.acknowledgements if ti in mine)
    kinds = Counter(fault.kind for fault in faults)
    told = {told_of for _, _, answers in evidence.promised for told_of in answers}
    alone = {ti for ti in mine if evidence.transactions[ti] == "chain"}
    return Report(
        name,
        accepted=len(told | alone),
        valid=verdicts["valid"],
        invalid=verdicts["invalid"],
        lost=kinds[LOST],
        doubled=kinds[DOUBLED],
        seconds=evidence.seconds,
        faults=[f"{fault.kind}: {fault.sentence}" for fault in faults],
    )


def total(reports: list[Report]) -> Report:
    """Return all of them as one."""
    return Report(
        "all",
        accepted=sum(each.accepted for each in reports),
        valid=sum(each.valid for each in reports),
        invalid=sum(each.invalid for each in reports),
        lost=sum(each.lost for each in reports),
        doubled=sum(each.doubled for each in reports),
        seconds=[second for each in reports for second in each.seconds],
    )


def percentiles(seconds: list[float]) -> tuple[float, float]:
    """Return the 50th and the 99th percentile; of nothing, 0."""
    if len(seconds) < 2:
        return (seconds[0], seconds[0]) if seconds else (0.0, 0.0)
    cuts = quantiles(seconds, n=100, method="inclusive")
    return cuts[49], cuts[98]
