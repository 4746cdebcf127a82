"""One verification from beginning to end."""

from __future__ import annotations

import time
from collections.abc import Callable, Collection
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import Any, Protocol

from handshaker.audit.errors import NotText, Unreadable
from handshaker.audit.verification import judgement, vouching
from handshaker.audit.verification.agreement import Opened
from handshaker.audit.verification.alignment import Alignment
from handshaker.audit.verification.chainward import about_effects, about_evidence, is_forked
from handshaker.audit.verification.ends import about_end
from handshaker.audit.verification.evidence import Compared, Comparison
from handshaker.audit.verification.judgement import MOST, Traces
from handshaker.audit.verification.places import Misplaced
from handshaker.audit.verification.report import Finding, Report, What, ordered
from handshaker.audit.verification.scan import Odd, Scan, Scanned
from handshaker.audit.verification.sources import Counts, HeadRow, Keeper, Progress, Silence, Snapshot, Witness
from handshaker.audit.verification.standing import Signer, Standing, check_heads, standing
from handshaker.errors import NotDeployed
from handshaker.messages import Anchor, Deployment, Effect, Head

_PAUSE = 0.25
_STILL = 4
"""So many pauses without any writing mean that nobody is about to write the acknowledgement that is missed."""
_LONGEST = 60
"""Pauses at most, however busy a worker is."""


class Reader(Protocol):
    """The audit database, to be read only."""

    def lenient(self) -> Reader:
        """Return a slower one that reads texts that are none, too."""
        ...

    def snapshot(self) -> AbstractContextManager[Snapshot]:
        """Give the tables at one moment."""
        ...

    def state(self) -> tuple[Any, ...]:
        """Return something that differs whenever a worker has written in between."""
        ...

    def is_answered(self, statement_hash: bytes) -> bool:
        """Whether a statement has an acknowledgement by now."""
        ...


@dataclass(frozen=True, slots=True)
class House:
    """What is known of the house without its audit database."""

    keeper: Keeper
    sealed_from: int | None
    """``None``: nothing was ever sealed."""
    operators: Collection[str]
    """Addresses whose keys the vault has."""
    opened: Opened


class Verifier:
    """Recomputes everything from the database, and holds it against seals and chain."""

    def __init__(
        self,
        reader: Reader,
        house: House,
        signers: Callable[[Deployment], Signer],
        chain: Callable[[Deployment | None], Witness] | None,
    ) -> None:
        self._reader = reader
        self._house = house
        self._signers = signers
        self._chain = chain

    def verify(self, progress: Progress | None = None) -> Report:
        """Verify the log as it is now. Writes nothing.

        Raises ``ChainUnreachable``, ``ChainMismatch``, ``NotDeployed`` (unless made without a chain),
        ``StoreUnavailable``.
        """
        progress = progress or Silence()
        # The chain first: whatever it has anchored by now is in the tables by then.
        before = -1
        if self._chain is not None:
            asked = self._chain(None)
            before = asked.final_number(asked.head())
        try:
            return self._verify(self._reader, progress, before)
        except NotText:
            return self._verify(self._reader.lenient(), progress, before)
        except (TypeError, ValueError, LookupError, AttributeError) as error:
            raise Unreadable("The audit database holds values of a form that nothing here ever writes.") from error

    def _verify(self, reader: Reader, progress: Progress, before: int) -> Report:
        with reader.snapshot() as snapshot:
            missing = snapshot.missing_tables()
            if missing:
                return _without_tables(missing, offline=self._chain is None)
            return _Verification(reader, self._house, snapshot, progress).run(self._signers, self._chain, before)


