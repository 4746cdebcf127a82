"""Proposals of templates: laid down once, decided once."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

import sqlalchemy as sa

from handshaker.messages import Act
from handshaker.store import schema as s
from handshaker.store.database import Database, lock
from handshaker.store.sequencer import Sequencer
from handshaker.vocabulary import ActCode

_LOCK = 7349004


@dataclass(frozen=True, slots=True)
class ProposalRow:
    """A proposal as it rests."""

    proposal_id: str
    name: str
    version: int
    digest: str
    document: str
    """Canonical JSON."""
    proposed_by: str
    proposed_at: datetime
    decided_by: str | None = None
    decided_at: datetime | None = None
    decision: str | None = None


_TABLE = s.template_proposals
_OPEN = _TABLE.c.decision.is_(None)
_DECISIONS = {
    "approved": ActCode.TEMPLATE_APPROVED,
    "rejected": ActCode.TEMPLATE_REJECTED,
    "withdrawn": ActCode.TEMPLATE_WITHDRAWN,
}


class ProposalStore:
    """Proposals, open and decided. Each act becomes an entry of the audit log in its own SQL transaction."""

    def __init__(self, database: Database, sequencer: Sequencer) -> None:
        self._database = database
        self._sequencer = sequencer

    def add(self, proposal: ProposalRow) -> str | None:
        """Insert a proposal; return the id of an open one of that version instead, where there is one."""
        waits = sa.select(_TABLE.c.proposal_id).where(
            _TABLE.c.name == proposal.name, _TABLE.c.version == proposal.version, _OPEN
        )
        with self._database.write() as connection:
            self._sequencer.take_turn(connection)
            lock(connection, _LOCK)
            known: str | None = connection.execute(waits).scalar()
            if known is None:
                values = {name: getattr(proposal, name) for name in ProposalRow.__slots__}
                connection.execute(sa.insert(_TABLE).values(values))
                act = _act(ActCode.TEMPLATE_PROPOSED, proposal.proposed_by, proposal)
                self._sequencer.append_act(connection, act, proposal.proposed_at)
            return known

    def proposal(self, proposal_id: str) -> ProposalRow | None:
        """Return a proposal."""
        found = self._rows(sa.select(_TABLE).where(_TABLE.c.proposal_id == proposal_id))
        return found[0] if found else None

    def waiting(self) -> list[ProposalRow]:
        """Return the open proposals, oldest first."""
        return self._rows(sa.select(_TABLE).where(_OPEN).order_by(_TABLE.c.proposed_at, _TABLE.c.proposal_id))

    def decided(self, limit: int) -> list[ProposalRow]:
        """Return the decided proposals, the latest decision first."""
        return self._rows(sa.select(_TABLE).where(~_OPEN).order_by(_TABLE.c.decided_at.desc()).limit(limit))

    def decide(self, proposal: ProposalRow, decision: str, by: str, at: datetime) -> bool:
        """Write ``rejected`` or ``withdrawn``; ``False``, and nothing written, where it is decided already."""
        with self._database.write() as connection:
            self._sequencer.take_turn(connection)
            return self._decide(connection, proposal, decision, by, at)

    def approve(self, proposal: ProposalRow, by: str, at: datetime) -> bool:
        """Write the approval and add the template, both or neither; ``False`` where it is decided already.

        Raises ``KeyError`` with ``name@version``, and writes nothing, where that template exists by now.
        """
        taken = sa.select(s.templates.c.digest).where(
            s.templates.c.name == proposal.name, s.templates.c.version == proposal.version
        )
        with self._database.write() as connection:
            self._sequencer.take_turn(connection)
            lock(connection, _LOCK)
            if connection.execute(taken).first() is not None:
                raise KeyError(f"{proposal.name}@{proposal.version}")
            if not self._decide(connection, proposal, "approved", by, at):
                return False
            values = {name: getattr(proposal, name) for name in ("name", "version", "digest", "document")}
            connection.execute(sa.insert(s.templates).values(values | {"added_by": by, "added_at": at}))
            return True

    def _decide(self, connection: sa.Connection, proposal: ProposalRow, decision: str, by: str, at: datetime) -> bool:
        change = sa.update(_TABLE).where(_TABLE.c.proposal_id == proposal.proposal_id, _OPEN)
        written = connection.execute(change.values(decision=decision, decided_by=by, decided_at=at))
        if written.rowcount == 1:
            self._sequencer.append_act(connection, _act(_DECISIONS[decision], by, proposal), at)
        return written.rowcount == 1

    def _rows(self, query: sa.Select[Any]) -> list[ProposalRow]:
        with self._database.read() as connection:
            return [ProposalRow(**row) for row in connection.execute(query).mappings()]


def _act(code: ActCode, by: str, proposal: ProposalRow) -> Act:
    subject = f"{proposal.name}@{proposal.version}"
    return Act(code, by, subject, {"proposal": proposal.proposal_id, "digest": proposal.digest})
