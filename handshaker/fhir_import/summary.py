"""What an import did, in counts: every entry of every file that could be read is in exactly one of them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any

from handshaker.errors import InputInvalid
from handshaker.messages import Acknowledgement, Json, VerdictKind


@dataclass(frozen=True, slots=True)
class ImportSummary:
    """``entries`` = patients of all four kinds + ``valid`` + ``invalid`` + ``already_there`` + ``skipped``."""

    files: int
    """Files that were found, the failed ones included."""
    failed_files: tuple[str, ...]
    """``name: problem. mend`` of each file that could not be read."""
    files_without_patient: int
    """Sound bundles of nobody, such as Synthea's lists of hospitals; their entries are among the skipped."""
    patients_new: int
    patients_known: int
    """Entries whose patient was here before, be it from an earlier file of this run."""
    patients_refused: Mapping[str, int]
    """By code: the registration is invalid, so nothing of them was submitted."""
    consents: int
    """Consents that were signed under the demo profile and are on the chain."""
    waiting_for_consent: int
    """Bundles whose records were kept back: their patient has not allowed the author's organisation to write them."""
    entries: int
    observations: int
    """Observations among the entries."""
    accepted: int
    """Records that intake put into the queue in this run."""
    already_there: int
    """Records that an earlier run, or an earlier entry, submitted."""
    valid: int
    """Records of this run that are on the chain."""
    invalid: Mapping[str, int]
    """Records of this run that were acknowledged as invalid, by code; gates of intake and the network alike."""
    skipped: Mapping[str, int]
    """Entries that were not submitted, by reason."""
    transactions: int
    """TIs of this run that were acknowledged: registrations, consents and records."""
    seconds: float

    @property
    def rate(self) -> float:
        """TIs acknowledged a second."""
        return self.transactions / self.seconds if self.seconds > 0 else 0.0

    @property
    def accounted(self) -> int:
        """How many entries the counts explain: equal to ``entries``, or the import has a fault."""
        patients = self.patients_new + self.patients_known + sum(self.patients_refused.values())
        records = self.valid + sum(self.invalid.values()) + self.already_there
        return patients + records + sum(self.skipped.values())

    def to_json(self) -> dict[str, Json]:
        """Return the counts as JSON: numbers, maps of counts with the largest first, and a list of failed files."""
        counts: dict[str, Json] = asdict(self)
        for name, value in counts.items():
            if isinstance(value, dict):
                counts[name] = dict(sorted(value.items(), key=lambda item: (-item[1], item[0])))
        return counts | {
            "failed_files": list(self.failed_files),
            "seconds": round(self.seconds, 3),
            "rate": round(self.rate, 1),
        }


@dataclass(slots=True)
class Tally:
    """The counts while they grow."""

    files: int = 0
    failed_files: list[str] = field(default_factory=list)
    files_without_patient: int = 0
    patients_new: int = 0
    patients_known: int = 0
    patients_refused: Counter[str] = field(default_factory=Counter)
    consents: int = 0
    waiting_for_consent: int = 0
    entries: int = 0
    observations: int = 0
    accepted: int = 0
    already_there: int = 0
    valid: int = 0
    invalid: Counter[str] = field(default_factory=Counter)
    skipped: Counter[str] = field(default_factory=Counter)
    transactions: int = 0

    def fail(self, name: str, error: InputInvalid) -> None:
        """Count a file that cannot be read; ``name`` is what may be shown of its name."""
        self.failed_files.append(f"{name}: {error.data['problem']}. {error.data['mend']}")

    def record(self, acknowledgement: Acknowledgement) -> None:
        """Count the ACK of a record."""
        if acknowledgement.kind is VerdictKind.VALID:
            self.valid += 1
        else:
            self.invalid[acknowledgement.code] += 1

    def summary(self, seconds: float) -> ImportSummary:
        """Return what was counted."""
        counts = {name: getattr(self, name) for name in self.__slots__}
        frozen: dict[str, Any] = {
            name: dict(value) if isinstance(value, Counter) else value for name, value in counts.items()
        }
        return ImportSummary(**frozen | {"failed_files": tuple(self.failed_files), "seconds": seconds})
