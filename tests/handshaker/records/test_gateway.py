"""May this person read or write that now: the contract's rule, time, and what the patient has just taken back."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from types import SimpleNamespace
from typing import Any, cast

import pytest

from handshaker.ethereum.chain import EthereumChain, connect
from handshaker.ethereum.statements import statement_type
from handshaker.messages import Actor, Block
from handshaker.records.gateway import Gateway, Permission
from handshaker.vocabulary import (
    ALL_CATEGORIES,
    CATEGORIES,
    CATEGORY_BY_CODE,
    Action,
    ActorKind,
    Purpose,
    mask_of,
    organisation_grantee,
    practitioner_grantee,
)
from tests.instances import Instance, MovableClock

VITAL_SIGNS, NOTES, PSYCHIATRY = (CATEGORY_BY_CODE[code] for code in ("vital-signs", "notes", "psychiatry"))
ALL = frozenset(category.code for category in CATEGORIES if not category.is_sensitive)


def ask(instance: Instance, action: Action = Action.READ, by: Any = None, about: Any = None, **more: Any) -> Permission:
    patient = (about or instance.consented).actor.actor_id
    actor = (by or instance.nurse).actor
    return instance.handshaker.gateway.permitted(patient, actor, action, CATEGORIES, **more)


def test_what_the_patient_consented_to_is_allowed_and_nothing_else(hospital: Instance) -> None:
    assert ask(hospital) == Permission(ALL, True)
    assert ask(hospital, Action.WRITE) == Permission(frozenset({"vital-signs"}), True)
    assert ask(hospital, purpose=Purpose.HRESCH) == Permission(frozenset(), True)
    assert ask(hospital).allows("notes", "laboratory")
    assert not ask(hospital).allows("notes", "psychiatry")


def test_without_a_consent_nothing_is_allowed(hospital: Instance) -> None:
    assert ask(hospital, about=hospital.silent) == Permission(frozenset(), True)
    assert ask(hospital, by=hospital.pathologist) == Permission(frozenset(), True)


def test_nobody_but_a_practitioner_in_service_is_allowed_anything(hospital: Instance) -> None:
    assert ask(hospital, by=hospital.administrator) == Permission(frozenset(), True)
    assert ask(hospital, by=hospital.consented) == Permission(frozenset(), True)


def test_whoever_was_ended_here_reads_nothing_although_the_chain_does_not_know_yet(own_hospital: Instance) -> None:
    actor = own_hospital.nurse.actor
    own_hospital.handshaker.store.people.put_actor(replace(actor, active=False))
    assert ask(own_hospital, by=own_hospital.again(own_hospital.nurse)).allowed == frozenset()


def test_a_licence_that_has_run_out_by_the_clock_ends_it_on_an_idle_chain(own_hospital: Instance) -> None:
    assert ask(own_hospital).allowed
    own_hospital.clock.advance(timedelta(days=3650).total_seconds())
    assert ask(own_hospital).allowed == frozenset()


def test_a_consent_ends_by_the_clock_while_the_chain_stands_still(own_hospital: Instance) -> None:
    soon = (own_hospital.clock.now() + timedelta(hours=1)).strftime("%Y-%m-%dT%H:%M:%SZ")
    granted = own_hospital.consent(own_hospital.silent, notAfter=soon)
    assert own_hospital.acknowledged(granted).code == "effect"
    assert ask(own_hospital, about=own_hospital.silent).allows("notes")
    own_hospital.clock.advance(3601)
    assert ask(own_hospital, about=own_hospital.silent).allowed == frozenset()


def test_a_consent_ends_by_the_chain_where_the_clock_is_behind(own_hospital: Instance) -> None:
    soon = (own_hospital.clock.now() + timedelta(hours=1)).strftime("%Y-%m-%dT%H:%M:%SZ")
    assert own_hospital.acknowledged(own_hospital.consent(own_hospital.silent, notAfter=soon)).code == "effect"
    own_hospital.travel(7200)
    own_hospital.acknowledged(own_hospital.measure())
    own_hospital.clock.offset = timedelta()
    assert ask(own_hospital, about=own_hospital.silent).allowed == frozenset()


def test_a_revocation_closes_at_once_and_stays_closed(own_hospital: Instance) -> None:
    assert ask(own_hospital).allowed == ALL
    payload = {"grantee": "organisation/1", "purpose": "TREAT"}
    revoked = own_hospital.submit(own_hospital.consented, "consent-revoke", payload)
    assert own_hospital.ack(revoked) is None
    assert ask(own_hospital) == Permission(frozenset(), True)
    assert own_hospital.acknowledged(revoked).code == "effect"
    assert ask(own_hospital) == Permission(frozenset(), True)


def test_a_narrower_consent_closes_at_once_what_it_leaves_out(own_hospital: Instance) -> None:
    granted = own_hospital.consent(own_hospital.consented, read=["vital-signs"], write=[])
    assert ask(own_hospital).allowed == {"vital-signs"}
    assert ask(own_hospital, Action.WRITE).allowed == frozenset()
    assert own_hospital.acknowledged(granted).code == "effect"
    assert ask(own_hospital).allowed == {"vital-signs"}


def test_a_wider_consent_opens_nothing_before_the_chain_knows_it(own_hospital: Instance) -> None:
    granted = own_hospital.consent(own_hospital.silent)
    assert ask(own_hospital, about=own_hospital.silent).allowed == frozenset()
    assert own_hospital.acknowledged(granted).code == "effect"
    assert ask(own_hospital, about=own_hospital.silent).allowed == ALL


def test_what_another_patient_takes_back_closes_nothing(own_hospital: Instance) -> None:
    own_hospital.submit(own_hospital.silent, "consent-revoke", {"grantee": "organisation/1", "purpose": "TREAT"})
    assert ask(own_hospital).allowed == ALL


def test_what_is_taken_back_from_others_or_for_another_purpose_closes_nothing(own_hospital: Instance) -> None:
    for payload in (
        {"grantee": "organisation/2", "purpose": "TREAT"},
        {"grantee": "organisation/1", "purpose": "HRESCH"},
    ):
        own_hospital.submit(own_hospital.consented, "consent-revoke", payload)
    assert ask(own_hospital).allowed == ALL


def test_where_no_node_answers_nothing_is_allowed(hospital: Instance) -> None:
    dead = EthereumChain(connect("http://127.0.0.1:1"))
    dead.deployment = hospital.handshaker.chain.deployment
    gateway = Gateway(hospital.handshaker.store, lambda: dead, hospital.clock)
    patient, nurse = hospital.consented.actor.actor_id, hospital.nurse.actor
    assert gateway.permitted(patient, nurse, Action.READ, CATEGORIES) == Permission(frozenset(), False)


# ---- every statement that takes something away ---------------------------------------------------------------------

PATIENT = bytes(range(32))
NURSE = Actor("0x" + "ab" * 16, ActorKind.PRACTITIONER, "nurse", "0x", "", 7, None, True, True)
PERSON, HOUSE = practitioner_grantee(b"\xab" * 16), organisation_grantee(7)
GUARDIAN, CARER = "0x" + "11" * 20, "0x" + "22" * 20
HASH = bytes(32)


class Slots:
    """A chain that permits everything; its slots are what a test says."""

    def __init__(self) -> None:
        self.own: dict[bytes, int] = {}
        self.delegated: dict[bytes, tuple[str, int]] = {}
        self.is_life_threatening = False
        self.asked = 0

    def head(self) -> Block:
        return Block(1, HASH, HASH, 0)

    def view(self, contract: str, function: str, *arguments: Any) -> tuple[Any, ...]:
        assert contract == "ConsentRegistry"
        self.asked += 1
        if function == "isPermitted":
            return (True,)
        if function == "consent":
            mask = self.own.get(arguments[1], 0)
            return ((mask, mask, 0, 0, 2**40 - 1, 1, 0),)
        if function == "delegatedConsent":
            delegate, mask = self.delegated.get(arguments[1], ("0x" + "00" * 20, 0))
            return ((mask, mask, 0, 2**40 - 1, 1, 0, delegate, 1),)
        assert function == "emergency"
        return ((ALL_CATEGORIES, 0, 2**40 - 1, self.is_life_threatening),)


def words(function: str, **fields: Any) -> tuple[str, bytes]:
    kind = statement_type("ConsentRegistry", function)
    defaults: dict[str, Any] = {
        name: {"string": "", "bytes32": HASH, "address": GUARDIAN}.get(form, 0) for name, form in kind.fields
    }
    return function, kind.words(defaults | {"patientId": PATIENT} | fields)


def remaining(chain: Slots, *statements: tuple[str, bytes], purpose: Purpose = Purpose.TREAT) -> frozenset[str]:
    store = SimpleNamespace(intake=SimpleNamespace(open_words=lambda patient_id, contract: list(statements)))
    gateway = Gateway(cast("Any", store), lambda: cast("Any", chain), MovableClock())
    found = gateway.permitted("0x" + PATIENT.hex(), NURSE, Action.READ, CATEGORIES, purpose)
    assert found.reachable
    return found.allowed


EVERYTHING = frozenset(category.code for category in CATEGORIES)


def test_a_total_revocation_closes_everything() -> None:
    assert remaining(Slots(), words("revokeAll", epoch=1)) == frozenset()


@pytest.mark.parametrize("grantee", [PERSON, HOUSE])
def test_a_revocation_closes_what_its_slot_permits_and_what_it_denies(grantee: bytes) -> None:
    chain = Slots()
    chain.own[grantee] = mask_of(["notes"])
    chain.delegated[grantee] = (GUARDIAN, mask_of(["laboratory"]))
    revoked = words("revoke", grantee=grantee, denyMask=mask_of(["psychiatry"]))
    assert remaining(chain, revoked) == EVERYTHING - {"notes", "laboratory", "psychiatry"}


def test_a_grant_closes_what_it_denies() -> None:
    everything = mask_of(["all"])
    granted = words("grant", grantee=HOUSE, readMask=everything, denyMask=mask_of(["notes"]))
    assert remaining(Slots(), granted) == EVERYTHING - {"notes"}


def test_the_end_of_a_delegation_closes_what_that_delegate_gave() -> None:
    chain = Slots()
    chain.delegated = {HOUSE: (GUARDIAN, mask_of(["notes"])), PERSON: (CARER, mask_of(["laboratory"]))}
    assert remaining(chain, words("endDelegation", delegate=GUARDIAN)) == EVERYTHING - {"notes"}


@pytest.mark.parametrize(
    ("level", "is_life_threatening", "closes"), [(0, False, False), (1, False, True), (1, True, False), (2, True, True)]
)
def test_a_refusal_of_emergency_access_closes_it(level: int, is_life_threatening: bool, closes: bool) -> None:
    chain = Slots()
    chain.is_life_threatening = is_life_threatening
    refused = words("setEmergencyPreference", level=level)
    assert remaining(chain, refused, purpose=Purpose.ETREAT) == (frozenset() if closes else EVERYTHING)
    assert remaining(chain, refused) == EVERYTHING


def test_a_delegation_takes_nothing_away() -> None:
    assert remaining(Slots(), words("delegate", scope=1)) == EVERYTHING


def test_an_inquiry_asks_each_thing_once_and_remembers_nothing_for_the_next() -> None:
    chain = Slots()
    store = SimpleNamespace(intake=SimpleNamespace(open_words=lambda patient_id, contract: []))
    gateway = Gateway(cast("Any", store), lambda: cast("Any", chain), MovableClock())
    inquiry = gateway.inquiry()
    for _ in range(3):
        inquiry.permitted("0x" + PATIENT.hex(), NURSE, Action.READ, [NOTES, PSYCHIATRY])
    assert chain.asked == 2
    gateway.permitted("0x" + PATIENT.hex(), NURSE, Action.READ, [NOTES, VITAL_SIGNS])
    assert chain.asked == 4
