"""What can happen to consents, in any order: the rules of the stateful tests, on the model alone.

The choices lean towards acts that succeed, because a life in which nothing is ever allowed shows little; each of them
can still go wrong in every way: a wrong version, epoch, deadline, window, category, signer or signature.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import TypeVar

from eth_keys.datatypes import PrivateKey
from hypothesis import event
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, rule

from handshaker.vocabulary import Purpose, Role
from tests.contracts.consent_model import NOBODY, NOTHING
from tests.contracts.consent_state import Patient
from tests.contracts.consent_statements import (
    Account,
    Categories,
    Delegation,
    DelegationEnd,
    Grant,
    Grantee,
    Opening,
    Preference,
    Revocation,
    Statement,
    TotalRevocation,
)
from tests.contracts.consent_universe import (
    CARER,
    CATEGORIES,
    GUARDIAN,
    NEW_KEY,
    ORGANISATIONS,
    PEOPLE,
    PURPOSES,
    STRANGER,
    UNKNOWN_CATEGORY,
    opening_model,
    permitted_by_model,
)
from tests.contracts.people import (
    ALICE,
    BOB,
    DOCTOR,
    LAKESIDE,
    NURSE,
    RIVERSIDE,
    VISITOR,
    YEAR,
    Practitioner,
    address_of,
)
from tests.contracts.people import Patient as Person

T = TypeVar("T")


def mostly(usual: Sequence[T], *seldom: T, share: int = 12) -> st.SearchStrategy[T]:
    """Choose from ``usual``, and each of ``seldom`` about once in ``share`` times."""
    weight = max(1, (share - len(seldom)) // len(usual))
    return st.sampled_from([*(list(usual) * weight), *seldom])


UNKNOWN_PATIENT = b"\xff" * 32
PATIENT_IDS = mostly([ALICE.id] * 6 + [BOB.id], UNKNOWN_PATIENT, share=40)
# Most of life turns around one nurse, her hospital and one carer: acts that never meet show nothing.
GRANTEES: st.SearchStrategy[Grantee] = st.sampled_from(
    [NURSE.id, NURSE.id, NURSE.id, NURSE.id, LAKESIDE, LAKESIDE, DOCTOR.id, VISITOR.id, RIVERSIDE]
)
MASKS = st.frozensets(mostly(CATEGORIES, UNKNOWN_CATEGORY, share=100), min_size=1)
KNOWN = st.frozensets(st.sampled_from(CATEGORIES), min_size=1)
DENIALS = st.one_of(st.just(NOTHING), st.just(NOTHING), st.frozensets(st.sampled_from(CATEGORIES)))
ANY_PURPOSE = mostly([int(Purpose.TREAT)] * 3 + [int(Purpose.ETREAT)], 7, share=40)
JUMPS = mostly([1], 0, 2, 1000, 1001, share=24)
EPOCH_ERRORS = mostly([0], 1, share=30)
WINDOWS = mostly([(-10, 50_000)], (0, 100), (60, 9_000), (-10, -1), (5, 0), (0, 0), share=24)
DEADLINES = mostly([1_000], 0, -1, share=30)
FORGED = mostly([False], True, share=30)
WITHHELD = mostly([False], True, share=15)
DELEGATES = mostly([address_of(CARER)] * 3 + [address_of(GUARDIAN)], address_of(STRANGER), share=30)
DELEGATES_JUMPS = mostly([1, 4, 9], 0, 1000, 1001, share=30)
SCOPES = st.one_of(MASKS, MASKS, MASKS, st.just(frozenset(CATEGORIES)), st.just(NOTHING))
MOMENTS = (-1, 0, 60, 3_600, 20_000)
"""Seconds from now at which access is compared."""


class ConsentLife(RuleBasedStateMachine):
    """Acts on the model; a subclass carries the same acts into another world by overriding the ``world_`` methods."""

    def __init__(self) -> None:
        super().__init__()
        self.model = opening_model()
        self.spoken: list[tuple[Statement, Account]] = []

    def world_hears(self, said: Statement, signed_by: Account, objections: frozenset[str]) -> None:
        """A statement was carried; the model had these objections."""

    def world_changes_practitioner(self, person: Practitioner) -> None:
        """The model's directory has a new entry for a practitioner."""

    def world_changes_organisation(self, organisation_id: int) -> None:
        """The model's directory has a new entry for an organisation."""

    def world_changes_controller(self, who: Person, before: Account) -> None:
        """A patient's controller was rotated."""

    def world_grows_older(self, seconds: int) -> None:
        """Time passed."""

    @initialize(grantees=st.lists(GRANTEES, min_size=1, max_size=3), purpose=st.sampled_from(PURPOSES),
                mask=KNOWN, delegate=st.sampled_from([address_of(CARER), None]))  # fmt: skip
    def some_trust_is_there_from_the_start(
        self, grantees: list[Grantee], purpose: int, mask: Categories, delegate: Account | None
    ) -> None:
        now, controller = self.model.now, ALICE.address
        end, deadline = now + 50_000, now + 1_000
        for grantee in grantees:
            version = self.model.patients[ALICE.id].word_versions.get((grantee, purpose), 0) + 1
            said = Grant(
                ALICE.id, grantee, purpose, mask, mask, NOTHING, now, end, version, 0, controller, deadline
            )  # fmt: skip
            self._say(said, controller, forged=False)
        if delegate is not None:
            self._say(Delegation(ALICE.id, delegate, mask, now, end, 1, 0, deadline), controller, forged=False)

    # Nothing here has a docstring: hypothesis prints the names of the rules, and they are the story.
    @rule(
        patient_id=PATIENT_IDS, grantee=GRANTEES, purpose=ANY_PURPOSE, read=MASKS, write=MASKS, deny=DENIALS,
        jump=JUMPS, epoch_error=EPOCH_ERRORS, window=WINDOWS, deadline=DEADLINES, forged=FORGED, withheld=WITHHELD,
    )  # fmt: skip
    def patient_grants(
        self, patient_id: bytes, grantee: Grantee, purpose: int, read: Categories, write: Categories,
        deny: Categories, jump: int, epoch_error: int, window: tuple[int, int], deadline: int, forged: bool,
        withheld: bool,
    ) -> None:  # fmt: skip
        patient = self._patient(patient_id)
        version = patient.word_versions.get((grantee, purpose), 0) + jump
        start, end = self._window(window)
        said = Grant(
            patient_id, grantee, purpose, read, write, deny, start, end, version, patient.epoch + epoch_error,
            self._controller(patient), self.model.now + deadline,
        )  # fmt: skip
        self._say(said, said.signer, forged, withheld)

    @rule(
        patient_id=PATIENT_IDS, delegate=DELEGATES, grantee=GRANTEES, purpose=ANY_PURPOSE, read=MASKS, write=MASKS,
        deny=mostly([NOTHING], frozenset({1}), share=20), jump=DELEGATES_JUMPS, window=WINDOWS,
        within=mostly([True], False), overruled=mostly([False], True, share=4), forged=FORGED, withheld=WITHHELD,
    )  # fmt: skip
    def delegate_grants(
        self, patient_id: bytes, delegate: Account, grantee: Grantee, purpose: int, read: Categories,
        write: Categories, deny: Categories, jump: int, window: tuple[int, int], within: bool, overruled: bool,
        forged: bool, withheld: bool,
    ) -> None:  # fmt: skip
        patient = self._patient(patient_id)
        if within:
            delegate = self._trusted(patient_id, delegate)
        slot = (grantee, purpose)
        version = max(patient.word_versions.get(slot, 0), patient.loan_versions.get(slot, 0)) + jump
        start, end = self._window(window)
        mandate = patient.mandates.get(delegate)
        if mandate is not None and within:
            read, write, end = read & mandate.scope, write & mandate.scope, min(end, mandate.not_after)
        said = Grant(
            patient_id, grantee, purpose, read, write, deny, start, end, version, patient.epoch, delegate,
            self.model.now + 1_000,
        )  # fmt: skip
        self._say(said, delegate, forged, withheld)
        if overruled:
            # A patient who does not know of it signs the next number of their own, with less in it.
            own, signer = patient.word_versions.get(slot, 0) + 1, self._controller(patient)
            word = replace(said, read=said.read & {1}, write=NOTHING, deny=NOTHING, version=own, signer=signer)
            self._say(word, signer, forged=False)

    @rule(patient_id=PATIENT_IDS, grantee=GRANTEES, purpose=ANY_PURPOSE, deny=DENIALS, jump=JUMPS, forged=FORGED,
          withheld=WITHHELD)  # fmt: skip
    def patient_revokes(
        self, patient_id: bytes, grantee: Grantee, purpose: int, deny: Categories, jump: int, forged: bool,
        withheld: bool,
    ) -> None:  # fmt: skip
        patient = self._patient(patient_id)
        version = patient.word_versions.get((grantee, purpose), 0) + jump
        signer = self._controller(patient)
        self._say(Revocation(patient_id, grantee, purpose, deny, version, signer), signer, forged, withheld)

    @rule(patient_id=PATIENT_IDS, delegate=DELEGATES, grantee=GRANTEES, purpose=ANY_PURPOSE, deny=DENIALS,
          jump=DELEGATES_JUMPS, trusted=mostly([True], False), forged=FORGED)  # fmt: skip
    def delegate_revokes(
        self, patient_id: bytes, delegate: Account, grantee: Grantee, purpose: int, deny: Categories, jump: int,
        trusted: bool, forged: bool,
    ) -> None:  # fmt: skip
        patient = self._patient(patient_id)
        if trusted:
            delegate = self._trusted(patient_id, delegate)
        slot = (grantee, purpose)
        version = max(patient.word_versions.get(slot, 0), patient.loan_versions.get(slot, 0)) + jump
        self._say(Revocation(patient_id, grantee, purpose, deny, version, delegate), delegate, forged)

    @rule(patient_id=PATIENT_IDS, really=st.sampled_from([False, False, True]), jump=mostly([1], 0, 2), forged=FORGED)
    def patient_revokes_all(self, patient_id: bytes, really: bool, jump: int, forged: bool) -> None:
        patient = self._patient(patient_id)
        # What ends everything ends the story, so it comes seldom.
        if really:
            self._say(TotalRevocation(patient_id, patient.epoch + jump), self._controller(patient), forged)

    @rule(
        patient_id=PATIENT_IDS, delegate=DELEGATES, scope=SCOPES, jump=JUMPS, epoch_error=EPOCH_ERRORS,
        window=WINDOWS, deadline=DEADLINES, to_self=FORGED, forged=FORGED, withheld=WITHHELD,
    )  # fmt: skip
    def patient_delegates(
        self, patient_id: bytes, delegate: Account, scope: Categories, jump: int, epoch_error: int,
        window: tuple[int, int], deadline: int, to_self: bool, forged: bool, withheld: bool,
    ) -> None:  # fmt: skip
        patient = self._patient(patient_id)
        controller = self._controller(patient)
        trusted = controller if to_self else delegate
        version = patient.mandate_versions.get(trusted, 0) + jump
        start, end = self._window(window)
        epoch = patient.epoch + epoch_error
        said = Delegation(patient_id, trusted, scope, start, end, version, epoch, self.model.now + deadline)
        self._say(said, controller, forged, withheld)

    @rule(patient_id=PATIENT_IDS, delegate=DELEGATES, jump=JUMPS, renewed=st.booleans(), forged=FORGED,
          withheld=WITHHELD)  # fmt: skip
    def patient_ends_delegation(
        self, patient_id: bytes, delegate: Account, jump: int, renewed: bool, forged: bool, withheld: bool
    ) -> None:
        patient, now = self._patient(patient_id), self.model.now
        version = patient.mandate_versions.get(delegate, 0) + jump
        self._say(DelegationEnd(patient_id, delegate, version), self._controller(patient), forged, withheld)
        if renewed:
            scope = frozenset(CATEGORIES)
            said = Delegation(patient_id, delegate, scope, now, now + 20_000, version + 1, patient.epoch, now)
            self._say(said, self._controller(patient), forged=False)

    @rule(patient_id=PATIENT_IDS, level=mostly([0, 0, 1, 2], 3), deadline=st.sampled_from([None, 1_000, 1_000, -1]),
          jump=JUMPS, forged=FORGED, withheld=WITHHELD)  # fmt: skip
    def patient_prefers(
        self, patient_id: bytes, level: int, deadline: int | None, jump: int, forged: bool, withheld: bool
    ) -> None:
        patient = self._patient(patient_id)
        until = 0 if deadline is None else self.model.now + deadline
        said = Preference(patient_id, level, patient.level_version + jump, until)
        self._say(said, self._controller(patient), forged, withheld)

    @rule(
        patient_id=PATIENT_IDS, person=st.sampled_from(PEOPLE),
        categories=mostly([frozenset({1}), frozenset({1, 9})], frozenset({1, 32}), NOTHING),
        life_threatening=st.booleans(), lasts=mostly([60, 3_600, 14_400], 14_401, -1, 0), deadline=DEADLINES,
        forged=FORGED, withheld=WITHHELD,
    )  # fmt: skip
    def clinician_breaks_the_glass(
        self, patient_id: bytes, person: Practitioner, categories: Categories, life_threatening: bool, lasts: int,
        deadline: int, forged: bool, withheld: bool,
    ) -> None:  # fmt: skip
        now = self.model.now
        said = Opening(patient_id, person.id, categories, life_threatening, now + lasts, now + deadline)
        self._say(said, person.address, forged, withheld)

    @rule(which=st.integers(0, 1_000))
    def somebody_carries_an_earlier_statement(self, which: int) -> None:
        if self.spoken:
            self._carry(*self.spoken[which % len(self.spoken)])

    @rule(seconds=mostly([1, 30, 61], 3_600, 14_400, 60_000, share=40))
    def time_passes(self, seconds: int) -> None:
        self.model.now += seconds
        self.world_grows_older(seconds)

    @rule(person=st.sampled_from(PEOPLE), organisation=st.sampled_from(ORGANISATIONS), active=mostly([True], False),
          role=mostly([Role.DOCTOR, Role.NURSE], Role.PATHOLOGIST), licence=mostly([YEAR], 100, -1))  # fmt: skip
    def administrator_changes_practitioner(
        self, person: Practitioner, organisation: int, active: bool, role: Role, licence: int
    ) -> None:
        entry = self.model.practitioners[person.id]
        self.model.practitioners[person.id] = replace(
            entry, organisation=organisation, role=role, licence_until=self.model.now + licence, active=active
        )
        self.world_changes_practitioner(person)

    @rule(organisation_id=st.sampled_from(ORGANISATIONS), active=mostly([True], False, share=6))
    def administrator_changes_organisation(self, organisation_id: int, active: bool) -> None:
        self.model.organisations[organisation_id] = active
        self.world_changes_organisation(organisation_id)

    @rule(who=mostly([ALICE], BOB), key=st.sampled_from([None, NEW_KEY, CARER]))
    def patient_rotates_controller(self, who: Person, key: PrivateKey | None) -> None:
        before = self.model.patients[who.id].controller
        self.model.patients[who.id].controller = address_of(key or who.key)
        self.world_changes_controller(who, before)

    def _say(self, said: Statement, signer: Account, forged: bool, withheld: bool = False) -> None:
        signed_by = address_of(STRANGER) if forged else signer
        self.spoken.append((said, signed_by))
        if not withheld:
            self._carry(said, signed_by)

    def _carry(self, said: Statement, signed_by: Account) -> None:
        patient = self._patient(said.patient_id)
        narrows = isinstance(said, Revocation | TotalRevocation | DelegationEnd) or (
            isinstance(said, Preference) and said.level >= patient.level
        )
        before = self._access(said.patient_id) if narrows else []
        objections = self.model.perform(said, signed_by)
        event(f"{type(said).__name__} {'refused' if objections else 'accepted'}")
        if narrows:
            for earlier, later in zip(before, self._access(said.patient_id), strict=True):
                assert later <= earlier, f"{said} widened access"
        self.world_hears(said, signed_by, objections)

    def _access(self, patient_id: bytes) -> list[set[tuple[bytes, bytes, int, int, int]]]:
        return [permitted_by_model(self.model, patient_id, self.model.now + offset) for offset in MOMENTS]

    def _patient(self, patient_id: bytes) -> Patient:
        return self.model.patients.get(patient_id) or Patient(NOBODY)

    def _trusted(self, patient_id: bytes, wanted: Account) -> Account:
        """Somebody with a mandate: ``wanted``, or who has one, or ``wanted`` after being given one."""
        patient, now = self._patient(patient_id), self.model.now
        holders = sorted(delegate for delegate, mandate in patient.mandates.items() if mandate.holds(now))
        if holders:
            return wanted if wanted in holders else holders[0]
        version = patient.mandate_versions.get(wanted, 0) + 1
        scope = frozenset(CATEGORIES)
        said = Delegation(patient_id, wanted, scope, now, now + 20_000, version, patient.epoch, now)
        self._say(said, self._controller(patient), forged=False)
        return wanted

    def _controller(self, patient: Patient) -> Account:
        return patient.controller or address_of(STRANGER)

    def _window(self, window: tuple[int, int]) -> tuple[int, int]:
        return self.model.now + window[0], self.model.now + window[1]
