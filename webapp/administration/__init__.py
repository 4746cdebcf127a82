"""Pages for administrators: people, organisations, templates, acknowledgements and the network.

The layer's rule: every act goes through the library under the administrator's own signature, and is shown as what it
is, a transaction on its way. Secrets that are handed over (invitations, a patient's first token) are shown once, in the
answer to the form, and never in an address. Auditors open the acknowledgements and the audit log, and change nothing.
"""

from webapp.administration import (
    acknowledgements,
    acts,
    audit,
    home,
    network,
    organisations,
    patients,
    people,
    proposals,
    templates,
)
from webapp.administration.blueprint import administration

__all__ = [
    "acknowledgements",
    "acts",
    "administration",
    "audit",
    "home",
    "network",
    "organisations",
    "patients",
    "people",
    "proposals",
    "templates",
]
