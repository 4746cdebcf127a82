"""The consent rule in plain Python: no EVM, no slots, no epochs compared, only what people said and what holds now.

Where the contract compares numbers to find out what is dead, this model forgets what is dead: a total revocation
deletes permits, the end of a delegation deletes what the delegate gave, a newer word of the patient deletes what
delegates gave to that grantee. Every act returns its objections, the names of all errors that would be right; an act
without objections has happened. Source: DESIGN section 4 and ``contracts/interfaces``.
"""

from __future__ import annotations

from handshaker.vocabulary import CATEGORY_BY_BIT, EmergencyLevel, Purpose, Role
from tests.contracts.consent_state import BrokenGlass, Loan, Mandate, Patient, Permit, Practitioner, Slot
from tests.contracts.consent_statements import (
    Account,
    Categories,
    Delegation,
    DelegationEnd,
    Grant,
    Opening,
    Preference,
    Revocation,
    Statement,
    TotalRevocation,
)

Objections = frozenset[str]

NOBODY: Account = ""
NOTHING: Categories = frozenset()
MAX_VERSION_JUMP = 1000
MAX_EMERGENCY = 4 * 60 * 60


class ConsentModel:
    """The people, what they said, and the rule."""

    def __init__(self, now: int) -> None:
        self.now = now
        self.organisations: dict[int, bool] = {}
        self.practitioners: dict[bytes, Practitioner] = {}
        self.patients: dict[bytes, Patient] = {}

    def is_permitted(
        self, patient_id: bytes, requester: bytes, action: int, category: int, purpose: int, moment: int
    ) -> bool:
        """The rule: in good standing, nothing denies it, and something current permits it."""
        patient = self.patients.get(patient_id)
        if patient is None or category not in CATEGORY_BY_BIT or not self.in_good_standing(requester, moment):
            return False
        slots = [(grantee, purpose) for grantee in (requester, self.practitioners[requester].organisation)]
        if any(category in patient.denials.get(slot, NOTHING) for slot in slots):
            return False
        own = [patient.permits[slot] for slot in slots if slot in patient.permits]
        lent = [
            loan.permit
            for loan in (patient.loans[slot] for slot in slots if slot in patient.loans)
            if self._mandate_covers(patient, loan.delegate, category, moment)
        ]
        if any(permit.covers(action, category, moment) for permit in own + lent):
            return True
        glass = patient.glass.get(requester)
        return (
            purpose == Purpose.ETREAT
            and glass is not None
            and category in glass.categories
            and glass.opened_at <= moment <= glass.until
            and not patient.refuses(glass.life_threatening)
        )

    def in_good_standing(self, practitioner_id: bytes, moment: int) -> bool:
        """Known, active, licensed at the moment, and of an active organisation."""
        person = self.practitioners.get(practitioner_id)
        return (
            person is not None
            and person.active
            and moment <= person.licence_until
            and self.organisations[person.organisation]
        )

    def grant(self, said: Grant, signed_by: Account) -> Objections:
        """The controller sets the whole slot; a delegate lends within scope, expiry, and without a denial."""
        patient, against = self._patient(said.patient_id)
        slot = (said.grantee, said.purpose)
        word, loan = patient.word_versions.get(slot, 0), patient.loan_versions.get(slot, 0)
        against |= self._form(said.purpose, said.read | said.write | said.deny)
        against |= self._in_time(said.deadline) | _window(said.not_before, said.not_after)
        against |= _if(said.epoch != patient.epoch, "EpochStale") | _if(signed_by != said.signer, "SignatureInvalid")
        by_controller = said.signer == patient.controller
        if by_controller:
            against |= _newer(word, said.version)
        else:
            mandate = patient.mandates.get(said.signer)
            if mandate is None or not mandate.holds(self.now):
                return frozenset(against | {"SignerNotEntitled"})
            against |= _if(not said.read | said.write <= mandate.scope, "ScopeExceeded")
            against |= _if(bool(said.deny), "DelegateMayNotDeny")
            against |= _if(said.not_after > mandate.not_after, "ExpiryExceeded")
            against |= _newer(max(word, loan), said.version)
        if against:
            return frozenset(against)

        permit = Permit(said.read, said.write, said.not_before, said.not_after)
        if by_controller:
            patient.permits[slot] = permit
            patient.denials[slot] = said.deny
            self._speak(patient, slot, said.version)
        else:
            patient.loans[slot] = Loan(permit, said.signer)
            patient.loan_versions[slot] = said.version
        return frozenset()

    def revoke(self, said: Revocation, signed_by: Account) -> Objections:
        """Takes back what the slot permits (a delegate: within their scope) and adds to what it denies."""
        patient, against = self._patient(said.patient_id)
        slot = (said.grantee, said.purpose)
        word, loan = patient.word_versions.get(slot, 0), patient.loan_versions.get(slot, 0)
        against |= self._form(said.purpose, said.deny) | _if(signed_by != said.signer, "SignatureInvalid")
        taken: Categories = frozenset(CATEGORY_BY_BIT)
        if said.signer == patient.controller:
            against |= _newer(word, said.version)
        else:
            mandate = patient.mandates.get(said.signer)
            if mandate is None or not mandate.holds(self.now):
                return frozenset(against | {"SignerNotEntitled"})
            taken = mandate.scope
            against |= _if(not said.deny <= taken, "ScopeExceeded") | _newer(max(word, loan), said.version)
        if against:
            return frozenset(against)

        if slot in patient.permits:
            patient.permits[slot] = patient.permits[slot].without(taken)
        patient.denials[slot] = patient.denials.get(slot, NOTHING) | said.deny
        self._speak(patient, slot, said.version)
        return frozenset()

    def revoke_all(self, said: TotalRevocation, signed_by: Account) -> Objections:
        """Forgets every permit and delegation; denials and the emergency preference stay."""
        patient, against = self._patient(said.patient_id)
        against |= _if(said.epoch != patient.epoch + 1, "VersionOutOfRange")
        against |= _if(signed_by != patient.controller, "SignatureInvalid")
        if not against:
            patient.epoch = said.epoch
            patient.permits.clear()
            patient.loans.clear()
            patient.mandates.clear()
        return frozenset(against)

    def delegate(self, said: Delegation, signed_by: Account) -> Objections:
        """The controller, and nobody else, lets an account speak within a scope."""
        patient, against = self._patient(said.patient_id)
        against |= self._form(0, said.scope) | self._in_time(said.deadline) | _window(said.not_before, said.not_after)
        against |= _if(said.epoch != patient.epoch, "EpochStale")
        against |= _if(said.delegate == patient.controller, "DelegateInvalid")
        against |= _newer(patient.mandate_versions.get(said.delegate, 0), said.version)
        against |= _if(signed_by != patient.controller, "SignatureInvalid")
        if not against:
            patient.mandates[said.delegate] = Mandate(said.scope, said.not_before, said.not_after)
            patient.mandate_versions[said.delegate] = said.version
        return frozenset(against)

    def end_delegation(self, said: DelegationEnd, signed_by: Account) -> Objections:
        """Forgets the mandate and all that hangs on it."""
        patient, against = self._patient(said.patient_id)
        against |= _newer(patient.mandate_versions.get(said.delegate, 0), said.version)
        against |= _if(signed_by != patient.controller, "SignatureInvalid")
        if not against:
            patient.mandates.pop(said.delegate, None)
            patient.mandate_versions[said.delegate] = said.version
            patient.loans = {slot: loan for slot, loan in patient.loans.items() if loan.delegate != said.delegate}
        return frozenset(against)

    def prefer(self, said: Preference, signed_by: Account) -> Objections:
        """What the patient says beforehand about emergencies; making it weaker needs a deadline."""
        patient, against = self._patient(said.patient_id)
        against |= _if(said.level not in tuple(EmergencyLevel), "EmergencyLevelUnknown")
        against |= (
            self._in_time(said.deadline) if said.deadline else _if(said.level < patient.level, "DeadlineRequired")
        )
        against |= _newer(patient.level_version, said.version)
        against |= _if(signed_by != patient.controller, "SignatureInvalid")
        if not against:
            patient.level, patient.level_version = said.level, said.version
        return frozenset(against)

    def open_emergency(self, said: Opening, signed_by: Account) -> Objections:
        """A doctor or nurse breaks the glass, for at most four hours and never over specially protected records."""
        patient, against = self._patient(said.patient_id)
        general = frozenset(bit for bit, category in CATEGORY_BY_BIT.items() if not category.is_sensitive)
        against |= self._in_time(said.deadline)
        against |= _if(not said.categories or not said.categories <= general, "CategoriesUnknown")
        against |= _if(patient.refuses(said.life_threatening), "EmergencyRefused")
        glass = patient.glass.get(said.practitioner_id)
        reaches_further = glass is None or said.until > glass.until
        in_window = self.now <= said.until <= self.now + MAX_EMERGENCY
        against |= _if(not in_window or not reaches_further, "EmergencyWindowInvalid")
        person = self.practitioners.get(said.practitioner_id)
        entitled = (
            person is not None
            and person.role in (Role.DOCTOR, Role.NURSE)
            and self.in_good_standing(said.practitioner_id, self.now)
        )
        against |= _if(not entitled, "EmergencyNotEntitled")
        against |= _if(person is not None and signed_by != person.key, "SignatureInvalid")
        if not against:
            glass = BrokenGlass(said.categories, self.now, said.until, said.life_threatening)
            patient.glass[said.practitioner_id] = glass
        return frozenset(against)

    def perform(self, said: Statement, signed_by: Account) -> Objections:
        """Do what the statement says, or return the objections."""
        match said:
            case Grant():
                return self.grant(said, signed_by)
            case Revocation():
                return self.revoke(said, signed_by)
            case TotalRevocation():
                return self.revoke_all(said, signed_by)
            case Delegation():
                return self.delegate(said, signed_by)
            case DelegationEnd():
                return self.end_delegation(said, signed_by)
            case Preference():
                return self.prefer(said, signed_by)
            case Opening():
                return self.open_emergency(said, signed_by)

    def _patient(self, patient_id: bytes) -> tuple[Patient, set[str]]:
        found = self.patients.get(patient_id)
        return (found, set()) if found else (Patient(NOBODY), {"PatientUnknown"})

    def _mandate_covers(self, patient: Patient, delegate: Account, category: int, moment: int) -> bool:
        mandate = patient.mandates.get(delegate)
        return mandate is not None and mandate.holds(moment) and category in mandate.scope

    def _speak(self, patient: Patient, slot: Slot, version: int) -> None:
        # The newest word wins over everything that delegates gave, whatever number it carries.
        patient.loans.pop(slot, None)
        patient.word_versions[slot] = max(version, patient.loan_versions.get(slot, 0))

    def _form(self, purpose: int, categories: Categories) -> set[str]:
        known = frozenset(CATEGORY_BY_BIT)
        return _if(purpose not in tuple(Purpose), "PurposeUnknown") | _if(not categories <= known, "CategoriesUnknown")

    def _in_time(self, deadline: int) -> set[str]:
        return _if(self.now > deadline, "StatementExpired")


def _if(wrong: bool, error: str) -> set[str]:
    return {error} if wrong else set()


def _newer(current: int, version: int) -> set[str]:
    return _if(not current < version <= current + MAX_VERSION_JUMP, "VersionOutOfRange")


def _window(not_before: int, not_after: int) -> set[str]:
    return _if(not_after < not_before, "WindowInvalid")
