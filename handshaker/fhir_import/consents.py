"""What patients have allowed the author to write, and how that is asked for."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import timedelta
from uuid import uuid4

from handshaker.bootstrap import Handshaker
from handshaker.intake import Submission
from handshaker.messages import Origin, Template
from handshaker.tokens import Credential
from handshaker.vocabulary import CATEGORY_BY_CODE, Action, Purpose

CONSENT_LIFETIME = timedelta(days=365)


class Consents:
    """Consents of patients to the organisation of one author."""

    def __init__(self, handshaker: Handshaker, author: Credential) -> None:
        self._handshaker = handshaker
        self._author = author.actor
        number = author.actor.organisation_id
        self._grantee = f"practitioner/{author.actor.actor_id}" if number is None else f"organisation/{number}"

    def permit(self, patient_id: str, templates: Iterable[Template]) -> bool:
        """Ask the chain whether the author may write now what ``templates`` write; raises ``ChainUnreachable``."""
        now = int(self._handshaker.clock.now().timestamp())
        patient, author = bytes.fromhex(patient_id[2:]), bytes.fromhex(self._author.actor_id[2:])
        return all(
            self._handshaker.chain.view(
                "ConsentRegistry", "isPermitted", patient, author, int(Action.WRITE), category, int(purpose), now
            )[0]
            for category, purpose in _wishes(templates)
        )

    def sign(self, token: str) -> Submission:
        """Sign the demo hospital's consent with the vault-kept key that a patient's ``token`` opens.

        Raises ``ChainUnreachable``: only the chain knows which version the consent must beat.
        """
        until = (self._handshaker.clock.now() + CONSENT_LIFETIME).strftime("%Y-%m-%dT00:00:00Z")
        request = {
            "template": "consent-grant",
            "idempotencyKey": f"import/consent/{self._grantee}/{until}",
            "payload": {
                "grantee": self._grantee,
                "purpose": Purpose.TREAT.name,
                "read": ["all"],
                "write": ["all"],
                "notAfter": until,
            },
        }
        patient = self._handshaker.tokens.authenticate(token)
        return self._handshaker.intake.submit(request, patient, origin=Origin.IMPORT)

    def request(self, patient_id: str, templates: Iterable[Template]) -> None:
        """Leave the patient a request for consent; the same wish is kept once."""
        masks: dict[Purpose, int] = {}
        for category, purpose in _wishes(templates):
            masks[purpose] = masks.get(purpose, 0) | 1 << category
        for purpose, mask in masks.items():
            self._handshaker.store.people.request_consent(
                request_id=str(uuid4()),
                patient_id=patient_id,
                grantee=self._grantee,
                purpose=int(purpose),
                read_mask=mask,
                write_mask=mask,
                requested_by=self._author.actor_id,
                requested_at=self._handshaker.clock.now(),
            )


def _wishes(templates: Iterable[Template]) -> set[tuple[int, Purpose]]:
    return {
        (CATEGORY_BY_CODE[template.category].bit, template.purpose)
        for template in templates
        if template.category is not None and template.purpose is not None
    }
