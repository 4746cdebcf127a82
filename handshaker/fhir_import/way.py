"""The way of one bundle: its patient is registered, then allows the author to write or not, then come the records.

A way is a generator. It yields the TI whose ACK it waits for and is sent that ACK, or yields ``None`` to be called
again later; so many bundles are under way at once, and each still reads as a list of steps.
"""

from __future__ import annotations

from collections.abc import Generator, Sequence
from dataclasses import dataclass, field

from handshaker.bootstrap import Handshaker
from handshaker.errors import ChainUnreachable, EnvelopeInvalid, IdempotencyConflict
from handshaker.fhir_import.consents import Consents
from handshaker.fhir_import.inbox import Inbox
from handshaker.fhir_import.progress import Progress
from handshaker.fhir_import.sorting import Record
from handshaker.fhir_import.summary import Tally
from handshaker.messages import Acknowledgement, Json, Origin, VerdictKind
from handshaker.registrar import Registered
from handshaker.token_files import TokenFiles
from handshaker.tokens import Credential

Way = Generator[str | None, Acknowledgement | None, None]

WAITS_FOR_CONSENT = "waits for consent"
CHANGED = "changed since it was imported"


@dataclass(slots=True)
class Journey:
    """What the ways of one run share."""

    handshaker: Handshaker
    author: Credential
    consents: Consents
    inbox: Inbox
    tokens: TokenFiles
    progress: Progress
    tally: Tally = field(default_factory=Tally)
    records: set[str] = field(default_factory=set)
    """TIs of records that were submitted in this run and have no ACK yet."""
    signed: dict[str, str] = field(default_factory=dict)
    """Pseudonym → TI of the consent that this run signed."""

    def settle(self, acknowledgement: Acknowledgement) -> None:
        """Count the ACK of a record of this run."""
        self.records.discard(acknowledgement.ti_id)
        self.tally.record(acknowledgement)
        self.progress.advance(1, "records")

    def skip(self, reason: str, count: int) -> None:
        """Count records that are not submitted."""
        if count:
            self.tally.skipped[reason] += count
            self.progress.advance(count, "records")


def way(journey: Journey, registered: Registered, records: Sequence[Record]) -> Way:
    """Lead one bundle in."""
    refusal = yield from _registration(journey, registered)
    journey.progress.advance(1, "patients")
    if refusal is not None:
        journey.tokens.forget(registered.actor_id)
        journey.tally.patients_refused[refusal] += 1
        journey.skip(f"patient was not registered: {refusal}", len(records))
        return
    if registered.submission.known:
        journey.tally.patients_known += 1
    else:
        journey.tally.patients_new += 1
    if (yield from _consent(journey, registered, records)):
        yield from _records(journey, registered.actor_id, records)
    else:
        journey.tally.waiting_for_consent += bool(records)
        _keep_back(journey, registered.actor_id, records)


def _registration(journey: Journey, registered: Registered) -> Generator[str, Acknowledgement | None, str | None]:
    """Wait until the patient is in a final block; return the code of a refusal."""
    ti_id = registered.submission.ti_id
    acknowledgement = (yield ti_id) if ti_id else None
    journey.tally.transactions += not registered.submission.known
    actor = journey.handshaker.store.people.actor(registered.actor_id)
    if actor is not None and actor.active:
        return None
    return acknowledgement.code if acknowledgement is not None else "inactive"


def _consent(
    journey: Journey, registered: Registered, records: Sequence[Record]
) -> Generator[str | None, Acknowledgement | None, bool]:
    """Return whether the author may write; under the demo profile, after the patient's own key has signed so."""
    patient_id = registered.actor_id
    templates = [record.template for record in records]
    while True:
        try:
            # Somebody who was registered a moment ago has allowed nothing yet: no need to ask.
            if registered.submission.known and templates and journey.consents.permit(patient_id, templates):
                journey.tokens.forget(patient_id)
                return True
            if patient_id in journey.signed:
                acknowledgement = yield journey.signed[patient_id]
                return acknowledgement is not None and acknowledgement.kind is VerdictKind.VALID
            token = journey.tokens.find(patient_id) if journey.handshaker.settings.demo else None
            if token is None:
                journey.consents.request(patient_id, templates)
                return False
            return (yield from _signature(journey, patient_id, token))
        except ChainUnreachable:
            journey.inbox.pause()
            yield None


def _signature(journey: Journey, patient_id: str, token: str) -> Generator[str, Acknowledgement | None, bool]:
    """Sign the demo hospital's consent as the patient; return whether it is on the chain."""
    submission = journey.consents.sign(token)
    journey.signed[patient_id] = submission.ti_id
    acknowledgement = yield submission.ti_id
    valid = acknowledgement is not None and acknowledgement.kind is VerdictKind.VALID
    if valid:
        journey.tokens.forget(patient_id)
    if not submission.known:
        journey.tally.transactions += 1
        journey.tally.consents += valid
    return valid


def _records(journey: Journey, patient_id: str, records: Sequence[Record]) -> Way:
    """Submit every record; the worker carries them while others are still coming."""
    for record in records:
        request: dict[str, Json] = {
            "template": record.template.name,
            "patient": patient_id,
            "idempotencyKey": record.key(patient_id),
            "payload": record.resource,
        }
        try:
            submission = journey.handshaker.intake.submit(request, journey.author, origin=Origin.IMPORT)
        except IdempotencyConflict:
            journey.skip(CHANGED, 1)
            continue
        except EnvelopeInvalid as error:
            journey.skip(f"cannot be sent: {error.code}", 1)
            continue
        if submission.known:
            journey.tally.already_there += 1
            journey.progress.advance(1, "records")
            # Whoever started the import wants to see it done, what an earlier run left behind included.
            if journey.handshaker.store.audit.acknowledgement(submission.ti_id) is None:
                journey.inbox.expect(submission.ti_id)
            continue
        journey.tally.accepted += submission.refusal is None
        journey.tally.transactions += 1
        journey.records.add(submission.ti_id)
        journey.inbox.expect(submission.ti_id)
        yield None


def _keep_back(journey: Journey, patient_id: str, records: Sequence[Record]) -> None:
    """Submit nothing; tell apart what is there already."""
    author = journey.author.actor.actor_id
    known = sum(journey.handshaker.intake.known(author, record.key(patient_id)) is not None for record in records)
    journey.tally.already_there += known
    journey.progress.advance(known, "records")
    journey.skip(WAITS_FOR_CONSENT, len(records) - known)
