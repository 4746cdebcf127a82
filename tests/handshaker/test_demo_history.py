"""The charts of the demo hospital."""

from __future__ import annotations

from handshaker.demo_history import add_history
from tests.instances import Instance, hospital, own_hospital, pattern_hospital

__all__ = ["hospital", "own_hospital", "pattern_hospital"]


def test_two_patients_have_a_chart_and_a_second_run_adds_nothing(own_hospital: Instance) -> None:
    handshaker, odile = own_hospital.handshaker, own_hospital.admit("second", "urn:test|3")
    for patient in (own_hospital.consented, odile):
        own_hospital.consent(patient, write=["all"])
        own_hospital.consent(patient, grantee="organisation/2", read=["laboratory"], write=["laboratory"])
        own_hospital.drain()
    staff = {
        "nurse-1": own_hospital.nurse,
        "doctor-1": own_hospital.doctor,
        "pathologist-1": own_hospital.pathologist,
    }
    patients = {"patient-1": own_hospital.consented.actor.actor_id, "patient-2": odile.actor.actor_id}
    for _ in range(2):
        add_history(handshaker, staff, patients)
        own_hospital.drain()
    counts = handshaker.store.audit.counts()
    assert [code for verdict, code in counts if verdict == "invalid"] == []
    first, second = (handshaker.charts.open(patient, own_hospital.doctor) for patient in patients.values())
    assert [len(series.points) for series in first.vital_signs] == [8, 4, 1, 1, 2]
    assert [len(series.points) for series in second.vital_signs] == [2, 3, 5, 2]
    assert (len(first.notes), len(first.reports), len(second.notes), len(second.reports)) == (1, 1, 1, 1)
    assert {result.name: result.flag for result in first.reports[0].results}["Potassium"] == "L"
    assert first.notes[0].author == "doctor"
