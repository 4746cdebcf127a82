"""What patients have allowed the author to write, and how that is asked for."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import timedelta

from handshaker.bootstrap import Handshaker
from handshaker.errors import ChainUnreachable
from handshaker.intake import Submission
from handshaker.messages import Origin, Template
from handshaker.records.requests import grantee_of
from handshaker.tokens import Credential
from handshaker.vocabulary import CATEGORY_BY_CODE, Action, Category, Purpose

CONSENT_LIFETIME = timedelta(days=365)


class Consents:
    """Consents of patients to the organisation of one author."""

    def __init__(self, handshaker: Handshaker, author: Credential) -> None:
        self._handshaker = handshaker
        self._author = author
        self._grantee = grantee_of(author.actor)

    def permit(self, patient_id: str, templates: Iterable[Template]) -> bool:
        """Ask the gateway whether the author may write now what ``templates`` write; raises ``ChainUnreachable``."""
        inquiry, author = self._handshaker.gateway.inquiry(), self._author.actor
        permitted = all(
            inquiry.permits_all(patient_id, author, Action.WRITE, categories, purpose)
            for purpose, categories in _wishes(templates).items()
        )
        if not inquiry.reachable:
            raise ChainUnreachable("The chain cannot be asked what the patient allows.")
        return permitted

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
        for purpose, categories in _wishes(templates).items():
            codes = [category.code for category in categories]
            self._handshaker.requests.ask(self._author, patient_id, codes, codes, purpose)


def _wishes(templates: Iterable[Template]) -> dict[Purpose, set[Category]]:
    """Return by purpose which categories ``templates`` write."""
    wishes: dict[Purpose, set[Category]] = {}
    for template in templates:
        if template.category is not None and template.purpose is not None:
            wishes.setdefault(template.purpose, set()).add(CATEGORY_BY_CODE[template.category])
    return wishes
