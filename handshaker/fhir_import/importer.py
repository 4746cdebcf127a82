"""The importer: reads bundles and keeps a few of them under way at once, so that none waits for another.

Everything goes through registrar and intake. What is submitted carries a key that is the same in every run, so a run
that was stopped anywhere is simply started again.
"""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Sequence
from pathlib import Path

from handshaker.bootstrap import Handshaker
from handshaker.errors import EnvelopeInvalid, InputInvalid, RoleNotAllowed
from handshaker.fhir_import.bundles import Bundle, BundleFile, PatientMissing, invalid, read_bundles, resource_type
from handshaker.fhir_import.consents import Consents
from handshaker.fhir_import.inbox import Inbox
from handshaker.fhir_import.progress import Progress, Silence
from handshaker.fhir_import.sorting import Record, Skipped, sort_entries
from handshaker.fhir_import.summary import ImportSummary
from handshaker.fhir_import.way import Journey, Way, way
from handshaker.messages import Acknowledgement, Template
from handshaker.token_files import TokenFiles
from handshaker.tokens import Credential
from handshaker.vocabulary import ActorKind

WINDOW = 8
"""Bundles under way at once: enough that the worker always has something, few enough to hold in memory."""
_LOCAL_PATIENCE = 120.0
_PUBLIC_PATIENCE = 1_800.0


class Importer:
    """Imports bundles as an administrator, who registers the patients, and an author, who signs the records.

    A worker must be at work meanwhile (``worker_lock.working``). ``patience``: seconds that nothing may move; left
    out, two minutes on a chain whose newest block is final, half an hour elsewhere.
    """

    def __init__(
        self,
        handshaker: Handshaker,
        administrator: Credential,
        author: Credential,
        progress: Progress | None = None,
        *,
        patience: float | None = None,
    ) -> None:
        self._handshaker = handshaker
        self._administrator = administrator
        self._author = author
        self._progress: Progress = progress or Silence()
        self._patience = patience
        self._templates: dict[str, Template | None] = {}

    def run(self, path: Path) -> ImportSummary:
        """Import the file ``path``, or every ``*.json`` in the folder ``path``; return when all is acknowledged.

        Raises ``InputInvalid`` (in a folder, a bad file is only told in the summary), ``RoleNotAllowed``,
        ``ImportStalled``, and what intake raises when nothing can be written. A run that raised may be repeated.
        """
        started = time.monotonic()
        self._require_roles()
        journey = self._journey()
        files = read_bundles(path)
        journey.tally.files = len(files)
        ways = _Ways(journey)
        for file in self._survey(journey, files, alone=not path.is_dir()):
            while len(ways) >= WINDOW:
                ways.advance()
            one = self._admit(journey, file)
            if one is not None:
                ways.add(one)
        while ways or journey.inbox:
            ways.advance()
        return journey.tally.summary(time.monotonic() - started)

    def _require_roles(self) -> None:
        if self._administrator.actor.kind is not ActorKind.ADMINISTRATOR:
            raise RoleNotAllowed("Only an administrator registers patients.", role=self._administrator.actor.role)
        if self._author.actor.kind is not ActorKind.PRACTITIONER:
            raise RoleNotAllowed("Only a practitioner signs records.", role=self._author.actor.role)

    def _journey(self) -> Journey:
        patience = self._patience
        if patience is None:
            profile = self._handshaker.chain.profile
            at_once = not profile.finality_depth and not profile.finality_tag
            patience = _LOCAL_PATIENCE if at_once else _PUBLIC_PATIENCE
        return Journey(
            self._handshaker,
            self._author,
            Consents(self._handshaker, self._author),
            Inbox(self._handshaker.store, patience),
            TokenFiles(self._handshaker.settings.instance / "tokens" / "imported"),
            self._progress,
        )

    def _survey(self, journey: Journey, files: Sequence[BundleFile], *, alone: bool) -> list[BundleFile]:
        """Read everything once, to know how much there is before the first patient is registered."""
        usable, steps = [], 0
        for file in files:
            bundle = self._read(journey, file, alone=alone)
            if bundle is not None:
                usable.append(file)
                steps += 1 + sum(isinstance(each, Record) for each in sort_entries(bundle, self._covering))
        self._progress.total(steps)
        return usable

    def _read(self, journey: Journey, file: BundleFile, *, alone: bool = False) -> Bundle | None:
        try:
            return file.read()
        except PatientMissing as error:
            if alone:
                raise
            kinds: dict[str, int] = error.data["kinds"]
            journey.tally.files_without_patient += 1
            journey.tally.entries += sum(kinds.values())
            journey.tally.observations += kinds.get("Observation", 0)
            for kind, count in kinds.items():
                journey.tally.skipped[f"{kind} in a file without a patient"] += count
        except InputInvalid as error:
            if alone:
                raise
            journey.tally.fail(file.shown, error)
        return None

    def _covering(self, code: str) -> Template | None:
        """Return the template that imports Observations with a LOINC code; asked once a run and code."""
        if code not in self._templates:
            template = self._handshaker.templates.covering(code, "Observation")
            if template is not None and self._author.actor.role not in template.roles:
                raise RoleNotAllowed(
                    f"{template.title} is not for the role {self._author.actor.role}; "
                    f"it is for {', '.join(template.roles)}.",
                    role=self._author.actor.role,
                    allowed=list(template.roles),
                )
            self._templates[code] = template
        return self._templates[code]

    def _admit(self, journey: Journey, file: BundleFile) -> Way | None:
        """Register a bundle's patient, count what is not for us, and return the way of the rest."""
        bundle = self._read(journey, file)
        if bundle is None:
            return None
        try:
            registered = self._handshaker.registrar.register_patient(
                self._administrator,
                bundle.patient,
                bundle.identifier,
                # Only their own token opens a patient's vault-kept key: under the demo profile it is kept until their
                # consent is on the chain, so that a run which is stopped in between leaves nobody mute. In earnest
                # patients consent by themselves.
                journey.tokens.keep if self._handshaker.settings.demo else _keep_nothing,
            )
        except EnvelopeInvalid as error:
            mend = "Make it a plain FHIR R4 Patient without attachments."
            journey.tally.fail(file.shown, invalid(file.path, f"its Patient cannot be registered ({error.code})", mend))
            return None
        answers = list(sort_entries(bundle, self._covering))
        journey.tally.entries += len(answers)
        journey.tally.observations += sum(
            resource_type(entry.get("resource")) == "Observation" for entry in bundle.entries
        )
        journey.tally.skipped.update(each.reason for each in answers if isinstance(each, Skipped))
        return way(journey, registered, [each for each in answers if isinstance(each, Record)])


