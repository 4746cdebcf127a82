"""The chart: what one person may see of one patient, and how it looks when something is missing."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import sqlalchemy as sa

from handshaker.clinical.writing import laboratory_report, note, vital_signs
from handshaker.errors import NotFound, RoleNotAllowed
from handshaker.ethereum.chain import EthereumChain, connect
from handshaker.intake import Submission
from handshaker.messages import Json
from handshaker.records import chart as chart_module
from handshaker.records.chart import Chart, Charts
from handshaker.records.gateway import Gateway
from handshaker.records.identities import Identities
from handshaker.store import schema as s
from handshaker.tokens import Credential
from tests.databases import unguarded
from tests.instances import Instance

AT = datetime(2026, 11, 1, 8, tzinfo=UTC)


@pytest.fixture
def ward(own_hospital: Instance) -> Instance:
    """A hospital whose consented patient lets it write everything."""
    consent = own_hospital.consent(own_hospital.consented, write=["all"])
    assert own_hospital.acknowledged(consent).code == "effect"
    return own_hospital


def look(ward: Instance, by: Credential | None = None, about: Credential | None = None) -> Chart:
    patient = (about or ward.consented).actor.actor_id
    return ward.handshaker.charts.open(patient, by or ward.doctor)


def measure(ward: Instance, days: int, units: dict[str, str] | None = None, **values: float) -> list[Submission]:
    named = {key.replace("_", "-"): value for key, value in values.items()}
    payloads = vital_signs(named, AT + timedelta(days=days), units)
    return [ward.measure(payload=payload) for payload in payloads]


def write(ward: Instance, text: str, days: int = 0, by: Credential | None = None, **more: Any) -> Submission:
    payload = note(text, "11506-3", AT + timedelta(days=days))
    patient = ward.consented.actor.actor_id
    return ward.submit(by or ward.doctor, "clinical-note", payload, patient=patient, **more)


def report(ward: Instance, **values: float) -> Submission:
    codes = {"hemoglobin": "718-7", "platelets": "777-3"}
    payload = laboratory_report(
        "58410-2", {codes[name]: value for name, value in values.items()}, AT, sex="male", conclusion="Mild anaemia."
    )
    return ward.submit(ward.doctor, "laboratory-report", payload, patient=ward.consented.actor.actor_id)


def test_vital_signs_are_series_in_one_unit_each(ward: Instance) -> None:
    measure(ward, 2, systolic=140, diastolic=90)
    measure(ward, 1, systolic=118, diastolic=76, heart_rate=72)
    measure(ward, 3, {"temperature": "[degF]", "weight": "[lb_av]"}, temperature=101.3, weight=154)
    measure(ward, 4, temperature=36.8)
    ward.drain()
    pressure, pulse, temperature, weight = look(ward).vital_signs
    assert (pressure.display, pressure.unit, pressure.code) == ("Blood pressure", "mmHg", "85354-9")
    assert [(line.name, line.low, line.high) for line in pressure.lines] == [
        ("Systolic blood pressure", 90, 120),
        ("Diastolic blood pressure", 60, 80),
    ]
    assert [(point.at, point.values, point.text) for point in pressure.points] == [
        (AT + timedelta(days=1), (118, 76), "118/76"),
        (AT + timedelta(days=2), (140, 90), "140/90"),
    ]
    assert pressure.latest.author == "nurse"
    assert (pulse.display, pulse.unit, pulse.latest.values) == ("Heart rate", "/min", (72,))
    assert [point.values for point in temperature.points] == [(38.5,), (36.8,)]
    assert (temperature.unit, weight.unit, weight.latest.text) == ("°C", "kg", "69.9")


def test_notes_and_reports_are_entries_with_their_evidence_newest_first(ward: Instance) -> None:
    later, earlier = write(ward, "Slept well.\nNo pain.", 3), write(ward, "Admitted.", 1)
    released = report(ward, hemoglobin=12.9, platelets=254)
    ward.drain()
    chart = look(ward, by=ward.nurse)
    assert [(entry.ti_id, entry.text) for entry in chart.notes] == [
        (later.ti_id, "Slept well.\nNo pain."),
        (earlier.ti_id, "Admitted."),
    ]
    newest, acknowledgement = chart.notes[0], ward.ack(later)
    assert acknowledgement is not None
    assert acknowledgement.transaction_hash is not None
    assert (newest.title, newest.at, newest.author) == ("Progress note", AT + timedelta(days=3), "doctor")
    assert newest.block_number == acknowledgement.block_number
    assert newest.transaction_hash == "0x" + acknowledgement.transaction_hash.hex()
    assert newest.record_id == "0x" + (later.statement_hash or b"").hex()
    (entry,) = chart.reports
    assert (entry.ti_id, entry.title, entry.text) == (released.ti_id, "Complete blood count", "Mild anaemia.")
    assert [(result.name, result.text, result.unit, result.range_text, result.flag) for result in entry.results] == [
        ("Haemoglobin", "12.9", "g/dL", "14–18", "L"),
        ("Platelets", "254", "10³/µL", "150–450", "N"),
    ]


def test_an_empty_chart_says_what_may_be_read(ward: Instance) -> None:
    chart = look(ward)
    assert chart.permission.allows("vital-signs", "notes", "laboratory")
    assert (chart.vital_signs, chart.notes, chart.reports, chart.pending, chart.older) == ((), (), (), (), {})
    assert chart.identity.family == "consented"


def test_only_what_the_patient_lets_the_reader_read_is_there(ward: Instance) -> None:
    measure(ward, 0, heart_rate=70)
    write(ward, "For few.")
    ward.drain()
    elsewhere = look(ward, by=ward.pathologist)
    assert (elsewhere.permission.allowed, elsewhere.permission.reachable) == (frozenset(), True)
    assert elsewhere.identity.family == "consented"
    assert (elsewhere.measurements, elsewhere.vital_signs, elsewhere.notes) == ((), (), ())
    narrowed = ward.consent(ward.consented, read=["vital-signs"], write=["all"])
    for _ in range(2):
        assert (len(look(ward).vital_signs), look(ward).notes) == (1, ())
        ward.acknowledged(narrowed)


def test_where_no_node_answers_the_chart_is_empty_and_says_so(ward: Instance) -> None:
    measure(ward, 0, heart_rate=70)
    ward.drain()
    handshaker, dead = ward.handshaker, EthereumChain(connect("http://127.0.0.1:1"))
    dead.deployment = handshaker.chain.deployment
    gateway = Gateway(handshaker.store, lambda: dead, ward.clock)
    identities = Identities(handshaker.store, handshaker.vault)
    charts = Charts(handshaker.store, handshaker.vault, handshaker.templates, identities, gateway, handshaker.accesses)
    chart = charts.open(ward.consented.actor.actor_id, ward.doctor)
    assert not chart.permission.reachable
    assert (chart.measurements, chart.vital_signs) == ((), ())


def test_a_record_that_was_superseded_is_marked_and_left_out_of_the_trend(ward: Instance) -> None:
    (wrong,) = measure(ward, 0, heart_rate=170)
    ward.drain()
    (first,) = look(ward).measurements
    payload = vital_signs({"heart-rate": 70}, AT)[0]
    mended = ward.measure(payload=payload, supersedes=first.record_id)
    assert [point.values for point in look(ward).vital_signs[0].points] == [(170,)]
    ward.drain()
    chart = look(ward)
    entries = {entry.ti_id: entry for entry in chart.measurements}
    assert entries[wrong.ti_id].superseded_by == entries[mended.ti_id].record_id
    assert entries[mended.ti_id].superseded_by is None
    assert [point.values for point in chart.vital_signs[0].points] == [(70,)]


def test_what_a_refused_record_would_have_superseded_stays(ward: Instance) -> None:
    write(ward, "Well.")
    ward.drain()
    record_id = look(ward).notes[0].record_id
    ward.acknowledged(ward.consent(ward.consented, write=[]))
    assert ward.acknowledged(write(ward, "Not well.", supersedes=record_id)).code == "not-permitted"
    assert [entry.superseded_by for entry in look(ward).notes] == [None]


def test_the_author_alone_sees_what_is_on_its_way_or_was_refused(ward: Instance) -> None:
    (on_its_way,) = measure(ward, 0, heart_rate=70)
    (pending,) = look(ward, by=ward.nurse).pending
    assert (pending.ti_id, pending.category, pending.title) == (on_its_way.ti_id, "vital-signs", "Heart rate")
    assert (pending.status, pending.reason, pending.is_draft) == ("received", None, False)
    assert [(result.text, result.unit) for result in pending.results] == [("70", "/min")]
    assert look(ward, by=ward.doctor).pending == ()
    ward.drain()
    assert look(ward, by=ward.nurse).pending == ()

    refused = ward.measure(ward.silent, payload=vital_signs({"heart-rate": 71}, AT)[0])
    ward.acknowledged(refused)
    (pending,) = look(ward, by=ward.nurse, about=ward.silent).pending
    assert (pending.ti_id, pending.status, pending.is_draft) == (refused.ti_id, "invalid", True)
    assert pending.reason is not None
    assert pending.reason.next_step.startswith("Ask the patient")
    assert look(ward, by=ward.doctor, about=ward.silent).pending == ()
    ward.handshaker.drafts.discard(ward.nurse, refused.ti_id)
    assert look(ward, by=ward.nurse, about=ward.silent).pending == ()


def test_a_payload_that_was_altered_is_an_entry_that_says_so_beside_the_others(ward: Instance) -> None:
    bad, good = write(ward, "Altered."), write(ward, "Whole.", 1)
    ward.drain()
    _overwrite(ward, bad.ti_id, payload_ciphertext=b"something else altogether")
    altered, whole = sorted(look(ward).notes, key=lambda entry: entry.problem, reverse=True)
    assert (whole.ti_id, whole.text, whole.problem) == (good.ti_id, "Whole.", "")
    assert (altered.problem, altered.text, altered.results) == ("altered", "", ())
    assert altered.title == "Notes of doctors and nurses"
    assert altered.block_number is not None


def test_a_payload_that_is_not_what_the_chain_was_told_of_is_altered(ward: Instance) -> None:
    written = write(ward, "What was signed.")
    ward.drain()
    forged: Json = {"payload": note("What was not.", "11506-3", AT), "salt": "00" * 32, "request": {}}
    owner = ward.consented.actor.actor_id
    sealed = ward.handshaker.vault.seal(owner, json.dumps(forged).encode(), written.ti_id.encode())
    _overwrite(
        ward,
        written.ti_id,
        payload_nonce=sealed.nonce,
        payload_ciphertext=sealed.ciphertext,
        payload_wrapped_key=sealed.wrapped_key,
    )
    assert [(entry.problem, entry.text) for entry in look(ward).notes] == [("altered", "")]


@pytest.mark.parametrize("body", [b"", b"no JSON", b"[]", b"{}", b'{"payload": 3}', b'{"payload": {}, "salt": "zz"}'])
def test_a_body_that_cannot_be_read_is_an_entry_that_says_so(ward: Instance, body: bytes) -> None:
    written = write(ward, "Lost.")
    ward.drain()
    sealed = ward.handshaker.vault.seal(ward.consented.actor.actor_id, body, written.ti_id.encode())
    _overwrite(
        ward,
        written.ti_id,
        payload_nonce=sealed.nonce,
        payload_ciphertext=sealed.ciphertext,
        payload_wrapped_key=sealed.wrapped_key,
    )
    assert [entry.problem for entry in look(ward).notes] == ["unreadable"]


def test_an_erased_patient_has_no_chart(ward: Instance) -> None:
    write(ward, "Gone.")
    ward.drain()
    ward.handshaker.vault.destroy_owner(ward.consented.actor.actor_id)
    with pytest.raises(NotFound):
        look(ward)


def test_children_are_shown_no_ranges_of_adults(ward: Instance) -> None:
    child = _admit_born(ward, "2020-05-05")
    ward.acknowledged(ward.consent(child))
    ward.acknowledged(ward.measure(child, payload=vital_signs({"heart-rate": 110}, AT)[0]))
    (series,) = look(ward, about=child).vital_signs
    assert [(line.low, line.high) for line in series.lines] == [(None, None)]


def test_a_token_that_may_not_read_opens_no_chart(ward: Instance) -> None:
    patient = ward.consented.actor.actor_id
    blind = replace(ward.doctor, scopes=("submit",))
    with pytest.raises(RoleNotAllowed):
        ward.handshaker.charts.open(patient, blind)
    with pytest.raises(RoleNotAllowed):
        ward.handshaker.charts.older(patient, blind, "notes", "1-" + "a" * 36)


def test_a_long_chart_is_read_page_by_page_without_gaps(ward: Instance, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(chart_module, "_NEWEST", {"vital-signs": 3, "notes": 3, "laboratory": 3})
    written = [write(ward, f"Note {number}", number).ti_id for number in range(8)]
    ward.drain()
    chart, patient = look(ward), ward.consented.actor.actor_id
    found, cursor = [entry.ti_id for entry in chart.notes], chart.older["notes"]
    while cursor:
        page = ward.handshaker.charts.older(patient, ward.doctor, "notes", cursor)
        assert len(page.entries) <= 3
        found += [entry.ti_id for entry in page.entries]
        cursor = page.cursor
    assert found == written[::-1]
    assert set(chart.older) == {"notes"}


def test_older_entries_need_the_same_permission_and_a_cursor_that_is_one(ward: Instance) -> None:
    older, patient = ward.handshaker.charts.older, ward.consented.actor.actor_id
    write(ward, "Old.")
    ward.drain()
    cursor = f"{99999999999999999}-" + "f" * 36
    assert [entry.text for entry in older(patient, ward.doctor, "notes", cursor).entries] == ["Old."]
    denied = older(patient, ward.pathologist, "notes", cursor)
    assert (denied.entries, denied.cursor, denied.permission.allowed) == ((), "", frozenset())
    for category, wrong in (("notes", "next"), ("notes", ""), ("genomics", cursor)):
        with pytest.raises(NotFound):
            older(patient, ward.doctor, category, wrong)


def _overwrite(ward: Instance, ti_id: str, **columns: bytes) -> None:
    """Change a row behind the store's back, as somebody with the database file could."""
    with unguarded(ward.handshaker.store, "transactions") as connection:
        connection.execute(sa.update(s.transactions).where(s.transactions.c.ti_id == ti_id).values(**columns))


def _admit_born(ward: Instance, born: str) -> Credential:
    resource = {"resourceType": "Patient", "name": [{"family": "Young"}], "birthDate": born}
    found = ward.handshaker.registrar.register_patient(ward.administrator, resource)
    ward.drain()
    assert found.token is not None
    return ward.handshaker.tokens.authenticate(found.token)
