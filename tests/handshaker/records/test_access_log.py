"""What is read of a patient is an entry of the audit log first, or it is not read."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest

from handshaker.audit.errors import LogHeld
from handshaker.clinical.writing import note, vital_signs
from handshaker.errors import ChainUnreachable, NotFound, StoreUnavailable
from handshaker.messages import Access, Head
from handshaker.records.gateway import Gateway, Permission
from handshaker.store.accesses import Standing
from handshaker.tokens import Credential
from handshaker.vocabulary import CATEGORY_BY_CODE, AccessReason, Action, mask_of
from tests.instances import Instance, consent_payload

AT = datetime(2026, 11, 1, 8, tzinfo=UTC)
WHO = mask_of(["demographics"])
CLINICAL = mask_of(["vital-signs", "notes", "laboratory"])


@pytest.fixture
def ward(own_hospital: Instance) -> Instance:
    """A hospital with a reading and a note in the chart of the patient who consented."""
    own_hospital.acknowledged(own_hospital.consent(own_hospital.consented, write=["all"]))
    patient = own_hospital.consented.actor.actor_id
    own_hospital.measure(payload=vital_signs({"heart-rate": 70}, AT)[0])
    own_hospital.submit(own_hospital.doctor, "clinical-note", note("Slept well.", "11506-3", AT), patient=patient)
    own_hospital.drain()
    return own_hospital


def accesses(instance: Instance) -> list[dict[str, Any]]:
    log = instance.handshaker.store.log
    return [json.loads(entry.leaf) for entry in log.entries(0, log.size(), "access")]


def newest(instance: Instance) -> dict[str, Any]:
    return accesses(instance)[-1]


def chart(instance: Instance, by: Credential, about: Credential | None = None) -> Any:
    return instance.handshaker.charts.open((about or instance.consented).actor.actor_id, by)


def revoke(instance: Instance) -> None:
    payload = {name: consent_payload()[name] for name in ("grantee", "purpose")}
    assert instance.submit(instance.consented, "consent-revoke", payload).refusal is None


def test_one_look_at_a_chart_is_one_entry(ward: Instance) -> None:
    before = len(accesses(ward))
    shown = chart(ward, ward.doctor)
    assert (len(shown.notes), len(shown.measurements)) == (1, 1)
    assert len(accesses(ward)) == before + 1
    found = newest(ward)
    del found["entry"], found["at"]
    assert found == {
        "v": 1,
        "kind": "access",
        "actor": ward.doctor.actor.actor_id,
        "role": "doctor",
        "organisation": 1,
        "patient": ward.consented.actor.actor_id,
        "patients": 1,
        "view": "chart",
        "purpose": "TREAT",
        "asked": hex(WHO | CLINICAL),
        "granted": hex(WHO | CLINICAL),
        "reason": "consent",
    }


def test_what_is_denied_is_an_entry_too(ward: Instance) -> None:
    chart(ward, ward.doctor, ward.silent)
    found = newest(ward)
    assert (found["asked"], found["granted"], found["reason"]) == (hex(WHO | CLINICAL), hex(WHO), "denied")


def test_what_is_granted_in_part_says_which(ward: Instance) -> None:
    ward.acknowledged(ward.consent(ward.consented, read=["notes"]))
    chart(ward, ward.doctor)
    found = newest(ward)
    assert (found["granted"], found["reason"]) == (hex(WHO | mask_of(["notes"])), "consent")


def test_where_the_chain_cannot_be_asked_that_is_the_reason(ward: Instance, monkeypatch: pytest.MonkeyPatch) -> None:
    def gone(*_: Any, **__: Any) -> None:
        raise ChainUnreachable("No node answers.", url="http://127.0.0.1:1")

    monkeypatch.setattr(type(ward.handshaker.chain), "view", gone)
    assert not chart(ward, ward.doctor).permission.reachable
    found = newest(ward)
    assert (found["granted"], found["reason"]) == (hex(WHO), "chain-unreachable")


def test_one_kind_of_record_is_all_that_is_asked_where_no_more_is_wanted(ward: Instance) -> None:
    shown = ward.handshaker.charts.open(ward.consented.actor.actor_id, ward.doctor, ["notes"], "note")
    assert (len(shown.notes), shown.measurements) == (1, ())
    found = newest(ward)
    assert (found["view"], found["asked"]) == ("note", hex(WHO | mask_of(["notes"])))


def test_older_entries_are_a_look_of_their_own(ward: Instance) -> None:
    cursor = "9" * 17 + "-" + "f" * 36
    ward.handshaker.charts.older(ward.consented.actor.actor_id, ward.doctor, "notes", cursor)
    found = newest(ward)
    assert (found["view"], found["granted"]) == ("older", hex(WHO | mask_of(["notes"])))


def test_whoever_searches_is_an_entry_that_says_how_many_were_found_and_not_whom(ward: Instance) -> None:
    patients = ward.handshaker.patients
    for text, hits in (("zed", 2), ("consented", 1), ("nobody at all", 0)):
        assert len(patients.find(ward.nurse, text)) == hits
        found = newest(ward)
        assert (found["view"], found["patient"], found["patients"]) == ("search", None, hits)
        assert (found["reason"], found["actor"]) == ("identification", ward.nurse.actor.actor_id)
    before = len(accesses(ward))
    assert patients.find(ward.nurse, "  ") == []
    assert len(accesses(ward)) == before, "nothing was asked"


def test_an_identity_is_an_entry_and_somebody_who_is_not_here_is_none(ward: Instance) -> None:
    patients, patient = ward.handshaker.patients, ward.silent.actor.actor_id
    patients.identity(ward.nurse, patient)
    found = newest(ward)
    assert (found["patient"], found["granted"], found["reason"]) == (patient, hex(WHO), "identification")
    before = len(accesses(ward))
    with pytest.raises(NotFound):
        patients.identity(ward.nurse, "0x" + "ab" * 32)
    assert patients.identities(ward.nurse, []) == {}
    assert len(accesses(ward)) == before


def test_a_list_of_several_patients_is_one_entry_that_counts_them(ward: Instance) -> None:
    both = [ward.consented.actor.actor_id, ward.silent.actor.actor_id]
    before = len(accesses(ward))
    assert len(ward.handshaker.patients.identities(ward.nurse, [*both, "0x" + "ab" * 32])) == 2
    found = newest(ward)
    assert (len(accesses(ward)), found["patient"], found["patients"]) == (before + 1, None, 2)


def test_whom_the_roster_names_is_an_entry(ward: Instance) -> None:
    ward.handshaker.roster.allowing(ward.doctor, Action.READ, CATEGORY_BY_CODE["notes"])
    found = newest(ward)
    assert (found["view"], found["patient"], found["patients"]) == ("roster", ward.consented.actor.actor_id, 1)


def test_what_authors_see_again_is_their_own(ward: Instance) -> None:
    refused = ward.measure(ward.silent)
    ward.drain()
    submissions, drafts = ward.handshaker.submissions, ward.handshaker.drafts
    for look in (
        lambda: submissions.get(ward.nurse, refused.ti_id),
        lambda: drafts.of(ward.nurse),
        lambda: drafts.get(ward.nurse, refused.ti_id),
    ):
        before = len(accesses(ward))
        look()
        found = newest(ward)
        assert (len(accesses(ward)), found["reason"]) == (before + 1, "own-submission")
        assert (found["patient"], found["granted"]) == (
            ward.silent.actor.actor_id,
            hex(mask_of(["vital-signs"])),
        )


def test_several_things_of_one_page_are_one_entry(ward: Instance) -> None:
    refused, patient = ward.measure(ward.silent), ward.silent.actor.actor_id
    ward.drain()
    handshaker, before = ward.handshaker, len(accesses(ward))
    with handshaker.accesses.looking(ward.nurse, "submission") as look:
        handshaker.submissions.get(ward.nurse, refused.ti_id, look)
        handshaker.drafts.get(ward.nurse, refused.ti_id, look)
        handshaker.patients.identity(ward.nurse, patient, look)
        assert len(accesses(ward)) == before
    found = newest(ward)
    assert (len(accesses(ward)), found["view"]) == (before + 1, "submission")
    assert (found["patient"], found["granted"]) == (patient, hex(WHO | mask_of(["vital-signs"])))


def test_a_look_that_opened_nothing_is_none(ward: Instance) -> None:
    before = len(accesses(ward))
    with ward.handshaker.accesses.looking(ward.nurse, "home"):
        pass
    assert len(accesses(ward)) == before


# ---- when it cannot be written -------------------------------------------------------------------------------------


def everything(instance: Instance, ti_id: str) -> list[Callable[[], object]]:
    """Every way in which the library shows something of a patient."""
    handshaker, patient, nurse = instance.handshaker, instance.consented.actor.actor_id, instance.nurse
    cursor = "9" * 17 + "-" + "f" * 36
    return [
        lambda: handshaker.charts.open(patient, nurse),
        lambda: handshaker.charts.older(patient, nurse, "notes", cursor),
        lambda: handshaker.patients.find(nurse, "consented"),
        lambda: handshaker.patients.identity(nurse, patient),
        lambda: handshaker.patients.identities(nurse, [patient]),
        lambda: handshaker.roster.allowing(nurse, Action.READ, CATEGORY_BY_CODE["notes"]),
        lambda: handshaker.submissions.get(nurse, ti_id),
        lambda: handshaker.drafts.of(nurse),
        lambda: handshaker.drafts.get(nurse, ti_id),
    ]


def test_nothing_is_shown_while_the_log_is_held(ward: Instance) -> None:
    refused = ward.measure(ward.silent)
    ward.drain()
    log = ward.handshaker.store.log
    size = log.size()
    log.hold("behind", size, Head(size + 1, bytes(32)), ward.clock.now())
    for show in everything(ward, refused.ti_id):
        with pytest.raises(LogHeld):
            show()
    assert log.size() == size


def test_nothing_is_shown_when_the_database_cannot_write(ward: Instance, monkeypatch: pytest.MonkeyPatch) -> None:
    refused = ward.measure(ward.silent)
    ward.drain()

    def full(*_: Any, **__: Any) -> None:
        raise StoreUnavailable("The database does not work: disk full.")

    monkeypatch.setattr(type(ward.handshaker.store.accesses), "add", full)
    for show in everything(ward, refused.ti_id):
        with pytest.raises(StoreUnavailable):
            show()


# ---- a revocation that comes between the decision and the entry ------------------------------------------------------


@pytest.fixture
def meddled(ward: Instance, monkeypatch: pytest.MonkeyPatch) -> Callable[[Callable[[], None]], None]:
    """Do something once, after the gateway has decided and before the access is written."""

    def meddle(act: Callable[[], None]) -> None:
        decide, acts = Gateway.permitted, [act]

        def decided(*arguments: Any, **more: Any) -> Permission:
            permission = decide(*arguments, **more)
            while acts:
                acts.pop()()
            return permission

        monkeypatch.setattr(Gateway, "permitted", decided)

    return meddle


def test_a_revocation_accepted_after_the_decision_shows_nothing(
    ward: Instance, meddled: Callable[[Callable[[], None]], None]
) -> None:
    meddled(lambda: revoke(ward))
    before = len(accesses(ward))
    shown = chart(ward, ward.doctor)
    assert (shown.permission.allowed, shown.notes, shown.measurements) == (frozenset(), (), ())
    assert len(accesses(ward)) == before + 1, "what was decided first was never written"
    assert newest(ward)["reason"] == "denied"


def test_one_that_is_acknowledged_meanwhile_and_in_no_queue_any_more_shows_nothing_either(
    ward: Instance, meddled: Callable[[Callable[[], None]], None]
) -> None:
    def revoked_for_good() -> None:
        revoke(ward)
        ward.drain()

    meddled(revoked_for_good)
    shown = chart(ward, ward.doctor)
    assert (shown.permission.allowed, shown.notes) == (frozenset(), ())
    assert newest(ward)["reason"] == "denied"


def test_what_another_patient_says_meanwhile_changes_nothing(
    ward: Instance, meddled: Callable[[Callable[[], None]], None]
) -> None:
    def elsewhere() -> None:
        ward.submit(ward.silent, "consent-revoke", {"grantee": "organisation/1", "purpose": "TREAT"})

    meddled(elsewhere)
    before = len(accesses(ward))
    assert len(chart(ward, ward.doctor).notes) == 1
    assert len(accesses(ward)) == before + 1


def test_a_patient_who_goes_on_speaking_is_not_read_meanwhile(ward: Instance, monkeypatch: pytest.MonkeyPatch) -> None:
    decide = Gateway.permitted

    def decided(*arguments: Any, **more: Any) -> Permission:
        permission = decide(*arguments, **more)
        ward.consent(ward.consented, write=["all"])
        return permission

    monkeypatch.setattr(Gateway, "permitted", decided)
    shown = chart(ward, ward.doctor)
    assert (shown.permission.allowed, shown.permission.reachable, shown.notes) == (frozenset(), True, ())
    assert newest(ward)["reason"] == "denied"


def test_an_access_that_was_decided_before_a_revocation_is_not_written(ward: Instance) -> None:
    store, patient = ward.handshaker.store.accesses, ward.consented.actor.actor_id
    actor = ward.doctor.actor
    access = Access(actor.actor_id, actor.role, 1, patient, "chart", "TREAT", WHO, WHO, AccessReason.CONSENT)
    before = store.standing(patient)
    assert store.add(access, ward.clock.now(), before) is not None
    revoke(ward)
    assert store.add(access, ward.clock.now(), before) is None
    after = store.standing(patient)
    assert after == Standing(patient, after.open, before.size + 1)
    assert len(after.open - before.open) == 1
    assert store.add(access, ward.clock.now(), after) is not None
    assert store.add(replace(access, patient_id=None), ward.clock.now()) is not None
