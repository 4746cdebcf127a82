"""What an author sent is opened for the author alone."""

from __future__ import annotations

import pytest

from handshaker.errors import NotFound
from tests.instances import Instance, blood_pressure


def test_the_author_reads_what_was_sent_also_after_it_was_refused(own_hospital: Instance) -> None:
    for patient in (own_hospital.consented, own_hospital.silent):
        submission = own_hospital.measure(patient, payload=blood_pressure(131, 84))
        own_hospital.drain()
        record = own_hospital.handshaker.submissions.get(own_hospital.nurse, submission.ti_id)
        assert record.payload == blood_pressure(131, 84)
        assert [result.value for result in record.content.results] == [131, 84]
        assert (record.template, record.category) == ("vital-signs@1", "vital-signs")
        assert record.patient_id == patient.actor.actor_id


def test_nobody_else_does(own_hospital: Instance) -> None:
    submission = own_hospital.measure()
    for other in (own_hospital.doctor, own_hospital.administrator, own_hospital.consented):
        with pytest.raises(NotFound):
            own_hospital.handshaker.submissions.get(other, submission.ti_id)
    with pytest.raises(NotFound):
        own_hospital.handshaker.submissions.get(own_hospital.nurse, submission.ti_id[:8])


def test_what_was_erased_is_said_to_be_erased(own_hospital: Instance) -> None:
    submission = own_hospital.measure()
    own_hospital.drain()
    own_hospital.handshaker.vault.destroy_owner(own_hospital.consented.actor.actor_id)
    record = own_hospital.handshaker.submissions.get(own_hospital.nurse, submission.ti_id)
    assert (record.problem, record.payload, record.content.results) == ("erased", {}, ())


def test_what_amends_says_what_it_amends(own_hospital: Instance) -> None:
    first = own_hospital.measure()
    assert first.statement_hash is not None
    record_id = "0x" + first.statement_hash.hex()
    own_hospital.drain()
    second = own_hospital.measure(payload=blood_pressure(121, 79), supersedes=record_id)
    submissions = own_hospital.handshaker.submissions
    assert submissions.get(own_hospital.nurse, second.ti_id).supersedes == record_id
    assert submissions.get(own_hospital.nurse, first.ti_id).supersedes is None
