"""A refused reading is not lost: it waits sealed, and is signed again when the patient has consented."""

from __future__ import annotations

import secrets
from dataclasses import replace
from datetime import UTC, datetime

import pytest

from handshaker.clinical.writing import note, vital_signs
from handshaker.errors import NotFound
from handshaker.intake import Submission
from handshaker.messages import Json, VerdictKind
from handshaker.tokens import Credential
from tests.instances import Instance

AT = datetime(2026, 11, 20, 7, 45, tzinfo=UTC)
PRESSURE: Json = vital_signs({"systolic": 134, "diastolic": 86}, AT)[0]


def refused(hospital: Instance, by: Credential | None = None) -> Submission:
    """A blood pressure of the patient who consented to nothing."""
    submission = hospital.measure(hospital.silent, by, payload=PRESSURE)
    assert hospital.acknowledged(submission).code == "not-permitted"
    return submission


def test_a_refused_reading_is_signed_again_when_consent_has_come(own_hospital: Instance) -> None:
    drafts, requests, nurse = own_hospital.handshaker.drafts, own_hospital.handshaker.requests, own_hospital.nurse
    submission = refused(own_hospital)
    (draft,) = drafts.of(nurse)
    assert draft == drafts.get(nurse, submission.ti_id)
    assert (draft.ti_id, draft.template, draft.category) == (submission.ti_id, "vital-signs@1", "vital-signs")
    assert (draft.patient_id, draft.payload, draft.title) == (
        own_hospital.silent.actor.actor_id,
        PRESSURE,
        "Blood pressure",
    )
    assert next((result.name, result.text) for result in draft.results) == ("Systolic blood pressure", "134")
    assert (draft.code, draft.requested, draft.is_ready) == ("not-permitted", None, False)
    assert draft.reason.sentence == "The patient has not allowed writing vital signs for treatment."

    asked = requests.ask(nurse, draft.patient_id, ["vital-signs"], ["vital-signs"])
    (draft,) = drafts.of(nurse)
    assert (draft.requested, draft.is_ready) == (asked, False)

    consent = own_hospital.consent(own_hospital.silent, read=["vital-signs"])
    assert own_hospital.acknowledged(consent).code == "effect"
    (draft,) = drafts.of(nurse)
    assert draft.is_ready
    assert draft.requested is not None
    assert draft.requested.state == "granted"

    sent = drafts.send(nurse, draft.ti_id)
    assert drafts.of(nurse) == []
    assert own_hospital.acknowledged(sent).kind is VerdictKind.VALID
    first = own_hospital.ack(submission)
    assert first is not None
    assert first.kind is VerdictKind.INVALID
    chart = own_hospital.handshaker.charts.open(draft.patient_id, own_hospital.doctor)
    assert [(entry.ti_id, entry.at) for entry in chart.measurements] == [(sent.ti_id, AT)]


def test_sending_twice_is_sending_once(own_hospital: Instance) -> None:
    drafts, submission = own_hospital.handshaker.drafts, refused(own_hospital)
    own_hospital.acknowledged(own_hospital.consent(own_hospital.silent))
    first = drafts.send(own_hospital.nurse, submission.ti_id)
    second = drafts.send(own_hospital.nurse, submission.ti_id)
    assert (first.known, second.known) == (False, True)
    assert (second.ti_id, second.statement_hash) == (first.ti_id, first.statement_hash)
    assert own_hospital.acknowledged(second).kind is VerdictKind.VALID
    assert drafts.send(own_hospital.nurse, submission.ti_id).acknowledgement == own_hospital.ack(first)


def test_a_crash_between_sending_and_closing_makes_no_second_record(own_hospital: Instance) -> None:
    drafts, submission, store = own_hospital.handshaker.drafts, refused(own_hospital), own_hospital.handshaker.store
    own_hospital.acknowledged(own_hospital.consent(own_hospital.silent))
    close, store.records.close_draft = store.records.close_draft, lambda *_: None  # type: ignore[method-assign]
    first = drafts.send(own_hospital.nurse, submission.ti_id)
    store.records.close_draft = close  # type: ignore[method-assign]
    assert [draft.ti_id for draft in drafts.of(own_hospital.nurse)] == [submission.ti_id]
    assert drafts.send(own_hospital.nurse, submission.ti_id).ti_id == first.ti_id
    assert drafts.of(own_hospital.nurse) == []


def test_what_is_refused_again_is_the_draft(own_hospital: Instance) -> None:
    drafts, submission = own_hospital.handshaker.drafts, refused(own_hospital)
    again = drafts.send(own_hospital.nurse, submission.ti_id)
    assert own_hospital.acknowledged(again).code == "not-permitted"
    assert [draft.ti_id for draft in drafts.of(own_hospital.nurse)] == [again.ti_id]
    assert again.ti_id != submission.ti_id
    with pytest.raises(NotFound):
        drafts.get(own_hospital.nurse, submission.ti_id)


def test_somebody_elses_draft_is_not_there(own_hospital: Instance) -> None:
    drafts, submission, doctor = own_hospital.handshaker.drafts, refused(own_hospital), own_hospital.doctor
    assert drafts.of(doctor) == []
    for attempt in (drafts.get, drafts.send, drafts.discard):
        with pytest.raises(NotFound):
            attempt(doctor, submission.ti_id)
    assert len(drafts.of(own_hospital.nurse)) == 1


