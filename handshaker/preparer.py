"""The freedoms of a statement: salt, reference, deadline, version and epoch, fixed before it is signed."""

from __future__ import annotations

import base64
import secrets
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

from handshaker.ethereum.statements import FieldValue, statement_type
from handshaker.generator import TransactionGenerator
from handshaker.messages import Context, InitialTransaction, Preparation, Template
from handshaker.ports import Chain, Clock
from handshaker.store.intake import IntakeStore

Fields = Mapping[str, FieldValue]

_SLOT_KEYS = ("patientId", "grantee", "purpose", "delegate", "practitionerId", "organisationId", "officer")
"""Fields that say which slot a statement is about; an emergency preference has none but the patient's."""


class Preparer:
    """Fixes what a statement leaves open, so that its version beats all that came before it."""

    def __init__(
        self, chain: Callable[[], Chain], intake: IntakeStore, generator: TransactionGenerator, clock: Clock
    ) -> None:
        self._chain = chain
        self._intake = intake
        self._generator = generator
        self._clock = clock

    def prepare(self, ti: InitialTransaction, template: Template, context: Context) -> Preparation:
        """Return fresh freedoms for ``ti``; asks the chain only for statements that carry a version.

        Raises ``ChainUnreachable`` for those, and what the Generator raises.
        """
        draft = replace(context, preparation=self.fresh(template))
        kind = statement_type(template.contract, template.function)
        names = {name for name, _ in kind.fields}
        if "version" not in names and "epoch" not in names:
            return draft.preparation
        call = self._generator.generate(ti, template, draft)
        fields = kind.values(call.words)
        slot = _SLOTS[template.contract, template.function]
        chain = self._chain()
        version, epoch = slot(chain, fields), 0
        patient = fields.get("patientId")
        if isinstance(patient, bytes) and template.contract == "ConsentRegistry":
            epoch = int(_patient_state(chain, fields)[0])
        patient_id = "0x" + patient.hex() if isinstance(patient, bytes) else None
        for function, words in self._intake.open_words(patient_id, template.contract):
            other = statement_type(template.contract, function).values(words)
            if function == "revokeAll":
                epoch = max(epoch, int(other["epoch"]))
            elif "version" in other and _same_slot(other, fields):
                version = max(version, int(other["version"]))
        return replace(draft.preparation, version=version + 1, epoch=epoch + (template.function == "revokeAll"))

    def fresh(self, template: Template) -> Preparation:
        """Return random salt and reference, and the deadline of a statement that is signed now."""
        return Preparation(
            salt=secrets.token_bytes(32),
            reference=base64.b32encode(secrets.token_bytes(16)).decode().rstrip("="),
            deadline=int(self._clock.now().timestamp()) + template.lifetime,
            version=1,
            epoch=0,
        )


def _same_slot(one: Fields, other: Fields) -> bool:
    return all(one.get(name) == other.get(name) for name in _SLOT_KEYS)


def _patient_state(chain: Chain, fields: Fields) -> Any:
    return chain.view("ConsentRegistry", "patientState", fields["patientId"])[0]


def _consent(chain: Chain, fields: Fields) -> int:
    key = (fields["patientId"], fields["grantee"], fields["purpose"])
    own = chain.view("ConsentRegistry", "consent", *key)[0]
    delegated = chain.view("ConsentRegistry", "delegatedConsent", *key)[0]
    return int(max(own[5], delegated[4]))


def _delegation(chain: Chain, fields: Fields) -> int:
    return int(chain.view("ConsentRegistry", "delegation", fields["patientId"], fields["delegate"])[0][3])


_SLOTS: Mapping[tuple[str, str], Callable[[Chain, Fields], int]] = {
    ("ConsentRegistry", "grant"): _consent,
    ("ConsentRegistry", "revoke"): _consent,
    ("ConsentRegistry", "revokeAll"): lambda chain, fields: 0,
    ("ConsentRegistry", "delegate"): _delegation,
    ("ConsentRegistry", "endDelegation"): _delegation,
    ("ConsentRegistry", "setEmergencyPreference"): lambda chain, fields: int(_patient_state(chain, fields)[2]),
    ("Directory", "registerOrganisation"): lambda chain, fields: int(
        chain.view("Directory", "organisation", fields["organisationId"])[0][1]
    ),
    ("Directory", "registerPractitioner"): lambda chain, fields: int(
        chain.view("Directory", "practitioner", fields["practitionerId"])[0][5]
    ),
    ("Directory", "rotateController"): lambda chain, fields: int(
        chain.view("Directory", "patient", fields["patientId"])[0][2]
    ),
    ("Directory", "proposeRecovery"): lambda chain, fields: int(
        chain.view("Directory", "patient", fields["patientId"])[0][2]
    ),
    ("Directory", "appointOfficer"): lambda chain, fields: int(
        chain.view("Directory", "officer", fields["officer"])[1]
    ),
}
"""Where the last version stands that a statement must beat; an entry for each function whose struct has a version."""
