"""Keys of data owners are destroyed, and the audit log says so first, once."""

from __future__ import annotations

import json
from datetime import timedelta
from typing import Any

import pytest

from handshaker.audit.errors import LogHeld
from handshaker.errors import KeyUnknown
from handshaker.intake import QUARANTINE
from handshaker.messages import Head
from tests.instances import Instance


def erasures(instance: Instance) -> list[dict[str, Any]]:
    log = instance.handshaker.store.log
    return [json.loads(entry.leaf) for entry in log.entries(0, log.size(), "erasure")]


def quarantined(instance: Instance) -> str:
    """Something that was refused about a patient whom nobody knows; return its quarantine."""
    refused = instance.submit(instance.nurse, "vital-signs", {"code": "?"}, patient="0x" + "77" * 32)
    sealed = instance.handshaker.store.intake.payload(refused.ti_id)
    assert sealed is not None
    return sealed.owner


def is_open(instance: Instance, owner: str) -> bool:
    try:
        instance.handshaker.vault.seal(owner, b"something", b"")
    except KeyUnknown:
        return False
    return True


def test_a_quarantine_whose_time_is_over_is_destroyed_when_a_worker_starts_and_the_log_says_so(
    own_hospital: Instance,
) -> None:
    owner = quarantined(own_hospital)
    own_hospital.handshaker.worker()
    assert (is_open(own_hospital, owner), erasures(own_hospital)) == (True, [])
    own_hospital.clock.advance((QUARANTINE + timedelta(days=1)).total_seconds())
    own_hospital.handshaker.worker()
    (found,) = erasures(own_hospital)
    assert (found["owner"], found["reason"]) == (owner, "expired")
    assert own_hospital.handshaker.vault.expired_owners() == []
    assert not is_open(own_hospital, owner)
    own_hospital.handshaker.worker()
    assert len(erasures(own_hospital)) == 1


def test_killed_between_the_entry_and_the_destruction_the_next_start_destroys_without_a_second_entry(
    own_hospital: Instance, monkeypatch: pytest.MonkeyPatch
) -> None:
    owner = quarantined(own_hospital)
    own_hospital.clock.advance((QUARANTINE + timedelta(days=1)).total_seconds())
    erase, vault = own_hospital.handshaker.erasures.erase_expired, own_hospital.handshaker.vault

    def killed(*_: object) -> None:
        assert len(erasures(own_hospital)) == 1, "the entry comes first"
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(type(vault), "destroy_expired_owners", killed)
        with pytest.raises(KeyboardInterrupt):
            erase()
    assert vault.expired_owners() == [owner]
    assert erase() == [owner]
    assert (vault.expired_owners(), len(erasures(own_hospital))) == ([], 1)


def test_an_owner_is_erased_once_however_often_it_is_asked_for(own_hospital: Instance) -> None:
    patient = own_hospital.silent.actor.actor_id
    for _ in range(2):
        own_hospital.handshaker.erasures.erase(patient, "requested")
    (found,) = erasures(own_hospital)
    assert (found["owner"], found["reason"]) == (patient, "requested")
    assert not is_open(own_hospital, patient)


def test_while_the_log_is_held_nothing_is_destroyed_and_a_worker_starts_all_the_same(own_hospital: Instance) -> None:
    owner, log = quarantined(own_hospital), own_hospital.handshaker.store.log
    own_hospital.clock.advance((QUARANTINE + timedelta(days=1)).total_seconds())
    log.hold("behind", log.size(), Head(log.size() + 1, bytes(32)), own_hospital.clock.now())
    own_hospital.handshaker.worker()
    assert own_hospital.handshaker.vault.expired_owners() == [owner]
    with pytest.raises(LogHeld):
        own_hospital.handshaker.erasures.erase(own_hospital.silent.actor.actor_id, "requested")
    assert is_open(own_hospital, own_hospital.silent.actor.actor_id)