class _Verification:
    """The steps, each with what the ones before have found."""

    def __init__(self, reader: Reader, house: House, snapshot: Snapshot, progress: Progress) -> None:
        self._reader = reader
        self._house = house
        self._snapshot = snapshot
        self._progress = progress
        self._counts: Counts = snapshot.counts()
        sealed_from = house.sealed_from
        self._sealed_from = self._counts.positions if sealed_from is None else sealed_from
        self._remarks: list[str] = []
        self._seconds = 0.0

    def run(
        self,
        signers: Callable[[Deployment], Signer],
        asked: Callable[[Deployment | None], Witness] | None,
        before: int,
    ) -> Report:
        snapshot = self._snapshot
        deployments = snapshot.deployments()
        chain: Witness | None = None
        compared = Compared()
        if asked is not None:
            chain, compared = self._ask(asked, deployments, before)
        anchors = compared.anchors if chain else snapshot.anchors()
        rows = snapshot.heads()
        scanned = self._scan(rows, anchors)
        heads, findings = self._heads(rows, deployments, signers, anchors, chain)
        covered = max([0, *(head.size for head in heads), *(anchor.head.size for anchor in anchors)])
        traces = self._traces(scanned)
        misplaced, extent = self._align(scanned, covered, traces)
        stands = standing(scanned, extent, anchors, heads)
        findings += self._judge(scanned, misplaced, stands, traces, extent, heads, compared, chain)
        findings += self._vouchers(scanned, deployments, anchors, findings, before, chain)
        self._remark(stands, {row.size for row in rows}, anchors, extent)
        proven = stands.proven if chain else None
        contract = deployments[-1].addresses.get("AuditAnchor") if deployments else None
        return Report(
            entries=scanned.rows,
            sealed_from=self._sealed_from,
            anchors_checked=len(anchors),
            heads_checked=len(rows),
            proven_up_to=proven,
            unanchored=max(0, scanned.rows - (proven.size if proven else 0)),
            acknowledgements_checked=compared.acknowledgements if chain else scanned.acknowledgements,
            effects_checked=compared.effects,
            findings=ordered(findings),
            remarks=tuple(self._remarks),
            offline=chain is None,
            contract=contract,
            seconds=self._seconds,
        )

    # ---- looking -----------------------------------------------------------------------------------------------------

    def _ask(
        self, asked: Callable[[Deployment | None], Witness], deployments: list[Deployment], before: int
    ) -> tuple[Witness, Compared]:
        if not deployments:
            raise NotDeployed("The contracts are not on a chain yet, so nothing can be held against it.")
        chain = asked(deployments[-1])
        chain.check_deployment()
        last = max(before, chain.final_number(chain.head()))
        comparison = Comparison(self._snapshot, chain, self._progress)
        return chain, comparison.walk(deployments[-1].block_number, before, last)

    def _scan(self, rows: list[HeadRow], anchors: list[Anchor]) -> Scanned:
        sizes = [row.size for row in rows if isinstance(row.size, int)] + [anchor.head.size for anchor in anchors]
        scan = Scan(self._house.keeper.seal_entry, self._sealed_from, sizes, self._house.opened)
        self._progress.begin("log", self._counts.positions)
        started = time.perf_counter()
        for page in self._snapshot.entries():
            scan.page(page)
            self._progress.advance(len(page))
        scanned = scan.finish()
        self._seconds = time.perf_counter() - started
        return scanned

    def _heads(
        self,
        rows: list[HeadRow],
        deployments: list[Deployment],
        signers: Callable[[Deployment], Signer],
        anchors: list[Anchor],
        chain: Witness | None,
    ) -> tuple[list[Head], list[Finding]]:
        if not deployments:
            return [], []

        def is_ours(address: str) -> bool:
            if address in self._house.operators:
                return True
            return chain is not None and bool(chain.view("Directory", "isOperator", address)[0])

        anchored = {anchor.head.size: anchor.head.root for anchor in anchors}
        return check_heads(rows, signers(deployments[-1]), is_ours, anchored if chain else {})

    def _align(self, scanned: Scanned, covered: int, traces: Traces) -> tuple[list[Misplaced], int]:
        """Return what the seals say of places that look odd, and how long the log is."""
        if not scanned.all(Odd.GAP, Odd.MISSING, Odd.SEAL, Odd.HASH):
            return [], scanned.extent
        odd = scanned.all(Odd.ROW, Odd.ROW_MISSING, Odd.ROW_TOO_MANY, Odd.MESSAGE, Odd.MESSAGE_MISSING)
        alignment = Alignment(
            self._snapshot.placements(),
            self._house.keeper.seal_entry,
            self._sealed_from,
            covered,
            {oddity.position for oddity in odd},
            is_short=bool(traces.all),
        )
        return alignment.misplaced(), alignment.extent

    def _traces(self, scanned: Scanned) -> Traces:
        """Look for rows about entries that are not there; where the numbers agree there can be none."""
        snapshot, counts = self._snapshot, self._counts
        return Traces(
            entries=snapshot.unlisted_entries() if counts.entries != scanned.entries else (),
            acknowledgements=(
                snapshot.unlisted_acknowledgements() if counts.acknowledgements != scanned.acknowledgements else ()
            ),
            messages=snapshot.unlisted_messages() if counts.outbox != scanned.messages else (),
            told=snapshot.told_of(),
            forgotten=snapshot.forgotten(),
        )

    # ---- judging -----------------------------------------------------------------------------------------------------

    def _judge(
        self,
        scanned: Scanned,
        misplaced: list[Misplaced],
        stands: Standing,
        traces: Traces,
        extent: int,
        heads: list[Head],
        compared: Compared,
        chain: Witness | None,
    ) -> list[Finding]:
        findings, more = judgement.about_entries(misplaced, scanned, stands, traces)
        if more:
            self._remarks.append(f"{more} more rows that rest on entries say otherwise than these.")
        end = about_end(stands, scanned, extent, self._snapshot, heads, traces)
        findings += [end] if end else []
        is_missed = any(found.what in (What.REMOVED, What.CUT_OFF, What.ROLLED_BACK) for found in findings)
        is_missed = is_missed or stands.doubtful is not None
        unacknowledged = self._unacknowledged(compared) if chain and not is_missed else []
        if not is_missed:
            without = {ti for effect in unacknowledged if (ti := self._ti_of(effect))}
            findings += judgement.about_traces(traces, extent, without)
            if not any(found.what is What.CUT_OFF for found in findings):
                findings += about_effects(unacknowledged, self._snapshot, extent)
        elif compared.unacknowledged:
            self._remarks.append(
                f"The chain knows {len(compared.unacknowledged)} effects that have no acknowledgement."
            )
        if chain is not None:
            about, remarks = about_evidence(compared, scanned, self._snapshot, chain)
            told = {found.position for found in findings}
            loose = {trace.entry_id for trace in traces.acknowledgements}
            findings += [each for each in about if each.position not in told and each.entry_id not in loose]
            self._remarks += remarks
        return findings

    def _vouchers(
        self,
        scanned: Scanned,
        deployments: list[Deployment],
        anchors: list[Anchor],
        findings: list[Finding],
        before: int,
        chain: Witness | None,
    ) -> list[Finding]:
        """Look at what vouches for entries, where these are sound themselves."""
        leaves = (What.CHANGED, What.REMOVED, What.INSERTED, What.REORDERED, What.CUT_OFF, What.ROLLED_BACK)
        positions = [found.position for found in findings if found.what in leaves and found.position is not None]
        found = vouching.check_tiles(self._snapshot.tiles(), scanned.tiles, min(positions, default=None), MOST)
        others = [vouching.check_deployment(deployments, scanned)]
        tip = self._snapshot.tip()
        if chain is not None and tip is not None and not is_forked(self._snapshot, chain):
            up_to = min(before, tip.number)
            others.append(vouching.check_copies(self._snapshot.anchors(), anchors, up_to))
        return found + [each for each in others if each is not None]

    def _unacknowledged(self, compared: Compared) -> list[Effect]:
        """Return the effects that stay without an acknowledgement while nobody is about to write it."""
        latest = self._snapshot.last_answered_block()
        settled = [effect for effect in compared.unacknowledged if effect.block_number < latest]
        waiting = [effect for effect in compared.unacknowledged if effect.block_number >= latest]
        state, still = self._reader.state(), 0
        for _ in range(_LONGEST):
            waiting = [effect for effect in waiting if not self._reader.is_answered(effect.statement_hash)]
            if not waiting or still >= _STILL:
                break
            time.sleep(_PAUSE)
            now = self._reader.state()
            still, state = (still + 1, state) if now == state else (0, now)
        return settled + waiting

    def _ti_of(self, effect: Effect) -> str | None:
        return self._snapshot.ti_of(effect.statement_hash)

    def _remark(self, stands: Standing, signed: set[Any], anchors: list[Anchor], extent: int) -> None:
        for restore in stands.restores:
            self._remarks.append(
                f"Entry {restore.position} says openly that {restore.actor} went on from a backup of {restore.kept} "
                f"entries: positions {restore.kept} to {restore.size - 1} are lost, as the chain has anchored."
            )
        if stands.lost:
            self._remarks.append(f"{stands.lost} anchors belong to the branch that was lost, and prove nothing here.")
        declared = max((restore.size for restore in stands.restores), default=0)
        sizes = [anchor.head.size for anchor in anchors if declared < anchor.head.size <= extent]
        missing = [size for size in sizes if size not in signed]
        if missing:
            self._remarks.append(
                f"The signed heads of {len(missing)} anchors are not in audit_heads, such as of size {missing[0]}. "
                "They were taken away, or the database is from a backup that is older than they."
            )
        unguarded = self._snapshot.unguarded()
        if unguarded:
            self._remarks.append(f"The triggers that keep rows from being changed are gone: {', '.join(unguarded)}.")


def _without_tables(missing: list[str], *, offline: bool) -> Report:
    names = ", ".join(missing)
    finding = Finding(What.REMOVED, 0, None, None, f"Whole tables were taken out of the database: {names}.")
    return Report(0, 0, 0, 0, None, 0, 0, 0, (finding,), (), offline, None, 0.0)