def test_a_draft_that_was_given_up_is_gone_and_stays_gone(own_hospital: Instance) -> None:
    drafts, submission = own_hospital.handshaker.drafts, refused(own_hospital)
    drafts.discard(own_hospital.nurse, submission.ti_id)
    drafts.discard(own_hospital.nurse, submission.ti_id)
    assert drafts.of(own_hospital.nurse) == []
    for attempt in (drafts.get, drafts.send):
        with pytest.raises(NotFound):
            attempt(own_hospital.nurse, submission.ti_id)


def test_what_is_on_its_way_or_valid_or_nowhere_is_no_draft(own_hospital: Instance) -> None:
    drafts, nurse = own_hospital.handshaker.drafts, own_hospital.nurse
    valid, on_its_way = own_hospital.measure(), own_hospital.measure(own_hospital.silent)
    assert drafts.of(nurse) == []
    own_hospital.acknowledged(valid)
    for ti_id in (valid.ti_id, secrets.token_hex(18)):
        with pytest.raises(NotFound):
            drafts.send(nurse, ti_id)
        with pytest.raises(NotFound):
            drafts.discard(nurse, ti_id)
    assert [draft.ti_id for draft in drafts.of(nurse)] == [on_its_way.ti_id]


def test_a_reading_that_no_consent_can_mend_is_no_draft(own_hospital: Instance) -> None:
    implausible = own_hospital.measure(payload=vital_signs({"heart-rate": 4000}, AT)[0])
    assert implausible.refusal is not None
    assert implausible.refusal.code == "implausible"
    assert own_hospital.handshaker.drafts.of(own_hospital.nurse) == []
    with pytest.raises(NotFound):
        own_hospital.handshaker.drafts.send(own_hospital.nurse, implausible.ti_id)


def test_what_somebody_wrote_after_their_licence_ran_out_waits_until_it_is_renewed(own_hospital: Instance) -> None:
    store, drafts, nurse = own_hospital.handshaker.store, own_hospital.handshaker.drafts, own_hospital.nurse
    store.people.put_actor(replace(nurse.actor, active=False))
    late = own_hospital.measure(by=own_hospital.again(nurse), payload=PRESSURE)
    assert late.refusal is not None
    assert late.refusal.code == "actor-inactive"
    (draft,) = drafts.of(own_hospital.again(nurse))
    assert (draft.patient_id, draft.payload, draft.is_ready) == (
        own_hospital.consented.actor.actor_id,
        PRESSURE,
        False,
    )
    store.people.put_actor(nurse.actor)
    assert drafts.get(nurse, late.ti_id).is_ready
    assert own_hospital.acknowledged(drafts.send(nurse, late.ti_id)).kind is VerdictKind.VALID


def test_a_draft_stays_while_a_gate_keeps_it_back_for_good_and_can_go_later(own_hospital: Instance) -> None:
    store, drafts, nurse = own_hospital.handshaker.store, own_hospital.handshaker.drafts, own_hospital.nurse
    submission = refused(own_hospital)
    own_hospital.acknowledged(own_hospital.consent(own_hospital.silent))
    store.people.put_actor(replace(nurse.actor, role="pathologist"))
    kept_back = drafts.send(own_hospital.again(nurse), submission.ti_id)
    assert kept_back.refusal is not None
    assert kept_back.refusal.code == "role-not-allowed"
    assert [draft.is_ready for draft in drafts.of(own_hospital.again(nurse))] == [False]
    store.people.put_actor(nurse.actor)
    assert own_hospital.acknowledged(drafts.send(nurse, submission.ti_id)).kind is VerdictKind.VALID


def test_a_note_waits_as_a_draft_with_its_words(own_hospital: Instance) -> None:
    payload = note("Slept badly.", "34746-8", AT)
    submission = own_hospital.submit(
        own_hospital.nurse, "clinical-note", payload, patient=own_hospital.silent.actor.actor_id
    )
    assert own_hospital.acknowledged(submission).code == "not-permitted"
    (draft,) = own_hospital.handshaker.drafts.of(own_hospital.nurse)
    assert (draft.title, draft.text, draft.category) == ("Nurse note", "Slept badly.", "notes")


def test_the_draft_of_an_erased_patient_is_gone(own_hospital: Instance) -> None:
    submission = refused(own_hospital)
    own_hospital.handshaker.vault.destroy_owner(own_hospital.silent.actor.actor_id)
    assert own_hospital.handshaker.drafts.of(own_hospital.nurse) == []
    with pytest.raises(NotFound):
        own_hospital.handshaker.drafts.send(own_hospital.nurse, submission.ti_id)


def test_neither_is_one_that_rests_in_quarantine(own_hospital: Instance) -> None:
    store, drafts, nurse = own_hospital.handshaker.store, own_hospital.handshaker.drafts, own_hospital.nurse
    store.people.put_actor(replace(nurse.actor, active=False))
    late = own_hospital.measure(by=own_hospital.again(nurse), payload=PRESSURE)
    store.people.put_actor(nurse.actor)
    assert len(drafts.of(nurse)) == 1
    own_hospital.handshaker.vault.destroy_owner(own_hospital.consented.actor.actor_id)
    assert drafts.of(nurse) == []
    with pytest.raises(NotFound):
        drafts.send(nurse, late.ti_id)
