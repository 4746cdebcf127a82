"""The audit log for those who look after it: how large, how well anchored, and what was written last."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from handshaker.audit.errors import LogHeld
from handshaker.audit.proofs import told
from handshaker.errors import ChainError
from handshaker.ports import Clock
from handshaker.proofs import AnchoredHead, Proofs
from handshaker.store.sql_store import SqlStore
from handshaker.vocabulary import AccessReason, ActCode

__all__ = ["AnchoredHead", "AuditLog", "LogLine", "LogSummary"]

KINDS = ("acknowledgement", "contradiction", "access", "act", "erasure", "lost", "restore")
LARGEST_PAGE = 500


@dataclass(frozen=True, slots=True)
class LogSummary:
    """The state of the log."""

    size: int
    counts: Mapping[str, int]
    """Entries by kind; all kinds, the most important first."""
    newest: tuple[AnchoredHead, ...]
    """The last heads that were signed, the largest first."""
    anchored: AnchoredHead | None
    """The largest of them that is in a final block."""
    waiting_since: datetime | None
    """When the oldest entry was written that no final anchor covers."""
    is_late: bool
    """Whether that is longer ago than anchoring should take."""
    held: LogHeld | None
    """Why nothing may be appended, where that is so."""

    @property
    def unanchored(self) -> int:
        """How many entries are newer than the last final anchor."""
        return self.size - (self.anchored.signed.head.size if self.anchored else 0)


@dataclass(frozen=True, slots=True)
class LogLine:
    """An entry of the log as a list shows it."""

    position: int
    kind: str
    at: datetime
    said: Mapping[str, Any]
    """What the leaf says; empty where it is not the JSON of an entry."""
    actor_name: str
    """Of staff; else empty."""

    @property
    def patients(self) -> int:
        """About how many patients an access was that was about several at once; else 0."""
        found = self.said.get("patients")
        return len(found) if isinstance(found, list) else 0

    @property
    def sentence(self) -> str:
        """What an act or an access was, in plain words; the code where it is a new one; empty for other kinds."""
        if self.kind == "act":
            code = str(self.said.get("act", ""))
            return ActCode(code).sentence if code in set(ActCode) else code
        if self.kind == "access":
            code = str(self.said.get("reason", ""))
            return AccessReason(code).sentence if code in set(AccessReason) else code
        return ""


class AuditLog:
    """Reads; changes nothing."""

    def __init__(self, store: SqlStore, proofs: Proofs, clock: Clock, late_after: Callable[[], timedelta]) -> None:
        self._store = store
        self._proofs = proofs
        self._clock = clock
        self._late_after = late_after

    def summary(self, heads: int = 20) -> LogSummary:
        """Return the state of the log, with the last ``heads`` heads."""
        log = self._store.log
        counts, newest = log.counts(), tuple(self._proofs.newest_heads(heads))
        anchored = next((head for head in newest if head.anchor is not None), None)
        since = log.written_at(anchored.signed.head.size if anchored else 0)
        return LogSummary(
            size=log.size(),
            counts={kind: counts.get(kind, 0) for kind in (*KINDS, *sorted(counts.keys() - set(KINDS)))},
            newest=newest,
            anchored=anchored,
            waiting_since=since,
            is_late=since is not None and self._is_late(since),
            held=self.held(),
        )

    def held(self) -> LogHeld | None:
        """Return why nothing may be appended to the log; ``None`` where all is well."""
        held = self._store.log.held()
        if held is None:
            return None
        reason, size, anchored = held
        return LogHeld(
            f"The audit log is held: it has {size} entries, and the chain anchors {anchored.size}.",
            reason=reason,
            size=size,
            anchored_size=anchored.size,
            anchored_root="0x" + anchored.root.hex(),
        )

    def lines(self, limit: int = 40, before: int | None = None, kind: str = "") -> list[LogLine]:
        """Return entries, the newest first: those before a position, of all kinds or of one."""
        found = self._store.log_reading.newest_entries(min(limit, LARGEST_PAGE), before, kind or None)
        said = [told(entry.leaf) for entry in found]
        actors = {each["actor"] for each in said if isinstance(each.get("actor"), str)}
        names = {actor_id: self._name(actor_id) for actor_id in actors}
        return [
            LogLine(entry.position, entry.kind, entry.written_at, each, names.get(str(each.get("actor")), ""))
            for entry, each in zip(found, said, strict=True)
        ]

    def _is_late(self, since: datetime) -> bool:
        try:
            return self._clock.now() - since > self._late_after()
        except ChainError:
            # How long anchoring takes depends on the kind of node, and none has said yet which it is.
            return False

    def _name(self, actor_id: str) -> str:
        actor = self._store.people.actor(actor_id)
        return actor.name if actor else ""