class _Ways:
    """The ways that are open, in the order in which they began."""

    def __init__(self, journey: Journey) -> None:
        self._journey = journey
        self._open: deque[tuple[Way, str | None]] = deque()
        self._acknowledged: dict[str, Acknowledgement] = {}

    def __len__(self) -> int:
        return len(self._open)

    def add(self, one: Way) -> None:
        """Begin a way."""
        self._step(one, None)

    def advance(self) -> None:
        """Hear what was acknowledged, take each way that can go one step on, and pause when none could."""
        moved = self._hear()
        for _ in range(len(self._open)):
            one, awaited = self._open.popleft()
            if awaited is not None and awaited not in self._acknowledged:
                self._open.append((one, awaited))
                continue
            self._step(one, None if awaited is None else self._acknowledged[awaited])
            moved = True
        if not moved:
            self._journey.inbox.pause()

    def _step(self, one: Way, acknowledgement: Acknowledgement | None) -> None:
        try:
            awaited = one.send(acknowledgement)
        except StopIteration:
            return
        if awaited is not None:
            self._journey.inbox.expect(awaited, earlier=True)
        self._open.append((one, awaited))

    def _hear(self) -> bool:
        found = self._journey.inbox.collect()
        for acknowledgement in found:
            if acknowledgement.ti_id in self._journey.records:
                self._journey.settle(acknowledgement)
            else:
                self._acknowledged[acknowledgement.ti_id] = acknowledgement
        return bool(found)


def _keep_nothing(patient_id: str, token: str) -> None:
    """Let a first token go."""
