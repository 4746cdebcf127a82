"""Plain sentences for the machine codes of acknowledgements, with what to do next."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from handshaker.codes import EFFECT
from handshaker.messages import Acknowledgement
from handshaker.vocabulary import CATEGORY_BY_BIT, Purpose, Role


@dataclass(frozen=True, slots=True)
class Reason:
    """Why an acknowledgement is as it is."""

    sentence: str
    next_step: str = ""


_STANDINGS = (
    "is not in the directory",
    "is not active",
    "has a licence that has run out",
    "belongs to an organisation that is not active",
    "is in good standing",
)

_REASONS: Mapping[str, tuple[str, str]] = {
    EFFECT: ("It took effect on the chain: {event}.", ""),
    "not-permitted": (
        "The patient has not allowed writing {category} for {purpose}.",
        "Ask the patient for consent, then sign and submit again.",
    ),
    "author-not-in-good-standing": ("The author {standing}.", "An administrator can mend the registration."),
    "role-may-not-write": ("The role {role} may not write {category}.", "Let a colleague with the role write it."),
    "signature-invalid": ("The chain does not accept the signature.", "Sign again with the registered key."),
    "statement-expired": ("The deadline passed before it took effect.", "Sign and submit again."),
    "version-out-of-range": ("A newer statement about the same is on the chain already.", "Look at the newer one."),
    "epoch-stale": ("The patient has since withdrawn all consents.", "Sign anew if it is still wanted."),
    "already-recorded": ("This very record is on the chain already.", ""),
    "record-not-current": ("The record to amend was superseded or marked as an error.", "Amend the current one."),
    "record-mismatch": ("The record to amend is another patient's or organisation's.", "Check which record is meant."),
    "patient-unknown": ("The patient is not registered.", "Register the patient first."),
    "patient-already-registered": ("The patient is registered already.", ""),
    "not-administrator": ("The signer is not an administrator on the chain.", ""),
    "organisation-unknown": ("The organisation is not registered.", "Register the organisation first."),
    "signer-not-entitled": ("The signer does not control this patient's consents.", ""),
    "categories-unknown": ("The statement names categories that do not exist.", ""),
    "window-invalid": ("The statement ends before it begins.", "Check from and until."),
    "panic": ("A contract stopped: {meaning}.", "Tell the operator."),
    "error": ("A contract stopped: {message}.", "Tell the operator."),
    "role-not-allowed": ("This kind of transaction is not for the role.", ""),
    "actor-inactive": ("The person is not active or the licence has run out.", "An administrator can renew it."),
    "schema-violated": ("The entry does not have the form that the template asks for.", "Mend it and send it again."),
    "implausible": ("A value is outside what a living person can have.", "Check value and unit, and enter it again."),
    "deadline-passed": ("The deadline had passed long before it came.", "Sign and submit again."),
    "signature-refused": ("The signature is not the signer's.", "Sign again with the right key."),
}


_PASSING = frozenset(
    {
        "not-permitted",
        "statement-expired",
        "author-not-in-good-standing",
        "epoch-stale",
        "patient-unknown",
        "actor-inactive",
        "deadline-passed",
    }
)
"""Codes of what time, a patient or an administrator can mend, so that the same payload, signed anew, may be accepted.

Not in here is what lies in the payload itself, in the role, or in a record that was superseded: that needs another
payload, another author or another record.
"""


def can_pass(code: str) -> bool:
    """Tell whether a record that was refused with ``code`` may be accepted later without any change."""
    return code in _PASSING


def passing_codes() -> frozenset[str]:
    """Return every code for which `can_pass` holds."""
    return _PASSING


def reason_of(acknowledgement: Acknowledgement) -> Reason:
    """Return the sentence and the next step of an acknowledgement."""
    return reason(acknowledgement.code, acknowledgement.arguments)


def reason(code: str, arguments: Mapping[str, Any]) -> Reason:
    """Return the sentence and the next step for a code; an unknown code speaks for itself."""
    sentence, next_step = _REASONS.get(code, (f"The contract refused it: {code.replace('-', ' ')}.", ""))
    return Reason(sentence.format_map(_Words(arguments)), next_step)


class _Words(dict[str, str]):
    """The arguments of a reason in plain words."""

    def __init__(self, arguments: Mapping[str, Any]) -> None:
        super().__init__({name: _word(name, value) for name, value in arguments.items()})

    def __missing__(self, name: str) -> str:
        return "something unknown"


def _word(name: str, value: Any) -> str:
    if name == "category" and value in CATEGORY_BY_BIT:
        return CATEGORY_BY_BIT[value].display
    if name == "purpose" and value in set(Purpose):
        return Purpose(value).display
    if name == "role" and value in set(Role):
        return Role(value).code
    if name == "standing" and isinstance(value, int) and value < len(_STANDINGS):
        return _STANDINGS[value]
    return str(value)
