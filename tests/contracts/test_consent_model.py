"""The consent rule of the contract held against the plain model, over any mix of acts; and its monotonicity."""

from __future__ import annotations

from collections import Counter
from copy import deepcopy
from dataclasses import replace
from itertools import product
from typing import ClassVar

import pytest
from hypothesis import event, settings
from hypothesis import strategies as st
from hypothesis.stateful import invariant, rule, run_state_machine_as_test

from tests.contracts import drafts
from tests.contracts.consent_life import GRANTEES, ConsentLife, mostly
from tests.contracts.consent_statements import Account, Categories, Grant, Grantee, Revocation, Statement
from tests.contracts.consent_universe import (
    CATEGORIES,
    KEYS,
    PURPOSES,
    permitted_by_contract,
    permitted_by_model,
    submit,
)
from tests.contracts.harness import decode_revert
from tests.contracts.hospital import Hospital
from tests.contracts.hostiles import deploy_test_contract
from tests.contracts.node_evm import ANVIL_ARGUMENTS, NodeEvm
from tests.contracts.people import ADMINISTRATOR, ALICE, BOB, Patient, Practitioner
from tests.nodes import anvil

OFFSETS = (-1, 0, 60, 3_600)
"""How far from the chain's clock access is asked about, after every act."""
EXAMPLES = settings().max_examples
"""50, or 1,000 under the profile ``thorough``."""
PATIENTS = mostly([ALICE], BOB)
PURPOSE = st.sampled_from([int(purpose) for purpose in PURPOSES])
KNOWN: st.SearchStrategy[Categories] = st.frozensets(st.sampled_from(CATEGORIES))


class ContractAndModel(ConsentLife):
    """Every act is done on both; both refuse it or neither does, and then both permit the same."""

    first_day: ClassVar[Hospital]
    asker: ClassVar[str]
    """A deployed ``Questions``."""
    compared: ClassVar[Counter[bool]] = Counter()
    """How often access was compared, by whether anything was permitted."""

    def __init__(self) -> None:
        super().__init__()
        self.hospital = self.first_day.reopen()
        self.versions: Counter[object] = Counter()
        self.changed = True

    def world_hears(self, said: Statement, signed_by: Account, objections: frozenset[str]) -> None:
        receipt = submit(self.hospital, said, signed_by)
        if receipt.status == 0:
            refusal = decode_revert(receipt.revert_data)[0]
            assert refusal in objections, f"contract: {refusal or 'no reason'}, model: {set(objections)}, {said}"
        else:
            assert not objections, f"the contract accepted what the model refuses: {set(objections)}, {said}"
            assert len(receipt.logs) == 1
            self.changed = True

    def world_changes_practitioner(self, person: Practitioner) -> None:
        entry = self.model.practitioners[person.id]
        draft = drafts.practitioner(
            person, organisationId=entry.organisation, role=int(entry.role), licenceUntil=entry.licence_until,
            active=entry.active, version=self._next_version(person), deadline=self.model.now,
        )  # fmt: skip
        self._administer("registerPractitioner", draft)

    def world_changes_organisation(self, organisation_id: int) -> None:
        draft = drafts.organisation(
            organisation_id,
            active=self.model.organisations[organisation_id],
            version=self._next_version(organisation_id),
            deadline=self.model.now,
        )
        self._administer("registerOrganisation", draft)

    def world_changes_controller(self, who: Patient, before: Account) -> None:
        draft = drafts.rotation(
            who,
            newController=self.model.patients[who.id].controller,
            version=self._next_version(who),
            deadline=self.model.now,
        )
        self.hospital.must("Directory", "rotateController", draft, KEYS[before])

    def world_grows_older(self, seconds: int) -> None:
        self.hospital.evm.advance(seconds)
        self.changed = True

    @invariant()
    def contract_and_model_permit_the_same(self) -> None:
        if not self.changed:
            return
        for who, offset in product((ALICE, BOB), OFFSETS):
            moment = self.model.now + offset
            expected = permitted_by_model(self.model, who.id, moment)
            assert permitted_by_contract(self.hospital, self.asker, who.id, moment) == expected
            self.compared[bool(expected)] += 1
        self.changed = False

    def _administer(self, function: str, draft: drafts.Draft) -> None:
        self.hospital.must("Directory", function, draft, ADMINISTRATOR)
        self.changed = True

    def _next_version(self, subject: object) -> int:
        # Everyone was registered with version 1.
        self.versions[subject] += 1
        return 1 + self.versions[subject]


class OtherWorlds(ConsentLife):
    """In every state that can be reached: the same act with a denial more, or a permit less, never permits more."""

    @rule(who=PATIENTS, grantee=GRANTEES, purpose=PURPOSE, denied=KNOWN)
    def a_denial_more_never_widens(self, who: Patient, grantee: Grantee, purpose: int, denied: Categories) -> None:
        state = self.model.patients[who.id]
        version = state.word_versions.get((grantee, purpose), 0) + 1
        denial = Revocation(who.id, grantee, purpose, denied, version, state.controller)
        self._compare(who, None, denial)

    @rule(
        who=PATIENTS, grantee=GRANTEES, purpose=PURPOSE, read=KNOWN, write=KNOWN, denied=KNOWN, less=KNOWN, more=KNOWN
    )  # fmt: skip
    def a_narrower_grant_never_widens(
        self, who: Patient, grantee: Grantee, purpose: int, read: Categories, write: Categories, denied: Categories,
        less: Categories, more: Categories,
    ) -> None:  # fmt: skip
        state, now = self.model.patients[who.id], self.model.now
        version = state.word_versions.get((grantee, purpose), 0) + 1
        broad = Grant(
            who.id, grantee, purpose, read, write, denied, now, now + 9_000, version, state.epoch, state.controller, now
        )
        self._compare(who, broad, replace(broad, deny=denied | more))
        self._compare(who, broad, replace(broad, read=read - less))
        self._compare(who, broad, replace(broad, write=write - less))
        self._compare(who, broad, replace(broad, not_after=now + 100))

    def _compare(self, who: Patient, broad: Statement | None, narrow: Statement) -> None:
        one, other = deepcopy(self.model), deepcopy(self.model)
        controller = self.model.patients[who.id].controller
        assert broad is None or not one.perform(broad, controller)
        assert not other.perform(narrow, controller)
        for moment in (self.model.now, self.model.now + 3_600):
            more, fewer = (permitted_by_model(world, who.id, moment) for world in (one, other))
            assert fewer <= more
            event("the narrower act permitted less" if fewer < more else "the narrower act permitted the same")


@pytest.mark.anvil
@pytest.mark.slow
def test_contract_and_model_refuse_and_permit_the_same_whatever_happens() -> None:
    with anvil(*ANVIL_ARGUMENTS) as node:
        evm = NodeEvm(node)
        ContractAndModel.asker = deploy_test_contract(evm, "Questions")
        ContractAndModel.first_day = Hospital(evm)
        run_state_machine_as_test(ContractAndModel, settings=_lives(EXAMPLES * 4 // 5))
    # Where nothing is ever permitted, two rules that deny everything would agree.
    assert ContractAndModel.compared[True] * 10 > ContractAndModel.compared.total()


def test_a_denial_more_or_a_permit_less_never_widens_access() -> None:
    run_state_machine_as_test(OtherWorlds, settings=_lives(EXAMPLES * 2))


def _lives(count: int) -> settings:
    return settings(max_examples=count, stateful_step_count=35, deadline=None)
