"""What an application may read of its transactions and of the log."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from handshaker.errors import ActorInactive, NotFound
from handshaker.following import Following
from handshaker.tokens import Credential
from tests.instances import Instance, hospital, own_hospital, pattern_hospital

__all__ = ["hospital", "own_hospital", "pattern_hospital"]


@pytest.fixture
def following(hospital: Instance) -> Following:
    return hospital.handshaker.following


def changed(credential: Credential, **changes: object) -> Credential:
    return replace(credential, actor=replace(credential.actor, **changes))  # type: ignore[arg-type]


def test_everybody_sees_what_they_handed_in_and_nobody_elses(hospital: Instance, following: Following) -> None:
    submission = hospital.measure()
    acknowledgement = hospital.acknowledged(submission)

    assert following.transaction(hospital.nurse, submission.ti_id).ti_id == submission.ti_id
    assert following.acknowledgement(hospital.nurse, submission.ti_id) == acknowledgement
    assert [str(each.kind) for each in following.events(hospital.nurse, submission.ti_id)][-1] == "valid"
    for stranger in (hospital.doctor, hospital.consented):
        for ask in (following.transaction, following.status, following.events, following.acknowledgement):
            with pytest.raises(NotFound):
                ask(stranger, submission.ti_id)
        assert submission.ti_id not in [row.ti_id for row in following.transactions(stranger).rows]
        assert submission.ti_id not in [each.ti_id for each in following.acknowledgements(stranger, limit=500)]


def test_administrators_and_auditors_see_everybodys(hospital: Instance, following: Following) -> None:
    submission = hospital.measure()
    hospital.drain()
    auditor = hospital.hire("auditor", "auditor")
    for overseer in (hospital.administrator, auditor):
        assert following.acknowledgement(overseer, submission.ti_id).ti_id == submission.ti_id
        assert submission.ti_id in [each.ti_id for each in following.acknowledgements(overseer, limit=500)]


def test_an_overseer_out_of_good_standing_sees_only_their_own(hospital: Instance, following: Following) -> None:
    past = hospital.clock.now() - timedelta(seconds=1)
    for fallen in (
        changed(hospital.administrator, active=False),
        changed(hospital.nurse, role="auditor", licence_until=past),
    ):
        assert {each.actor_id for each in following.acknowledgements(fallen, limit=500)} <= {fallen.actor.actor_id}
        with pytest.raises(ActorInactive):
            following.check_standing(fallen)
    following.check_standing(hospital.nurse)


def test_part_of_an_id_names_nothing(hospital: Instance, following: Following) -> None:
    ti_id = hospital.measure().ti_id
    hospital.drain()
    for part in (ti_id[:8], ti_id[:35], "", ti_id + "0"):
        with pytest.raises(NotFound):
            following.transaction(hospital.nurse, part)


def test_going_on_after_the_last_position_misses_none_and_repeats_none(
    own_hospital: Instance,
) -> None:
    following, nurse = own_hospital.handshaker.following, own_hospital.nurse
    seen, after = [], -1
    handed_in = []
    for _ in range(4):
        handed_in += [own_hospital.measure().ti_id, own_hospital.measure(own_hospital.silent).ti_id]
        own_hospital.drain()
        # Entries of other kinds lie between the ACKs.
        own_hospital.handshaker.charts.open(own_hospital.consented.actor.actor_id, nurse)
        own_hospital.handshaker.tokens.issue(nurse, ("read",))
        while page := following.acknowledgements(nurse, after, limit=3):
            seen += [each.ti_id for each in page]
            assert page[-1].position is not None
            after = page[-1].position
    assert sorted(seen) == sorted(handed_in)
    assert following.newest_position() == after < own_hospital.handshaker.store.log.size() - 1


def test_an_empty_log_has_no_newest_position(own_hospital: Instance, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(own_hospital.handshaker.store.audit, "latest", lambda limit: [])
    assert own_hospital.handshaker.following.newest_position() == -1
